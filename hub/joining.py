"""Puts long messages together that a platform hands over in pieces, in any order, each piece perhaps twice.

A piece is durable before the platform hears that it was taken. The whole message's id comes from its pieces, so
whoever puts it together, and however often, it is one message.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import structlog
from sqlalchemy import Connection, Engine

from laporhub.pipeline.connector import Fragment, Raw
from laporhub.pipeline.messages import Inbound
from laporhub.pipeline.store import fragments
from laporhub.pipeline.store.fragments import Piece
from laporhub.pipeline.store.keys import KeyRing
from laporhub.pipeline.vault import ReporterKey

GAP = " […] "
"""Stands for pieces that did not come."""
_EVERY = 30.0
"""Seconds between two looks at what is overdue."""

logger = structlog.get_logger(__name__)


class Writer(Protocol):
    """What it needs of an engine."""

    async def submit(
        self, *, key: ReporterKey | None = None, job: Callable[[Connection], object] | None = None
    ) -> object:
        """Durable when it returns."""
        ...


@dataclass(frozen=True, slots=True)
class Whole:
    """A message put together, its pieces as they are kept, and the payloads they came in."""

    message: Inbound
    raws: Sequence[Raw]
    pieces: Sequence[Piece]


class Joiner:
    """See the module. `secret` keys the names of messages, which must not tell whose they are."""

    def __init__(
        self, database: Engine, engine: Writer, ring: KeyRing, secret: bytes, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._engine = engine
        self._ring = ring
        self._secret = secret
        self._now = now

    async def keep(self, profile: str, channel: str, fragment: Fragment, raw: Raw) -> tuple[str, int]:
        """Keeps a piece; durable when it returns. The name and round of the message it is of."""
        message, now = fragment.message, self._now()
        owner = f"fragments {now:%Y-%m-%d}"
        whole = self._name(
            profile, channel, message.account, message.author_id, fragment.whole, fragment.total
        )
        piece = Piece(
            whole=whole,
            round=1,
            number=fragment.number,
            total=fragment.total,
            piece=self._name(whole, message.external_id),
            profile=profile,
            channel=channel,
            sealed=self._ring.seal(owner, _written(message, raw), now),
            overdue_at=now + fragment.patience,
        )
        rounds: list[int] = []
        key = self._ring.pending(owner)
        await self._engine.submit(
            key=key, job=lambda connection: rounds.append(fragments.add(connection, piece))
        )
        if key is not None:
            self._ring.stored(key)
        return whole, rounds[-1]

    def whole(self, name: str, round_: int, *, complete: bool = True) -> Whole | None:
        """The message, if all its pieces are there (or need not be), without those handed on before. Blocking."""
        with self._database.connect() as connection:
            there = fragments.pieces(connection, name, round_)
        waiting = [each for each in there if not each.done]
        if not waiting or (complete and len(there) < waiting[0].total):
            return None
        opened = {each.number: json.loads(text) for each in waiting if (text := self._ring.open(each.sealed))}
        messages = {number: Inbound.model_validate(kept["message"]) for number, kept in opened.items()}
        return Whole(joined(messages, waiting[0].total), [_raw(kept) for kept in opened.values()], waiting)

    async def done(self, whole: Whole, *, refused: bool = False) -> None:
        """The message is durable (or, `refused`, its payloads are kept elsewhere): its pieces are not needed."""
        now = self._now()
        if refused:
            await self._engine.submit(job=lambda connection: fragments.drop(connection, whole.pieces))
        else:
            await self._engine.submit(job=lambda connection: fragments.finish(connection, whole.pieces, now))

    async def overdue(self) -> Sequence[tuple[str, int]]:
        """Messages whose rest is not waited for any longer. What need not be known any more goes meanwhile."""
        now = self._now()

        def look() -> tuple[list[tuple[str, int]], bool]:
            with self._database.connect() as connection:
                return fragments.overdue(connection, now), fragments.forgettable(connection, now)

        late, old = await asyncio.to_thread(look)
        if old:
            await self._engine.submit(job=lambda connection: fragments.forget(connection, now))
        return late

    def _name(self, *parts: object) -> str:
        """A keyed hash: the same parts have the same name, and nobody else can tell which they were."""
        said = json.dumps([str(part) for part in parts]).encode()
        return f"f_{hmac.new(self._secret, said, hashlib.sha256).hexdigest()[:32]}"


def joined(pieces: Mapping[int, Inbound], total: int) -> Inbound:
    """One message of its pieces, by number from 1; a mark stands where some are missing."""
    text, missing = "", False
    for number in range(1, total + 1):
        if number in pieces:
            text, missing = text + pieces[number].text, False
        elif not missing:
            text, missing = text + GAP, True
    names = "\n".join(pieces[number].external_id for number in sorted(pieces))
    times = [each.sent_at for each in pieces.values() if each.sent_at]
    whole = {
        "external_id": f"joined:{hashlib.sha256(names.encode('utf-8', 'replace')).hexdigest()[:26]}",
        "text": text if len(pieces) == total else text.strip(),
        "sent_at": min(times, default=None),
    }
    return pieces[min(pieces)].model_copy(update=whole)


async def sweep(join_overdue: Callable[[], Awaitable[object]]) -> None:
    """Until cancelled: looks again and again whether something is overdue."""
    while True:
        try:
            await join_overdue()
        except Exception as error:
            logger.error("pieces of messages could not be joined", exc_info=error)
        await asyncio.sleep(_EVERY)


def _written(message: Inbound, raw: Raw) -> str:
    body = base64.b64encode(raw.body).decode()
    kept: dict[str, Any] = {"body": body, "content_type": raw.content_type}
    return json.dumps(kept | {"message": message.model_dump(mode="json")})


def _raw(kept: Mapping[str, Any]) -> Raw:
    return Raw(base64.b64decode(kept["body"]), kept["content_type"])
