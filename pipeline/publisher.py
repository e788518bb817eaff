"""The publisher: takes replies from the outbox to their platforms, in order per conversation, never twice.

Before a platform hears of a reply, "sending" is durable; what came of it is stored together with the case's
event. An outcome nobody knows (a crash, a broken line) is looked up on the platform before anything is repeated.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy import Connection, Engine

from laporhub.pipeline import ids
from laporhub.pipeline.circuit import Circuit
from laporhub.pipeline.commands import Command, Delivery, DeliveryStatus
from laporhub.pipeline.connector import Connector, Failed, Outcome, Outgoing, Sent, Template, Unknown
from laporhub.pipeline.connector_abilities import Checks, Health, Public, SplitsByPlace
from laporhub.pipeline.door import address_in
from laporhub.pipeline.errors import Conflict, RetryLater, StopChannel
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.store import cases, channels, outbox
from laporhub.pipeline.store.batch import Done
from laporhub.pipeline.store.channels import Lane
from laporhub.pipeline.store.keys import KeyRing
from laporhub.pipeline.store.outbox import Queued
from laporhub.pipeline.wording import fill, template_for

_AT_ONCE = 32
_LEASE = timedelta(minutes=10)
"""How long a platform may take to answer before its outcome counts as unknown."""
_LOOK_UP_AFTER = timedelta(seconds=5)
"""How long the platform has to show a message that it took without our hearing of it."""
_LONGEST_WAIT = timedelta(hours=1)
_GRACE_SECONDS = 10.0
"""How long an orderly stop waits for platforms to answer. A reply cut off counts as unknown when its lease is over."""
_EVER = datetime.max.replace(tzinfo=UTC)

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Later:
    """The platform would not take it now; it did not arrive."""

    span: timedelta
    reason: str


class Writer(Protocol):
    """What the publisher needs of an engine."""

    async def submit(
        self, *, command: Command | None = None, job: Callable[[Connection], object] | None = None
    ) -> Done | None:
        """Durable when it returns: the job's rows, and the command, at least on its way."""
        ...


