"""The streams `messages` and `events`, append-only: each record once, by its id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Table, func, select

from laporhub.pipeline.models import CaseEvent
from laporhub.pipeline.store.tables import cursors, events


def append(connection: Connection, stream: Table, records: Sequence[tuple[str, str]]) -> None:
    """Adds (id, body) pairs. An id that is there already is an error: callers deduplicate before."""
    if records:
        connection.execute(stream.insert(), [{"id": name, "body": body} for name, body in records])


def read(connection: Connection, stream: Table, after: int, most: int) -> list[tuple[int, str, str]]:
    """Up to `most` records behind offset `after`, in order: (offset, id, body)."""
    columns = stream.c
    found = select(columns.offset, columns.id, columns.body).where(columns.offset > after)
    rows = connection.execute(found.order_by(columns.offset).limit(most))
    return [(row.offset, row.id, row.body) for row in rows]


def scan(connection: Connection, stream: Table, batch: int = 1000) -> Iterator[tuple[int, str, str]]:
    """The whole stream from its beginning, a batch in memory at a time."""
    after = 0
    while records := read(connection, stream, after, batch):
        yield from records
        after = records[-1][0]


def count(connection: Connection, stream: Table) -> int:
    return connection.execute(select(func.count()).select_from(stream)).scalar_one()


def case_events(connection: Connection, case_id: str) -> list[CaseEvent]:
    """A case's history, oldest first: event ids begin with the case and sort by sequence."""
    found = select(events.c.body).where(events.c.id > f"{case_id}.", events.c.id < f"{case_id}/")
    return [
        CaseEvent.model_validate_json(row.body) for row in connection.execute(found.order_by(events.c.id))
    ]


def cursor(connection: Connection, consumer: str) -> int:
    """Where a consumer stands; 0 before its first record."""
    return connection.execute(select(cursors.c.offset).where(cursors.c.consumer == consumer)).scalar() or 0


def advance(connection: Connection, consumer: str, offset: int) -> None:
    """Commits a consumer's place, in the transaction that holds its effects."""
    done = connection.execute(cursors.update().where(cursors.c.consumer == consumer).values(offset=offset))
    if done.rowcount == 0:
        connection.execute(cursors.insert().values(consumer=consumer, offset=offset))
