"""What is said in confidence: kept here alone, sealed under the reporter's key."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from laporhub.pipeline.store.database import overwrite_what_is_deleted
from laporhub.pipeline.store.prepared import insert_into
from laporhub.pipeline.store.tables import confidential


@dataclass(frozen=True, slots=True)
class SealedWords:
    """One thing said, and by whom: `role` is "reporter" or a role of staff, `actor` then an account."""

    id: str
    case_id: str
    at: datetime
    actor: str
    role: str
    unit: str | None
    sealed: str


def add(connection: Connection, words: SealedWords) -> None:
    """The same words twice are once."""
    connection.execute(insert_into(connection, confidential).values(asdict(words)).on_conflict_do_nothing())


def of_case(connection: Connection, case_id: str) -> list[SealedWords]:
    """In the order in which it was said."""
    asked = select(confidential).where(confidential.c.case_id == case_id).order_by(confidential.c.ordinal)
    return [_words(row) for row in connection.execute(asked)]


def after(connection: Connection, ordinal: int, most: int) -> list[tuple[int, SealedWords]]:
    """What was said later than a place in this table, each with its own place, oldest first."""
    asked = select(confidential).where(confidential.c.ordinal > ordinal).order_by(confidential.c.ordinal)
    return [(row.ordinal, _words(row)) for row in connection.execute(asked.limit(most))]


def drop(connection: Connection, name: str) -> None:
    """What nobody was told of, and nobody will be."""
    overwrite_what_is_deleted(connection)
    connection.execute(confidential.delete().where(confidential.c.id == name))


def _words(row: Row[Any]) -> SealedWords:
    return SealedWords(**{name: getattr(row, name) for name in SealedWords.__dataclass_fields__})
