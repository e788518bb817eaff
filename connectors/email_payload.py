"""A mail as it lies in a mailbox (RFC 5322), read into the hub's terms. Pure.

The standard library's lenient parser reads it; a header or charset that breaks the rules is read as well as it goes.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from typing import Final

from laporhub.connectors.email_words import own_words, text_of_html
from laporhub.pipeline.connector import Ignored, Parsed, Raw, StatusUpdate
from laporhub.pipeline.errors import Unparsable
from laporhub.pipeline.ids import ticket_in
from laporhub.pipeline.messages import Inbound, InlineFile

MOST_FILES: Final = 20
SMALL_PICTURE: Final = 30_000
"""Bytes up to which a picture inside the text is a signature's logo."""
MOST_REFERENCES: Final = 10

_OURS = re.compile(r"<laporhub\.([\w-]{1,80})\.(\d{1,3})\.([0-9a-f]{20})@[^<>\s]{1,255}>", re.ASCII)
_ID = re.compile(r"<[^<>\s]{1,900}>")
_SIGNATURES: Final = frozenset(
    {"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"}
)
_LISTS: Final = frozenset({"bulk", "junk", "list"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer to a mail belongs, as `Inbound.reply_to` says it. `references`: ids before it, oldest first."""

    message_id: str
    references: tuple[str, ...]
    subject: str
    thread: str

    def packed(self) -> str:
        kept = [self.message_id, list(self.references), self.subject, self.thread]
        return "mail:" + json.dumps(kept, ensure_ascii=False)

    @classmethod
    def unpacked(cls, reply_to: str | None) -> Place | None:
        try:
            message_id, references, subject, thread = json.loads((reply_to or "").removeprefix("mail:"))
        except ValueError:
            return None
        return cls(message_id, tuple(references), subject, thread)


def our_id(reply_id: str, part: int, thread: str, domain: str) -> str:
    """The Message-ID of a part of a reply: always the same, so that it can be looked for; it tells its thread."""
    return f"<laporhub.{reply_id}.{part}.{thread}@{domain}>"


def parse(raw: Raw, authserv_id: str | None = None) -> Parsed:
    """One mail's meaning. `authserv_id` names our own mail server, whose word on the sender counts.

    Raises `Unparsable`.
    """
    try:
        return _parsed(message_from_bytes(raw.body), authserv_id)
    except RecursionError:
        raise Unparsable("a mail in a mail in a mail, without end") from None


def _parsed(mail: Message, authserv_id: str | None) -> Parsed:
    message_id = _first_id(mail, "Message-ID")
    if message_id is not None and _OURS.fullmatch(message_id):
        return Ignored("a mail that we sent")
    if mail.get_content_type() == "multipart/report":
        return _report(mail)
    if (why := _automatic(mail)) is not None:
        return Ignored(why)
    name, address = _author(mail)
    text, files = _content(mail)
    if message_id is None:
        message_id = f"<{hashlib.sha256(mail.as_bytes()).hexdigest()}@without.id>"
    references = _references(mail)
    subject = _plain(mail, "Subject")
    if subject and not references and not text.casefold().startswith(subject.casefold()):
        text = f"{subject}\n\n{text}" if text else subject
    thread = _thread(references or (message_id,))
    place = Place(message_id, (*references, message_id)[-MOST_REFERENCES:], subject, thread)
    return Inbound(
        external_id="mail-" + hashlib.sha256(message_id.encode("utf-8", "replace")).hexdigest()[:32],
        author_id=f"mailto:{address}",
        text=text,
        kind="attachment" if files else "text" if text.strip() else "unsupported",
        sent_at=_moment(mail),
        files=tuple(files),
        thread=thread,
        ticket=None if references else ticket_in(subject),
        reply_to=place.packed(),
        name=name,
        email=address,
        verified=_vouched_for(mail, authserv_id),
    )


# ── headers ──────────────────────────────────────────────────────────────────────────────────────


def _plain(mail: Message, name: str) -> str:
    """A header's words on one line, decoded as well as it goes."""
    return re.sub(r"\s+", " ", _decoded(str(mail.get(name, "")))).strip()


def _decoded(value: str) -> str:
    try:
        pieces = decode_header(value)
    except Exception:  # the standard library trips over some broken headers in several ways
        return value.encode("utf-8", "replace").decode()
    return (
        "".join(piece if isinstance(piece, str) else _text(piece, charset) for piece, charset in pieces)
        .encode("utf-8", "replace")
        .decode()
    )


def _text(data: bytes, charset: str | None) -> str:
    """Bytes in the charset they claim, or in one that fits."""
    for each in (charset, "utf-8", "cp1252"):
        try:
            return data.decode(each or "utf-8")
        except (LookupError, UnicodeError, ValueError):
            continue
    return data.decode("latin-1")


def _author(mail: Message) -> tuple[str | None, str]:
    for header in ("From", "Sender"):
        for name, address in getaddresses([_plain(mail, header)]):
            if re.fullmatch(r"[^@\s<>]{1,64}@[^@\s<>]{1,190}", address):
                return (name.strip()[:200] or None), address.casefold()
    raise Unparsable("no sender: this is not a mail", field="From")


def _first_id(mail: Message, header: str) -> str | None:
    found = _ID.search(str(mail.get(header, "")))
    return found[0].encode("utf-8", "replace").decode() if found else None


def _references(mail: Message) -> tuple[str, ...]:
    """Ids of the mails before, oldest first."""
    named = _ID.findall(str(mail.get("References", ""))) or _ID.findall(str(mail.get("In-Reply-To", "")))
    clean = dict.fromkeys(each.encode("utf-8", "replace").decode() for each in named)
    kept = list(clean)
    return tuple(kept[:1] + kept[1:][-(MOST_REFERENCES - 1) :])


def _thread(ids: tuple[str, ...]) -> str:
    """What tells a thread: by its first mail, or by one of ours, which says it."""
    for each in ids:
        if ours := _OURS.fullmatch(each):
            return ours[3]
    return hashlib.sha256(ids[0].encode()).hexdigest()[:20]


def _moment(mail: Message) -> datetime | None:
    try:
        at = parsedate_to_datetime(str(mail.get("Date", "")))
        at = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return at if 2000 <= at.year < 2100 else None


def _automatic(mail: Message) -> str | None:
    """Why nobody is to answer this, where it was no person who wrote it (RFC 3834)."""
    if _plain(mail, "Auto-Submitted").partition(";")[0].strip().lower() not in ("", "no"):
        return "an automatic reply"
    if any(mail.get(name) is not None for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply")):
        return "an automatic reply"
    if _plain(mail, "Precedence").lower() in {*_LISTS, "auto_reply"}:
        return "a mass mailing"
    if mail.get("List-Id") is not None or mail.get("List-Unsubscribe") is not None:
        return "a mailing list"
    return "a notice of a mail server" if _plain(mail, "Return-Path") == "<>" else None


def _vouched_for(mail: Message, authserv_id: str | None) -> bool:
    """Whether our own server says that the domain of the sender sent it. Its word is the topmost."""
    if not authserv_id:
        return False
    server, _, results = _plain(mail, "Authentication-Results").partition(";")
    return server.strip().lower() == authserv_id.lower() and re.search(r"\bdmarc=pass\b", results) is not None


# ── body ─────────────────────────────────────────────────────────────────────────────────────────


def _content(mail: Message) -> tuple[str, list[InlineFile]]:
    plain: list[str] = []
    html: list[str] = []
    files: list[InlineFile] = []
    for part in mail.walk():
        if part.is_multipart():
            continue
        kind, data = part.get_content_type(), _bytes(part)
        if part.get_content_disposition() != "attachment" and kind in ("text/plain", "text/html"):
            (plain if kind == "text/plain" else html).append(_text(data, part.get_content_charset()))
        elif data and kind not in _SIGNATURES and not _is_logo(part, kind, data) and len(files) < MOST_FILES:
            name = _decoded(part.get_filename() or "")
            files.append(InlineFile(data=data, media_type=kind, name=name[:200] or None))
    text = "\n".join(plain)
    if not text.strip():
        text = "\n".join(text_of_html(each) for each in html)
    return own_words(text.replace("\0", "")), files


def _bytes(part: Message) -> bytes:
    data = part.get_payload(decode=True)
    return data if isinstance(data, bytes) else b""


def _is_logo(part: Message, kind: str, data: bytes) -> bool:
    inside = part.get("Content-ID") is not None or part.get_content_disposition() == "inline"
    return inside and kind.startswith("image/") and len(data) <= SMALL_PICTURE


# ── what mail servers report ─────────────────────────────────────────────────────────────────────


def _report(mail: Message) -> Parsed:
    """A delivery status notification (RFC 3464) of a mail of ours."""
    fields: dict[str, str] = {}
    ours = None
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status":
            fields |= dict(_fields(part))
        elif part.get_content_type() in ("message/rfc822", "text/rfc822-headers", "message/global-headers"):
            ours = ours or _OURS.search(part.as_string())
    status = {"failed": "failed", "delivered": "delivered"}.get(fields.get("action", ""))
    if ours is None or status is None:
        return Ignored("a report of a mail server that needs nothing")
    code = fields.get("status", "")
    reason = f"bounced ({code})" if re.fullmatch(r"\d\.\d{1,3}\.\d{1,3}", code, re.ASCII) else "bounced"
    if status == "failed":
        return StatusUpdate(ours[1], "failed", ours[0], reason, int(ours[2]))
    return StatusUpdate(ours[1], "delivered", ours[0], None, int(ours[2]))


def _fields(part: Message) -> Iterator[tuple[str, str]]:
    for block in part.walk():
        yield from ((name.lower(), str(value).strip().lower()) for name, value in block.items())
