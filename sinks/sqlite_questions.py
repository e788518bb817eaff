"""The statements of tracking on SQLite: which cases, how many, and where a page ends.

Building one takes longer than running it, so each shape of question is built once, its values bound later.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    Select,
    and_,
    bindparam,
    false,
    func,
    literal_column,
    not_,
    select,
    text,
    type_coerce,
)

from laporhub.pipeline.errors import Refused
from laporhub.pipeline.ids import parse_ticket
from laporhub.pipeline.store.prepared import Prepared
from laporhub.pipeline.store.tables import cases, from_micros, to_micros
from laporhub.pipeline.tracking import Query
from laporhub.sinks.sqlite_tables import VERSIONS, helpers, tracking, undelivered

_TOKENS_AT_MOST = 16

_COUNTED = {
    "channel": (tracking.c.channel,),
    "status": (tracking.c.channel, tracking.c.status),
    "unit": (tracking.c.channel, tracking.c.status, tracking.c.unit),
    "urgency": (tracking.c.urgency,),
}
"""What is grouped to count by the last of it: along the index, for sorting 500,000 rows takes a second."""

_HITS = f"SELECT rowid / {VERSIONS} AS rowid FROM tracking_text WHERE tracking_text MATCH :phrase"  # noqa: S608


def asked(query: Query, now: datetime) -> tuple[Query, dict[str, Any]]:
    """The shape of a question, by which `page_of` and `counted_by` know the statement, and the values that fill it."""
    words = query.text.strip()
    ticket = parse_ticket(words) if words else None
    return _shape(query, words, ticket), _values(query, words, ticket, now)


def _shape(query: Query, words: str, ticket: str | None) -> Query:
    """What decides the statement: which filters are set, to how many values, and the order; not what they are."""
    return Query(
        profiles=_SET * len(query.profiles),
        statuses=_SET * len(query.statuses),
        units=_SET * len(query.units),
        channels=_SET * len(query.channels),
        text="" if not words else "ticket" if ticket else "words",
        overdue=query.overdue,
        private=query.private,
        attention=query.attention,
        undelivered=query.undelivered,
        helping=_SET * len(query.helping),
        tickets=_SET * len(query.tickets),
        opened_from=query.opened_from and _SOME_DAY,
        opened_to=query.opened_to and _SOME_DAY,
        order=query.order if query.order in ("newest", "oldest") else "urgency",
        cursor=query.cursor and "set",
        limit=0,
    )


_SET = ("set",)
_LISTS = ("profiles", "statuses", "units", "channels", "helping", "tickets")
_SOME_DAY = datetime(2000, 1, 1, tzinfo=UTC)
_PLACED = {
    "newest": ("opened_at", "rowid"),
    "oldest": ("opened_at", "rowid"),
    "urgency": ("urgency", "due", "rowid"),
}
"""Order → the columns that say where a page ends."""
PLACE = ("place_0", "place_1", "place_2")
"""The parameters that hold a cursor's place."""


def _values(query: Query, words: str, ticket: str | None, now: datetime) -> dict[str, Any]:
    """Of the parameters that its statement has not, none is set."""
    single = {
        "opened_from": query.opened_from,
        "opened_to": query.opened_to,
        "now": None if query.overdue is None else to_micros(now),
        "private": None if query.private is None else int(query.private),
        "ticket": ticket,
        "phrase": None if ticket or not words else _phrase(words),
    }
    listed = {
        f"{name}_{number}": value for name in _LISTS for number, value in enumerate(getattr(query, name))
    }
    return listed | {name: value for name, value in single.items() if value not in (None, "")}


@lru_cache(maxsize=512)
def page_of(shape: Query) -> Prepared:
    """The statement for a page of cases with their states, as `asked` and `PLACE` fill it.

    The states are joined to the page alone: sorted through with all that is found, they would fill the memory.
    """
    table = tracking.c
    place = (table.case_id, table.rowid, table.opened_at, table.urgency, table.due)
    found = _ordered(select(*place).where(*_conditions(shape)), shape)
    page = found.limit(bindparam("most", type_=Integer)).subquery("page")
    needed = [page.c[name] for name in _PLACED[shape.order]]
    with_states = select(*needed, cases.c.state).join_from(page, cases, cases.c.id == page.c.case_id)
    ordered = with_states.order_by(*_order(page.c, shape))
    return Prepared(lambda _: ordered)


