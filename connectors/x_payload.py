"""What X sends, read into the hub's terms. Pure.

Three shapes: an event of the Activity webhook, an answer of the v2 REST interface (a page or a single thing), and a
bare post or direct message, as files have them. X calls a post "tweet" or "post" in the names of fields: both are read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import orjson

from laporhub.connectors import x_media, x_text
from laporhub.pipeline.connector import Ignored, Parsed, Raw, Withdrawn
from laporhub.pipeline.errors import Unparsable
from laporhub.pipeline.ids import ticket_in
from laporhub.pipeline.messages import Attachment, Inbound, MessageKind

Json: TypeAlias = Mapping[str, Any]

SUMMONED: Final = "post:"
"""How `reply_to` begins where the author called us, and so may be answered by the interface; the post's id follows."""
FOUND: Final = "found:"
"""The same where they did not: only a person may answer."""
DM: Final = "dm"

_CALLS = frozenset({"post.mention.create", "post.reply.create", "post.quote.create"})
_QUIET = re.compile(
    r"(profile|follow|like|mute|block|spaces|news|oauth)\.|dm\.(sent|read|indicate_typing)$|chat\.(?!received)"
)
_ID = re.compile(r"\d{1,25}", re.ASCII)
_NAME = re.compile(r"[a-z_.]{1,60}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Ours:
    """Our account: "@handle" as in the profile, and X's id of it. Files can be read without, see `Inbound.reply_to`."""

    account: str | None = None
    user_id: str | None = None


def parse(raw: Raw, ours: Ours) -> Sequence[Parsed]:
    """Raises `Unparsable`."""
    try:
        document = orjson.loads(raw.body)
    except orjson.JSONDecodeError as error:
        raise Unparsable(f"not JSON: {error}") from error
    if not isinstance(document, dict):
        raise Unparsable("not a JSON object")
    data = document.get("data")
    if isinstance(data, dict) and "event_type" in data and "payload" in data:
        return _event(data, {**_map(document.get("includes")), **_map(data.get("includes"))}, ours)
    if data is None and "id" in document:
        data = document
    includes = _map(document.get("includes"))
    if data is None and ("meta" in document or "errors" in document):
        return [Ignored("an answer with nothing in it")]
    items: list[Any] = data if isinstance(data, list) else [data]
    if not all(isinstance(item, dict) for item in items):
        raise Unparsable("no posts and no messages: this is not a payload of X", field="data")
    return [_item(item, includes, ours) for item in items]


def singles(page: Json) -> Iterator[Json]:
    """Each post or message of a page by itself, oldest first, with as much of what was included as it needs."""
    includes = _map(page.get("includes"))
    items = page.get("data")
    for item in reversed(items if isinstance(items, list) else []):
        wanted = orjson.dumps(item).decode()
        kept = {
            kind: [each for each in _list(rows) if _is_named(_inner(each), wanted)]
            for kind, rows in includes.items()
        }
        yield {"data": item, "includes": {kind: rows for kind, rows in kept.items() if rows}}


def id_of(item: object) -> str | None:
    """X's id of a post, message or person."""
    found = str(_map(item).get("id", ""))
    return found if _ID.fullmatch(found) else None


# ── events ───────────────────────────────────────────────────────────────────────────────────────


def _event(data: Json, includes: Json, ours: Ours) -> Sequence[Parsed]:
    kind, payload = str(data["event_type"]), _map(data["payload"])
    if kind == "post.delete":  # here the filter names the author
        return [Withdrawn(_id(payload, "id"), id_of({"id": payload.get("author_id")}), ours.account)]
    told = id_of({"id": _map(data.get("filter")).get("user_id")})
    if told is not None:
        ours = _told(told, [*_list(includes.get("users")), *_map(payload.get("users")).values()], ours)
    if _QUIET.match(kind):
        return [Ignored(f"{kind if _NAME.fullmatch(kind) else 'an event'}: nobody wrote to us")]
    if kind == "dm.received":
        events = _list(payload.get("direct_message_events"))
        if not events:
            raise Unparsable("dm.received without a message", field="direct_message_events")
        return [_legacy_dm(_map(event), _map(payload.get("users")), ours) for event in events]
    if kind in _CALLS or kind == "post.create":
        return [_post(payload, includes, ours, called=kind in _CALLS)]
    return [_strange(payload, includes, ours)]


def _told(user_id: str, people: Sequence[Any], ours: Ours) -> Ours:
    """Whose event it is. One of another account than ours is nobody's here: the hub keeps it, and says so."""
    if ours.user_id == user_id:
        return ours
    names = [each.get("username") for each in map(_inner, people) if str(each.get("id")) == user_id]
    named = f"@{names[0]}" if names and isinstance(names[0], str) else None
    if ours.user_id is not None:
        return Ours(named or f"id:{user_id}", user_id)
    return Ours(ours.account or named, user_id)


def _strange(payload: Json, includes: Json, ours: Ours) -> Parsed:
    """An event nobody has heard of yet. If a person is behind it, a person here must see it."""
    author = next((id_of({"id": payload[key]}) for key in ("author_id", "sender_id") if key in payload), None)
    if author is None or author == ours.user_id:
        return Ignored("an event of a kind that no reporter writes")
    return Inbound(
        external_id=_id(payload, "id"),
        author_id=author,
        account=ours.account,
        text=_scrubbed(payload.get("text")),
        kind="unsupported",
        name=_name(author, includes),
        reply_to=DM,
        verified=True,
    )


# ── posts and direct messages ────────────────────────────────────────────────────────────────────


def _item(item: Json, includes: Json, ours: Ours) -> Parsed:
    if "message_create" in item:
        return _legacy_dm(item, _map(includes.get("users")), ours)
    if {"dm_conversation_id", "sender_id", "event_type"} & item.keys():
        return _dm(item, includes, ours)
    return _post(item, includes, ours, called=None)


def _post(post: Json, includes: Json, ours: Ours, *, called: bool | None) -> Parsed:
    """`called`: whether X itself says that the author called us; None where it does not tell."""
    name, author = _id(post, "id"), _id(post, "author_id")
    if author == ours.user_id:
        return Ignored("a post of our own")
    referenced = [_map(each) for each in _list(_field(post, "referenced_tweets"))]
    if any(each.get("type") == "retweeted" for each in referenced):
        return Ignored("a post of somebody else, passed on")
    text = _text(post)
    attachments = tuple(x_media.attachments(post, includes))
    summoned = called or _calls_us(post, text, referenced, includes, ours)
    history = [str(each) for each in _list(_field(post, "edit_history_tweet_ids"))]
    return Inbound(
        external_id=name,
        author_id=author,
        account=ours.account,
        text=x_text.without_handle(text, ours.account) if ours.account else text,
        kind=_kind(text, attachments, _map(post.get("attachments"))),
        sent_at=_moment(post.get("created_at")),
        attachments=attachments,
        location=x_media.place(post, includes),
        thread=id_of({"id": post.get("conversation_id")}) or name,
        reply_to=f"{SUMMONED if summoned else FOUND}{name}",
        replaces=history[0] if history and history[0] != name and _ID.fullmatch(history[0]) else None,
        name=_name(author, includes),
        verified=True,
    )


def _calls_us(post: Json, text: str, referenced: Sequence[Json], includes: Json, ours: Ours) -> bool:
    """Whether they mention, answer or quote us. Where we do not know who we are, X will tell when we answer."""
    if ours.account is None and ours.user_id is None:
        return True
    if ours.account is not None:
        handle = ours.account.lstrip("@")
        if re.search(rf"(?<![\w@])@{re.escape(handle)}(?!\w)", text, re.IGNORECASE | re.ASCII):
            return True
    mentions = [_map(each) for each in _list(_map(post.get("entities")).get("mentions"))]
    if ours.user_id is None:
        return False
    if ours.user_id in {str(each.get("id")) for each in mentions} | {str(post.get("in_reply_to_user_id"))}:
        return True
    quoted = {str(each.get("id")) for each in referenced if each.get("type") == "quoted"}
    posts = [_inner(each) for each in _list(_field(includes, "tweets"))]
    return any(str(each.get("id")) in quoted and str(each.get("author_id")) == ours.user_id for each in posts)


def _dm(event: Json, includes: Json, ours: Ours) -> Parsed:
    if event.get("event_type", "MessageCreate") != "MessageCreate":
        return Ignored("somebody joined or left a conversation")
    name, author = _id(event, "id"), _id(event, "sender_id")
    if author == ours.user_id:
        return Ignored("a message that we sent")
    text = _text(event)
    attachments = tuple(x_media.attachments(event, includes))
    return Inbound(
        external_id=name,
        author_id=author,
        account=ours.account,
        text=text,
        kind=_kind(text, attachments, _map(event.get("attachments"))),
        sent_at=_moment(event.get("created_at")),
        attachments=attachments,
        ticket=ticket_in(text),
        reply_to=DM,
        name=_name(author, includes),
        verified=True,
    )


def _legacy_dm(event: Json, users: Json, ours: Ours) -> Parsed:
    """As the webhook has it, in the form of an older interface."""
    if event.get("type", "message_create") != "message_create":
        return Ignored("nothing that anybody wrote")
    created = _map(event.get("message_create"))
    name, author = _id(event, "id"), _id(created, "sender_id")
    if author == ours.user_id:
        return Ignored("a message that we sent")
    data = _map(created.get("message_data"))
    text, attachments, location = _text(data), tuple(x_media.legacy(data)), x_media.shared_place(data)
    return Inbound(
        external_id=name,
        author_id=author,
        account=ours.account,
        text=text,
        kind="location" if location else _kind(text, attachments, _map(data.get("attachment"))),
        sent_at=_moment(event.get("created_timestamp")),
        attachments=attachments,
        location=location,
        ticket=ticket_in(text),
        reply_to=DM,
        name=_name(author, {"users": [users.get(author)]}),
        verified=True,
    )


def _kind(text: str, attachments: Sequence[Attachment], told: Json) -> MessageKind:
    if attachments:
        return "attachment"
    return "text" if text.strip() else "attachment" if told else "unsupported"


def _text(item: Json) -> str:
    """The whole of a long post, with addresses as they were typed and without those of its own pictures."""
    long = _map(_field(item, "note_tweet"))
    source = long if isinstance(long.get("text"), str) else item
    text = _scrubbed(source.get("text"))
    for link in _list(_map(source.get("entities")).get("urls")):
        short, typed = str(_map(link).get("url") or ""), _map(link).get("expanded_url")
        if not short.startswith("https://t.co/"):
            continue
        is_picture = "media_key" in _map(link) or re.search(r"/status/\d+/(photo|video)/\d+$", str(typed))
        text = text.replace(short, "" if is_picture or not isinstance(typed, str) else typed)
    return x_text.unescaped(text.strip() if text != source.get("text") else text)


def _scrubbed(value: object) -> str:
    return value.replace("\0", "") if isinstance(value, str) else ""


def _name(author: str, includes: Json) -> str | None:
    for each in map(_inner, _list(includes.get("users"))):
        if str(each.get("id")) == author:
            return _scrubbed(each.get("name")).strip() or None
    return None


def _moment(value: object) -> datetime | None:
    """ISO 8601, or milliseconds since 1970."""
    try:
        text = str(value)
        if text.isascii() and text.isdecimal():
            return datetime.fromtimestamp(int(text) / 1000, UTC)
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


# ── JSON of which nothing is certain ─────────────────────────────────────────────────────────────


def _id(item: Json, key: str) -> str:
    found = id_of({"id": item.get(key, "")})
    if found is None:
        raise Unparsable(f"no {key}: this is not a payload of X", field=key)
    return found


def _field(item: Json, name: str) -> Any:
    return item[name] if name in item else item.get(name.replace("tweet", "post"))


def _map(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _inner(value: object) -> Json:
    """What is included comes bare, or once more in "data"."""
    return _map(_map(value).get("data")) or _map(value)


def _is_named(each: Json, text: str) -> bool:
    names = [str(each[key]) for key in ("id", "media_key") if key in each]
    return any(f'"{name}"' in text for name in names)
