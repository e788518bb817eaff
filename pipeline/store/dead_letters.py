"""Dead letters: payloads nobody understood, sealed whole, with the reason; they can be replayed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, select, update

from laporhub.pipeline.store.prepared import insert_into
from laporhub.pipeline.store.tables import dead_letters


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One payload that could not be handled. `stage` says where it failed: "parse", "admit", "intake"."""

    id: str
    at: datetime
    profile: str
    channel: str
    stage: str
    reason: str
    sealed: str
    replayed_at: datetime | None = None


def bury(connection: Connection, letter: DeadLetter) -> None:
    """Keeps it; the same payload again only renews the reason, and is open again."""
    row = {name: getattr(letter, name) for name in DeadLetter.__dataclass_fields__}
    statement = insert_into(connection, dead_letters).values(row)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["id"],
            set_={
                "at": letter.at,
                "reason": letter.reason,
                "stage": letter.stage,
                "sealed": letter.sealed,
                "replayed_at": None,
            },
        )
    )


def waiting(connection: Connection) -> list[DeadLetter]:
    """Those not replayed yet, oldest first."""
    rows = connection.execute(
        select(dead_letters).where(dead_letters.c.replayed_at.is_(None)).order_by(dead_letters.c.at)
    )
    return [_letter(row) for row in rows]


def find(connection: Connection, name: str) -> DeadLetter | None:
    row = connection.execute(select(dead_letters).where(dead_letters.c.id == name)).first()
    return None if row is None else _letter(row)


def replayed(connection: Connection, name: str, at: datetime) -> None:
    """The letter is done: what it held is now with its case, and gone from here."""
    connection.execute(
        update(dead_letters).where(dead_letters.c.id == name).values(replayed_at=at, sealed="")
    )


def _letter(row: Row[tuple[object, ...]]) -> DeadLetter:
    return DeadLetter(**row._mapping)
