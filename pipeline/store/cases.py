"""Cases, conversations and what was received: loaded and written a batch at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.evolve import next_alarm
from laporhub.pipeline.intake import Conversation
from laporhub.pipeline.store.among import among, look_up
from laporhub.pipeline.store.prepared import Prepared, insert_into, saving
from laporhub.pipeline.store.tables import cases, conversations, received

_SAVED = saving(cases, "id", ("seq", "alarm_at", "state"))
_SPOKEN = saving(conversations, "id", ("case_id", "last_inbound_at", "sealed_identity"))
_MARKED = Prepared(lambda _: received.insert())
_BY_ID = select(cases.c.id, cases.c.state).where(among(cases.c.id))
_SEQUENCES = select(cases.c.id, cases.c.seq).where(among(cases.c.id))
_TAKEN = select(cases.c.ticket).where(among(cases.c.ticket))
_CONVERSATIONS = select(conversations).where(among(conversations.c.id))
_RECEIVED = select(received).where(among(received.c.message_id))
_LOCKED = _BY_ID.order_by(cases.c.id).with_for_update()
_DUE = (
    select(cases.c.state)
    .where(cases.c.alarm_at <= bindparam("now"), cases.c.profile.in_(bindparam("profiles", expanding=True)))
    .order_by(cases.c.alarm_at, cases.c.id)
    .limit(bindparam("most"))
)


def load_cases(connection: Connection, ids: Iterable[str], *, lock: bool = False) -> dict[str, CaseState]:
    """`lock` keeps other transactions from writing these cases until this one ends, and waits for those at it.

    On SQLite a writing transaction has the whole database to itself anyway.
    """
    return {
        row.id: CaseState.model_validate_json(row.state)
        for row in look_up(connection, _LOCKED if lock else _BY_ID, ids)
    }


def moved_cases(connection: Connection, known: Mapping[str, int]) -> list[CaseState]:
    """Those of the cases that are no longer at the sequence that the caller knows of."""
    moved = [row.id for row in look_up(connection, _SEQUENCES, known) if row.seq != known[row.id]]
    return list(load_cases(connection, moved).values())


def case_by_ticket(connection: Connection, ticket: str) -> CaseState | None:
    body = connection.execute(select(cases.c.state).where(cases.c.ticket == ticket)).scalar()
    return None if body is None else CaseState.model_validate_json(body)


def taken_tickets(connection: Connection, tickets: Iterable[str]) -> set[str]:
    return {row.ticket for row in look_up(connection, _TAKEN, tickets)}


def case_row(state: CaseState) -> dict[str, Any]:
    alarm = next_alarm(state)
    return {
        "id": state.id,
        "profile": state.profile,
        "ticket": state.ticket,
        "seq": state.seq,
        "alarm_at": state.clocks[alarm[0]].alarms[alarm[1]] if alarm else None,
        "state": state.model_dump_json(exclude_defaults=True),
    }


def save_cases(connection: Connection, states: Iterable[CaseState]) -> None:
    """Writes them as they are, whatever is stored: for the one writer. Where there are several: `shared`."""
    if rows := [case_row(state) for state in states]:
        _SAVED.run(connection, rows)


def due_cases(connection: Connection, profiles: Sequence[str], now: datetime, most: int) -> list[CaseState]:
    """Cases of these profiles with an alarm that is due, the longest due first."""
    rows = connection.execute(_DUE, {"profiles": profiles, "now": now, "most": most})
    return [CaseState.model_validate_json(row.state) for row in rows]


_CLAIMED = (
    select(cases.c.id, cases.c.state)
    .where(cases.c.alarm_at <= bindparam("now"), cases.c.profile.in_(bindparam("profiles", expanding=True)))
    .order_by(cases.c.alarm_at, cases.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)


def claim_due(
    connection: Connection, profiles: Sequence[str], now: datetime, most: int, lease: timedelta
) -> list[CaseState]:
    """As `due_cases`, and nobody else gets them before `lease` is over: by then they were saved with their next
    alarm, or they ring again. Needs a transaction that may write; cases that another one holds are left out.
    """
    rows = connection.execute(_CLAIMED, {"profiles": profiles, "now": now, "most": most}).all()
    if rows:
        held = cases.c.id.in_([row.id for row in rows])
        connection.execute(cases.update().where(held).values(alarm_at=now + lease))
    return [CaseState.model_validate_json(row.state) for row in rows]


def every_case(connection: Connection, batch: int = 500) -> Iterator[list[CaseState]]:
    """All cases in the order of their ids, a batch in memory at a time."""
    after = ""
    while True:
        found = select(cases.c.id, cases.c.state).where(cases.c.id > after).order_by(cases.c.id).limit(batch)
        rows = connection.execute(found).all()
        if not rows:
            return
        yield [CaseState.model_validate_json(row.state) for row in rows]
        after = rows[-1].id


def postpone(connection: Connection, case_id: str, until: datetime) -> None:
    """Puts off an alarm that could not be rung, so that it does not keep others from ringing."""
    connection.execute(cases.update().where(cases.c.id == case_id).values(alarm_at=until))


def load_conversations(connection: Connection, ids: Iterable[str]) -> dict[str, Conversation]:
    return {row.id: Conversation(**row._mapping) for row in look_up(connection, _CONVERSATIONS, ids)}


def conversations_about(connection: Connection, name: str, case_id: str) -> list[Conversation]:
    """In which the reporter speaks of a case, the latest first: the case's own, and the direct messages to the same
    account if these are about it since.
    """
    own = load_conversations(connection, [name]).get(name)
    if own is None or own.private == name:
        return [] if own is None else [own]
    private = load_conversations(connection, [own.private]).get(own.private)
    if private is None or private.case_id != case_id or private.last_inbound_at < own.last_inbound_at:
        return [own]
    return [private, own]


def save_conversations(connection: Connection, kept: Iterable[Conversation]) -> None:
    rows = [{name: getattr(each, name) for name in conversations.c.keys()} for each in kept]  # noqa: SIM118
    if rows:
        _SPOKEN.run(connection, rows)


def already_received(connection: Connection, ids: Iterable[str]) -> dict[str, tuple[str, datetime]]:
    """Message id → its case and when it was first received."""
    return {row.message_id: (row.case_id, row.received_at) for row in look_up(connection, _RECEIVED, ids)}


def take_back(connection: Connection, message_id: str, now: datetime) -> str | None:
    """The case of a message that its author takes back; None if it has not come yet: when it comes, it is refused.

    Whoever receives it at the same time conflicts with this, and looks again. Needs a transaction that may write.
    """
    unseen = insert_into(connection, received).values(message_id=message_id, case_id="", received_at=now)
    connection.execute(unseen.on_conflict_do_nothing())
    found = connection.execute(select(received.c.case_id).where(received.c.message_id == message_id))
    return found.scalar() or None


def save_received(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    if rows:
        _MARKED.run(connection, rows)
