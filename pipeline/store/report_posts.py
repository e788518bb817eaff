"""Reports on their way to those who get them: each once, however many processes send.

A row is `pending` (to be sent at `next_at`), `sending` (handed to the mail server, no answer yet: it is looked up when
its lease is over), `sent` or `failed`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from laporhub.pipeline.ids import derive
from laporhub.pipeline.report_post import Receiver, ReportPost
from laporhub.pipeline.store.prepared import insert_into
from laporhub.pipeline.store.tables import report_posts

_TABLE = report_posts.c


def is_planned(connection: Connection, profile: str, period: str) -> bool:
    """Whether it was decided who gets the reports of this period."""
    found = select(_TABLE.id).where(_TABLE.profile == profile, _TABLE.period == period).limit(1)
    return connection.execute(found).first() is not None


def plan(
    connection: Connection, profile: str, period: str, receivers: Iterable[Receiver], now: datetime
) -> None:
    """Puts the period's reports on their way, unless that was done before."""
    if is_planned(connection, profile, period):
        return
    rows = [
        {
            "id": derive("q", "report", profile, each.unit or "", period, each.address.lower()),
            "profile": profile,
            "unit": each.unit,
            "period": period,
            "receiver": each.address,
            "language": each.language,
            "status": "pending",
            "attempts": 0,
            "next_at": now,
            "attempted_at": None,
            "reason": None,
            "at": now,
        }
        for each in receivers
    ]
    if rows:
        connection.execute(insert_into(connection, report_posts).on_conflict_do_nothing(), rows)


def due(connection: Connection, now: datetime, profiles: Sequence[str]) -> ReportPost | None:
    """The one that waits longest."""
    found = (
        select(report_posts)
        .where(_TABLE.next_at <= now, _TABLE.profile.in_(profiles))
        .order_by(_TABLE.next_at, _TABLE.id)
        .limit(1)
    )
    row = connection.execute(found).first()
    return None if row is None else ReportPost(**row._mapping)


def claim(connection: Connection, post: ReportPost, now: datetime, lease: timedelta) -> bool:
    """Whether the caller has it now: nobody else took it since it was read. Needs a transaction that may write.

    It is "sending" from here on, and when it was pending, tried for the first time now.
    """
    attempted = now if post.status == "pending" else post.attempted_at
    changed = report_posts.update().where(
        _TABLE.id == post.id, _TABLE.status == post.status, _TABLE.next_at == post.next_at
    )
    taken = changed.values(
        status="sending", next_at=now + lease, attempted_at=attempted, attempts=post.attempts + 1, at=now
    )
    return connection.execute(taken).rowcount == 1


def settle(
    connection: Connection,
    name: str,
    status: str,
    now: datetime,
    next_at: datetime | None = None,
    reason: str | None = None,
) -> None:
    """What came of it. `next_at` is when it is looked at again, None where it is done with."""
    values = {"status": status, "next_at": next_at, "reason": reason, "at": now}
    connection.execute(report_posts.update().where(_TABLE.id == name).values(values))


def bounced(connection: Connection, name: str, now: datetime, reason: str | None) -> bool:
    """A report that was taken could not be delivered after all. Whether there is one of that name."""
    changed = report_posts.update().where(_TABLE.id == name)
    done = connection.execute(changed.values(status="failed", next_at=None, reason=reason, at=now))
    return done.rowcount == 1


def of_period(connection: Connection, profile: str, period: str) -> list[ReportPost]:
    """All of a period, by receiver."""
    found = (
        select(report_posts)
        .where(_TABLE.profile == profile, _TABLE.period == period)
        .order_by(_TABLE.receiver, _TABLE.unit)
    )
    return [ReportPost(**row._mapping) for row in connection.execute(found)]
