"""Tracking on SQLite: one narrow row a case for lists and counts, and a full-text index of what was said."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Integer,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    func,
    literal_column,
    not_,
    select,
    text,
    type_coerce,
)
from sqlalchemy.dialects import sqlite

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.errors import Refused
from laporhub.pipeline.ids import parse_ticket
from laporhub.pipeline.store.cases import load_cases
from laporhub.pipeline.store.tables import Moment, cases, from_micros, metadata, to_micros
from laporhub.pipeline.tracking import Page, Query
from laporhub.pipeline.workflow import failed_replies, needs_attention

_URGENCY = {"normal": 0, "high": 1, "critical": 2}
_NEVER = 2**62
"""Sorts after every due time."""
_TOKENS_AT_MOST = 16
_TEXT_INDEXED = 20_000

tracking = Table(
    "tracking",
    metadata,
    Column("rowid", Integer, primary_key=True),
    Column("case_id", Text, nullable=False, unique=True),
    Column("profile", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("final", Integer, nullable=False),
    Column("unit", Text),
    Column("channel", Text, nullable=False),
    Column("urgency", Integer, nullable=False),
    Column("private", Integer, nullable=False),
    Column("attention", Integer, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("due", Integer, nullable=False),
)

undelivered = Table("tracking_undelivered", metadata, Column("case_id", Text, primary_key=True))
"""The cases of which a reply, the newest of its purpose, failed: few, and asked for by themselves."""

_INDICES = (
    "CREATE INDEX IF NOT EXISTS tracking_queue ON tracking (profile, status, urgency DESC, due, rowid)",
    "CREATE INDEX IF NOT EXISTS tracking_urgent ON tracking (profile, urgency DESC, due, rowid)",
    "CREATE INDEX IF NOT EXISTS tracking_opened ON tracking (profile, opened_at, rowid)",
    # All that the work list's counts need, in the order in which `count` groups: they read nothing else.
    "CREATE INDEX IF NOT EXISTS tracking_counts ON tracking (profile, channel, status, unit, private)",
    "CREATE INDEX IF NOT EXISTS tracking_units ON tracking (profile, unit, channel, status, private)",
    "CREATE INDEX IF NOT EXISTS tracking_attention ON tracking (profile, channel, status, unit, private, attention)"
    " WHERE attention = 1",
    "CREATE INDEX IF NOT EXISTS tracking_open_due ON tracking (profile, due, channel, status, unit, private, final)"
    " WHERE final = 0",
    "CREATE VIRTUAL TABLE IF NOT EXISTS tracking_text USING fts5("
    "said, content='', tokenize='unicode61 remove_diacritics 2', detail='full')",
)

_COUNTED = {
    "channel": (tracking.c.channel,),
    "status": (tracking.c.channel, tracking.c.status),
    "unit": (tracking.c.channel, tracking.c.status, tracking.c.unit),
    "urgency": (tracking.c.urgency,),
}
"""What is grouped to count by the last of it: along the index, for sorting 500,000 rows takes a second."""


class SqliteTracking:
    """Implements `tracking.Tracking`; `write` is called inside the transaction that changes the cases."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        with engine.execution_options(writes=True).begin() as connection:
            _create(connection)

    name = "tracking/2"
    """Its cursor. Raise the number when rows or index change: the next start then builds them anew."""

    def clear(self, connection: Connection) -> None:
        """Empties it, to be written anew from the cases."""
        tracking.drop(connection)
        undelivered.drop(connection)
        connection.execute(text("DROP TABLE tracking_text"))
        _create(connection)

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
        connection.execute(_upsert(), [_row(s) for s in states])
        self._list_undelivered(connection, states)
        for case in sorted(reworded):
            connection.execute(_MOVE, {"case": case})
        self._index(connection, [state for state in states if state.id in spoken | reworded])

    def _list_undelivered(self, connection: Connection, states: Sequence[CaseState]) -> None:
        connection.execute(_OFF_THE_LIST, [{"case": state.id} for state in states])
        if failed := [{"case_id": state.id} for state in states if failed_replies(state)]:
            connection.execute(undelivered.insert(), failed)

    def _index(self, connection: Connection, states: Sequence[CaseState]) -> None:
        """The index keeps no copy of the text. Further words are added under further rows: see `_matching`."""
        if not states:
            return
        rows = _rows_of(connection, [state.id for state in states])
        connection.execute(
            text("INSERT INTO tracking_text (rowid, said) VALUES (:rowid, :said)"),
            [
                {"rowid": rows[s.id] * _VERSIONS + s.messages % _VERSIONS, "said": s.text[:_TEXT_INDEXED]}
                for s in states
            ],
        )

    def find(self, query: Query, now: datetime) -> Page:
        """A page of cases. Raises `Refused` for a cursor that is none."""
        asked = _asked(query, now) | {"most": query.limit + 1}
        if query.cursor:
            asked |= zip(_PLACE, _decoded(query.cursor, query), strict=False)
        with self._engine.connect() as connection:
            rows = connection.execute(_found(_shape(query)), asked).all()
            more = len(rows) > query.limit
            rows = rows[: query.limit]
            states = load_cases(connection, (row.case_id for row in rows))
        return Page([states[row.case_id] for row in rows], _cursor(rows[-1], query) if more else None)

    def count(self, query: Query, by: str, now: datetime) -> Mapping[str, int]:
        names = {number: name for name, number in _URGENCY.items()}
        counted: Counter[str] = Counter()
        with self._engine.connect() as connection:
            for value, number in connection.execute(_counts(_shape(query), by), _asked(query, now)):
                counted[names[value] if by == "urgency" else value or ""] += number
        return counted

    def settle(self, case_id: str, sequence: int) -> None:
        """Nothing to wait for: it was written in the case's own transaction."""


