"""The cases stage: messages and commands in, events out. Blocking, and independent of who reads and writes Kafka.

One batch is one transaction: states, events, conversations, outbox rows and what became of awaited commands. The
caller publishes what `process` returns, then acknowledges. A record seen before changes nothing and yields the
same records again, so a batch that was committed but not published is published when it is delivered again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import Connection, Engine

from laporhub.pipeline import ids
from laporhub.pipeline.distributed.graves import Graves
from laporhub.pipeline.distributed.records import ASKED, ASKED_BY, AWAITED, Given, Taken
from laporhub.pipeline.errors import Refused, RetryLater, Unparsable
from laporhub.pipeline.evolve import evolve
from laporhub.pipeline.fanout import forwarded, work
from laporhub.pipeline.models import CaseEvent, CaseState, Command, Message, ReplyQueued
from laporhub.pipeline.store import log, outbox
from laporhub.pipeline.store.batch import Batch, Done, Government
from laporhub.pipeline.store.database import is_transient, reason, writer
from laporhub.pipeline.store.outcomes import Outcome, Refusal, load_outcomes, save_outcomes
from laporhub.pipeline.streams import OutboxRecord, read_command, read_message, write_event, write_record
from laporhub.pipeline.topics import EVENTS, MESSAGES, OUTBOX
from laporhub.pipeline.unit_commands import refusal

_UNFORESEEN = Refusal("unforeseen", "It could not be handled; it is kept, and a person will look at it")

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A record, and what it says."""

    record: Taken
    asked: Message | Command


@dataclass(slots=True)
class _Turn:
    """What one transaction leads to, beside the rows."""

    given: list[Given] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    refused: list[tuple[_Asked, Refused, datetime]] = field(default_factory=list)
    """With the time at which it was first refused."""