class Publisher:
    """See the module. `connectors` maps (profile, channel) to the connector that speaks for it."""

    def __init__(
        self,
        database: Engine,
        engine: Writer,
        connectors: Mapping[tuple[str, str], Connector],
        ring: KeyRing,
        now: Callable[[], datetime],
        rulebooks: Mapping[str, Rulebook] | None = None,
    ) -> None:
        """`rulebooks`: the profiles, for the platforms' own templates."""
        self._database = database
        self._engine = engine
        self._connectors = connectors
        self._rulebooks = rulebooks or {}
        self._ring = ring
        self._now = now
        self._spoken = sorted(connectors)
        self._wake = asyncio.Event()
        self._circuits: defaultdict[Lane, Circuit] = defaultdict(Circuit)
        self._account: dict[Lane, str] = {}
        self._ending = False

    def wake(self) -> None:
        """There may be something to send."""
        self._wake.set()

    @property
    def stopped_accounts(self) -> Sequence[str]:
        """Accounts whose platform refuses us until a person has mended it."""
        return sorted({self._account[lane] for lane, each in self._circuits.items() if each.dead})

    async def recover(self) -> None:
        """To be called once before `run`: what was being sent when the hub ended has an unknown outcome."""
        await self._engine.submit(job=lambda connection: _recover(connection, self._now()))

    async def run(self, idle_seconds: float = 1.0, grace_seconds: float = _GRACE_SECONDS) -> None:
        """Sends until cancelled; a failure is logged and tried again.

        Each account has a task of its own while something is due on it: a slow platform delays no other.
        When it is cancelled, what is being sent may end first, but for no longer than `grace_seconds`.
        """
        working: dict[Lane, asyncio.Task[None]] = {}
        self._ending = False
        await self._begin_anew()
        try:
            while True:
                self._wake.clear()
                for lane in self._due():
                    if lane not in working:
                        working[lane] = task = asyncio.create_task(self._empty(lane))
                        task.add_done_callback(lambda _, lane=lane: working.pop(lane, None))  # type: ignore[misc]
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), idle_seconds)
        except asyncio.CancelledError:
            self._ending = True
            if working:
                await asyncio.wait([*working.values()], timeout=grace_seconds)
            raise
        finally:
            for task in working.values():
                task.cancel()

    async def _begin_anew(self) -> None:
        """What rested when the process before this one ended is tried again, and says so."""

        def forget(connection: Connection) -> None:
            for lane in self._spoken:
                channels.rest(connection, lane, None, dead=False)

        try:
            await self._engine.submit(job=forget)
        except Exception as error:
            logger.error("how channels stand could not be written", exc_info=error)

    def _due(self) -> Sequence[Lane]:
        try:
            with self._database.connect() as connection:
                return outbox.lanes(connection, self._now(), self._spoken) if self._spoken else ()
        except Exception as error:
            logger.error("the outbox could not be read", exc_info=error)
            return ()

    async def _empty(self, lane: Lane) -> None:
        """Until nothing is due on this account; what comes meanwhile is sent, too."""
        try:
            while not self._ending and await self.send_due(lane):
                pass
        except Exception as error:
            logger.error("replies could not be sent", exc_info=error)

    async def send_due(self, *lanes: Lane) -> int:
        """Sends what is due now on these accounts, or on all, one reply a conversation. How many there were."""
        with self._database.connect() as connection:
            due = outbox.lanes(connection, self._now(), lanes or self._spoken) if self._spoken else []
        return sum(await asyncio.gather(*(self._send_some(lane) for lane in due)))

    async def _send_some(self, lane: Lane) -> int:
        most = await self._bearable(lane)
        if not most:
            return 0
        now, claimed = self._now(), list[Queued]()

        def claim(connection: Connection) -> None:
            # the engine may have to run it once more
            claimed[:] = outbox.claim(connection, now, [lane], most, _LEASE)

        await self._engine.submit(job=claim)
        await asyncio.gather(*(self._handle(reply) for reply in claimed))
        return len(claimed)

    async def _bearable(self, lane: Lane) -> int:
        """How many replies may be tried on an account now: none while it rests, then one, to see whether it works
        again. What that is for an account that was refused the platform is asked, where it can be: no citizen's
        reply is spent on it.
        """
        circuit, connector = self._circuits[lane], self._connectors[lane]
        if circuit.holds(self._now()):
            return 0
        if circuit.dead and isinstance(connector, Checks):
            try:
                health = await connector.check(self._account[lane])
            except (RetryLater, StopChannel) as error:
                health = Health(ok=False, reason=str(error))
            if not health.ok:
                await self._died(lane, health.reason)
                return 0
            await self._went_well(lane)
        return 1 if circuit.is_open else _AT_ONCE

    async def _went_well(self, lane: Lane) -> None:
        if self._circuits[lane].went_well():
            logger.info("sending again", channel=lane[1])
            await self._tell(lane)

    async def _failed(self, lane: Lane, why: str, hint: timedelta | None = None) -> None:
        if self._circuits[lane].failed(self._now(), why, hint):
            logger.warning("the platform is left alone for a while", channel=lane[1], reason=why)
            await self._tell(lane)

    async def _died(self, lane: Lane, why: str) -> None:
        if self._circuits[lane].died(self._now(), why):
            logger.error("account stopped", account=self._account.get(lane), reason=why)
            await self._tell(lane)

    async def _tell(self, lane: Lane) -> None:
        """Durable, for the pages: they may be in another process."""
        kept = replace(self._circuits[lane])
        await self._engine.submit(
            job=lambda connection: channels.rest(connection, lane, kept.until, kept.why, dead=kept.dead)
        )

    def next_due(self) -> datetime | None:
        """When the next reply is to be sent; None if none waits on a channel that we can speak on."""
        if not self._spoken:
            return None
        with self._database.connect() as connection:
            found = outbox.due(connection, _EVER, self._spoken, 1)
        return found[0].next_at if found else None

    async def _handle(self, reply: Queued) -> None:
        """Sends one reply. If anything breaks outside of the platform, what is stored stays as it is: the reply
        counts as being sent, and is looked up when its lease is over.
        """
        try:
            await self._send(reply)
        except Exception as error:
            logger.error("a reply could not be handled", reply=reply.reply_id, exc_info=error)

    async def _send(self, reply: Queued) -> None:
        connector = self._connectors.get((reply.profile, reply.channel))
        with self._database.connect() as connection:
            kept = cases.load_conversations(connection, [reply.conversation]).get(reply.conversation)
            known = outbox.platform_ids(connection, reply.conversation)
        identity = self._ring.open(kept.sealed_identity) if kept else None
        if connector is None or kept is None or identity is None:
            await self._settle(reply, "failed", "no_address")
            return
        lane = (reply.profile, reply.channel)
        self._account[lane] = reply.account
        if (circuit := self._circuits[lane]).until and circuit.holds(self._now()):
            await self._wait(reply, circuit.until - self._now(), circuit.why)
            return
        address, reply_to = address_in(identity)
        public = isinstance(connector, Public) and connector.is_public(reply_to)
        text = reply.text if public else self._plain(reply)
        if text is None:
            await self._settle(reply, "failed", "erased")
            return
        parts = (
            connector.split_for(text, reply.account, reply_to)
            if isinstance(connector, SplitsByPlace)
            else connector.split(text)
        )
        template = self._template(reply)
        while len(reply.sent) < len(parts):
            outgoing = Outgoing(
                reply.reply_id,
                len(reply.sent),
                address,
                reply.account,
                parts[len(reply.sent)],
                kept.last_inbound_at,
                reply.attempted_at or self._now(),
                reply_to=reply_to,
                purpose=reply.purpose,
                human=reply.human,
                previous=reply.sent[-1] if reply.sent else None,
                template=template,
            )
            match await self._say(connector, reply, outgoing, known):
                case Sent(platform_id=name):
                    sent = (*reply.sent, name)
                    reply = replace(reply, sent=sent, status="sending", attempted_at=self._now())
                    if len(sent) < len(parts):
                        reply = await self._remember(reply)
                case Failed(reason=reason):
                    await self._settle(reply, "failed", reason)
                    return
                case Unknown(reason=reason):
                    unsure = replace(reply, status="unknown")
                    await self._wait(unsure, _pause(reply, _LOOK_UP_AFTER), reason)
                    return
                case _Later(span=span, reason=reason):
                    await self._wait(reply, span, reason)
                    return
        await self._settle(reply, "sent", None)

    def _template(self, reply: Queued) -> Template | None:
        book = self._rulebooks.get(reply.profile)
        rules = book.profile.channels.get(reply.channel) if book else None
        if book is None or rules is None or reply.purpose not in rules.templates:
            return None
        with self._database.connect() as connection:
            state = cases.load_cases(connection, [reply.case_id]).get(reply.case_id)
        return template_for(book, state, reply.channel, reply.purpose) if state else None

    async def _say(
        self, connector: Connector, reply: Queued, outgoing: Outgoing, known: frozenset[str]
    ) -> Outcome | _Later:
        """What came of one part. Whether an uncertain one arrived is asked first."""
        lane = (reply.profile, reply.channel)
        outcome: Outcome
        try:
            found = None
            if reply.status == "unknown":
                found = await connector.look_up(outgoing, known | set(reply.sent))
            outcome = found or await connector.publish(outgoing)
        except RetryLater as busy:
            hint = None if busy.after is None else timedelta(seconds=busy.after)
            await self._failed(lane, str(busy), hint)
            return _Later(_pause(reply) if hint is None else hint, str(busy))
        except StopChannel as dead:
            await self._died(lane, str(dead))
            until = self._circuits[lane].until
            return _Later(until - self._now() if until else timedelta(), str(dead))
        except Exception as error:
            logger.error("unforeseen error while sending", reply=reply.reply_id, exc_info=error)
            outcome = Unknown(type(error).__name__)  # its words may quote an address
        if isinstance(outcome, Unknown):
            await self._failed(lane, outcome.reason)
        else:
            await self._went_well(lane)
        return outcome

    def _plain(self, reply: Queued) -> str | None:
        if reply.pattern is None:
            return reply.text
        pieces = [self._ring.open(piece) for piece in reply.sealed]
        return None if None in pieces else fill(reply.pattern, [piece or "" for piece in pieces])

    async def _remember(self, reply: Queued) -> Queued:
        """A part arrived: kept before the next is tried."""
        until = self._now() + _LEASE
        await self._mark(reply, "sending", until, reply.attempted_at)
        return replace(reply, next_at=until)

    async def _wait(self, reply: Queued, span: timedelta, reason: str) -> None:
        """To be tried again after `span`; looked up first if its outcome is unknown."""
        now = self._now()
        if reply.status == "unknown":
            await self._mark(reply, "unknown", now + span, reply.attempted_at or now, reason)
        else:
            await self._mark(reply, "pending", now + span, None, reason)

    async def _mark(
        self,
        reply: Queued,
        status: str,
        next_at: datetime,
        attempted_at: datetime | None,
        reason: str | None = None,
    ) -> None:
        await self._engine.submit(job=_marking(reply, status, next_at, attempted_at, reason))

    async def _settle(self, reply: Queued, status: DeliveryStatus, reason: str | None) -> None:
        """The end of it: the outbox row and the case's event in one transaction, or the event first."""
        if reply.next_at is not None and self._now() >= reply.next_at:
            raise _too_late(reply)
        await self._engine.submit(
            command=Delivery(
                id=ids.derive("d", "delivery", reply.reply_id, status, str(reply.attempts)),
                profile=reply.profile,
                case_id=reply.case_id,
                at=self._now(),
                reply_id=reply.reply_id,
                status=status,
                platform_id=reply.sent[0] if reply.sent else None,
                reason=reason,
            ),
            job=_marking(reply, status, None, reply.attempted_at, reason),
        )


def _marking(
    reply: Queued,
    status: str,
    next_at: datetime | None,
    attempted_at: datetime | None,
    reason: str | None,
) -> Callable[[Connection], None]:
    def mark(connection: Connection) -> None:
        held = outbox.mark(
            connection,
            reply,
            status,
            next_at=next_at,
            attempts=reply.attempts + 1,
            attempted_at=attempted_at,
            sent=reply.sent,
            reason=reason,
            held=True,
        )
        if not held:
            raise _too_late(reply)

    return mark


def _too_late(reply: Queued) -> Conflict:
    return Conflict(f"The lease of {reply.reply_id} is over: whoever has it now looks it up")


def _pause(reply: Queued, at_least: timedelta = timedelta()) -> timedelta:
    """Twice as long after each attempt, up to an hour."""
    return max(at_least, min(timedelta(seconds=2.0 ** min(reply.attempts, 12)), _LONGEST_WAIT))


def _recover(connection: Connection, now: datetime) -> None:
    if interrupted := outbox.interrupted(connection, now + _LOOK_UP_AFTER):
        logger.warning("replies were interrupted: looking them up", replies=interrupted)
