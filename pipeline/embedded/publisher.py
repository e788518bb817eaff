"""The publisher: takes replies from the outbox to their platforms, in order per conversation, never twice.

Before a platform hears of a reply, "sending" is durable; what came of it is stored together with the case's
event. An outcome nobody knows (a crash, a broken line) is looked up on the platform before anything is repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection, Engine

from laporhub.pipeline import ids
from laporhub.pipeline.door import open_identity
from laporhub.pipeline.embedded.engine import EmbeddedEngine
from laporhub.pipeline.errors import RetryLater, StopChannel
from laporhub.pipeline.models import Delivery, DeliveryStatus
from laporhub.pipeline.ports import Connector, Failed, Outgoing, Sent, Unknown
from laporhub.pipeline.store import cases, outbox
from laporhub.pipeline.store.keys import KeyRing
from laporhub.pipeline.store.outbox import Queued
from laporhub.pipeline.wording import fill

_AT_ONCE = 32
_LEASE = timedelta(minutes=10)
"""How long a platform may take to answer before its outcome counts as unknown."""
_LOOK_UP_AFTER = timedelta(seconds=5)
_DEAD_FOR = timedelta(minutes=5)
_LONGEST_WAIT = 3600.0

logger = structlog.get_logger(__name__)


class Publisher:
    """See the module. `connectors` maps (profile, channel) to the connector that speaks for it."""

    def __init__(
        self,
        database: Engine,
        engine: EmbeddedEngine,
        connectors: Mapping[tuple[str, str], Connector],
        ring: KeyRing,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._engine = engine
        self._connectors = connectors
        self._ring = ring
        self._now = now
        self._wake = asyncio.Event()
        self._dead_until: dict[str, datetime] = {}

    def wake(self) -> None:
        """There may be something to send."""
        self._wake.set()

    @property
    def stopped_accounts(self) -> Sequence[str]:
        """Accounts whose platform refuses us until a person has mended it."""
        now = self._now()
        return [account for account, until in self._dead_until.items() if until > now]

    async def recover(self) -> None:
        """To be called once before `run`: what was being sent when the hub ended has an unknown outcome."""
        await self._engine.submit(job=lambda connection: _recover(connection, self._now()))

    async def run(self, idle_seconds: float = 1.0) -> None:
        """Sends until cancelled."""
        while True:
            self._wake.clear()
            if not await self.send_due():
                try:
                    await asyncio.wait_for(self._wake.wait(), idle_seconds)
                except TimeoutError:
                    continue

    async def send_due(self) -> int:
        """Sends all that is due now, one reply a conversation. How many there were."""
        channels = sorted({channel for _, channel in self._connectors})
        if not channels or not self._any_due(channels):
            return 0
        claimed: list[Queued] = []
        now = self._now()
        await self._engine.submit(job=lambda connection: claimed.extend(_claim(connection, now, channels)))
        await asyncio.gather(*(self._handle(reply) for reply in claimed))
        return len(claimed)

    def _any_due(self, channels: Sequence[str]) -> bool:
        with self._database.connect() as connection:
            return bool(outbox.due(connection, self._now(), channels, 1))

    async def _handle(self, reply: Queued) -> None:
        try:
            await self._send(reply)
        except RetryLater as busy:
            wait = busy.after if busy.after is not None else min(2.0**reply.attempts, _LONGEST_WAIT)
            await self._wait(reply, timedelta(seconds=wait), str(busy))
        except StopChannel as dead:
            logger.error("account stopped", account=reply.account, reason=str(dead))
            self._dead_until[reply.account] = self._now() + _DEAD_FOR
            await self._wait(reply, _DEAD_FOR, str(dead))
        except Exception as error:
            logger.error("unforeseen error while sending", reply=reply.reply_id, exc_info=error)
            await self._wait(
                reply, timedelta(seconds=min(2.0**reply.attempts, _LONGEST_WAIT)), repr(error), "unknown"
            )

    async def _send(self, reply: Queued) -> None:
        connector = self._connectors.get((reply.profile, reply.channel))
        with self._database.connect() as connection:
            kept = cases.load_conversations(connection, [reply.conversation]).get(reply.conversation)
            known = outbox.platform_ids(connection, reply.conversation)
        identity = self._ring.open(kept.sealed_identity) if kept else None
        if connector is None or kept is None or identity is None:
            await self._settle(reply, "failed", "no_address")
            return
        if (until := self._dead_until.get(reply.account)) and until > self._now():
            await self._wait(reply, until - self._now(), "the account is stopped")
            return
        text = self._plain(reply)
        if text is None:
            await self._settle(reply, "failed", "erased")
            return
        _, address = open_identity(identity)
        parts = connector.split(text)
        sent = list(reply.sent)
        attempted_at = reply.attempted_at or self._now()
        uncertain = reply.status == "unknown"
        for number in range(len(sent), len(parts)):
            outgoing = Outgoing(
                reply.reply_id,
                number,
                address,
                reply.account,
                parts[number],
                kept.last_inbound_at,
                attempted_at,
            )
            found = await connector.look_up(outgoing, known | set(sent)) if uncertain else None
            outcome = found or await connector.publish(outgoing)
            uncertain = False
            match outcome:
                case Sent(platform_id=name):
                    sent.append(name)
                    attempted_at = self._now()
                    if len(sent) < len(parts):
                        await self._remember(reply, sent)
                case Failed(reason=reason):
                    await self._settle(reply, "failed", reason, sent)
                    return
                case Unknown(reason=reason):
                    await self._wait(reply, _LOOK_UP_AFTER, reason, "unknown", sent)
                    return
        await self._settle(reply, "sent", None, sent)

    def _plain(self, reply: Queued) -> str | None:
        if reply.pattern is None:
            return reply.text
        pieces = [self._ring.open(piece) for piece in reply.sealed]
        return None if None in pieces else fill(reply.pattern, [piece or "" for piece in pieces])

    async def _remember(self, reply: Queued, sent: Sequence[str]) -> None:
        """A part arrived: kept before the next is tried."""
        parts, now = tuple(sent), self._now()
        await self._engine.submit(
            job=lambda connection: outbox.mark(
                connection,
                reply,
                "sending",
                next_at=now + _LEASE,
                attempts=reply.attempts + 1,
                attempted_at=now,
                sent=parts,
            )
        )

    async def _wait(
        self,
        reply: Queued,
        span: timedelta,
        reason: str,
        status: str = "pending",
        sent: Sequence[str] | None = None,
    ) -> None:
        parts = tuple(reply.sent if sent is None else sent)
        uncertain = status == "unknown" or reply.status == "unknown"
        now = self._now()
        await self._engine.submit(
            job=lambda connection: outbox.mark(
                connection,
                reply,
                "unknown" if uncertain else status,
                next_at=now + span,
                attempts=reply.attempts + 1,
                attempted_at=(reply.attempted_at or now) if uncertain else None,
                sent=parts,
                reason=reason,
            )
        )

    async def _settle(
        self, reply: Queued, status: DeliveryStatus, reason: str | None, sent: Sequence[str] = ()
    ) -> None:
        """The end of it: the outbox row and the case's event in one transaction."""
        now, parts = self._now(), tuple(sent)
        await self._engine.submit(
            command=Delivery(
                id=ids.derive("d", "delivery", reply.reply_id, status, str(reply.attempts)),
                profile=reply.profile,
                case_id=reply.case_id,
                at=now,
                reply_id=reply.reply_id,
                status=status,
                platform_id=parts[0] if parts else None,
                reason=reason,
            ),
            job=lambda connection: outbox.mark(
                connection,
                reply,
                status,
                next_at=None,
                attempts=reply.attempts + 1,
                attempted_at=reply.attempted_at,
                sent=parts,
                reason=reason,
            ),
        )


def _recover(connection: Connection, now: datetime) -> None:
    if interrupted := outbox.interrupted(connection, now):
        logger.warning("replies were interrupted: looking them up", replies=interrupted)


def _claim(connection: Connection, now: datetime, channels: Sequence[str]) -> list[Queued]:
    claimed = []
    for reply in outbox.due(connection, now, channels, _AT_ONCE):
        uncertain = reply.status in ("unknown", "sending")
        since = reply.attempted_at if uncertain and reply.attempted_at else now
        outbox.mark(
            connection,
            reply,
            "sending",
            next_at=now + _LEASE,
            attempts=reply.attempts,
            attempted_at=since,
            sent=reply.sent,
        )
        claimed.append(replace(reply, status="unknown" if uncertain else "sending", attempted_at=since))
    return claimed
