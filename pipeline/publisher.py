"""The publisher: takes replies from the outbox to their platforms, in order per conversation, never twice.

Before a platform hears of a reply, "sending" is durable; what came of it is stored together with the case's
event. An outcome nobody knows (a crash, a broken line) is looked up on the platform before anything is repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime

import structlog
from sqlalchemy import Connection, Engine

from laporhub.pipeline.connector import Connector
from laporhub.pipeline.lanes import Lanes, Writer
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.sending import LEASE, LOOK_UP_AFTER, Sender
from laporhub.pipeline.store import outbox
from laporhub.pipeline.store.channels import Lane
from laporhub.pipeline.store.keys import KeyRing
from laporhub.pipeline.store.outbox import Queued

_GRACE_SECONDS = 10.0
"""How long an orderly stop waits for platforms to answer. A reply cut off counts as unknown when its lease is over."""
_EVER = datetime.max.replace(tzinfo=UTC)

logger = structlog.get_logger(__name__)


class Publisher:
    """See the module. `connectors` maps (profile, channel) to the connector that speaks for it."""

    def __init__(
        self,
        database: Engine,
        engine: Writer,
        connectors: Mapping[Lane, Connector],
        ring: KeyRing,
        now: Callable[[], datetime],
        rulebooks: Mapping[str, Rulebook] | None = None,
    ) -> None:
        """`rulebooks`: the profiles, for the platforms' own templates."""
        self._database = database
        self._engine = engine
        self._now = now
        self._spoken = sorted(connectors)
        self._wake = asyncio.Event()
        self._lanes = Lanes(engine, connectors, now)
        self._sender = Sender(database, engine, connectors, ring, now, rulebooks or {}, self._lanes)
        self._ending = False

    def wake(self) -> None:
        """There may be something to send."""
        self._wake.set()

    @property
    def stopped_accounts(self) -> Sequence[str]:
        """Accounts whose platform refuses us until a person has mended it."""
        return self._lanes.stopped_accounts

    async def recover(self) -> None:
        """To be called once before `run`: what was being sent when the hub ended has an unknown outcome."""
        await self._engine.submit(job=lambda connection: _recover(connection, self._now()))

    async def run(self, idle_seconds: float = 1.0, grace_seconds: float = _GRACE_SECONDS) -> None:
        """Sends until cancelled; a failure is logged and tried again.

        Each account has a task of its own while something is due on it: a slow platform delays no other.
        When it is cancelled, what is being sent may end first, but for no longer than `grace_seconds`.
        """
        working: dict[Lane, asyncio.Task[None]] = {}
        self._ending = False
        await self._lanes.begin_anew()
        try:
            while True:
                self._wake.clear()
                for lane in self._due():
                    if lane not in working:
                        working[lane] = task = asyncio.create_task(self._empty(lane))
                        task.add_done_callback(lambda _, lane=lane: working.pop(lane, None))  # type: ignore[misc]
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), idle_seconds)
        except asyncio.CancelledError:
            self._ending = True
            if working:
                await asyncio.wait([*working.values()], timeout=grace_seconds)
            raise
        finally:
            for task in working.values():
                task.cancel()

    def _due(self) -> Sequence[Lane]:
        try:
            with self._database.connect() as connection:
                return outbox.lanes(connection, self._now(), self._spoken) if self._spoken else ()
        except Exception as error:
            logger.error("the outbox could not be read", exc_info=error)
            return ()

    async def _empty(self, lane: Lane) -> None:
        """Until nothing is due on this account; what comes meanwhile is sent, too."""
        try:
            while not self._ending and await self.send_due(lane):
                pass
        except Exception as error:
            logger.error("replies could not be sent", exc_info=error)

    async def send_due(self, *lanes: Lane) -> int:
        """Sends what is due now on these accounts, or on all, one reply a conversation. How many there were."""
        with self._database.connect() as connection:
            due = outbox.lanes(connection, self._now(), lanes or self._spoken) if self._spoken else []
        return sum(await asyncio.gather(*(self._send_some(lane) for lane in due)))

    async def _send_some(self, lane: Lane) -> int:
        most = await self._lanes.bearable(lane)
        if not most:
            return 0
        now, claimed = self._now(), list[Queued]()

        def claim(connection: Connection) -> None:
            # the engine may have to run it once more
            claimed[:] = outbox.claim(connection, now, [lane], most, LEASE)

        await self._engine.submit(job=claim)
        await asyncio.gather(*(self._sender.handle(reply) for reply in claimed))
        return len(claimed)

    def next_due(self) -> datetime | None:
        """When the next reply is to be sent; None if none waits on a channel that we can speak on."""
        if not self._spoken:
            return None
        with self._database.connect() as connection:
            found = outbox.due(connection, _EVER, self._spoken, 1)
        return found[0].next_at if found else None


def _recover(connection: Connection, now: datetime) -> None:
    if interrupted := outbox.interrupted(connection, now + LOOK_UP_AFTER):
        logger.warning("replies were interrupted: looking them up", replies=interrupted)
