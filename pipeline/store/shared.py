"""Writing where several processes may be at work on one database: never do two writers of one case both win.

The embedded engine has one writer and needs none of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.exc import IntegrityError

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.errors import WriteConflict
from laporhub.pipeline.intake import Conversation
from laporhub.pipeline.store.among import among, look_up
from laporhub.pipeline.store.bulk import copy_in
from laporhub.pipeline.store.cases import case_row, save_conversations, save_received
from laporhub.pipeline.store.prepared import insert_into
from laporhub.pipeline.store.tables import cases, conversations, received, to_micros

_CASE, _CONVERSATION, _RECEIVED = (tuple(table.c.keys()) for table in (cases, conversations, received))
_TAKEN = ("23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY")
_CHANGED = (
    cases.update()
    .where(cases.c.id == bindparam("case"), cases.c.seq == bindparam("loaded"))
    .values({name: bindparam(name) for name in ("seq", "alarm_at", "state", "streamed")})
)
_WITH_STREAMED = select(
    cases.c.id, cases.c.state, func.coalesce(cases.c.streamed, 0).label("streamed")
).where(among(cases.c.id))


@dataclass(frozen=True, slots=True)
class Stored:
    """A case as it is stored, and through which sequence all of it surely was published when that was written."""

    state: CaseState
    streamed: int


def load_stored(connection: Connection, ids: Iterable[str]) -> dict[str, Stored]:
    return {
        row.id: Stored(CaseState.model_validate_json(row.state), row.streamed)
        for row in look_up(connection, _WITH_STREAMED, ids)
    }


def save_cases_as_loaded(
    connection: Connection,
    states: Iterable[CaseState],
    loaded: Mapping[str, int],
    streamed: Mapping[str, int] | None = None,
) -> None:
    """Writes cases that still are as they were: `loaded` is case id → the sequence it had; others are new.

    `streamed` is case id → through which sequence it surely was published; nothing of those that it does not name.

    Raises `WriteConflict` when one of them was changed or made meanwhile, or a new one's ticket was taken. The
    transaction is then to be rolled back. It waits for transactions that are writing the same cases.
    """
    new, changed = [], []
    for state in states:
        row = case_row(state) | {"streamed": (streamed or {}).get(state.id, 0)}
        if state.id in loaded:
            changed.append({name: row[name] for name in ("seq", "alarm_at", "state", "streamed")})
            changed[-1] |= {"case": state.id, "loaded": loaded[state.id]}
        else:
            new.append(row)
    changed.sort(
        key=lambda row: str(row["case"])
    )  # two writers that lock in the same order never lock each other up
    new.sort(key=lambda row: str(row["id"]))
    written = connection.execute(_CHANGED, changed).rowcount if changed else 0
    if written < len(changed):
        raise _conflict(f"{len(changed) - written} of {len(changed)} cases were changed")
    if new and connection.dialect.name == "postgresql":
        rows = ([_kept(row[name]) for name in _CASE] for row in new)
        with conflicts_told():
            copy_in(connection, cases.name, _CASE, rows)
    elif new:
        opening = insert_into(connection, cases).on_conflict_do_nothing()
        made = connection.execute(opening, new, execution_options={"preserve_rowcount": True}).rowcount
        if made < len(new):
            raise _conflict(f"{len(new) - made} of {len(new)} cases were opened")


def save_conversations_as_loaded(
    connection: Connection, kept: Iterable[Conversation], loaded: Collection[str]
) -> None:
    """Writes conversations; those that were not `loaded` are new, or another writer made them: as with cases."""
    each = list(kept)
    changed = [one for one in each if one.id in loaded or connection.dialect.name != "postgresql"]
    save_conversations(connection, changed)
    rows = [[_kept(getattr(one, name)) for name in _CONVERSATION] for one in each if one.id not in loaded]
    if rows and len(changed) < len(each):
        copy_in(connection, conversations.name, _CONVERSATION, rows)


def save_received_once(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Marks messages as received; a mark that is there already is a conflict."""
    if rows and connection.dialect.name == "postgresql":
        values = ([_kept(row[name]) for name in _RECEIVED] for row in rows)
        copy_in(connection, received.name, _RECEIVED, values)
    else:
        save_received(connection, rows)


def _kept(value: Any) -> str | int | None:
    """A value as its column keeps it."""
    if isinstance(value, datetime):
        return to_micros(value)
    return value.replace("\0", "\ufffd") if isinstance(value, str) and "\0" in value else value


@contextmanager
def conflicts_told() -> Iterator[None]:
    """An id that another writer stored first (a message, an event, a reply) is a `WriteConflict` in here."""
    try:
        yield
    except IntegrityError as error:
        known = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", None)
        if known not in _TAKEN:
            raise
        raise _conflict("the same record was written") from None


def _conflict(what: str) -> WriteConflict:
    return WriteConflict(f"Another process was faster ({what} meanwhile): load again, decide again")
