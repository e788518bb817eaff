"""What an SMS gateway delivers, read by its mapping into the hub's terms. Pure.

Twilio's SMS payloads are understood, too, whichever gateway there is: a channel keeps its old recordings.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import orjson

from laporhub.connectors import twilio_payload
from laporhub.connectors.sms_gateway import Gateway, Incoming, Part, Reports
from laporhub.pipeline.connector import Fragment, Ignored, Parsed, Raw, StatusUpdate
from laporhub.pipeline.errors import Unparsable
from laporhub.pipeline.messages import Inbound

MAX_FIELDS = 1000
MAX_PIECES = 50
_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_DIGITS = re.compile(r"\d{7,15}", re.ASCII)
_WORD = re.compile(r"[\w.-]{1,20}", re.ASCII)


def parse(raw: Raw, gateways: Sequence[Gateway], key: bytes = b"") -> Sequence[Parsed]:
    """All that is in one payload, by the first gateway that it fits. Raises `Unparsable`.

    `key` is for the ids of messages that come without one: hashes of number and words, which must not be guessed.

    One message of a batch that cannot be read refuses the whole batch: it is kept, and can be taken again.
    """
    if is_twilios(raw):
        return [twilio_payload.parse(raw)]
    trouble = Unparsable("no SMS gateway is known")
    for gateway in gateways:
        try:
            return [_item(gateway, data, raw.url, key) for data in _records(gateway.incoming, raw)]
        except Unparsable as error:
            trouble = error
    raise trouble


def is_twilios(raw: Raw) -> bool:
    """Whether a payload is one of Twilio's, as a webhook or as its message resource."""
    try:
        names = twilio_payload.fields(raw).keys()
    except Unparsable:
        return False
    return bool(names & {"MessageSid", "SmsSid", "SmsMessageSid"})


def e164(number: str, country: str) -> str:
    """A phone number as +…, whether it has the country's code, a trunk 0, or neither plus nor both.

    Short codes and names are left as they are: they are nobody's phone.
    """
    plain = re.sub(r"[\s().-]", "", number)
    plain = f"+{plain[2:]}" if plain.startswith("00") else plain
    if _E164.fullmatch(plain):
        return plain
    if not _DIGITS.fullmatch(plain):
        return number.strip()
    return f"+{country}{plain[1:]}" if plain.startswith("0") else f"+{plain}"


def is_phone(address: str) -> bool:
    return bool(_E164.fullmatch(address))


# ── reading by path ──────────────────────────────────────────────────────────────────────────────


def find(data: object, path: str) -> object:
    """The value at a path: the whole name first, then step by step; None if it is not there."""
    if isinstance(data, Mapping) and path in data:
        return data[path]
    value: object = data
    for step in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isascii() and step.isdecimal() and len(step) < 5:
            value = value[int(step)] if int(step) < len(value) else None
        else:
            return None
    return value


def text_at(data: object, path: str | None) -> str:
    """The plain value at a path as text, "" where there is none."""
    value = None if path is None else find(data, path)
    if value is None or isinstance(value, dict | list):
        return ""
    return str(value).replace("\0", "")


def _records(incoming: Incoming, raw: Raw) -> Iterator[object]:
    if raw.body.lstrip()[:1] not in (b"{", b"["):
        yield _form(incoming, raw.body)
        return
    try:
        document: Any = orjson.loads(raw.body.lstrip())
    except orjson.JSONDecodeError as error:
        raise Unparsable(f"not JSON: {error}") from error
    several = document if isinstance(document, list) else find(document, incoming.each or "")
    if isinstance(several, list):
        yield from several
    else:
        yield document


