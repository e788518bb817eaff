"""What people write on the simulated X: posts and direct messages, and how X shows them. No input or output."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

from laporhub.simulators import x_rules


@dataclass(frozen=True, slots=True)
class Person:
    """An account on X."""

    id: str
    username: str
    name: str


@dataclass(slots=True)
class Post:
    """`text` as its author typed it; `edits` the ids it had, this one last."""

    id: str
    author: Person
    text: str
    created: datetime
    conversation: str
    reply_to: Post | None = None
    quotes: Post | None = None
    photos: tuple[str, ...] = ()
    edits: tuple[str, ...] = ()
    deleted: bool = False


@dataclass(slots=True)
class Dm:
    """One direct message between `citizen` and the office."""

    id: str
    sender: Person
    citizen: Person
    text: str
    created: datetime


@dataclass
class Network:
    """Everybody and everything. `office` is the account under test; `pushed` gets each event as a webhook has it."""

    office: Person
    clock: Callable[[], datetime]
    people: dict[str, Person] = field(default_factory=dict)
    posts: dict[str, Post] = field(default_factory=dict)
    dms: list[Dm] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.people[self.office.username.casefold()] = self.office

    def person(self, username: str, name: str = "") -> Person:
        """The one of this handle; made where there is none."""
        key = username.lstrip("@").casefold()
        if key not in self.people:
            self.people[key] = Person(
                str(9_000_000 + len(self.people)), username.lstrip("@"), name or username
            )
        return self.people[key]

    def by_id(self, name: str) -> Person | None:
        return next((each for each in self.people.values() if each.id == name), None)

    def post(
        self,
        author: Person,
        text: str,
        reply_to: Post | None = None,
        quotes: Post | None = None,
        photos: Sequence[str] = (),
    ) -> Post:
        """Somebody posts. An answer begins with those it answers, as X writes it."""
        name = self._id()
        if reply_to is not None and reply_to.author.username not in x_rules.mentions(text):
            text = f"@{reply_to.author.username} {text}"
        place = reply_to.conversation if reply_to else name
        made = Post(name, author, text, self.clock(), place, reply_to, quotes, tuple(photos), (name,))
        self.posts[name] = made
        return made

    def edit(self, post: Post, text: str) -> Post:
        """A new id; the old one is seen no more."""
        made = self.post(post.author, text, None, post.quotes, post.photos)
        made.conversation, made.reply_to = post.conversation, post.reply_to
        made.edits, post.deleted = (*post.edits, made.id), True
        return made

    def dm(self, sender: Person, citizen: Person, text: str) -> Dm:
        message = Dm(self._id(), sender, citizen, text, self.clock())
        self.dms.append(message)
        return message

    # ── what can be read ──

    def seen(self) -> list[Post]:
        """All posts that are still there, newest first."""
        return sorted((p for p in self.posts.values() if not p.deleted), key=lambda p: -int(p.id))

    def mentions(self) -> list[Post]:
        """Of the office, by others."""
        found = [p for p in self.seen() if p.author != self.office and self.calls_office(p)]
        return found[: x_rules.MENTIONS_KEPT]

    def calls_office(self, post: Post) -> bool:
        """Whether its author mentions or quotes the office: only then may the office answer it."""
        named = {each.casefold() for each in x_rules.mentions(post.text)}
        quoted = post.quotes is not None and post.quotes.author == self.office
        return quoted or self.office.username.casefold() in named

    def messages(self, citizen: str | None = None) -> list[Dm]:
        """Of the last 30 days, newest first."""
        oldest = self.clock() - x_rules.DM_KEPT
        kept = [m for m in self.dms if m.created >= oldest and citizen in (None, m.citizen.id)]
        return sorted(kept, key=lambda m: -int(m.id))

    def thread(self, conversation: str) -> list[Post]:
        """Oldest first."""
        return [post for post in reversed(self.seen()) if post.conversation == conversation]

    def _id(self) -> str:
        return x_rules.snowflake(self.clock(), next(self._numbers))


def page_of_posts(posts: Iterable[Post]) -> dict[str, Any]:
    """Posts as the REST interface shows them, with all that can be included."""
    every = list(posts)
    people = {post.author.id: post.author for post in every}
    media = {key: url for post in every for key, url in _photos(post)}
    includes = {
        "users": [shown_person(each) for each in people.values()],
        "media": [{"media_key": key, "type": "photo", "url": url} for key, url in media.items()],
        "tweets": [shown_post(each.quotes) for each in every if each.quotes is not None],
    }
    return {
        "data": [shown_post(each) for each in every],
        "includes": {name: rows for name, rows in includes.items() if rows},
    }


def shown_post(post: Post) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": post.id,
        "text": x_rules.escaped(post.text),
        "author_id": post.author.id,
        "created_at": stamp(post.created),
        "conversation_id": post.conversation,
        "edit_history_tweet_ids": list(post.edits),
    }
    referenced = [("replied_to", post.reply_to), ("quoted", post.quotes)]
    if any(each for _, each in referenced):
        shown["referenced_tweets"] = [{"type": kind, "id": each.id} for kind, each in referenced if each]
    if post.reply_to is not None:
        shown["in_reply_to_user_id"] = post.reply_to.author.id
    if post.photos:
        shown["attachments"] = {"media_keys": [key for key, _ in _photos(post)]}
    return shown


def shown_person(person: Person) -> dict[str, str]:
    return {"id": person.id, "username": person.username, "name": person.name}


def page_of_messages(messages: Iterable[Dm], office: Person) -> dict[str, Any]:
    every = list(messages)
    people = {message.sender.id: message.sender for message in every}
    data = [
        {
            "id": message.id,
            "event_type": "MessageCreate",
            "text": x_rules.escaped(message.text),
            "sender_id": message.sender.id,
            "dm_conversation_id": dm_conversation(office, message.citizen),
            "created_at": stamp(message.created),
        }
        for message in every
    ]
    return {"data": data, "includes": {"users": [shown_person(each) for each in people.values()]}}


def dm_conversation(one: Person, other: Person) -> str:
    return "-".join(sorted((one.id, other.id), key=int))


def event(kind: str, payload: Mapping[str, Any], user_id: str, uuid: str) -> dict[str, Any]:
    """The envelope of the Activity webhook."""
    more = dict(payload)
    includes = more.pop("includes", None)
    data = {
        "event_uuid": uuid,
        "filter": {"user_id": user_id},
        "event_type": kind,
        "tag": kind,
        "payload": more,
    }
    return {"data": data | ({"includes": includes} if includes else {})}


def dm_payload(message: Dm, office: Person) -> dict[str, Any]:
    """A direct message in the older form, which the webhook still has."""
    created = {
        "target": {"recipient_id": office.id},
        "sender_id": message.sender.id,
        "message_data": {"text": x_rules.escaped(message.text), "entities": {"urls": []}},
    }
    milliseconds = str(int(message.created.timestamp() * 1000))
    return {
        "direct_message_events": [
            {
                "type": "message_create",
                "id": message.id,
                "created_timestamp": milliseconds,
                "message_create": created,
            }
        ],
        "users": {each.id: {"data": shown_person(each)} for each in (message.sender, office)},
    }


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _photos(post: Post) -> list[tuple[str, str]]:
    return [(f"3_{post.id}{number}", url) for number, url in enumerate(post.photos)]
