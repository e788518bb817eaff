"""What Twilio posts to a webhook, read into the hub's terms. Pure.

A payload is a form, as Twilio posts it, or a JSON object with the same keys, as backfills have it; the
keys of the REST resource (`sid`, `from`, `date_sent` …) are understood too. Unknown keys are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qs, parse_qsl, urlsplit

import orjson

from laporhub.pipeline.commands import DeliveryStatus
from laporhub.pipeline.connector import Ignored, Parsed, Raw, StatusUpdate
from laporhub.pipeline.errors import Unparsable
from laporhub.pipeline.messages import Attachment, Inbound, Location, MessageKind

MAX_FIELDS = 1000

STATUSES: Mapping[str, DeliveryStatus] = {
    "accepted": "queued",
    "scheduled": "queued",
    "queued": "queued",
    "sending": "queued",
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "failed": "failed",
    "undelivered": "failed",
    "canceled": "failed",
}
"""Twilio's message status → ours."""

REASONS: Mapping[int, str] = {
    21211: "invalid_number",
    21610: "opted_out",
    21614: "not_a_mobile",
    21655: "template_unknown",
    21656: "template_refused",
    30003: "unreachable",
    30006: "unreachable",
    30007: "filtered",
    63016: "window_closed",
    63038: "daily_limit",
    63041: "template_paused",
}
"""Twilio's error codes that a person at the hub can make something of."""

_KNOWN_TYPES = frozenset(
    "text button interactive location image audio voice video document sticker file".split()  # noqa: SIM905
)
_VCARD = frozenset({"text/vcard", "text/x-vcard", "text/directory"})
_VCARD_LINE = re.compile(
    r"^(?:item\d+\.)?(FN|TEL|ORG|EMAIL)(?:;[^:\n]*)?:(.+)$", re.IGNORECASE | re.MULTILINE
)
_RECEIVED = frozenset({"received", "receiving"})
_PHONE = re.compile(r"(whatsapp:)?[+ ]([1-9]\d{6,14})", re.ASCII)
_MEDIA_URL = re.compile(r"MediaUrl(\d{1,3})", re.ASCII)
_RESOURCE_KEYS = {"sid": "MessageSid", "status": "MessageStatus"}


def parse(raw: Raw) -> Parsed:
    """One payload's meaning. Raises `Unparsable`."""
    form = fields(raw)
    sid = form.get("MessageSid") or form.get("SmsSid") or form.get("SmsMessageSid")
    if not sid:
        raise Unparsable("no MessageSid: this is not a message of Twilio", field="MessageSid")
    status = (form.get("MessageStatus") or form.get("SmsStatus") or "received").lower()
    if status in _RECEIVED:
        return _inbound(sid, form)
    query = parse_qs(_query(raw.url))
    reply_id, part = query.get("reply", [""])[0], query.get("part", [""])[0]
    if not reply_id:
        return Ignored("a status of a message that was not sent from here")
    if status not in STATUSES:
        return Ignored(f"status {status!r} means nothing to a reply")
    reason = _reason_of(form, status) if STATUSES[status] == "failed" else None
    return StatusUpdate(reply_id, STATUSES[status], platform_id=sid, reason=reason, part=_number(part))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else None


def fields(raw: Raw) -> Mapping[str, str]:
    """The payload as one flat mapping, null bytes removed. Raises `Unparsable`."""
    if raw.body.lstrip()[:1] in (b"{", b"["):
        return _of_json(raw.body)
    return {name: _scrub(value) for name, value in form_of(raw.body)}


