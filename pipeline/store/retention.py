"""Which cases ended when, and who has keys: what retention goes by. Read in pieces, so that nobody waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import orjson
from sqlalchemy import Connection, Engine, func, select

from laporhub.pipeline.store.database import writer
from laporhub.pipeline.store.prepared import insert_into
from laporhub.pipeline.store.tables import cases, cursors, events, files, reporter_keys

_PIECE = 500
_REPORTERS = 20_000
"""As many people are looked at in one pass over the cases: a few megabytes."""
_SWEEP = "retention"
"""The cursor that holds the day of the last sweep."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A case, and when it ended; None while it is open."""

    id: str
    profile: str
    ticket: str
    reporter: str
    closed_at: datetime | None


@dataclass
class Newer:
    """Whose cases had anything happen since a sweep began to look: of them what it found is old.

    `has` is asked within the transaction that erases. Nobody writes an event until that has ended.
    """

    engine: Engine
    _upto: int = field(init=False, default=0)
    _reporters: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        with writer(self.engine).begin() as connection:
            _hold_events(connection)
            self._upto = connection.execute(select(func.max(events.c.offset))).scalar() or 0

    def has(self, connection: Connection, reporter: str) -> bool:
        _hold_events(connection)
        asked = select(events.c.offset, events.c.body).where(events.c.offset > self._upto)
        touched = set[str]()
        for row in connection.execute(asked.order_by(events.c.offset)):
            self._upto = row.offset
            touched.add(orjson.loads(row.body)["subject"])
        names = sorted(touched)
        for begin in range(0, len(names), _PIECE):
            some = cases.c.id.in_(names[begin : begin + _PIECE])
            found = connection.execute(select(cases.c.id, cases.c.state).where(some))
            self._reporters.update(_ended(row.id, row.state).reporter for row in found)
        return reporter in self._reporters


def _hold_events(connection: Connection) -> None:
    """Waits for those who are writing events, and holds back the next ones; on SQLite who writes is alone anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE events IN SHARE MODE")


def claim(connection: Connection, day: int) -> bool:
    """Whether the caller is the first to ask for this day."""
    first = insert_into(connection, cursors).values(consumer=_SWEEP, offset=day)
    later = first.on_conflict_do_update(
        index_elements=["consumer"], set_={"offset": day}, where=cursors.c.offset < day
    )
    return connection.execute(later).rowcount == 1


def as_it_is(connection: Connection, case_id: str) -> Ended | None:
    """The case now; nobody writes it before the transaction ends."""
    asked = select(cases.c.id, cases.c.state).where(cases.c.id == case_id).with_for_update()
    row = connection.execute(asked).first()
    return _ended(row.id, row.state) if row is not None else None


def every_case(engine: Engine) -> Iterator[Ended]:
    last = ""
    while True:
        asked = select(cases.c.id, cases.c.state).where(cases.c.id > last).order_by(cases.c.id).limit(_PIECE)
        with engine.connect() as connection:
            rows = connection.execute(asked).all()
        if not rows:
            return
        yield from (_ended(row.id, row.state) for row in rows)
        last = rows[-1].id


def cases_with_files(engine: Engine) -> Iterator[list[Ended]]:
    """Those of which files are kept, some at a time."""
    last = ""
    kept = select(files.c.case_id).where(files.c.status == "kept").distinct().order_by(files.c.case_id)
    while True:
        with engine.connect() as connection:
            names = list(connection.execute(kept.where(files.c.case_id > last).limit(_PIECE)).scalars())
            asked = select(cases.c.id, cases.c.state).where(cases.c.id.in_(names)).order_by(cases.c.id)
            rows = connection.execute(asked).all() if names else []
        if not names:
            return
        yield [_ended(row.id, row.state) for row in rows]
        last = names[-1]


def reporters_since(engine: Engine, before: datetime) -> Iterator[frozenset[str]]:
    """Who has had a key since before that time, some at a time."""
    last = ""
    asked = select(reporter_keys.c.reporter).where(reporter_keys.c.created_at <= before).distinct()
    while True:
        some = (
            asked.where(reporter_keys.c.reporter > last).order_by(reporter_keys.c.reporter).limit(_REPORTERS)
        )
        with engine.connect() as connection:
            names = list(connection.execute(some).scalars())
        if not names:
            return
        yield frozenset(names)
        last = names[-1]


def _ended(name: str, body: str) -> Ended:
    state = orjson.loads(body)
    closed = state.get("closed_at")
    return Ended(
        name,
        state["profile"],
        state["ticket"],
        state["reporter"],
        datetime.fromisoformat(closed) if closed else None,
    )
