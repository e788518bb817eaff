"""What an SMS gateway's answer means, by its mapping. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

import orjson

from laporhub.connectors.sms_gateway import Answer, LookUp
from laporhub.connectors.sms_payload import text_at
from laporhub.pipeline.connector import Failed, Outcome, Sent, Unknown
from laporhub.pipeline.errors import RetryLater, StopChannel

_SHOWN = 2000
"""So much of an answer is matched with a pattern."""
_ID = re.compile(r"[!-~]{1,200}")
_BY_STATUS = {401: "dead", 402: "dead", 403: "dead", 408: "unknown", 429: "retry", 503: "retry"}


def outcome(answer: Answer, status: int, headers: Mapping[str, str], body: bytes, reference: str) -> Outcome:
    """What became of a message. Without an id in the answer it is known by our own `reference`.

    Raises `RetryLater`, `StopChannel`.
    """
    name, code = _read(answer, body)
    meant = answer.outcomes.get(code) or answer.statuses.get(status) or _by_status(answer, status)
    told = f"{status}, code {code}" if _ID.fullmatch(code) else str(status)
    match meant:
        case "sent":
            return Sent(name if _ID.fullmatch(name) else reference)
        case "retry":
            hint = headers.get("retry-after", "")
            raise RetryLater(
                f"the SMS gateway is busy ({told})",
                after=float(hint) if hint.isascii() and hint.isdecimal() else None,
            )
        case "dead":
            raise StopChannel(
                f"the SMS gateway refuses the account ({told}): check LAPORHUB_SMS_USER, "
                "LAPORHUB_SMS_PASSWORD and the credit"
            )
        case "unknown":
            return Unknown(f"the gateway's answer tells nothing ({told})")
    reason = meant.removeprefix("failed:")
    return Failed(f"{reason} ({code})" if code and _ID.fullmatch(code) else reason)


def found(rule: LookUp, status: int, body: bytes) -> str | None:
    """The id of a message that the gateway has; None if it has not. Raises `RetryLater` where it does not say."""
    if status == 404:
        return None
    if not 200 <= status < 300:
        raise RetryLater(f"the SMS gateway cannot be asked ({status})")
    document = _json(body)
    if document is None:
        raise RetryLater("the SMS gateway's answer is not JSON")
    return text_at(document, rule.id) or None


def _read(answer: Answer, body: bytes) -> tuple[str, str]:
    """Id and code, "" where there is none."""
    if answer.pattern is not None:
        match = re.search(answer.pattern, body[:_SHOWN].decode("utf-8", "replace"))
        groups = match.groupdict("") if match else {}
        return groups.get("id", ""), groups.get("code", "")
    document = _json(body) if answer.id or answer.code else None
    return text_at(document, answer.id), text_at(document, answer.code)


def _json(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _by_status(answer: Answer, status: int) -> str:
    if 200 <= status < 300:
        return "unknown" if answer.outcomes else "sent"
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return "failed:refused" if 400 <= status < 500 else "unknown"
