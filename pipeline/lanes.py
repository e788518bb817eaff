"""The accounts that are sent on, each a lane of its own: whether it may be used now, or is left alone for a while."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy import Connection

from laporhub.pipeline.circuit import Circuit
from laporhub.pipeline.commands import Command
from laporhub.pipeline.connector import Connector
from laporhub.pipeline.connector_abilities import Checks, Health
from laporhub.pipeline.errors import RetryLater, StopChannel
from laporhub.pipeline.store import channels
from laporhub.pipeline.store.channels import Lane
from laporhub.pipeline.store.writes import Done

_AT_ONCE = 32
"""Replies of one account that may be under way together."""

logger = structlog.get_logger(__name__)


class Writer(Protocol):
    """What the publisher needs of an engine."""

    async def submit(
        self, *, command: Command | None = None, job: Callable[[Connection], object] | None = None
    ) -> Done | None:
        """Durable when it returns: the job's rows, and the command, at least on its way."""
        ...


class Lanes:
    """One circuit for each account, and how it stands, durable for the pages."""

    def __init__(
        self,
        engine: Writer,
        connectors: Mapping[Lane, Connector],
        now: Callable[[], datetime],
    ) -> None:
        self._engine = engine
        self._connectors = connectors
        self._now = now
        self._circuits: defaultdict[Lane, Circuit] = defaultdict(Circuit)
        self._account: dict[Lane, str] = {}

    def named(self, lane: Lane, account: str) -> Circuit:
        """The circuit of a lane on which a reply is about to go out, from this account."""
        self._account[lane] = account
        return self._circuits[lane]

    @property
    def stopped_accounts(self) -> Sequence[str]:
        """Accounts whose platform refuses us until a person has mended it."""
        return sorted({self._account[lane] for lane, each in self._circuits.items() if each.dead})

    async def begin_anew(self) -> None:
        """What rested when the process before this one ended is tried again, and says so."""

        def forget(connection: Connection) -> None:
            for lane in sorted(self._connectors):
                channels.rest(connection, lane, None, dead=False)

        try:
            await self._engine.submit(job=forget)
        except Exception as error:
            logger.error("how channels stand could not be written", exc_info=error)

    async def bearable(self, lane: Lane) -> int:
        """How many replies may be tried on an account now: none while it rests, then one, to see whether it works
        again. What that is for an account that was refused the platform is asked, where it can be: no citizen's
        reply is spent on it.
        """
        circuit, connector = self._circuits[lane], self._connectors[lane]
        if circuit.holds(self._now()):
            return 0
        if circuit.dead and isinstance(connector, Checks):
            try:
                health = await connector.check(self._account[lane])
            except (RetryLater, StopChannel) as error:
                health = Health(ok=False, reason=str(error))
            if not health.ok:
                await self.died(lane, health.reason)
                return 0
            await self.went_well(lane)
        return 1 if circuit.is_open else _AT_ONCE

    async def went_well(self, lane: Lane) -> None:
        """The platform took something."""
        if self._circuits[lane].went_well():
            logger.info("sending again", channel=lane[1])
            await self._tell(lane)

    async def failed(self, lane: Lane, why: str, hint: timedelta | None = None) -> None:
        """It may work later; `hint` is the platform's own."""
        if self._circuits[lane].failed(self._now(), why, hint):
            logger.warning("the platform is left alone for a while", channel=lane[1], reason=why)
            await self._tell(lane)

    async def died(self, lane: Lane, why: str) -> None:
        """The platform refuses the account."""
        if self._circuits[lane].died(self._now(), why):
            logger.error("account stopped", account=self._account.get(lane), reason=why)
            await self._tell(lane)

    async def _tell(self, lane: Lane) -> None:
        """Durable, for the pages: they may be in another process."""
        kept = replace(self._circuits[lane])
        await self._engine.submit(
            job=lambda connection: channels.rest(connection, lane, kept.until, kept.why, dead=kept.dead)
        )
