"""What is said in confidence: kept here alone, sealed under the reporter's key."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from laporhub.pipeline.store.cases import insert
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
    connection.execute(insert(connection, confidential).values(asdict(words)).on_conflict_do_nothing())


def of_case(connection: Connection, case_id: str) -> list[SealedWords]:
    """In the order in which it was said."""
    asked = select(confidential).where(confidential.c.case_id == case_id).order_by(confidential.c.ordinal)
    return [
        SealedWords(**{name: getattr(row, name) for name in SealedWords.__dataclass_fields__})
        for row in connection.execute(asked)
    ]
