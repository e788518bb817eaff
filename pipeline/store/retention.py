"""Which cases ended when, and who has keys: what retention goes by. Read in pieces, so that nobody waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import Connection, Engine, select

from laporhub.pipeline.store.cases import insert
from laporhub.pipeline.store.tables import cases, cursors, files, reporter_keys

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


def claim(connection: Connection, day: int) -> bool:
    """Whether the caller is the first to ask for this day."""
    first = insert(connection, cursors).values(consumer=_SWEEP, offset=day)
    later = first.on_conflict_do_update(
        index_elements=["consumer"], set_={"offset": day}, where=cursors.c.offset < day
    )
    return connection.execute(later).rowcount == 1


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
