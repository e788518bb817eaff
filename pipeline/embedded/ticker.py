"""The ticker: turns due alarms into commands. It only proposes: `decide` looks again and ignores what is stale."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.clocks import tick
from laporhub.pipeline.commands import Recount
from laporhub.pipeline.embedded.engine import EmbeddedEngine
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.store import cases
from laporhub.pipeline.store.calendars import follow_calendars

_AT_ONCE = 200
_AGAIN_AFTER = timedelta(minutes=5)
"""An alarm that cannot be rung waits this long, so that it does not keep others from ringing."""

logger = structlog.get_logger(__name__)


class Ticker:
    """See the module."""

    def __init__(
        self, database: Engine, engine: EmbeddedEngine, profiles: Sequence[str], now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._engine = engine
        self._profiles = profiles
        self._now = now

    async def run(self, idle_seconds: float = 1.0) -> None:
        """Ticks until cancelled; a failure is logged and tried again."""
        while True:
            try:
                rung = await self.ring_due()
            except Exception as error:
                logger.error("alarms could not be rung", exc_info=error)
                rung = 0
            if not rung:
                await asyncio.sleep(idle_seconds)

    async def follow_calendars(self, books: Mapping[str, Rulebook]) -> None:
        """Counts running clocks anew where a profile's calendar has changed since they were."""

        async def give(commands: Sequence[Recount]) -> None:
            await asyncio.gather(*(self._engine.submit(command=command) for command in commands))

        await follow_calendars(self._database, books, self._now, give)

    async def ring_due(self) -> int:
        """Rings every case's next alarm that is due. How many rang."""
        now = self._now()
        with self._database.connect() as connection:
            due = cases.due_cases(connection, self._profiles, now, _AT_ONCE)
        return sum(await asyncio.gather(*(self._ring(state, now) for state in due)))

    async def _ring(self, state: CaseState, now: datetime) -> bool:
        command = tick(state, now)
        if command is None:
            return False
        try:
            done = await self._engine.submit(command=command)
        except Exception as error:
            logger.error("an alarm could not be rung", case=state.id, clock=command.clock, exc_info=error)
            await self._put_off(state.id, now + _AGAIN_AFTER)
            return False
        return done is not None and not done.duplicate

    async def _put_off(self, case_id: str, until: datetime) -> None:
        await self._engine.submit(job=lambda connection: cases.postpone(connection, case_id, until))
