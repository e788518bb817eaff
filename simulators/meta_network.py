"""The two social networks behind the simulated Graph API: who wrote what where, and what Meta tells of it.

No input or output: webhooks are made here as events, and posted elsewhere.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeAlias

Where: TypeAlias = Literal["facebook", "instagram"]
Event: TypeAlias = dict[str, Any]
"""One entry of a webhook, with the name of its object as `object`."""


@dataclass(slots=True)
class Said:
    """A post, a comment or a direct message; of a direct message `citizen` is the other end, whoever wrote it."""

    id: str
    where: Where
    author: str
    name: str
    text: str
    created: datetime
    post: str = ""
    parent: str = ""
    citizen: str = ""
    tag: str = ""
    to: str = ""
    """Of a comment: what it was said to, wherever in the thread it stands."""
    attachments: list[Mapping[str, Any]] = field(default_factory=list)
    is_gone: bool = False


@dataclass
class Network:
    """All that was said on one page and one Instagram account."""

    page_id: str
    page_name: str
    instagram_id: str
    handle: str
    clock: Callable[[], datetime]
    seed: int = 0
    posts: list[Said] = field(default_factory=list)
    comments: list[Said] = field(default_factory=list)
    directs: list[Said] = field(default_factory=list)
    unreachable: set[str] = field(default_factory=set)
    """Citizens whom no message reaches."""
    answered_privately: set[str] = field(default_factory=set)
    """Comments that had their one private reply."""

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        for where in ("facebook", "instagram"):
            self.post(where, "Sampaikan aduan Anda di kolom komentar.")

    def ours(self, where: Where) -> str:
        return self.page_id if where == "facebook" else self.instagram_id

    def our_name(self, where: Where) -> str:
        return self.page_name if where == "facebook" else self.handle.removeprefix("@")

    def citizen(self, where: Where, name: str) -> str:
        """The id that a person has towards us; another one on each network."""
        digest = hashlib.sha256(f"{where} {name}".encode()).digest()
        return str(10**15 + int.from_bytes(digest[:6], "big"))

    def find(self, name: str) -> Said | None:
        """A post or comment that is still there."""
        return next((s for s in (*self.posts, *self.comments) if s.id == name and not s.is_gone), None)

    def last_inbound(self, citizen: str) -> datetime | None:
        return max(
            (d.created for d in self.directs if d.citizen == citizen and d.author == citizen), default=None
        )

    # ── posts and comments ──

    def post(self, where: Where, text: str, by: str | None = None) -> Said:
        """A post: ours, or on Facebook a visitor's."""
        author = self.citizen(where, by) if by else self.ours(where)
        name = f"{self.page_id}_{self._digits(9)}" if where == "facebook" else f"1789{self._digits(13)}"
        made = Said(name, where, author, by or self.our_name(where), text, self.clock())
        self.posts.insert(0, made)
        return made

    def comment(self, on: Said, text: str, by: str | None = None) -> Said:
        """Under a post or a comment; an answer to an answer stands under the same topmost comment."""
        where = on.where
        post = on.post or on.id
        parent = on.parent or (on.id if on.post else "")
        number = self._digits(13)
        name = f"{post.rpartition('_')[2]}_{number}" if where == "facebook" else f"1790{number}"
        author = self.citizen(where, by) if by else self.ours(where)
        made = Said(
            name, where, author, by or self.our_name(where), text, self.clock(), post, parent, to=on.id
        )
        self.comments.insert(0, made)
        return made

    def told_of(self, said: Said, verb: str = "add") -> Event:
        """What a webhook tells of a post or comment."""
        if said.where == "instagram":
            value: dict[str, Any] = {
                "id": said.id,
                "from": {"id": said.author, "username": said.name},
                "text": said.text,
                "media": {"id": said.post, "media_product_type": "FEED"},
            }
            if said.parent:
                value["parent_id"] = said.parent
            return self._entry("instagram", changes=[{"field": "comments", "value": value}])
        value = {
            "from": {"id": said.author, "name": said.name},
            "item": "comment" if said.post else "status",
            "verb": verb,
            "post_id": said.post or said.id,
            "created_time": int(said.created.timestamp()),
        }
        if said.post:
            value |= {"comment_id": said.id, "parent_id": said.parent or said.post}
        if verb != "remove":
            value["message"] = said.text
        return self._entry("facebook", changes=[{"field": "feed", "value": value}])

    # ── direct messages ──

    def write(
        self,
        where: Where,
        by: str,
        text: str,
        attachments: Sequence[Mapping[str, Any]] = (),
        *,
        tag: str = "",
    ) -> Said:
        """A citizen writes to us."""
        citizen = self.citizen(where, by)
        made = Said(self._mid(where), where, citizen, by, text, self.clock(), citizen=citizen, tag=tag)
        made.attachments = list(attachments)
        self.directs.insert(0, made)
        return made

    def answer(self, where: Where, citizen: str, text: str, tag: str = "", name: str = "") -> Said:
        """We write to a citizen; `name` is theirs, if they never wrote to us."""
        name = next((d.name for d in self.directs if d.author == citizen), name)
        ours = self.ours(where)
        made = Said(self._mid(where), where, ours, name, text, self.clock(), citizen=citizen, tag=tag)
        self.directs.insert(0, made)
        return made

    def message_of(self, said: Said) -> Event:
        """What a webhook tells of a direct message: of our own an echo, of one taken back only that."""
        told: dict[str, Any] = {"mid": said.id}
        if said.is_gone:
            told["is_deleted"] = True
        else:
            told |= {"text": said.text} if said.text else {}
            told |= {"attachments": said.attachments} if said.attachments else {}
        is_echo = said.author != said.citizen
        if is_echo:
            told["is_echo"] = True
        return self.event(said.where, said.citizen, said.created, is_echo=is_echo, message=told)

    def event(self, where: Where, citizen: str, at: datetime, *, is_echo: bool = False, **what: Any) -> Event:
        """An event in the conversation with a citizen, as a webhook tells it."""
        ends = [{"id": citizen}, {"id": self.ours(where)}]
        sender, recipient = reversed(ends) if is_echo else ends
        stamp = int(at.timestamp() * 1000)
        return self._entry(
            where, messaging=[{"sender": sender, "recipient": recipient, "timestamp": stamp, **what}]
        )

    def _entry(self, where: Where, **what: Any) -> Event:
        now = self.clock().timestamp()
        named = "page" if where == "facebook" else "instagram"
        return {
            "object": named,
            "id": self.ours(where),
            "time": int(now * (1000 if "messaging" in what else 1)),
            **what,
        }

    def _digits(self, count: int) -> str:
        return str(self._random.randrange(10 ** (count - 1), 10**count))

    def _mid(self, where: Where) -> str:
        return f"{'m_' if where == 'facebook' else 'aWdfZAG'}{self._random.getrandbits(160):040x}"
