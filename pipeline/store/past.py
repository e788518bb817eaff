"""The histories that a report needs: of cases with anything to say about a period."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import JSON, ColumnElement, Engine, Select, bindparam, cast, func, select

from laporhub.pipeline.events import CaseEvent
from laporhub.pipeline.store import log
from laporhub.pipeline.store.tables import cases

_LOOKED_AT: Final = 5_000
"""Cases a statement looks at: short, however many there are."""
_READ: Final = 100
"""Cases whose events are in memory at a time."""


def histories(database: Engine, profile: str, since: datetime, until: datetime) -> Iterator[list[CaseEvent]]:
    """All events of each case that was opened before `until` and was open, or had any event, at `since` or later.

    Whatever is written meanwhile may be in it or not. Blocking.
    """
    for wanted in _concerned(database, profile, since, until):
        for some in _cut(wanted):
            with database.connect() as connection:
                found = log.histories(connection, some)
            for bodies in found.values():
                yield [CaseEvent.model_validate_json(body) for body in bodies]


def _concerned(
    database: Engine, profile: str, since: datetime, until: datetime
) -> Iterator[Mapping[str, tuple[datetime, int]]]:
    """Case → when it was opened, and its newest sequence; some at a time."""
    after = ""
    while True:
        with database.connect() as connection:
            rows = connection.execute(_page(connection.dialect.name), {"after": after}).all()
        yield {
            row.id: (_moment(row.opened), row.seq)
            for row in rows
            if row.profile == profile
            and _moment(row.opened) < until
            and (row.closed is None or _moment(row.updated) >= since)
        }
        if len(rows) < _LOOKED_AT:
            return
        after = rows[-1].id


@cache
def _page(dialect: str) -> Select[Any]:
    """The next cases, by what their states tell: the database reads them, so the rest of them need not come here."""

    def told(name: str) -> ColumnElement[Any]:
        as_json = cast(cases.c.state, JSON)[f"{name}_at"].as_string()
        found: ColumnElement[Any] = func.json_extract(cases.c.state, f"$.{name}_at")
        return (as_json if dialect == "postgresql" else found).label(name)

    shown = (told("opened"), told("updated"), told("closed"))
    found = select(cases.c.id, cases.c.profile, cases.c.seq, *shown).where(cases.c.id > bindparam("after"))
    return found.order_by(cases.c.id).limit(_LOOKED_AT)


def _moment(told: str) -> datetime:
    return datetime.fromisoformat(told)


def _cut(wanted: Mapping[str, tuple[datetime, int]]) -> Iterator[Mapping[str, tuple[datetime, int]]]:
    names = list(wanted)
    for start in range(0, len(names), _READ):
        yield {name: wanted[name] for name in names[start : start + _READ]}
