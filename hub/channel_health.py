"""How every channel stands: what came in and went out, what waits, and what the platform says of our account.

Checked in the background, by one process at a time; read from the database, so each process sees the same.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeAlias

import structlog
from sqlalchemy import Connection, Engine, func, select

from laporhub.pipeline.channel_state import ChannelHealth
from laporhub.pipeline.connector import BY_HAND, WINDOW_CLOSED, Connector
from laporhub.pipeline.connector_abilities import Checks, Health, speaks_for
from laporhub.pipeline.errors import RetryLater, StopChannel
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.store import channels, polls
from laporhub.pipeline.store.channels import Lane
from laporhub.pipeline.store.tables import conversations, messages, outbox

CHECK_EVERY: Final = timedelta(minutes=10)
_CHECK_SECONDS: Final = 20.0
_LOOK_SECONDS: Final = 30.0
_NEWEST: Final = 500
_REPLIES: Final = 20_000
"""How far back counts go at most, whatever the time: newest replies."""
_DAY: Final = timedelta(days=1)
_FRESH: Final = timedelta(seconds=15)
"""How old counts of replies may be: thousands of rows are read for them, and whoever watches asks again and again."""

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Settled:
    """What came of the replies of a day, and when the last one went out at all."""

    sent: int = 0
    failed: int = 0
    too_late: int = 0
    last_out: datetime | None = None


_Replies: TypeAlias = Mapping[Lane, _Settled]


class Taker(Protocol):
    """What the checker needs of a hub."""

    async def write(self, job: Callable[[Connection], object]) -> None: ...


class Checker:
    """Asks each platform that can be asked how our account stands."""

    def __init__(
        self,
        hub: Taker,
        rulebooks: Mapping[str, Rulebook],
        connectors: Mapping[str, Connector],
        now: Callable[[], datetime],
    ) -> None:
        self._hub = hub
        self._now = now
        self._asked = [
            ((book.name, channel), rules.account, connector)
            for book in rulebooks.values()
            for channel, rules in book.profile.channels.items()
            if (connector := connectors.get(rules.provider or channel)) is not None
            and isinstance(connector, Checks)
            and connector.able
        ]

    async def run(self) -> None:
        """Until cancelled; a failure is logged."""
        while True:
            try:
                await self.check_due()
            except Exception as error:
                logger.error("channels could not be checked", exc_info=error)
            await asyncio.sleep(_LOOK_SECONDS)

    async def check_due(self) -> None:
        """Asks those whose time has come, all at once."""
        await asyncio.gather(*(self._check(*each) for each in self._asked))

    async def _check(self, lane: Lane, account: str, connector: Checks) -> None:
        claimed: list[bool] = []
        now = self._now()
        await self._hub.write(
            lambda connection: claimed.append(channels.claim_check(connection, lane, now, CHECK_EVERY))
        )
        if not claimed[-1]:
            return
        try:
            health = await asyncio.wait_for(connector.check(account), _CHECK_SECONDS)
        except (RetryLater, StopChannel) as error:
            health = Health(ok=False, reason=str(error))
        except TimeoutError:
            health = Health(ok=False, reason="the platform does not answer")
        except Exception as error:
            logger.error("a check failed unforeseen", channel=lane[1], exc_info=error)
            health = Health(ok=False, reason=type(error).__name__)
        await self._hub.write(lambda connection: channels.tell(connection, lane, health, self._now()))


class Channels:
    """Reads how they stand. Blocking."""

    def __init__(
        self,
        database: Engine,
        rulebooks: Mapping[str, Rulebook],
        connectors: Mapping[str, Connector],
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._rulebooks = rulebooks
        self._connectors = connectors
        self._now = now
        self._heard: dict[Lane, datetime] | None = None
        self._counted: tuple[datetime, _Replies] | None = None
        self._counting = threading.Lock()

    def all(self) -> Sequence[ChannelHealth]:
        now = self._now()
        with self._database.connect() as connection:
            heard = self._last_heard(connection)
            replies = self._replies(connection, now)
            waiting = _waiting(connection)
            stands = channels.every(connection)
            polled = {(each.provider, each.account): each for each in polls.every(connection)}
        found = []
        for book in self._rulebooks.values():
            for name, rules in book.profile.channels.items():
                lane, provider = (book.name, name), rules.provider or name
                connector, poll = self._connectors.get(provider), polled.get((provider, rules.account))
                settled = replies.get(lane, _Settled())
                found.append(
                    ChannelHealth(
                        profile=book.name,
                        channel=name,
                        account=rules.account,
                        kind=rules.delivery,
                        configured=rules.delivery == "page" or speaks_for(connector, rules.account),
                        last_in=heard.get(lane),
                        last_out=settled.last_out,
                        waiting=waiting.get(lane, 0),
                        sent=settled.sent,
                        failed=settled.failed,
                        too_late=settled.too_late,
                        polled_at=poll.polled_at if poll else None,
                        poll_trouble=poll.trouble if poll else None,
                        **_said(stands.get(lane, {})),
                    )
                )
        return found

    def _replies(self, connection: Connection, now: datetime) -> _Replies:
        with self._counting:  # who comes meanwhile waits, and need not count
            if self._counted is None or not timedelta() <= now - self._counted[0] < _FRESH:
                self._counted = now, _replies(connection, now - _DAY)
            return self._counted[1]

    def _last_heard(self, connection: Connection) -> Mapping[Lane, datetime]:
        """All conversations are read once; from then on the newest messages tell."""
        if self._heard is None:
            table = conversations.c
            found = select(
                table.profile, table.channel, func.max(table.last_inbound_at).label("at")
            ).group_by(table.profile, table.channel)
            self._heard = {(row.profile, row.channel): row.at for row in connection.execute(found)}
        newest = select(messages.c.body).order_by(messages.c.offset.desc()).limit(_NEWEST)
        for row in connection.execute(newest):
            body = json.loads(row.body)
            lane, at = (body["profile"], body["channel"]), datetime.fromisoformat(body["received_at"])
            self._heard[lane] = max(at, self._heard.get(lane, at))
        return self._heard


def _said(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "rests_until": row.get("rests_until"),
        "rests_why": row.get("rests_why"),
        "dead": bool(row.get("dead")),
        "checked_at": row.get("checked_at"),
        "ok": None if row.get("ok") is None else bool(row["ok"]),
        "reason": row.get("reason"),
        "expires_at": row.get("expires_at"),
        **channels.details(row.get("facts")),
    }


def _replies(connection: Connection, since: datetime) -> _Replies:
    """Sent and failed since then, and when the last one went out, of the newest replies.

    What is a person's to say has not failed: nothing is wrong with a hotline that an officer answers.
    """
    table = outbox.c
    newest = select(outbox).order_by(table.ordinal.desc()).limit(_REPLIES).subquery().c
    settled = (
        select(
            newest.profile,
            newest.channel,
            newest.status,
            func.max(newest.attempted_at).label("last"),
            func.count().filter(newest.attempted_at >= since).label("number"),
            func.count()
            .filter(newest.attempted_at >= since, newest.reason == WINDOW_CLOSED)
            .label("too_late"),
        )
        .where(newest.status.in_(("sent", "failed")), newest.reason.is_distinct_from(BY_HAND))
        .group_by(newest.profile, newest.channel, newest.status)
    )
    found: dict[Lane, _Settled] = {}
    for row in connection.execute(settled):
        known = found.get((row.profile, row.channel), _Settled())
        found[row.profile, row.channel] = (
            replace(known, sent=row.number, last_out=row.last)
            if row.status == "sent"
            else replace(known, failed=row.number, too_late=row.too_late)
        )
    return found


def _waiting(connection: Connection) -> dict[Lane, int]:
    table = outbox.c
    found = (
        select(table.profile, table.channel, func.count().label("number"))
        .where(table.next_at.is_not(None))
        .group_by(table.profile, table.channel)
    )
    return {(row.profile, row.channel): row.number for row in connection.execute(found)}
