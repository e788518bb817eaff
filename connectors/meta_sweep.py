"""Which pages of the Graph API are still to be read: the durable cursor of the sweep. Pure.

A pass goes through the newest posts with their comments, and through the conversations, one page a step; a page that
has more than fits adds a step. The cursor is the list of steps, so wherever it is broken off it goes on from there.
What is older than the pass before, or on the first pass than some days, is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, TypeAlias

import orjson

from laporhub.connectors.meta_words import Item, identifier, moment, of_dict, of_list

OVERLAP: Final = timedelta(minutes=15)
"""How much of the pass before is read again: some things are shown late."""
POSTS_FROM: Final = timedelta(days=60)
"""How old a post may be for its comments to be looked at; hooks tell of older ones."""

_COMMENT = "id,message,from,created_time,parent{id},attachment"
_FILES = "attachments{mime_type,name,image_data,video_data,file_url}"
_MESSAGE = f"id,message,from,to,created_time,{_FILES},sticker,shares{{link}}"
_DIRECT = f"id,message,from,to,created_time,{_FILES},shares{{link}},story"
_REPLY = "id,text,timestamp,from,username,parent_id"
_UNDER_MEDIA = f"{_REPLY},replies.limit(50){{{_REPLY}}}"
_NEWEST_FIRST = {"order": "reverse_chronological", "filter": "stream"}

Step: TypeAlias = tuple[str, str, str]
"""An edge, whose it is (empty: our own), and after which cursor of the platform's."""


class Ask(NamedTuple):
    """One call: object, edge, arguments."""

    id: str
    edge: str
    args: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sweep:
    """How far a pass is. `since`: what is older is known; `began`: when this pass did."""

    since: datetime
    began: datetime
    todo: tuple[Step, ...] = ()

    @classmethod
    def read(cls, cursor: str | None, now: datetime, first: timedelta, *, is_page: bool) -> Sweep:
        """The pass to go on with; a new one if the last is done, or if the cursor cannot be read."""
        kept = _kept(cursor)
        since = moment(kept.get("since")) or now - first
        began = moment(kept.get("began"))
        todo = tuple(_step(each) for each in of_list(kept.get("todo")))
        if todo and began:
            return cls(since, began, todo)
        return cls(since, now, (("feed" if is_page else "media", "", ""), ("conversations", "", "")))

    def written(self) -> str:
        """As the hub keeps it."""
        since = self.since if self.todo else max(self.since, self.began - OVERLAP)
        kept = {"since": since.isoformat(), "began": self.began.isoformat(), "todo": self.todo}
        return orjson.dumps(kept).decode()

    def ask(self, our_id: str, *, is_page: bool) -> Ask:
        """The call for the first step."""
        edge, of, after = self.todo[0]
        paging = {"after": after} if after else {}
        return Ask(of or _owner(edge, our_id), edge, _arguments(edge, is_page=is_page) | paging)

    @property
    def is_inside(self) -> bool:
        """Whether the first step is about one post or conversation."""
        return bool(self.todo[0][1])

    def without(self) -> Sweep:
        """The first step is given up: what it was about is gone."""
        return replace(self, todo=self.todo[1:])

    def anew(self) -> str:
        """The cursor of a pass that begins again: a page of the platform's is not there any more."""
        return orjson.dumps({"since": self.since.isoformat()}).decode()

    def after(self, answer: Item, our_id: str, *, is_page: bool) -> tuple[Mapping[str, Any] | None, Sweep]:
        """What to parse of the answer to the first step, None if there is nothing new; and how to go on."""
        edge, of, _ = self.todo[0]
        data = [of_dict(each) for each in of_list(answer.get("data"))]
        further = [*self._deeper(edge, data), *self._further(edge, of, data, answer)]
        going_on = replace(self, todo=(*self.todo[1:], *further))
        if edge == "conversations":
            data = [each for conversation in data for each in _listed(conversation, "messages")]
            edge = "messages"
        if not any(at >= self.since for at in _times(data)):
            return None, going_on
        named = "page" if is_page else "instagram"
        payload = {
            "object": named,
            "id": our_id,
            "edge": edge,
            "of": of,
            "since": self.since.isoformat(),
            "data": data,
        }
        return payload, going_on

    def _further(self, edge: str, of: str, data: Sequence[Item], answer: Item) -> Iterator[Step]:
        """The next page, if it can hold anything new."""
        oldest = self.began - POSTS_FROM if edge in ("feed", "media") else self.since
        if (cursor := _next(answer)) and any(at >= oldest for at in _times(data)):
            yield edge, of, cursor

    def _deeper(self, edge: str, data: Sequence[Item]) -> Iterator[Step]:
        """Comments of a post, or messages of a conversation, that did not fit on its page."""
        inner = {"feed": "comments", "media": "comments", "conversations": "messages"}.get(edge)
        for each in data:
            listed = of_dict(each.get(inner)) if inner else {}
            if (cursor := _next(listed)) and any(
                at >= self.since for at in _times(_listed(each, inner or ""))
            ):
                yield inner or "", identifier(each.get("id")), cursor


def _owner(edge: str, our_id: str) -> str:
    return "me" if edge == "conversations" else our_id


def _arguments(edge: str, *, is_page: bool) -> dict[str, str]:
    if is_page:
        nested = f"comments.limit(50).order(reverse_chronological).filter(stream){{{_COMMENT}}}"
        return {
            "feed": {
                "fields": f"id,message,from,created_time,attachments{{media,url}},{nested}",
                "limit": "25",
            },
            "comments": {"fields": _COMMENT, "limit": "100", **_NEWEST_FIRST},
            "conversations": _conversations("messenger", _MESSAGE),
            "messages": {"fields": _MESSAGE, "limit": "50"},
        }[edge]
    return {
        "media": {"fields": f"id,timestamp,comments.limit(50){{{_UNDER_MEDIA}}}", "limit": "25"},
        "comments": {"fields": _UNDER_MEDIA, "limit": "50"},
        "conversations": _conversations("instagram", _DIRECT),
        "messages": {"fields": _DIRECT, "limit": "20"},
    }[edge]


def _conversations(platform: str, fields: str) -> dict[str, str]:
    nested = f"id,updated_time,messages.limit(20){{{fields}}}"
    return {"platform": platform, "fields": nested, "limit": "20"}


def _times(data: Iterable[Item]) -> Iterator[datetime]:
    """When the things on a page were written, with what is listed under them."""
    for each in data:
        for name in ("created_time", "timestamp", "updated_time"):
            if at := moment(each.get(name)):
                yield at
        for name in ("comments", "replies", "messages"):
            yield from _times(_listed(each, name))


def _listed(item: Item, name: str) -> list[Item]:
    return [of_dict(each) for each in of_list(of_dict(item.get(name)).get("data"))]


def _next(answer: Item) -> str:
    """The cursor of the next page; empty on the last one."""
    paging = of_dict(answer.get("paging"))
    return identifier(of_dict(paging.get("cursors")).get("after")) if paging.get("next") else ""


def _kept(cursor: str | None) -> Item:
    try:
        return of_dict(orjson.loads(cursor or "{}"))
    except orjson.JSONDecodeError:
        return {}


def _step(kept: object) -> Step:
    edge, of, after = (identifier(each) for each in (*of_list(kept), "", "", "")[:3])
    return edge, of, after


def utc_now() -> datetime:
    return datetime.now(UTC)