def _form(incoming: Incoming, body: bytes) -> Mapping[str, str]:
    """Bytes first, since the character set may stand beside the text."""
    try:
        pairs = parse_qsl(
            body.decode("ascii").strip("\r\n"),
            keep_blank_values=True,
            strict_parsing=True,
            encoding="latin-1",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        return _form_in_utf8(body)
    named = dict(pairs)
    said = named.get(incoming.charset_field or "", "")
    return {
        name.encode("latin-1").decode("utf-8", "replace"): _decoded(
            value.encode("latin-1"), incoming.charset, said if name == incoming.text else ""
        )
        for name, value in named.items()
    }


def _form_in_utf8(body: bytes) -> Mapping[str, str]:
    """Some clients do not escape what is not ASCII."""
    return dict(twilio_payload.form_of(body))


def _decoded(value: bytes, charset: str, said: str) -> str:
    for name in (said, charset, "cp1252"):
        try:
            if name:
                return value.decode(name)
        except (LookupError, ValueError):
            continue
    return value.decode("latin-1")


# ── messages ─────────────────────────────────────────────────────────────────────────────────────


def _item(gateway: Gateway, data: object, url: str, key: bytes) -> Parsed:
    if not isinstance(data, Mapping):
        raise Unparsable("not an object with fields")
    if gateway.reports is not None and text_at(data, gateway.reports.status):
        return _report(gateway.reports, data, url)
    incoming = gateway.incoming
    sender = text_at(data, incoming.sender).strip()
    if not sender:
        raise Unparsable(f"no “{incoming.sender}”: nobody to answer", field=incoming.sender)
    if find(data, incoming.text) is None:
        raise Unparsable(f"no “{incoming.text}”: this is no message", field=incoming.text)
    author = e164(sender, gateway.country)
    name = _id_of(incoming, data, author, key)
    message = Inbound(
        external_id=f"{gateway.name}:{name}",
        author_id=author,
        account=e164(text_at(data, incoming.receiver), gateway.country) or None,
        text=text_at(data, incoming.text),
        sent_at=_moment(text_at(data, incoming.time), incoming),
        phone=author if is_phone(author) else None,
        verified=is_phone(author),
    )
    return _piece(incoming.part, data, message) or message


def _piece(rule: Part | None, data: object, message: Inbound) -> Fragment | None:
    """The message as a piece of a longer one; None if it stands alone, or does not say clearly where it belongs."""
    if rule is None:
        return None
    number, total = _count(text_at(data, rule.number)), _count(text_at(data, rule.total))
    reference = text_at(data, rule.reference)
    if not reference or not 1 < total <= MAX_PIECES or not 1 <= number <= total:
        return None
    piece = message.model_copy(update={"external_id": f"{message.external_id}/{number}"})
    return Fragment(reference, number, total, piece, timedelta(minutes=rule.wait_minutes))


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 0


def _id_of(incoming: Incoming, data: object, author: str, key: bytes) -> str:
    """The gateway's own id, or one derived from all that tells two messages apart."""
    if given := text_at(data, incoming.id).strip():
        return given[:200]
    paths = [incoming.receiver, incoming.text, incoming.time]
    if incoming.part is not None:
        paths += [incoming.part.reference, incoming.part.number]
    said = orjson.dumps(
        [author, *(text_at(data, path).encode("utf-8", "replace").decode() for path in paths)]
    )
    return f"h-{hmac.new(key, said, hashlib.sha256).hexdigest()[:26]}"


def _moment(text: str, incoming: Incoming) -> datetime | None:
    """None for what is no time, or for a year that no phone knows."""
    try:
        match incoming.time_format:
            case "epoch" | "epoch_ms":
                seconds = float(text) / (1000 if incoming.time_format == "epoch_ms" else 1)
                at = datetime.fromtimestamp(seconds, UTC)
            case "iso":
                at = datetime.fromisoformat(text.strip())
            case pattern:
                at = datetime.strptime(text.strip(), pattern)  # noqa: DTZ007 - the zone follows
        at = (at if at.tzinfo else at.replace(tzinfo=ZoneInfo(incoming.zone))).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return at if 1990 < at.year < 2200 else None


# ── reports ──────────────────────────────────────────────────────────────────────────────────────


def _report(rule: Reports, data: object, url: str) -> Parsed:
    reply_id, part = _reply_in(url) or ("", None)
    if rule.reference is not None and (reference := text_at(data, rule.reference)):
        reply_id, _, number = reference.rpartition(".")
        part = _part(number)
    elif not reply_id and (named := text_at(data, "reply")):
        reply_id, part = named, _part(text_at(data, "part"))
    if not reply_id:
        return Ignored("a report of a message that was not sent from here")
    theirs = text_at(data, rule.status).strip()
    ours = rule.statuses.get(theirs) or rule.statuses.get(theirs.lower())
    if ours is None:
        return Ignored("a report with a status that the mapping does not know")
    reason = _reason(rule, text_at(data, rule.code).strip(), theirs) if ours == "failed" else None
    return StatusUpdate(reply_id, ours, text_at(data, rule.id).strip() or None, reason, part)


def reference(reply_id: str, part: int) -> str:
    """Our own id of a part, as the gateway is told it."""
    return f"{reply_id}.{part}"


def _reply_in(url: str) -> tuple[str, int | None] | None:
    try:
        query = parse_qs(urlsplit(url).query)
    except ValueError:
        return None
    reply = query.get("reply", [""])[0]
    return (reply, _part(query.get("part", [""])[0])) if reply else None


def _part(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else None


def _reason(rule: Reports, code: str, status: str) -> str:
    """A word with the gateway's code; nothing else of theirs, which might name somebody."""
    known = code if _WORD.fullmatch(code) else status if _WORD.fullmatch(status) else ""
    word = rule.reasons.get(code) or rule.reasons.get(code.lower()) or "gateway_error"
    return f"{word} ({known})" if known else word
