"""What X is asked for regularly: mentions, direct messages, and what a search finds. One page at a time.

X hands out the newest first. So how far we are moves on only when the last page is stored, and then to the newest of
the first. The cursor holds that for each feed, and the page in between.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from laporhub.connectors.x_api import Json, Refused, XApi
from laporhub.connectors.x_payload import id_of, singles
from laporhub.pipeline.connector import Raw
from laporhub.pipeline.connector_abilities import Polled

MENTIONS, DMS, SEARCH = "mentions", "dms", "search"

_POST: Final[Mapping[str, Any]] = {
    "tweet_fields": [
        *("attachments", "author_id", "conversation_id", "created_at", "edit_history_tweet_ids", "entities"),
        *("geo", "in_reply_to_user_id", "note_tweet", "referenced_tweets"),
    ],
    "expansions": ["author_id", "attachments.media_keys", "referenced_tweets.id", "geo.place_id"],
    "media_fields": ["media_key", "type", "url", "preview_image_url", "variants"],
    "user_fields": ["name", "username"],
    "place_fields": ["full_name"],
    "user_auth": True,
}
_MESSAGE: Final[Mapping[str, Any]] = {
    "dm_event_fields": [
        *("attachments", "created_at", "dm_conversation_id", "event_type", "entities", "sender_id", "text"),
    ],
    "expansions": ["sender_id", "attachments.media_keys"],
    "media_fields": ["media_key", "type", "url", "preview_image_url", "variants"],
    "user_fields": ["name", "username"],
    "user_auth": True,
}
_PAGE = 100
_FIRST_MESSAGES = 20
"""Direct messages cannot be asked for "since": each is charged for again, so at first only a few."""
_FORGOTTEN = timedelta(days=6)
"""A search that begins earlier is refused by and by: X searches seven days."""
_EPOCH_MS = 1288834974657
"""When X's ids begin to count milliseconds."""


class _Place(BaseModel):
    """How far one feed is: all through `seen` is stored; `next` is the page to go on with, from `newest` downwards."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    seen: str | None = Field(None, pattern=r"^\d{1,25}$")
    next: str | None = None
    newest: str | None = Field(None, pattern=r"^\d{1,25}$")


class _Progress(BaseModel):
    """The cursor: whose turn it is, and how far each is."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    turn: str = MENTIONS
    feeds: Mapping[str, _Place] = Field(default_factory=dict)

    def with_(self, feed: str, place: _Place, turn: str) -> _Progress:
        return _Progress(turn=turn, feeds={**self.feeds, feed: place})


class Feeds:
    """See the module. A feed that X lets nobody read for a while is passed over, so that it does not hold up others."""

    def __init__(self, search: str | None) -> None:
        self._names = [MENTIONS, DMS, *([SEARCH] if search else [])]
        self._search = search
        self._rests: dict[str, datetime] = {}

    async def page(self, api: XApi, user_id: str, cursor: str | None, now: datetime) -> Polled:
        """Raises `Refused`, `NoAnswer`."""
        progress = _read(cursor)
        feed = progress.turn if progress.turn in self._names else MENTIONS
        place = progress.feeds.get(feed, _Place())
        if self._rests.get(feed, now) > now:
            return self._on(progress, feed, place, [])
        try:
            page = await self._ask(api, feed, user_id, place, now)
        except Refused as refused:
            if refused.status == 400 and place.next is not None:  # such a token does not last for ever
                begun = progress.with_(feed, _Place(seen=place.seen), feed)
                return Polled([], begun.model_dump_json(), more=True)
            if refused.status == 429 and feed != MENTIONS:
                self._rests[feed] = refused.resets_at or now + timedelta(minutes=15)
                return self._on(progress, feed, place, [])
            raise
        return self._taken(progress, feed, place, page)

    def _taken(self, progress: _Progress, feed: str, place: _Place, page: Json) -> Polled:
        ids = [int(name) for each in items(page) if (name := id_of(each))]
        newest = place.newest or (str(max(ids)) if ids else None)
        payloads = [
            Raw(orjson.dumps(each), "application/json")
            for each in singles(page)
            if place.seen is None or (name := id_of(each["data"])) is None or int(name) > int(place.seen)
        ]
        reached = place.seen is not None and any(name <= int(place.seen) for name in ids)
        token = None if reached else next_token(page)
        if token is not None and token != place.next:
            going = progress.with_(feed, _Place(seen=place.seen, next=token, newest=newest), feed)
            return Polled(payloads, going.model_dump_json(), more=True)
        seen = max((name for name in (place.seen, newest) if name), key=int, default=None)
        return self._on(progress, feed, _Place(seen=seen), payloads)

    def _on(self, progress: _Progress, feed: str, place: _Place, payloads: Sequence[Raw]) -> Polled:
        """This feed has had its turn."""
        after = self._names.index(feed) + 1
        is_last = after == len(self._names)
        turned = progress.with_(feed, place, MENTIONS if is_last else self._names[after])
        return Polled(payloads, turned.model_dump_json(), more=not is_last)

    async def _ask(self, api: XApi, feed: str, user_id: str, place: _Place, now: datetime) -> Json:
        if feed == DMS:
            size = _FIRST_MESSAGES if place.seen and not place.next else _PAGE
            return await api.call(
                lambda client: client.get_direct_message_events(
                    max_results=size, pagination_token=place.next, **_MESSAGE
                )
            )
        if feed == SEARCH:
            since = place.seen if place.seen and _made_at_ms(place.seen) > _ms(now - _FORGOTTEN) else None
            return await api.call(
                lambda client: client.search_recent_tweets(
                    self._search, since_id=since, max_results=_PAGE, next_token=place.next, **_POST
                )
            )
        return await api.call(
            lambda client: client.get_users_mentions(
                user_id, since_id=place.seen, max_results=_PAGE, pagination_token=place.next, **_POST
            )
        )


def items(page: Json) -> Sequence[Json]:
    """What is on a page; where X found nothing there is no "data" at all."""
    data = page.get("data")
    return [each for each in data if isinstance(each, dict)] if isinstance(data, list) else []


def next_token(page: Json) -> str | None:
    """Where the next page is, if there is one."""
    meta = page.get("meta")
    token = meta.get("next_token") if isinstance(meta, dict) else None
    return token if isinstance(token, str) and token else None


def _read(cursor: str | None) -> _Progress:
    """One that cannot be read is no reason to stop: what comes again is known."""
    try:
        return _Progress.model_validate_json(cursor) if cursor else _Progress()
    except ValidationError:
        return _Progress()


def _made_at_ms(name: str) -> int:
    return (int(name) >> 22) + _EPOCH_MS


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
