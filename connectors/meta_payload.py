"""What Facebook and Instagram post to a webhook, read into the hub's terms. Pure.

A payload holds any number of entries, of any age and order, for a page or an Instagram account. Whatever a person
sent is a message, of kind "unsupported" where nobody knows what it is; the rest is ignored, and so are unknown keys.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson

from laporhub.connectors import meta_rest
from laporhub.connectors.meta_words import (
    HAND,
    Item,
    at,
    attached,
    comment_thread,
    identifier,
    is_ours,
    moment,
    of_dict,
    of_list,
    reply_under,
    sender_of,
    with_link,
    words,
)
from laporhub.pipeline.connector import Ignored, Parsed, Raw, Withdrawn
from laporhub.pipeline.errors import Unparsable
from laporhub.pipeline.ids import ticket_in
from laporhub.pipeline.messages import Inbound, MessageKind

OBJECTS = ("page", "instagram")

_QUIET = frozenset(
    "delivery read reaction optin referral account_linking policy_enforcement pass_thread_control take_thread_control "  # noqa: SIM905
    "request_thread_control app_roles response_feedback messaging_feedback".split()
)
"""What a conversation may hold besides messages, and what nobody wrote."""
_NO_WORDS = frozenset({"reaction", "like", "follow", "live_comment_reaction"})

Accounts: TypeAlias = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ours:
    """Our page and our Instagram account: the platform's id → the account as profiles name it."""

    accounts: Accounts = field(default_factory=dict)

    def named(self, id: str) -> str:
        """An id that nobody configured stands for itself, so that no channel of the profile has it."""
        return self.accounts.get(id, id)


def parse(raw: Raw, ours: Ours) -> Sequence[Parsed]:
    """What a payload means, item by item. Raises `Unparsable`."""
    payload = _json(raw.body)
    if payload.get("object") not in OBJECTS:
        raise Unparsable(
            "neither a page nor an Instagram account: this is no payload of theirs", field="object"
        )
    if "edge" in payload:
        return meta_rest.parse(payload, ours.named(identifier(payload.get("id"))), is_page=_is_page(payload))
    if not isinstance(payload.get("entry"), list):
        raise Unparsable("no entries", field="entry")
    parsed = [item for entry in payload["entry"] for item in _entry(entry, ours, is_page=_is_page(payload))]
    return parsed or [Ignored("no entries")]


def _is_page(payload: Item) -> bool:
    return bool(payload["object"] == "page")


def _json(body: bytes) -> Item:
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unparsable(f"not JSON: {error}") from error
    if not isinstance(payload, dict):
        raise Unparsable("not a JSON object")
    return payload


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an item was found: whose entry, under which name we know it, when it was posted."""

    id: str
    account: str
    time: object
    is_page: bool


def _entry(entry: object, ours: Ours, *, is_page: bool) -> Iterator[Parsed]:
    if not isinstance(entry, dict):
        yield Ignored("an entry that is no object")
        return
    ours_id = identifier(entry.get("id"))
    if ours_id == "0":
        yield Ignored("a test event")
        return
    place = _Place(ours_id, ours.named(ours_id), entry.get("time"), is_page)
    changes = [*of_list(entry.get("changes")), *([entry] if "field" in entry else [])]
    for change in changes:
        yield _change(of_dict(change), place)
    for event in (*of_list(entry.get("messaging")), *of_list(entry.get("standby"))):
        yield _event(of_dict(event), place)


# ── comments, posts, mentions ──


def _change(change: Item, place: _Place) -> Parsed:
    name, value = str(change.get("field", "")), of_dict(change.get("value"))
    if not place.is_page and name in ("comments", "live_comments"):
        return _instagram_comment(value, place, live=name == "live_comments")
    if not place.is_page and name == "mentions":
        return _instagram_mention(value, place)
    if place.is_page and name in ("feed", "mention"):
        return _feed(value, place)
    if name in ("messages", "standby") and "message" in value:  # the dashboard's test, and some apps
        return _event(value, place)
    return Ignored(f"a change of {name[:40]!r}")


def _feed(value: Item, place: _Place) -> Parsed:
    item, verb = str(value.get("item", "")), str(value.get("verb", "add"))
    if item in _NO_WORDS:
        return Ignored(f"a {item}")
    sender = sender_of(value)
    if is_ours(sender, place.id, place.account):
        return Ignored("what the page itself wrote")
    post = identifier(value.get("post_id"))
    is_comment = item == "comment" or bool(value.get("comment_id"))
    external = identifier(value.get("comment_id")) if is_comment else post
    if not external:
        return _odd(value, place)
    if verb == "remove":
        return Withdrawn(external, sender.id or None, place.account)
    if verb in ("hide", "unhide", "block", "unblock"):
        return Ignored("the page hid or showed it")
    if not is_comment and not sender.id:
        return Ignored("a post that says nobody wrote it")
    root, thread = comment_thread(external, identifier(value.get("parent_id")), post, is_comment=is_comment)
    elsewhere = post.rpartition("_")[0] not in ("", place.id)
    edited = verb == "edited"
    return _inbound(
        value,
        place,
        external_id=f"{external}#{identifier(place.time)}" if edited else external,
        replaces=external if edited else None,
        author_id=sender.id or f"unknown:{external}",
        name=sender.name,
        text=with_link(words(value.get("message")), value),
        thread=thread,
        reply_to=reply_under(external, root, elsewhere=elsewhere),
        sent_at=moment(value.get("created_time")) or moment(place.time),
    )


def _instagram_comment(value: Item, place: _Place, *, live: bool) -> Parsed:
    external = identifier(value.get("id"))
    sender = sender_of(value)
    if is_ours(sender, place.id, place.account):
        return Ignored("what the account itself wrote")
    if not external:
        return _odd(value, place)
    media = identifier(of_dict(value.get("media")).get("id"))
    root, thread = comment_thread(external, identifier(value.get("parent_id")), media, is_comment=True)
    return _inbound(
        value,
        place,
        external_id=external,
        author_id=sender.id or f"unknown:{external}",
        name=sender.name,
        text=words(value.get("text")),
        thread=thread,
        reply_to=HAND if live else reply_under(external, root),  # a live video takes no answer to a comment
        sent_at=moment(value.get("timestamp")) or moment(place.time),
    )


def _instagram_mention(value: Item, place: _Place) -> Parsed:
    """Only ids: the words are on somebody else's post, and can be answered there by hand."""
    external = identifier(value.get("comment_id")) or identifier(value.get("media_id"))
    if not external:
        return _odd(value, place)
    return Inbound(
        external_id=external,
        author_id=f"unknown:{external}",
        account=place.account,
        kind="unsupported",
        thread=external,
        reply_to=HAND,
        sent_at=moment(place.time),
    )