def _create(connection: Connection) -> None:
    tracking.create(connection, checkfirst=True)
    undelivered.create(connection, checkfirst=True)
    for statement in _INDICES:
        connection.execute(text(statement))


_VERSIONS = 1024
"""Full-text rows a case may have: one for each message it grew by."""

_HITS = f"SELECT rowid / {_VERSIONS} AS rowid FROM tracking_text WHERE tracking_text MATCH :phrase"  # noqa: S608


_OFF_THE_LIST = undelivered.delete().where(undelivered.c.case_id == bindparam("case"))
_MOVE = text("UPDATE tracking SET rowid = (SELECT max(rowid) + 1 FROM tracking) WHERE case_id = :case")
"""What was indexed under the old number leads nowhere then; it is gone from the file when the index is built anew."""


@lru_cache(maxsize=1)
def _upsert() -> sqlite.Insert:
    statement = sqlite.insert(tracking)
    kept = ("status", "final", "unit", "urgency", "private", "attention", "due")
    changed = {name: statement.excluded[name] for name in kept}
    return statement.on_conflict_do_update(index_elements=["case_id"], set_=changed)


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
        "urgency": _URGENCY[state.suggestion.urgency] if state.suggestion else 0,
        "private": int(state.private),
        "attention": int(needs_attention(state)),
        "opened_at": state.opened_at,
        "due": to_micros(min(running)) if running else _NEVER,
    }


# ── statements ───────────────────────────────────────────────────────────────────────────────────
# Building one takes longer than running it, so each shape of question is built once, its values bound later.


def _shape(query: Query) -> Query:
    """What decides the statement: which filters are set, and the order; not what they are set to."""
    words = query.text.strip()
    return Query(
        profiles=(),
        statuses=query.statuses[:1] and _SET,
        units=query.units[:1] and _SET,
        channels=query.channels[:1] and _SET,
        text="" if not words else "ticket" if parse_ticket(words) else "words",
        overdue=query.overdue,
        private=query.private,
        attention=query.attention,
        undelivered=query.undelivered,
        tickets=query.tickets[:1] and _SET,
        opened_from=query.opened_from and _SOME_DAY,
        opened_to=query.opened_to and _SOME_DAY,
        order=query.order if query.order in ("newest", "oldest") else "urgency",
        cursor=query.cursor and "set",
        limit=0,
    )


_SET = ("set",)
_SOME_DAY = datetime(2000, 1, 1, tzinfo=UTC)
_PLACE = ("place_0", "place_1", "place_2")
"""The parameters that hold a cursor's place."""


def _asked(query: Query, now: datetime) -> dict[str, Any]:
    """The values of a question: of those that its statement has not, none is set."""
    words = query.text.strip()
    asked = {
        "profiles": query.profiles,
        "statuses": query.statuses,
        "units": query.units,
        "channels": query.channels,
        "tickets": query.tickets,
        "opened_from": query.opened_from,
        "opened_to": query.opened_to,
        "now": None if query.overdue is None else to_micros(now),
        "private": None if query.private is None else int(query.private),
        "ticket": words and parse_ticket(words),
        "phrase": words and _phrase(words),
    }
    return {name: value for name, value in asked.items() if value not in (None, (), "")}


