"""The small pieces that payloads of Facebook and Instagram are made of, webhooks' and the Graph API's alike. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeAlias

from laporhub.pipeline.messages import Attachment, Location, MessageKind

Item: TypeAlias = Mapping[str, Any]

HEART = "❤️"
HAND = "hand"
"""The `reply_to` of what only a person can answer."""
_MEDIA = {"image": "image/*", "video": "video/*", "audio": "audio/*", "file": None}
_LINKED = frozenset({"share", "ig_reel", "reel", "ig_post", "ig_story", "story_mention", "ephemeral"})
_PAGES = frozenset({"fallback", "template"})
"""What is shared as a link to a page of the web: words, not a file."""
_ITEMS = {"photo": "image", "video": "video"}
"""Posts whose link is the file itself."""
_MILLISECONDS_FROM = 100_000_000_000
"""Of the two ways to write a time as a number, larger ones are milliseconds."""


class Sender(NamedTuple):
    """Who wrote, as far as the platform says; both may be empty."""

    id: str
    name: str | None


@dataclass(frozen=True, slots=True)
class Attached:
    """What came with a direct message."""

    text: str = ""
    files: tuple[Attachment, ...] = ()
    location: Location | None = None
    strange: bool = False

    def kind(self, text: str, *, broken: bool) -> MessageKind:
        """Of the whole message. A strange part beside words or files does not make these strange."""
        if self.location is not None:
            return "location"
        if self.files and not broken and not self.strange:
            return "attachment"
        return "text" if (text or self.text) and not broken and not self.strange else "unsupported"


def of_dict(value: object) -> Item:
    return value if isinstance(value, dict) else {}


def of_list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def identifier(value: object) -> str:
    """An id as text; empty for anything that is none."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value).replace("\0", "").strip()


def words(value: object) -> str:
    """What was written, as written but for null bytes; empty where there are only blanks."""
    if not isinstance(value, str):
        return ""
    text = value.replace("\0", "")
    return text if text.strip() else ""


def sender_of(value: Item) -> Sender:
    """Of a comment, post or mention; the platform leaves the name out where the person wants it so."""
    sender = of_dict(value.get("from"))
    who = identifier(sender.get("id")) or identifier(value.get("sender_id"))
    name = words(sender.get("name")) or words(sender.get("username")) or words(value.get("sender_name"))
    return Sender(who, name or words(value.get("username")) or None)


def is_ours(sender: Sender, id: str, account: str) -> bool:
    """Whether we wrote it: by id, or on Instagram by the handle, which is nobody else's."""
    if sender.id and sender.id == id:
        return True
    return account.startswith("@") and (sender.name or "").casefold() == account[1:].casefold()


def moment(value: object) -> datetime | None:
    """A time in seconds, in milliseconds, as digits or in ISO 8601; None if it is none of them."""
    if isinstance(value, str) and value.strip().isdecimal() and value.strip().isascii() and len(value) < 20:
        value = int(value)
    try:
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return datetime.fromtimestamp(value / 1000 if value >= _MILLISECONDS_FROM else value, UTC)
        if isinstance(value, str):
            read = datetime.fromisoformat(value.strip())
            return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def comment_thread(id: str, parent: str, post: str, *, is_comment: bool) -> tuple[str, str]:
    """The topmost comment of a thread, and what tells the thread from others: the post and that comment.

    A comment's id begins with its post's. The parent of a topmost comment is the post, or nothing.
    """
    if not is_comment:
        return id, id
    root = id if parent in ("", post, _post_of(id)) or _last(parent) == _last(post) else parent
    return root, f"{_last(post) or _post_of(id)}/{_last(root)}"


def reply_under(id: str, root: str, *, elsewhere: bool = False) -> str:
    """Where an answer to a comment or post goes: to it, in the thread of `root`; `elsewhere` is not on our page."""
    where = "mention" if elsewhere else "comment"
    return f"{where}:{id}" if id == root else f"{where}:{id}/{root}"


def _last(id: str) -> str:
    return id.rpartition("_")[2]


def _post_of(id: str) -> str:
    return id.rpartition("_")[0]


def with_link(text: str, value: Item) -> str:
    """The words of a post that shares a page of the web, with its address."""
    link = words(value.get("link"))
    if not link or link in text or value.get("item") in _ITEMS:
        return text
    return f"{text}\n{link}".strip()


def at(value: Item) -> tuple[Attachment, ...]:
    """The pictures, videos and links of a comment or post, from a webhook or from the Graph API."""
    found: dict[str, Attachment] = {}
    kind = _ITEMS.get(str(value.get("item", "")))
    for name, media in (("photo", "image"), ("video", "video"), ("link", kind)):
        if media and (url := words(value.get(name))):
            found[url] = Attachment(url=url, media_type=f"{media}/*")
    for url in of_list(value.get("photos")):
        if words(url):
            found[url] = Attachment(url=url, media_type="image/*")
    attachments = of_list(of_dict(value.get("attachments")).get("data"))
    for each in (value.get("attachment"), *attachments):
        piece = of_dict(each)
        image = of_dict(of_dict(piece.get("media")).get("image")).get("src")
        url = words(image) or words(piece.get("url"))
        if url:
            found.setdefault(url, Attachment(url=url, media_type="image/*" if words(image) else None))
    return tuple(found.values())


def attached(message: Item) -> Attached:
    """What came with a direct message as a webhook tells it."""
    text, location, strange = "", None, False
    files: list[Attachment] = []
    for each in of_list(message.get("attachments")):
        piece = of_dict(each)
        kind, payload = str(piece.get("type", "")), of_dict(piece.get("payload"))
        url = words(payload.get("url")) or words(piece.get("url"))
        title = words(payload.get("title")) or words(piece.get("title"))
        if kind == "like_heart":
            text = HEART
        elif kind == "location":
            location = _location(of_dict(payload.get("coordinates")), title)
            strange = strange or location is None
        elif kind in _PAGES and (url or title):
            text = text or f"{title}\n{url}".strip()
        elif kind in _MEDIA or kind in _LINKED:
            strange = strange or not (url or title)
            text = text or ("" if kind in _MEDIA else title)
            if url:
                files.append(Attachment(url=url, media_type=_MEDIA.get(kind), name=title or None))
        else:
            strange = True
            if url:
                files.append(Attachment(url=url))
    story = words(of_dict(of_dict(message.get("reply_to")).get("story")).get("url"))
    if story:
        files.append(Attachment(url=story))
    return Attached(text, tuple(files), location, strange)


def _location(coordinates: Item, title: str) -> Location | None:
    lat, lon = _degrees(coordinates.get("lat"), 90), _degrees(coordinates.get("long"), 180)
    if lat is None or lon is None:
        return Location(address=title) if title else None
    return Location(lat=lat, lon=lon, address=title or None)


def _degrees(value: object, most: float) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if -most <= value <= most else None
