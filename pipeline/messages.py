"""What comes in: a reporter's message as a connector reads it (`Inbound`), and sealed, as it travels (`Message`)."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import Field

from laporhub.pipeline.base_model import SCHEMA_VERSION, Model, Utc


class Location(Model):
    """Where it happened (not where the reporter lives). Degrees are WGS 84."""

    address: str | None = None
    lat: float | None = Field(None, ge=-90, le=90)
    lon: float | None = Field(None, ge=-180, le=180)
    district: str | None = None
    village: str | None = None


class Spot(Model):
    """About where a photo was taken: degrees (WGS 84) to two decimals, about a kilometre. It may not be where what it
    shows is, and more than that could be somebody's home.
    """

    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)


def about(lat: float, lon: float) -> Spot:
    """As much of where a photo was taken as may be in a stream."""
    return Spot(lat=round(lat, 2), lon=round(lon, 2))


INLINE = "inline:"
"""How the address of a file begins that came in the message itself; the hash of its bytes follows."""


class InlineFile(Model):
    """A file that came in the message itself (an upload, a mail), its bytes and what its sender calls it."""

    data: bytes
    media_type: str | None = None
    name: str | None = None


class Attachment(Model):
    """A file that came with a message: `url` is the platform's, and expires, or `INLINE` and its hash."""

    url: str
    media_type: str | None = None
    name: str | None = None


MessageKind: TypeAlias = Literal["text", "attachment", "location", "unsupported"]


class Inbound(Model):
    """What a connector's `parse` makes of one raw payload. Holds identity: it never leaves the door.

    `thread` tells conversations apart where one author may have several (a post, a form sent twice);
    by default all messages of an author on an account are one conversation.
    `case_id` is set where the channel itself knows the case (the tracking page).
    """

    external_id: str
    author_id: str
    account: str | None = None
    """Our address that was written to, where one connector serves several; tells channel and profile."""
    text: str = ""
    whole: str | None = None
    """All that was said, where `text` is only what to work with (of a call's transcript): sealed, for its author."""
    kind: MessageKind = "text"
    sent_at: Utc | None = None
    attachments: tuple[Attachment, ...] = ()
    files: tuple[InlineFile, ...] = ()
    """Files whose bytes came along; the hub keeps them, and only their hashes travel."""
    location: Location | None = None
    thread: str | None = None
    reply_to: str | None = None
    """Where an answer belongs, in the connector's own words (a comment, a post, a mail); sealed with the identity."""
    replaces: str | None = None
    """The external id of an earlier message of the author, which they rewrote: these are its words from now on."""
    case_id: str | None = None
    ticket: str | None = None
    """The case that the message names, where it follows no other message; it counts if that is the author's own."""
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    occurred_at: Utc | None = None
    private: bool = False
    anonymous: bool = False
    verified: bool = False
    """True where the platform itself vouches for the author (a WhatsApp number), not a typed-in form."""


class Message(Model):
    """One message of a reporter, sealed: the record of the `messages` stream, keyed by conversation."""

    schema_version: int = SCHEMA_VERSION
    id: str
    profile: str
    channel: str
    account: str
    external_id: str
    conversation: str
    reporter: str
    kind: MessageKind = "text"
    text: str = ""
    """Cleaned and redacted."""
    sealed_text: str | None = None
    """The untouched text, or all that was said, under the reporter's key; None where that is the same."""
    sealed_identity: str
    """Name, phone, e-mail, handle, as JSON under the reporter's key."""
    known: tuple[str, ...] = ()
    """Which identity facts are sealed: "phone", "name", "email". Lets requirements be checked unopened."""
    attachments: tuple[Attachment, ...] = ()
    location: Location | None = None
    taken: Spot | None = None
    """Where the first photo that came in it says that it was taken; what is fetched later says so later."""
    occurred_at: Utc | None = None
    private: bool = False
    anonymous: bool = False
    vouched: bool = False
    """The platform vouches for the author: whoever has the same pseudonym is the same person."""
    case_id: str | None = None
    replaces: str | None = None
    """The id of the earlier message that the author rewrote: these are its words from now on."""
    sent_at: Utc | None = None
    received_at: Utc
