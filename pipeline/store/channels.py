"""How each channel stands with its platform: whether sending rests, and what the platform said of our account."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, or_, select

from laporhub.pipeline.connector_abilities import Health
from laporhub.pipeline.store.prepared import insert_into
from laporhub.pipeline.store.tables import channel_health

Lane = tuple[str, str]
"""Profile and channel."""
_DETAILS: Final = frozenset({"facts", "left", "credits"})


def rest(connection: Connection, lane: Lane, until: datetime | None, why: str = "", *, dead: bool) -> None:
    """Nothing is sent until then; None when it is again."""
    _put(connection, lane, {"rests_until": until, "rests_why": why or None, "dead": int(dead)})


def claim_check(connection: Connection, lane: Lane, now: datetime, every: timedelta) -> bool:
    """Whether it is time to ask the platform, and nobody else does. Needs a transaction that may write."""
    profile, channel = lane
    made = insert_into(connection, channel_health).values(profile=profile, channel=channel, checked_at=now)
    if connection.execute(made.on_conflict_do_nothing()).rowcount:
        return True
    table = channel_health.c
    due = channel_health.update().where(
        table.profile == profile,
        table.channel == channel,
        or_(table.checked_at.is_(None), table.checked_at <= now - every),
    )
    return connection.execute(due.values(checked_at=now)).rowcount > 0


def tell(connection: Connection, lane: Lane, health: Health, now: datetime) -> None:
    """What the platform said of the account."""
    said = {
        "checked_at": now,
        "ok": int(health.ok),
        "reason": health.reason or None,
        "expires_at": health.expires_at,
        "facts": json.dumps(
            {"facts": dict(health.facts), "left": dict(health.left), "credits": dict(health.credits)},
            ensure_ascii=False,
        ),
    }
    _put(connection, lane, said)


def every(connection: Connection) -> dict[Lane, Mapping[str, Any]]:
    rows = connection.execute(select(channel_health))
    return {(row.profile, row.channel): dict(row._mapping) for row in rows}


def details(kept: str | None) -> dict[str, Mapping[str, Any]]:
    """`facts`, `left` and `credits`, as `tell` was given them."""
    found = json.loads(kept or "{}")
    # Words alone, as long as no version had more to keep.
    return (
        {name: found.get(name) or {} for name in _DETAILS} if found.keys() >= _DETAILS else {"facts": found}
    )


def _put(connection: Connection, lane: Lane, said: Mapping[str, Any]) -> None:
    row = {"profile": lane[0], "channel": lane[1], **said}
    made = insert_into(connection, channel_health).values(row)
    connection.execute(made.on_conflict_do_update(index_elements=["profile", "channel"], set_=dict(said)))