@lru_cache(maxsize=512)
def counted_by(shape: Query, by: str) -> Prepared:
    """The statement for numbers of cases, by "status", "unit", "channel" or "urgency"."""
    columns = _COUNTED[by]
    counted = select(columns[-1], func.count()).where(*_conditions(shape)).group_by(*columns)
    return Prepared(lambda _: counted)


def _conditions(shape: Query) -> Iterable[ColumnElement[bool]]:
    # Words, tickets and attention are far more telling than the profile: the plus keeps its indices out of the plan.
    narrow = bool(shape.tickets or shape.text or shape.attention or shape.undelivered or shape.helping)
    profile: ColumnElement[str] = literal_column("+tracking.profile") if narrow else tracking.c.profile
    yield profile.in_(_each("profiles", shape)) if shape.profiles else false()
    for column, name in (
        (tracking.c.status, "statuses"),
        (tracking.c.unit, "units"),
        (tracking.c.channel, "channels"),
    ):
        if getattr(shape, name):
            yield column.in_(_each(name, shape))
    if shape.overdue is not None:
        # What has ended is late no more. The number stands in the statement, or a partial index goes unused.
        late = (tracking.c.due < bindparam("now"), tracking.c.final == literal_column("0"))
        yield and_(*late) if shape.overdue else not_(and_(*late))
    if shape.undelivered is not None:
        listed = tracking.c.case_id.in_(select(undelivered.c.case_id))
        yield listed if shape.undelivered else not_(listed)
    if shape.helping:
        asked = helpers.c.unit.in_(_each("helping", shape))
        yield tracking.c.case_id.in_(select(helpers.c.case_id).where(asked))
    if shape.attention is not None:
        yield tracking.c.attention == literal_column("1" if shape.attention else "0")
    if shape.private is not None:
        yield tracking.c.private == bindparam("private")
    if shape.opened_from is not None:
        yield tracking.c.opened_at >= bindparam("opened_from")
    if shape.opened_to is not None:
        yield tracking.c.opened_at < bindparam("opened_to")
    if shape.tickets:
        wanted = cases.c.ticket.in_(_each("tickets", shape))
        yield tracking.c.case_id.in_(select(cases.c.id).where(wanted))
    if shape.text == "ticket":
        yield tracking.c.case_id.in_(select(cases.c.id).where(cases.c.ticket == bindparam("ticket")))
    elif shape.text:
        hits = text(_HITS)
        yield tracking.c.rowid.in_(hits.columns(Column("rowid", Integer)).subquery().select())


def _each(name: str, shape: Query) -> list[ColumnElement[Any]]:
    """A parameter for each of the values that this filter is set to."""
    return [bindparam(f"{name}_{number}") for number in range(len(getattr(shape, name)))]


def _phrase(typed: str) -> str:
    """All words must occur, the last one as a beginning."""
    words = re.findall(r"\w+", typed)[:_TOKENS_AT_MOST]
    return " ".join(f'"{word}"' for word in words) + "*" if words else '""'


def _ordered(found: Select[Any], shape: Query) -> Select[Any]:
    """In the order asked for, from the place of the cursor on."""
    table = tracking.c
    first, second, third = (bindparam(name, type_=Integer) for name in PLACE)
    opened = type_coerce(table.opened_at, Integer)
    if shape.cursor and shape.order == "newest":
        found = found.where((opened < first) | ((opened == first) & (table.rowid < second)))
    elif shape.cursor and shape.order == "oldest":
        found = found.where((opened > first) | ((opened == first) & (table.rowid > second)))
    elif shape.cursor:
        found = found.where(
            (table.urgency < first)
            | ((table.urgency == first) & (table.due > second))
            | ((table.urgency == first) & (table.due == second) & (table.rowid > third))
        )
    return found.order_by(*_order(table, shape))


def _order(columns: Any, shape: Query) -> tuple[ColumnElement[Any], ...]:
    match shape.order:
        case "newest":
            return columns.opened_at.desc(), columns.rowid.desc()
        case "oldest":
            return columns.opened_at, columns.rowid
        case _:
            return columns.urgency.desc(), columns.due, columns.rowid


def cursor_after(row: Any) -> str:
    """Where the page after this row begins."""
    place = list(row[:-1])  # the state is the last
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def place_in(cursor: str, query: Query) -> list[int]:
    """The place that `cursor_after` wrote down. Raises `Refused` for anything else: readers may send what they like."""
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
