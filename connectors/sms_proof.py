"""Whether a payload is from the SMS gateway: by its secret, signature or password, as the mapping says."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from urllib.parse import parse_qs, urlsplit

from laporhub.connectors import sms_payload
from laporhub.connectors.sms_gateway import BasicAuth, Gateway, HmacAuth
from laporhub.pipeline.connector import Raw
from laporhub.pipeline.errors import Forged


def check_proof(gateway: Gateway, secret: str, hook_user: str, raw: Raw) -> None:
    """Raises `Forged` unless the gateway proves itself as the mapping says, on its own address."""
    if _named(raw.url) != gateway.name:
        raise Forged(f"the gateway's address is /hooks/sms/{gateway.name}")
    headers = raw.headers or {}
    match gateway.auth:
        case BasicAuth():
            shown = _basic(headers.get("authorization", ""))
            wanted = f"{hook_user}:{secret}"
        case HmacAuth() as rule:
            shown = headers.get(rule.header.lower(), "")
            digest = hmac.digest(secret.encode(), raw.body, rule.algorithm)
            wanted = rule.prefix + (digest.hex() if rule.encoding == "hex" else b64encode(digest).decode())
            shown = shown.lower() if rule.encoding == "hex" else shown
            wanted = wanted.lower() if rule.encoding == "hex" else wanted
        case rule:
            shown = (
                headers.get(rule.name.lower(), "") if rule.kind == "header" else _parameter(raw, rule.name)
            )
            wanted = secret
    if not hmac.compare_digest(_digest(shown), _digest(wanted)):
        raise Forged(
            "the gateway's secret or signature does not match: it must be the one of LAPORHUB_SMS_SECRET"
        )


def _digest(shown: str) -> bytes:
    """Of one length, so that comparing tells nothing of the secret's."""
    return hashlib.sha256(shown.encode("utf-8", "surrogatepass")).digest()


def _named(url: str) -> str:
    """Which gateway an address is of: the word after /hooks/sms/."""
    try:
        path = urlsplit(url).path
    except ValueError:
        return ""
    return path.partition("/hooks/sms/")[2].partition("/")[0]


def _basic(header: str) -> str:
    kind, _, value = header.partition(" ")
    if kind.lower() != "basic":
        return ""
    try:
        return b64decode(value, validate=True).decode()
    except (NotBase64, ValueError):
        return ""


def _parameter(raw: Raw, name: str) -> str:
    """From the address, else from the form."""
    try:
        query = parse_qs(urlsplit(raw.url).query, max_num_fields=sms_payload.MAX_FIELDS)
        if name in query:
            return query[name][0]
        return parse_qs(raw.body.decode(), max_num_fields=sms_payload.MAX_FIELDS).get(name, [""])[0]
    except ValueError:
        return ""