# ── direct messages ──


def _event(event: Item, place: _Place) -> Parsed:
    sender = identifier(of_dict(event.get("sender")).get("id"))
    message, edit = event.get("message"), event.get("message_edit")
    if sender == place.id or of_dict(message).get("is_echo"):
        return Ignored("an echo")
    if isinstance(message, dict):
        return _message(message, event, sender, place)
    if isinstance(edit, dict) and identifier(edit.get("mid")):
        mid = identifier(edit["mid"])
        changed = f"{mid}#{identifier(edit.get('num_edit'))}"
        text = words(edit.get("text"))
        return _direct(
            event,
            sender,
            place,
            external_id=changed,
            replaces=mid,
            text=text,
            kind="text" if text else "unsupported",
        )
    if isinstance(event.get("postback"), dict):
        return _postback(event["postback"], event, sender, place)
    if not _QUIET.isdisjoint(event):
        return Ignored("nothing was written")
    return _odd(event, place)


def _message(message: Item, event: Item, sender: str, place: _Place) -> Parsed:
    mid = identifier(message.get("mid"))
    if not mid:
        return _odd(event, place)
    if message.get("is_deleted"):
        return Withdrawn(mid, sender or None, place.account)
    found = attached(message)
    return _direct(
        event,
        sender,
        place,
        external_id=mid,
        text=words(message.get("text")) or found.text,
        attachments=found.files,
        location=found.location,
        kind=found.kind(words(message.get("text")), broken=bool(message.get("is_unsupported"))),
    )


def _postback(postback: Item, event: Item, sender: str, place: _Place) -> Parsed:
    text = words(postback.get("title")) or words(postback.get("payload"))
    external = identifier(postback.get("mid")) or f"postback:{sender}:{identifier(event.get('timestamp'))}"
    return _direct(
        event, sender, place, external_id=external, text=text, kind="text" if text else "unsupported"
    )


def _direct(event: Item, sender: str, place: _Place, *, external_id: str, **more: Any) -> Inbound:
    return Inbound(
        external_id=external_id,
        author_id=sender or f"unknown:{external_id}",
        account=place.account,
        ticket=ticket_in(more.get("text", "")),
        reply_to="dm" if sender else HAND,
        sent_at=moment(event.get("timestamp")) or moment(place.time),
        verified=True,
        **more,
    )


# ── what both have ──


def _inbound(value: Item, place: _Place, *, text: str, **more: Any) -> Inbound:
    files = at(value)
    kind: MessageKind = "text" if text else "attachment" if files else "unsupported"
    return Inbound(account=place.account, text=text, attachments=files, kind=kind, verified=True, **more)


def _odd(item: Item, place: _Place) -> Parsed:
    """Something of a person that nobody can place: kept under its own digest, so that a person looks."""
    digest = hashlib.sha256(orjson.dumps(item, option=orjson.OPT_SORT_KEYS)).hexdigest()[:26]
    sender = sender_of(item).id or identifier(of_dict(item.get("sender")).get("id"))
    text = words(item.get("message")) or words(item.get("text"))
    if not sender and not text:
        return Ignored("nothing that a person wrote")
    return Inbound(
        external_id=f"odd:{digest}",
        author_id=sender or f"unknown:{digest}",
        account=place.account,
        text=text,
        kind="unsupported",
        thread=digest,
        reply_to=HAND,
        sent_at=moment(place.time),
    )
