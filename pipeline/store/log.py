"""The streams `messages` and `events`, append-only: each record once, by its id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, bindparam, func, select

from laporhub.pipeline.events import CaseEvent, MessageAdded
from laporhub.pipeline.ids import event_id
from laporhub.pipeline.messages import Message
from laporhub.pipeline.said import superseded
from laporhub.pipeline.store.among import among, look_up
from laporhub.pipeline.store.bulk import copy_in
from laporhub.pipeline.store.tables import cursors, events, messages, to_micros

_NAMED = (
    select(events.c.id, events.c.body)
    .where(
        events.c.opened.in_(bindparam("opened", expanding=True)),
        among(events.c.id),
    )
    .order_by(events.c.id)
)


def append(connection: Connection, stream: Table, records: Sequence[tuple[str, str]]) -> None:
    """Adds (id, body) pairs. An id that is there already is an error: callers deduplicate before."""
    if records and connection.dialect.name == "postgresql":
        copy_in(connection, stream.name, ("id", "body"), records)
    elif records:
        connection.exec_driver_sql(f"INSERT INTO {stream.name} (id, body) VALUES (?, ?)", list(records))  # noqa: S608


def append_events(connection: Connection, records: Sequence[tuple[str, datetime, str]]) -> None:
    """Adds events as (id, when their case was opened, body). Callers see to it that each is added once."""
    if records and connection.dialect.name == "postgresql":
        rows = ((name, str(to_micros(opened_at)), body) for name, opened_at, body in records)
        copy_in(connection, events.name, ("id", "opened", "body"), rows)
    elif records:
        connection.exec_driver_sql(
            "INSERT INTO events (id, opened, body) VALUES (?, ?, ?)",
            [(name, to_micros(opened_at), body) for name, opened_at, body in records],
        )


def tail(connection: Connection, stream: Table) -> int:
    """The offset of the newest record; 0 when there is none."""
    return connection.execute(select(func.max(stream.c.offset))).scalar() or 0


def case_events(connection: Connection, case_id: str, opened_at: datetime) -> list[CaseEvent]:
    """A case's history, oldest first: event ids begin with the case and sort by sequence."""
    return _read(connection, opened_at, events.c.id > f"{case_id}.", events.c.id < f"{case_id}/")


def events_of(
    connection: Connection, case_id: str, opened_at: datetime, first: int, last: int
) -> list[CaseEvent]:
    """A slice of a case's history, by sequence, both ends included."""
    between = events.c.id.between(event_id(case_id, first), event_id(case_id, last))
    return _read(connection, opened_at, between)


def histories(connection: Connection, wanted: Mapping[str, tuple[datetime, int]]) -> dict[str, list[str]]:
    """Of each case (when it was opened, through which sequence) the bodies of its events, oldest first."""
    names = {
        event_id(case, sequence): to_micros(opened_at)
        for case, (opened_at, last) in wanted.items()
        for sequence in range(1, last + 1)
    }
    found: dict[str, list[str]] = {case: [] for case in wanted}
    opened = sorted(set(names.values()))
    for row in look_up(connection, _NAMED, names, opened=opened):
        found[row.id.partition(".")[0]].append(row.body)
    return found


def forget_originals(connection: Connection, case_id: str, opened_at: datetime) -> list[str]:
    """Takes the sealed originals out of what the reporter rewrote or took back: which messages these are.

    The redacted words stay, as what the office acted upon; see decision 0021.
    """
    history = case_events(connection, case_id, opened_at)
    old = [(event, event.data) for event in (history[number] for number in sorted(superseded(history)))]
    for event, data in old:
        if not isinstance(data, MessageAdded) or data.sealed_text is None:
            continue
        kept = event.but({"data": data.but({"sealed_text": None})}).model_dump_json(exclude_none=True)
        connection.execute(
            events.update()
            .where(events.c.opened == to_micros(opened_at), events.c.id == event.id)
            .values(body=kept)
        )
        found = connection.execute(select(messages.c.body).where(messages.c.id == data.message_id)).scalar()
        if found is not None:
            body = Message.model_validate_json(found).but({"sealed_text": None})
            row = messages.update().where(messages.c.id == data.message_id)
            connection.execute(row.values(body=body.model_dump_json(exclude_defaults=True)))
    return [data.message_id for _, data in old if isinstance(data, MessageAdded)]


def _read(connection: Connection, opened_at: datetime, *which: ColumnElement[bool]) -> list[CaseEvent]:
    found = select(events.c.body).where(events.c.opened == to_micros(opened_at), *which).order_by(events.c.id)
    return [CaseEvent.model_validate_json(row.body) for row in connection.execute(found)]


def cursor(connection: Connection, consumer: str) -> int:
    """Where a consumer stands; 0 before its first record."""
    return connection.execute(select(cursors.c.offset).where(cursors.c.consumer == consumer)).scalar() or 0


def advance(connection: Connection, consumer: str, offset: int) -> None:
    """Commits a consumer's place, in the transaction that holds its effects."""
    done = connection.execute(cursors.update().where(cursors.c.consumer == consumer).values(offset=offset))
    if done.rowcount == 0:
        connection.execute(cursors.insert().values(consumer=consumer, offset=offset))