class CaseStage:
    """See the module. `prefix` begins the names of all topics."""

    def __init__(
        self,
        database: Engine,
        governments: Mapping[str, Government],
        graves: Graves,
        prefix: str,
        now: Callable[[], datetime],
    ) -> None:
        self._database = writer(database)
        self._governments = governments
        self._graves = graves
        self._prefix = prefix
        self._now = now

    def process(self, records: Sequence[Taken]) -> list[Given]:
        """Raises `RetryLater` when the database cannot take it now: nothing is lost, give it the same batch again.

        Raises `Misconfigured` when one record after the other fails unforeseen: a person must look.
        """
        asked, given = [], []
        for record in records:
            try:
                asked.append(_Asked(record, self._read(record)))
            except Unparsable as error:
                given.append(self._graves.bury(record, "cases", str(error)))
        return given + (self._commit(asked) if asked else [])

    def _read(self, record: Taken) -> Message | Command:
        return (
            read_message(record.value)
            if record.topic == self._prefix + MESSAGES
            else read_command(record.value)
        )

    def _commit(self, asked: Sequence[_Asked]) -> list[Given]:
        """One transaction for all; if something unforeseen fails, each on its own, so that one stops no other."""
        try:
            with self._database.begin() as connection:
                turn = self._decide(connection, asked)
        except Exception as error:
            if is_transient(error):
                said = reason(error) if hasattr(error, "orig") else str(error)  # type: ignore[arg-type]
                raise RetryLater(f"The cases could not be stored: {said}") from error
            if len(asked) > 1:
                return [given for each in asked for given in self._commit([each])]
            return [self._give_up(asked[0], error)]
        self._graves.went_well("cases")
        return turn.given + [told for refused in turn.refused for told in self._tell(*refused)]

    def _decide(self, connection: Connection, asked: Sequence[_Asked]) -> _Turn:
        batch = Batch(connection, self._governments, shared=True)
        batch.prepare(
            [each.asked for each in asked if isinstance(each.asked, Message)],
            [each.asked for each in asked if not isinstance(each.asked, Message)],
        )
        told = load_outcomes(connection, (each.asked.id for each in asked if _is_answered(each.record)))
        before = dict(batch.states)
        latest = dict(before)
        turn = _Turn()
        for each in asked:
            if (known := told.get(each.asked.id)) is not None and known.refusal is not None:
                # Whoever asked was told no: it must not happen after all, though it may be possible by now.
                turn.refused.append((each, known.refusal.as_error(), known.at))
                continue
            try:
                done = (
                    batch.receive(each.asked) if isinstance(each.asked, Message) else batch.handle(each.asked)
                )
            except Refused as error:
                at = self._now()
                turn.refused.append((each, error, at))
                if _is_answered(each.record):
                    told[each.asked.id] = Outcome(each.asked.id, None, Refusal.of(error), at)
                    turn.outcomes.append(told[each.asked.id])
                continue
            if done.events:
                turn.given += self._events(done.events, latest.get(done.state.id), batch.bodies)
            elif done.duplicate:
                turn.given += self._again(connection, each.asked, done, before.get(done.state.id))
            latest[done.state.id] = done.state
            if each.record.header(AWAITED) is not None:
                turn.outcomes.append(Outcome(each.asked.id, done.state.id, None, self._now()))
        batch.save()
        replies = [
            event
            for event in batch.events
            if isinstance(event.data, ReplyQueued) and event.data.status == "queued"
        ]
        outbox.enqueue(connection, replies, batch.states)
        save_outcomes(connection, turn.outcomes)
        for case in dict.fromkeys(event.case_id for event in batch.events):
            turn.given += self._work(latest[case], before.get(case))
        return turn

    # ── what is told ─────────────────────────────────────────────────────────────────────────────

    def _events(
        self, events: Sequence[CaseEvent], before: CaseState | None, bodies: Mapping[str, str]
    ) -> Iterable[Given]:
        """The events, for all who read them; for the unit, without identity; and a wake for the sender."""
        book = self._governments[events[0].profile].rulebook
        for event in events:
            yield Given(self._prefix + EVENTS, event.case_id.encode(), bodies[event.id].encode())
            if isinstance(reply := event.data, ReplyQueued) and reply.status == "queued":
                waits = OutboxRecord(
                    reply_id=reply.reply_id,
                    case_id=event.case_id,
                    profile=event.profile,
                    channel=reply.channel,
                    account=reply.account,
                )
                yield Given(self._prefix + OUTBOX, reply.conversation.encode(), write_record(waits))
        for topic, key, value in forwarded(events, before, book, self._prefix):
            yield Given(topic, key, value)

    def _work(self, state: CaseState, before: CaseState | None) -> Iterable[Given]:
        book = self._governments[state.profile].rulebook
        for topic, key, value in work(state, book, self._prefix, before):
            yield Given(topic, key, value)

    def _again(
        self, connection: Connection, asked: Message | Command, done: Done, stored: CaseState | None
    ) -> Iterable[Given]:
        """What it led to when it was first seen: it may not have been published then."""
        found = next((done.state.applied[name] for name in _names(asked) if name in done.state.applied), None)
        if found is None or stored is None or found[0] > stored.seq:
            return  # nothing, or it was seen in this very batch
        history = log.case_events(connection, done.state.id, done.state.opened_at)
        before: CaseState | None = None
        for event in history[: found[0] - 1]:
            before = evolve(before, event)
        again = history[found[0] - 1 : found[1]]
        bodies = {event.id: write_event(event).decode() for event in again}
        yield from self._events(again, before, bodies)
        yield from self._work(done.state, None)

    # ── what is refused ──────────────────────────────────────────────────────────────────────────

    def _tell(self, each: _Asked, error: Refused, at: datetime) -> Iterable[Given]:
        """Whoever waits reads the outcome; a unit's system is told on its topic; a message is kept for a person."""
        record = each.record
        topic, asked = record.header(ASKED_BY), record.header(ASKED)
        if topic is not None:
            answer = refusal(topic.decode(), asked, error, at, self._prefix)
            if answer is not None:
                yield Given(*answer)
        elif isinstance(each.asked, Message) and record.header(AWAITED) is None:
            profile, channel = each.asked.profile, each.asked.channel
            yield self._graves.bury(record, "cases", str(error), profile, channel)
        else:
            logger.info("refused", command=each.asked.id, code=error.code)

    def _give_up(self, each: _Asked, error: Exception) -> Given:
        given = self._graves.give_up(each.record, "cases", error, each.asked.profile)
        if each.record.header(AWAITED) is not None:
            self._say_no(each.asked.id)
        return given

    def _say_no(self, name: str) -> None:
        """Whoever waits must not send it again and again: it is kept, and a replay does not ask what they were told."""
        try:
            with self._database.begin() as connection:
                save_outcomes(connection, [Outcome(name, None, _UNFORESEEN, self._now())])
        except Exception as error:
            if is_transient(error):
                raise RetryLater(f"The refusal could not be stored: {type(error).__name__}") from error
            raise


def _is_answered(record: Taken) -> bool:
    """Whether somebody is told what came of it: then, once told no, it stays so."""
    return record.header(AWAITED) is not None or record.header(ASKED_BY) is not None


def _names(asked: Message | Command) -> tuple[str, ...]:
    """The commands it may have become: see `intake.interpret`."""
    if isinstance(asked, Message):
        return ids.derive("d", "open", asked.id), ids.derive("d", "add", asked.id)
    return (asked.id,)
