"""Sends one reply, part by part: what came of each part is durable before the next is tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import Connection, Engine

from laporhub.pipeline import ids
from laporhub.pipeline.commands import Delivery, DeliveryStatus
from laporhub.pipeline.connector import (
    ALREADY,
    NOT_TOLD,
    Connector,
    Failed,
    Outcome,
    Outgoing,
    Sent,
    Template,
    Unknown,
)
from laporhub.pipeline.errors import Conflict, RetryLater, StopChannel
from laporhub.pipeline.lanes import Lanes, Writer
from laporhub.pipeline.places import Place, Receiver, next_part, place_at, private_place
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_intake import Channel
from laporhub.pipeline.reach import address_for
from laporhub.pipeline.store import cases, outbox
from laporhub.pipeline.store.channels import Lane
from laporhub.pipeline.store.keys import KeyRing
from laporhub.pipeline.store.outbox import Queued
from laporhub.pipeline.wording import fill, template_for

LEASE = timedelta(minutes=10)
"""How long a platform may take to answer before its outcome counts as unknown."""
LOOK_UP_AFTER = timedelta(seconds=5)
"""How long the platform has to show a message that it took without our hearing of it."""
_LONGEST_WAIT = timedelta(hours=1)

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Later:
    """The platform would not take it now; it did not arrive."""

    span: timedelta
    reason: str


class Sender:
    """Takes a claimed reply to its platform, and stores what came of it."""

    def __init__(
        self,
        database: Engine,
        engine: Writer,
        connectors: Mapping[Lane, Connector],
        ring: KeyRing,
        now: Callable[[], datetime],
        rulebooks: Mapping[str, Rulebook],
        lanes: Lanes,
    ) -> None:
        self._database = database
        self._engine = engine
        self._connectors = connectors
        self._ring = ring
        self._now = now
        self._rulebooks = rulebooks
        self._lanes = lanes

    async def handle(self, reply: Queued) -> None:
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
            names = [reply.conversation] if reply.address else [talk.id for talk in reply.talks]
            known = frozenset[str]().union(*(outbox.platform_ids(connection, name) for name in names))
        where = self._receiver(connector, reply) if connector else None
        if connector is None or where is None:
            await self._settle(reply, "failed", "no_address")
            return
        lane = (reply.profile, reply.channel)
        if (circuit := self._lanes.named(lane, reply.account)).until and circuit.holds(self._now()):
            await self._wait(reply, circuit.until - self._now(), circuit.why)
            return
        rules = self._rules(reply)
        plain = partial(self._plain, reply)
        public = place_at(connector, reply, where.reply_to, plain)
        if public is None:
            await self._settle(reply, "failed", "erased")
            return
        at, wanted = reply.attempted_at or self._now(), rules.privately if rules else ()
        private = private_place(connector, reply, where, plain, wanted, at)
        if private is None or not await self._send_privately(connector, reply, where, private, public, known):
            await self._send_parts(connector, reply, where, public, known)

    async def _send_parts(
        self, connector: Connector, reply: Queued, where: Receiver, place: Place, known: frozenset[str]
    ) -> None:
        template = self._template(reply)
        while len(reply.sent) < len(place.parts):
            at = reply.attempted_at or self._now()
            outgoing = next_part(reply, where, place, at, template)
            match await self._say(connector, reply, outgoing, known):
                case Sent(platform_id=name):
                    sent = (*reply.sent, name)
                    reply = replace(reply, sent=sent, status="sending", attempted_at=self._now())
                    if len(sent) < len(place.parts):
                        reply = await self._remember(reply)
                case Failed(reason=reason):
                    await self._settle(reply, "failed", reason)
                    return
                case other:
                    await self._put_off(reply, other)
                    return
        await self._settle(reply, "sent", None)

    async def _send_privately(
        self,
        connector: Connector,
        reply: Queued,
        where: Receiver,
        private: Place,
        public: Place,
        known: frozenset[str],
    ) -> bool:
        """Whether that is the end of it: what the platform does not take in private is to be said in public.

        Of an earlier attempt nobody knows in which of the two it was, so it is looked up in both.
        """
        at = reply.attempted_at or self._now()
        outgoing, elsewhere = (next_part(reply, where, place, at) for place in (private, public))
        match await self._say(connector, reply, outgoing, known, elsewhere):
            case Sent(platform_id=name):
                await self._settle(replace(reply, sent=(name,), attempted_at=self._now()), "sent", None)
            case Failed(reason=reason) if reason == ALREADY and reply.status == "unknown":
                await self._settle(reply, "failed", NOT_TOLD)  # that one, or an earlier reply
            case Failed(reason=reason):
                logger.info("not taken in private", reply=reply.reply_id, reason=reason)
                return False
            case other:
                await self._put_off(reply, other)
        return True

    async def _put_off(self, reply: Queued, outcome: Unknown | _Later) -> None:
        if isinstance(outcome, Unknown):
            unsure = replace(reply, status="unknown")
            await self._wait(unsure, _pause(reply, LOOK_UP_AFTER), outcome.reason)
        else:
            await self._wait(reply, outcome.span, outcome.reason)

    def _receiver(self, connector: Connector, reply: Queued) -> Receiver | None:
        """Whom it goes to; None if nobody knows any more. A letter to staff has its address with it."""
        if reply.address is not None:
            return Receiver(reply.address)
        at = reply.attempted_at or self._now()
        found = address_for(connector, reply.talks, self._ring.open, at, human=reply.human)
        if found is None:
            return None
        return Receiver(found.to, found.reply_to, found.conversation.last_inbound_at)

    def _rules(self, reply: Queued) -> Channel | None:
        book = self._rulebooks.get(reply.profile)
        return book.profile.channels.get(reply.channel) if book else None

    def _template(self, reply: Queued) -> Template | None:
        book, rules = self._rulebooks.get(reply.profile), self._rules(reply)
        if book is None or rules is None or reply.purpose not in rules.templates:
            return None
        with self._database.connect() as connection:
            state = cases.load_cases(connection, [reply.case_id]).get(reply.case_id)
        return template_for(book, state, reply.channel, reply.purpose) if state else None

    async def _say(
        self,
        connector: Connector,
        reply: Queued,
        outgoing: Outgoing,
        known: frozenset[str],
        elsewhere: Outgoing | None = None,
    ) -> Outcome | _Later:
        """What came of one part. Whether an uncertain one arrived is asked first; if that was `elsewhere`, it is not
        said here.
        """
        lane = (reply.profile, reply.channel)
        outcome: Outcome
        try:
            found: Sent | Failed | None = None
            if reply.status == "unknown":
                seen = known | set(reply.sent)
                found = await connector.look_up(outgoing, seen)
                if found is None and elsewhere and await connector.look_up(elsewhere, seen) is not None:
                    found = Failed("said elsewhere")
            outcome = found or await connector.publish(outgoing)
        except RetryLater as busy:
            hint = None if busy.after is None else timedelta(seconds=busy.after)
            await self._lanes.failed(lane, str(busy), hint)
            return _Later(_pause(reply) if hint is None else hint, str(busy))
        except StopChannel as dead:
            await self._lanes.died(lane, str(dead))
            until = self._lanes.named(lane, reply.account).until
            return _Later(until - self._now() if until else timedelta(), str(dead))
        except Exception as error:
            logger.error("unforeseen error while sending", reply=reply.reply_id, exc_info=error)
            outcome = Unknown(type(error).__name__)  # its words may quote an address
        if isinstance(outcome, Unknown):
            await self._lanes.failed(lane, outcome.reason)
        else:
            await self._lanes.went_well(lane)
        return outcome

    def _plain(self, reply: Queued) -> str | None:
        if reply.pattern is None:
            return reply.text
        pieces = [self._ring.open(piece) for piece in reply.sealed]
        return None if None in pieces else fill(reply.pattern, [piece or "" for piece in pieces])

    async def _remember(self, reply: Queued) -> Queued:
        """A part arrived: kept before the next is tried."""
        until = self._now() + LEASE
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
        marking = _marking(reply, status, None, reply.attempted_at, reason)
        if reply.address is not None:  # a letter to staff is no reply of the case
            if status == "failed":
                logger.error("a notice to staff did not arrive", notice=reply.reply_id, reason=reason)
            await self._engine.submit(job=marking)
            return
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
            job=marking,
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
