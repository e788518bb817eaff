"""Which cases one person opened, where that is proven: the platform vouches for the account, or for the phone.

Only what a pseudonym proves is here. Who merely types a number or a name, or asked to stay anonymous, is nobody's other
self.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, bindparam, select

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.store.prepared import insert_into
from laporhub.pipeline.store.tables import persons

NEWEST = 20
"""Of one person's cases, how many are looked at."""

_CASES = (
    select(persons.c.case_id)
    .where(persons.c.reporter == bindparam("reporter"))
    .order_by(persons.c.opened_at.desc(), persons.c.case_id.desc())
    .limit(bindparam("most"))
)


def add(connection: Connection, new: Iterable[CaseState]) -> None:
    rows = [{"reporter": each.reporter, "opened_at": each.opened_at, "case_id": each.id} for each in new]
    if rows:
        connection.execute(insert_into(connection, persons).on_conflict_do_nothing(), rows)


def cases_of(connection: Connection, reporter: str, most: int = NEWEST) -> Sequence[str]:
    """Ids of their cases, the newest first."""
    return list(connection.execute(_CASES, {"reporter": reporter, "most": most}).scalars())


def opened(connection: Connection, case: CaseState) -> bool:
    """Whether it is proven who opened this case."""
    row = persons.c
    found = select(row.case_id).where(
        row.reporter == case.reporter, row.opened_at == case.opened_at, row.case_id == case.id
    )
    return connection.execute(found).first() is not None


def forget(connection: Connection, reporter: str) -> None:
    """Nothing of an erased person leads to their other cases."""
    connection.execute(persons.delete().where(persons.c.reporter == reporter))