@lru_cache(maxsize=512)
def _found(shape: Query) -> Select[Any]:
    return _ordered(select(tracking).where(*_conditions(shape)), shape).limit(
        bindparam("most", type_=Integer)
    )


@lru_cache(maxsize=512)
def _counts(shape: Query, by: str) -> Select[Any]:
    columns = _COUNTED[by]
    return select(columns[-1], func.count()).where(*_conditions(shape)).group_by(*columns)


def _conditions(shape: Query) -> Iterable[ColumnElement[bool]]:
    # Words, tickets and attention are far more telling than the profile: the plus keeps its indices out of the plan.
    narrow = bool(shape.tickets or shape.text or shape.attention or shape.undelivered)
    profile: ColumnElement[str] = literal_column("+tracking.profile") if narrow else tracking.c.profile
    yield profile.in_(bindparam("profiles", expanding=True))
    for column, name in (
        (tracking.c.status, "statuses"),
        (tracking.c.unit, "units"),
        (tracking.c.channel, "channels"),
    ):
        if getattr(shape, name):
            yield column.in_(bindparam(name, expanding=True))
    if shape.overdue is not None:
        # What has ended is late no more. The number stands in the statement, or a partial index goes unused.
        late = (tracking.c.due < bindparam("now"), tracking.c.final == literal_column("0"))
        yield and_(*late) if shape.overdue else not_(and_(*late))
    if shape.undelivered is not None:
        listed = tracking.c.case_id.in_(select(undelivered.c.case_id))
        yield listed if shape.undelivered else not_(listed)
    if shape.attention is not None:
        yield tracking.c.attention == literal_column("1" if shape.attention else "0")
    if shape.private is not None:
        yield tracking.c.private == bindparam("private")
    if shape.opened_from is not None:
        yield tracking.c.opened_at >= bindparam("opened_from")
    if shape.opened_to is not None:
        yield tracking.c.opened_at < bindparam("opened_to")
    if shape.tickets:
        wanted = cases.c.ticket.in_(bindparam("tickets", expanding=True))
        yield tracking.c.case_id.in_(select(cases.c.id).where(wanted))
    if shape.text == "ticket":
        yield tracking.c.case_id.in_(select(cases.c.id).where(cases.c.ticket == bindparam("ticket")))
    elif shape.text:
        hits = text(_HITS)
        yield tracking.c.rowid.in_(hits.columns(Column("rowid", Integer)).subquery().select())


def _phrase(typed: str) -> str:
    """All words must occur, the last one as a beginning."""
    words = re.findall(r"\w+", typed)[:_TOKENS_AT_MOST]
    return " ".join(f'"{word}"' for word in words) + "*" if words else '""'


def _ordered(found: Select[Any], shape: Query) -> Select[Any]:
    table = tracking.c
    first, second, third = (bindparam(name, type_=Integer) for name in _PLACE)
    opened = type_coerce(table.opened_at, Integer)
    match shape.order:
        case "newest":
            if shape.cursor:
                found = found.where((opened < first) | ((opened == first) & (table.rowid < second)))
            return found.order_by(table.opened_at.desc(), table.rowid.desc())
        case "oldest":
            if shape.cursor:
                found = found.where((opened > first) | ((opened == first) & (table.rowid > second)))
            return found.order_by(table.opened_at, table.rowid)
        case _:
            if shape.cursor:
                found = found.where(
                    (table.urgency < first)
                    | ((table.urgency == first) & (table.due > second))
                    | ((table.urgency == first) & (table.due == second) & (table.rowid > third))
                )
            return found.order_by(table.urgency.desc(), table.due, table.rowid)


def _cursor(row: Any, query: Query) -> str:
    place = (
        [to_micros(row.opened_at), row.rowid]
        if query.order in ("newest", "oldest")
        else [row.urgency, row.due, row.rowid]
    )
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _decoded(cursor: str, query: Query) -> list[int]:
    """The place that `_cursor` wrote down. Raises `Refused` for anything else: readers may send what they like."""
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        parts = 2 if query.order in ("newest", "oldest") else 3
        if isinstance(place, list) and len(place) == parts and all(_fits(part) for part in place):
            if parts == 2:
                from_micros(place[0])
            return place
    except (ValueError, OverflowError, OSError, RecursionError):
        pass
    raise Refused("That is not a cursor of this list", code="bad_cursor", field="cursor")


def _fits(part: object) -> bool:
    """Whether SQLite can take it as a whole number."""
    return type(part) is int and abs(part) < 2**63
