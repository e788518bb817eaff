"""Tracking on SQLite: one narrow row a case for lists and counts, and a full-text index of what was said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, select, text

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.store.among import among
from laporhub.pipeline.store.prepared import saving
from laporhub.pipeline.store.tables import to_micros
from laporhub.pipeline.tracking import Page, Query
from laporhub.pipeline.workflow import failed_replies, needs_attention
from laporhub.sinks.sqlite_questions import (
    PLACE,
    asked,
    counted_by,
    cursor_after,
    page_of,
    place_in,
)
from laporhub.sinks.sqlite_tables import URGENCY, VERSIONS, create_tables, helpers, tracking, undelivered

_NEVER = 2**62
"""Sorts after every due time."""
_TEXT_INDEXED = 20_000


class SqliteTracking:
    """Implements `tracking.Tracking`; `write` is called inside the transaction that changes the cases."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        with engine.execution_options(writes=True).begin() as connection:
            create_tables(connection)

    name = "tracking/3"
    """Its cursor. Raise the number when rows or index change: the next start then builds them anew."""

    def clear(self, connection: Connection) -> None:
        """Empties it, to be written anew from the cases."""
        tracking.drop(connection)
        undelivered.drop(connection)
        helpers.drop(connection)
        connection.execute(text("DROP TABLE tracking_text"))
        create_tables(connection)

    def write(
        self,
        connection: Connection,
        states: Sequence[CaseState],
        spoken: frozenset[str],
        reworded: frozenset[str] = frozenset(),
    ) -> None:
        """Brings the rows of `states` up to date, and the text of those in `spoken` and `reworded`."""
        if not states:
            return
        _WRITTEN.run(connection, [_row(s) for s in states])
        self._list_undelivered(connection, states)
        self._list_helpers(connection, states)
        for case in sorted(reworded):
            connection.execute(_MOVE, {"case": case})
        self._index(connection, [state for state in states if state.id in spoken | reworded])

    def _list_undelivered(self, connection: Connection, states: Sequence[CaseState]) -> None:
        connection.execute(_OFF_THE_LIST, {"ids": [state.id for state in states]})
        if failed := [{"case_id": state.id} for state in states if failed_replies(state)]:
            connection.execute(undelivered.insert(), failed)

    def _list_helpers(self, connection: Connection, states: Sequence[CaseState]) -> None:
        connection.execute(_HELPS_NO_MORE, {"ids": [state.id for state in states]})
        if asked := [{"case_id": state.id, "unit": unit} for state in states for unit in state.parts]:
            connection.execute(helpers.insert(), asked)

    def _index(self, connection: Connection, states: Sequence[CaseState]) -> None:
        """The index keeps no copy of the text. Further words are added under further rows: see `VERSIONS`."""
        if not states:
            return
        rows = _rows_of(connection, [state.id for state in states])
        connection.execute(
            text("INSERT INTO tracking_text (rowid, said) VALUES (:rowid, :said)"),
            [
                {"rowid": rows[s.id] * VERSIONS + s.messages % VERSIONS, "said": s.text[:_TEXT_INDEXED]}
                for s in states
            ],
        )

    def find(self, query: Query, now: datetime) -> Page:
        """A page of cases. Raises `Refused` for a cursor that is none."""
        shape, values = asked(query, now)
        values["most"] = query.limit + 1
        if query.cursor:
            values |= zip(PLACE, place_in(query.cursor, query), strict=False)
        with self._engine.connect() as connection:
            rows = page_of(shape).run(connection, values).all()
        more = len(rows) > query.limit
        rows = rows[: query.limit]
        states = [CaseState.model_validate_json(row.state) for row in rows]
        return Page(states, cursor_after(rows[-1]) if more else None)

    def count(self, query: Query, by: str, now: datetime) -> Mapping[str, int]:
        names = {number: name for name, number in URGENCY.items()}
        counted: Counter[str] = Counter()
        shape, values = asked(query, now)
        with self._engine.connect() as connection:
            found = counted_by(shape, by).run(connection, values)
            for value, number in map(tuple[Any, ...], found):
                counted[names[value] if by == "urgency" else value or ""] += number
        return counted

    def settle(self, case_id: str, sequence: int) -> None:
        """Nothing to wait for: it was written in the case's own transaction."""


_WRITTEN = saving(tracking, "case_id", ("status", "final", "unit", "urgency", "private", "attention", "due"))
_OFF_THE_LIST = undelivered.delete().where(among(undelivered.c.case_id))
_HELPS_NO_MORE = helpers.delete().where(among(helpers.c.case_id))
_MOVE = text("UPDATE tracking SET rowid = (SELECT max(rowid) + 1 FROM tracking) WHERE case_id = :case")
"""What was indexed under the old number leads nowhere then; it is gone from the file when the index is built anew."""


_ROWS_OF = select(tracking.c.case_id, tracking.c.rowid).where(
    tracking.c.case_id.in_(bindparam("ids", expanding=True))
)


def _rows_of(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    return {row.case_id: row.rowid for row in connection.execute(_ROWS_OF, {"ids": ids})}


def _row(state: CaseState) -> dict[str, Any]:
    running = [clock.due_at for clock in state.clocks.values() if clock.status == "running"]
    return {
        "case_id": state.id,
        "profile": state.profile,
        "status": state.status,
        "final": int(state.closed_at is not None),
        "unit": state.unit,
        "channel": state.channel,
        "urgency": URGENCY[state.suggestion.urgency] if state.suggestion else 0,
        "private": int(state.private),
        "attention": int(needs_attention(state)),
        "opened_at": state.opened_at,
        "due": to_micros(min(running)) if running else _NEVER,
    }
