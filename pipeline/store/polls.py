"""How far each account on a platform was asked for what came in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from laporhub.pipeline.store.prepared import insert_into
from laporhub.pipeline.store.tables import polls


@dataclass(frozen=True, slots=True)
class Poll:
    """When an account was last asked, and what was wrong then (None: nothing)."""

    provider: str
    account: str
    polled_at: datetime
    trouble: str | None


def claim(connection: Connection, provider: str, account: str, now: datetime, every: timedelta) -> bool:
    """Whether it is time to ask, and nobody else does: then the time counts from now. Needs a writing transaction."""
    made = insert_into(connection, polls).values(provider=provider, account=account, polled_at=now)
    if connection.execute(made.on_conflict_do_nothing()).rowcount:
        return True
    due = polls.update().where(
        polls.c.provider == provider, polls.c.account == account, polls.c.polled_at <= now - every
    )
    return connection.execute(due.values(polled_at=now)).rowcount > 0


def cursor(connection: Connection, provider: str, account: str) -> str | None:
    """Where to go on; None before the first time."""
    found = select(polls.c.cursor).where(polls.c.provider == provider, polls.c.account == account)
    kept: str | None = connection.execute(found).scalar()
    return kept


def advance(
    connection: Connection,
    provider: str,
    account: str,
    at: datetime,
    to: str | None,
    trouble: str | None = None,
) -> None:
    """Keeps where to go on (None: where it was), what was wrong, and when it was: the next time counts from `at`.

    To be called once all before the cursor is durable.
    """
    row = {"provider": provider, "account": account, "cursor": to, "polled_at": at, "trouble": trouble}
    changed = {name: row[name] for name in ("polled_at", "trouble")} | ({} if to is None else {"cursor": to})
    made = insert_into(connection, polls).values(row)
    connection.execute(made.on_conflict_do_update(index_elements=["provider", "account"], set_=changed))


def every(connection: Connection) -> list[Poll]:
    """All accounts that were ever asked."""
    rows = connection.execute(select(polls).order_by(polls.c.provider, polls.c.account))
    return [Poll(row.provider, row.account, row.polled_at, row.trouble) for row in rows]
