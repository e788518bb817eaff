"""The streams `messages` and `events`, append-only: each record once, by its id."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, Table, func, select

from laporhub.pipeline.ids import event_id
from laporhub.pipeline.models import CaseEvent
from laporhub.pipeline.store.bulk import copy_in
from laporhub.pipeline.store.tables import cursors, events


def append(connection: Connection, stream: Table, records: Sequence[tuple[str, str]]) -> None:
    """Adds (id, body) pairs. An id that is there already is an error: callers deduplicate before."""
    if records and connection.dialect.name == "postgresql":
        copy_in(connection, stream.name, ("id", "body"), records)
    elif records:
        connection.execute(stream.insert(), [{"id": name, "body": body} for name, body in records])


def tail(connection: Connection, stream: Table) -> int:
    """The offset of the newest record; 0 when there is none."""
    return connection.execute(select(func.max(stream.c.offset))).scalar() or 0


def case_events(connection: Connection, case_id: str) -> list[CaseEvent]:
    """A case's history, oldest first: event ids begin with the case and sort by sequence."""
    found = select(events.c.body).where(events.c.id > f"{case_id}.", events.c.id < f"{case_id}/")
    return [
        CaseEvent.model_validate_json(row.body) for row in connection.execute(found.order_by(events.c.id))
    ]


def events_of(connection: Connection, case_id: str, first: int, last: int) -> list[CaseEvent]:
    """A slice of a case's history, by sequence, both ends included."""
    between = events.c.id.between(event_id(case_id, first), event_id(case_id, last))
    rows = connection.execute(select(events.c.body).where(between).order_by(events.c.id))
    return [CaseEvent.model_validate_json(row.body) for row in rows]


def cursor(connection: Connection, consumer: str) -> int:
    """Where a consumer stands; 0 before its first record."""
    return connection.execute(select(cursors.c.offset).where(cursors.c.consumer == consumer)).scalar() or 0


def advance(connection: Connection, consumer: str, offset: int) -> None:
    """Commits a consumer's place, in the transaction that holds its effects."""
    done = connection.execute(cursors.update().where(cursors.c.consumer == consumer).values(offset=offset))
    if done.rowcount == 0:
        connection.execute(cursors.insert().values(consumer=consumer, offset=offset))
