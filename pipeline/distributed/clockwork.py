"""Due alarms become commands on Kafka. Every worker may do it: whoever claims an alarm has it for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Engine

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.clocks import tick
from laporhub.pipeline.commands import Recount, Tick
from laporhub.pipeline.distributed.producer import Producer
from laporhub.pipeline.distributed.records import Given
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.store.calendars import follow_calendars
from laporhub.pipeline.store.cases import claim_due, load_cases
from laporhub.pipeline.store.database import writer
from laporhub.pipeline.store.outcomes import forget_outcomes
from laporhub.pipeline.streams import write_command
from laporhub.pipeline.topics import COMMANDS

_AT_ONCE = 500
_LEASE = timedelta(minutes=2)
"""If the worker that claimed an alarm dies before the case has moved, it rings again after this long."""
_REMEMBERED = timedelta(days=1)
_IDLE_SECONDS = 1.0

logger = structlog.get_logger(__name__)


class Clockwork:
    """See the module."""

    def __init__(
        self,
        database: Engine,
        producer: Producer,
        profiles: Sequence[str],
        prefix: str,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._producer = producer
        self._profiles = profiles
        self._prefix = prefix
        self._now = now
        self._swept_at: datetime | None = None

    async def run(self) -> None:
        """Until cancelled; a failure is logged and tried again."""
        while True:
            try:
                rung = await self.ring_due()
            except Exception as error:
                logger.warning("alarms could not be rung", reason=f"{type(error).__name__}: {error}")
                rung = 0
            if rung < _AT_ONCE:
                await asyncio.sleep(_IDLE_SECONDS)

    async def follow_calendars(self, books: Mapping[str, Rulebook]) -> None:
        """Counts running clocks anew where a profile's calendar has changed since they were."""

        async def give(commands: Sequence[Recount]) -> None:
            with self._database.connect() as connection:
                states = load_cases(connection, (command.case_id for command in commands))
            given = [self._given(states[command.case_id], command) for command in commands]
            if given:
                await self._producer.send(given)

        await follow_calendars(self._database, books, self._now, give)

    async def ring_due(self) -> int:
        """Claims what is due and puts it on its way. How many."""
        given = await asyncio.to_thread(self._claim, self._now())
        if given:
            await self._producer.send(given)
        return len(given)

    def _claim(self, now: datetime) -> list[Given]:
        with writer(self._database).begin() as connection:
            due = claim_due(connection, self._profiles, now, _AT_ONCE, _LEASE)
            if self._swept_at is None or now - self._swept_at > _REMEMBERED / 24:
                forget_outcomes(connection, now - _REMEMBERED)
                self._swept_at = now
        ticks = ((state, tick(state, now)) for state in due)
        return [self._given(state, command) for state, command in ticks if command is not None]

    def _given(self, state: CaseState, command: Tick | Recount) -> Given:
        return Given(self._prefix + COMMANDS, state.conversation.encode(), write_command(command))