def form_of(body: bytes) -> list[tuple[str, str]]:
    """The pairs of a form, exactly as posted. Raises `Unparsable`."""
    try:
        pairs = parse_qsl(
            body.decode("utf-8").strip("\r\n"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        raise Unparsable("not a form: the body cannot be read as name=value pairs") from None
    return pairs


def reason_for(code: int) -> str:
    """A failure's name, with Twilio's code: "opted_out (21610)". "window_closed" stands alone."""
    word = REASONS.get(code, "twilio_error")
    return word if word == "window_closed" else f"{word} ({code})"


def is_whatsapp(address: str) -> bool:
    """Whether an address is on WhatsApp; on SMS otherwise."""
    return address.startswith("whatsapp:")


def _of_json(body: bytes) -> Mapping[str, str]:
    try:
        payload = orjson.loads(body.lstrip())
    except orjson.JSONDecodeError as error:
        raise Unparsable(f"not JSON: {error}") from error
    if not isinstance(payload, dict):
        raise Unparsable("not a JSON object")
    return {_pascal(key): _scrub(str(value)) for key, value in payload.items() if _is_plain(value)}


def _is_plain(value: object) -> bool:
    return value is not None and not isinstance(value, dict | list)


def _pascal(key: str) -> str:
    """`date_sent` → `DateSent`; the webhook's own keys stay as they are."""
    if key in _RESOURCE_KEYS:
        return _RESOURCE_KEYS[key]
    return key if key[:1].isupper() else "".join(word[:1].upper() + word[1:] for word in key.split("_"))


def _scrub(value: str) -> str:
    return value.replace("\0", "")


def _query(url: str) -> str:
    try:
        return urlsplit(url).query
    except ValueError:
        return ""


def _reason_of(form: Mapping[str, str], status: str) -> str:
    code = form.get("ErrorCode", "")
    return reason_for(int(code)) if re.fullmatch(r"[1-9]\d{0,8}", code, re.ASCII) else status


def _inbound(sid: str, form: Mapping[str, str]) -> Parsed:
    if form.get("Direction", "inbound") != "inbound":
        return Ignored("a message that we sent")
    author = _address(form.get("From", "")) or form.get("ExternalUserId", "").strip()
    if not author:
        raise Unparsable("neither From nor ExternalUserId: nobody to answer", field="From")
    attachments = tuple(_attachments(form))
    location = _location(form)
    return Inbound(
        external_id=sid,
        author_id=author,
        account=_address(form.get("To", "")) or None,
        text=_text(form),
        kind=_kind(form, bool(attachments), location),
        sent_at=_moment(form.get("DateSent") or form.get("DateCreated") or ""),
        attachments=attachments,
        location=location,
        name=form.get("ProfileName", "").strip() or None,
        phone=_phone(author),
        verified=True,
    )


def _address(value: str) -> str:
    """An unescaped "+" in a form is read as a space: a phone number gets its plus back."""
    found = _PHONE.fullmatch(value.rstrip())
    return f"{found[1] or ''}+{found[2]}" if found else value.strip()


def _phone(author: str) -> str | None:
    number = author.removeprefix("whatsapp:")
    return number if _PHONE.fullmatch(number) else None


def _text(form: Mapping[str, str]) -> str:
    for name in ("Body", "ButtonText", "ListTitle", "ButtonPayload", "ListId"):
        if form.get(name, "").strip():
            return _card_in_words(form[name])
    return ""


def _card_in_words(text: str) -> str:
    """Of a contact card only what a person reads in it: name and numbers; any other text as it is."""
    if not text.lstrip().upper().startswith("BEGIN:VCARD"):
        return text
    found = [found[2].strip() for found in _VCARD_LINE.finditer(text.replace("\r", ""))]
    return ", ".join(dict.fromkeys(found)) or text


def _kind(form: Mapping[str, str], has_media: bool, location: Location | None) -> MessageKind:
    if form.get("MessageType", "text").lower() not in _KNOWN_TYPES or _is_card(form):
        return "unsupported"
    if location is not None:
        return "location"
    return "attachment" if has_media or form.get("NumMedia", "0").strip() not in ("", "0") else "text"


def _is_card(form: Mapping[str, str]) -> bool:
    """Whether it is a contact: as words, or as nothing but files of that type."""
    types = {
        value.partition(";")[0].lower() for name, value in form.items() if name.startswith("MediaContentType")
    }
    return form.get("Body", "").lstrip().upper().startswith("BEGIN:VCARD") or (
        bool(types) and types <= _VCARD
    )


def _attachments(form: Mapping[str, str]) -> Iterator[Attachment]:
    numbers = sorted(int(found[1]) for found in map(_MEDIA_URL.fullmatch, form) if found)
    for number in numbers:
        url = form.get(f"MediaUrl{number}", "").strip()
        if url:
            yield Attachment(url=url, media_type=form.get(f"MediaContentType{number}") or None)


def _location(form: Mapping[str, str]) -> Location | None:
    lat, lon = _degrees(form.get("Latitude"), 90), _degrees(form.get("Longitude"), 180)
    address = ", ".join(part for name in ("Label", "Address") if (part := form.get(name, "").strip()))
    if lat is None or lon is None:
        lat = lon = None
    return Location(address=address or None, lat=lat, lon=lon) if address or lat is not None else None


def _degrees(value: str | None, most: float) -> float | None:
    try:
        degrees = float(value or "")
    except ValueError:
        return None
    return degrees if -most <= degrees <= most else None


def _moment(value: str) -> datetime | None:
    """RFC 2822, as Twilio writes times, or ISO 8601; without a zone it is UTC. None if it is neither."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            at = read(value.strip())
            return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None
