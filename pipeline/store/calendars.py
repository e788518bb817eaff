"""Which working calendar each profile's running clocks follow; after a change they are counted anew, each by a command.

A clock that rings is counted anew in any event (see `decide_clocks`): this is for what people see until then, and for
what is due earlier than before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import Connection, Engine, select

from laporhub.pipeline.calendar import WorkCalendar
from laporhub.pipeline.clocks import recount_command
from laporhub.pipeline.commands import Recount
from laporhub.pipeline.store.cases import insert, load_cases
from laporhub.pipeline.store.database import writer
from laporhub.pipeline.store.tables import calendars, cases

_AT_ONCE: Final = 500

Give = Callable[[Sequence[Recount]], Awaitable[None]]
"""Hands the commands to the engine; returns when they are as good as done."""

logger = structlog.get_logger(__name__)


async def follow_calendars(
    database: Engine, known: Mapping[str, WorkCalendar], now: Callable[[], datetime], give: Give
) -> int:
    """Counts the running clocks of each profile anew whose calendar is another than before. How many cases moved.

    Broken off in the middle, it is done again at the next start: a clock that has moved does not move twice.
    """
    moved = 0
    for profile, calendar in known.items():
        try:
            moved += await _follow(database, profile, calendar, now, give)
        except Exception as error:
            logger.error("clocks could not be counted anew", profile=profile, exc_info=error)
    return moved


async def _follow(
    database: Engine, profile: str, calendar: WorkCalendar, now: Callable[[], datetime], give: Give
) -> int:
    with database.connect() as connection:
        if followed(connection, profile) == calendar.fingerprint:
            return 0
        ticking = await asyncio.to_thread(_ticking, connection, profile)
    moved = 0
    for first in range(0, len(ticking), _AT_ONCE):
        some = ticking[first : first + _AT_ONCE]
        commands = await asyncio.to_thread(_recounts, database, some, calendar, now())
        await give(commands)
        moved += len(commands)
    with writer(database).begin() as connection:
        follow(connection, profile, calendar.fingerprint, now())
    logger.info("clocks follow the calendar", profile=profile, looked_at=len(ticking), moved=moved)
    return moved


def followed(connection: Connection, profile: str) -> str | None:
    """The fingerprint of the calendar by which this profile's running clocks are counted; None before the first."""
    found = select(calendars.c.fingerprint).where(calendars.c.profile == profile)
    kept: str | None = connection.execute(found).scalar()
    return kept


def follow(connection: Connection, profile: str, fingerprint: str, now: datetime) -> None:
    made = insert(connection, calendars).values(profile=profile, fingerprint=fingerprint, since=now)
    changed = {"fingerprint": fingerprint, "since": now}
    connection.execute(made.on_conflict_do_update(index_elements=["profile"], set_=changed))


def _ticking(connection: Connection, profile: str) -> list[str]:
    """The cases with an alarm still to ring: others have nothing that could move."""
    found = select(cases.c.id).where(cases.c.alarm_at.is_not(None), cases.c.profile == profile)
    return list(connection.execute(found).scalars())


def _recounts(database: Engine, some: Sequence[str], calendar: WorkCalendar, now: datetime) -> list[Recount]:
    with database.connect() as connection:
        states = load_cases(connection, some).values()
    commands = (recount_command(state, calendar, now) for state in states)
    return [command for command in commands if command is not None]
