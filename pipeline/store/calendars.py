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

from laporhub.pipeline.clocks import recount_command
from laporhub.pipeline.commands import Recount
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.store.cases import load_cases
from laporhub.pipeline.store.database import writer
from laporhub.pipeline.store.prepared import insert_into
from laporhub.pipeline.store.tables import calendars, cases

_AT_ONCE: Final = 500

Give = Callable[[Sequence[Recount]], Awaitable[None]]
"""Hands the commands to the engine; returns when they are as good as done."""

logger = structlog.get_logger(__name__)


async def follow_calendars(
    database: Engine, books: Mapping[str, Rulebook], now: Callable[[], datetime], give: Give
) -> int:
    """Counts the running clocks of each profile anew whose calendar is another than before. How many cases moved.

    Broken off in the middle, it is done again at the next start: a clock that has moved does not move twice.
    """
    moved = 0
    for book in books.values():
        try:
            moved += await _follow(database, book, now, give)
        except Exception as error:
            logger.error("clocks could not be counted anew", profile=book.name, exc_info=error)
    return moved


async def _follow(database: Engine, book: Rulebook, now: Callable[[], datetime], give: Give) -> int:
    ticking = await asyncio.to_thread(_to_look_at, database, book)
    if ticking is None:
        return 0
    moved = 0
    for first in range(0, len(ticking), _AT_ONCE):
        some = ticking[first : first + _AT_ONCE]
        commands = await asyncio.to_thread(_recounts, database, some, book, now())
        await give(commands)
        moved += len(commands)
    await asyncio.to_thread(_follows, database, book, now())
    logger.info("clocks follow the calendar", profile=book.name, looked_at=len(ticking), moved=moved)
    return moved


def followed(connection: Connection, profile: str) -> str | None:
    """The fingerprint of the calendar by which this profile's running clocks are counted; None before the first."""
    found = select(calendars.c.fingerprint).where(calendars.c.profile == profile)
    kept: str | None = connection.execute(found).scalar()
    return kept


def _to_look_at(database: Engine, book: Rulebook) -> list[str] | None:
    """The cases with an alarm still to ring, others have nothing that could move; None if the calendar is known."""
    pending = select(cases.c.id).where(cases.c.alarm_at.is_not(None), cases.c.profile == book.name)
    with database.connect() as connection:
        if followed(connection, book.name) == _fingerprint(book):
            return None
        return list(connection.execute(pending).scalars())


def _fingerprint(book: Rulebook) -> str:
    """That of all its versions' calendars."""
    return ".".join(each.calendar.fingerprint for each in book.every_edition)


def _follows(database: Engine, book: Rulebook, now: datetime) -> None:
    changed = {"fingerprint": _fingerprint(book), "since": now}
    with writer(database).begin() as connection:
        made = insert_into(connection, calendars).values(profile=book.name, **changed)
        connection.execute(made.on_conflict_do_update(index_elements=["profile"], set_=changed))


def _recounts(database: Engine, some: Sequence[str], book: Rulebook, now: datetime) -> list[Recount]:
    with database.connect() as connection:
        states = load_cases(connection, some).values()
    commands = (recount_command(state, book.of(state).calendar, now) for state in states)
    return [command for command in commands if command is not None]
