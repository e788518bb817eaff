"""The cases stage: messages and commands in, events out. Blocking, and independent of who reads and writes Kafka.

One batch is one transaction: states, events, conversations, outbox rows and what became of awaited commands. The
caller publishes what `process` returns, then acknowledges. A record seen before changes nothing and yields the
same records again, so a batch that was committed but not published is published when it is delivered again.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import Connection, Engine

from laporhub.pipeline import ids
from laporhub.pipeline.distributed.graves import Graves
from laporhub.pipeline.distributed.records import ASKED, ASKED_BY, AWAITED, Given, Taken
from laporhub.pipeline.errors import LaporHubError, Misconfigured, Refused, RetryLater, Unparsable
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

_CRASHES_AT_MOST = 50
"""Unforeseen errors in a row after which a person must look: a bad deploy must not bury what citizens send."""

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
    refused: list[tuple[_Asked, Refused]] = field(default_factory=list)


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
        self._crashes = 0

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
        self._crashes = 0
        return turn.given + [told for each, error in turn.refused for told in self._tell(each, error)]

    def _decide(self, connection: Connection, asked: Sequence[_Asked]) -> _Turn:
        batch = Batch(connection, self._governments, shared=True)
        batch.prepare(
            [each.asked for each in asked if isinstance(each.asked, Message)],
            [each.asked for each in asked if not isinstance(each.asked, Message)],
        )
        told = load_outcomes(connection, (each.asked.id for each in asked if each.record.header(AWAITED)))
        before = dict(batch.states)
        latest = dict(before)
        turn = _Turn()
        for each in asked:
            if (known := told.get(each.asked.id)) is not None and known.refusal is not None:
                continue  # the client was told no: it must not happen after all
            try:
                done = (
                    batch.receive(each.asked) if isinstance(each.asked, Message) else batch.handle(each.asked)
                )
            except Refused as error:
                turn.refused.append((each, error))
                self._note_outcome(turn, each, None, error)
                continue
            if done.events:
                turn.given += self._events(done.events, latest.get(done.state.id))
            elif done.duplicate:
                turn.given += self._again(connection, each.asked, done)
            latest[done.state.id] = done.state
            self._note_outcome(turn, each, done, None)
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

    def _events(self, events: Sequence[CaseEvent], before: CaseState | None) -> Iterable[Given]:
        """The events, for all who read them; for the unit, without identity; and a wake for the sender."""
        book = self._governments[events[0].profile].rulebook
        for event in events:
            yield Given(self._prefix + EVENTS, event.case_id.encode(), write_event(event))
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

    def _again(self, connection: Connection, asked: Message | Command, done: Done) -> Iterable[Given]:
        """What it led to when it was first seen: it may not have been published then."""
        found = next((done.state.applied[name] for name in _names(asked) if name in done.state.applied), None)
        if found is None:
            return
        history = log.case_events(connection, done.state.id)
        before: CaseState | None = None
        for event in history[: found[0] - 1]:
            before = evolve(before, event)
        yield from self._events(history[found[0] - 1 : found[1]], before)
        yield from self._work(done.state, None)

    # ── what is refused ──────────────────────────────────────────────────────────────────────────

    def _note_outcome(self, turn: _Turn, each: _Asked, done: Done | None, error: Refused | None) -> None:
        if each.record.header(AWAITED) is not None:
            case_id = done.state.id if done else None
            refused = Refusal.of(error) if error else None
            turn.outcomes.append(Outcome(each.asked.id, case_id, refused, self._now()))

    def _tell(self, each: _Asked, error: Refused) -> Iterable[Given]:
        """Whoever waits reads the outcome; a unit's system is told on its topic; a message is kept for a person."""
        record = each.record
        topic, asked = record.header(ASKED_BY), record.header(ASKED)
        if topic is not None:
            answer = refusal(topic.decode(), asked, error, self._now(), self._prefix)
            if answer is not None:
                yield Given(*answer)
        elif isinstance(each.asked, Message) and record.header(AWAITED) is None:
            profile, channel = each.asked.profile, each.asked.channel
            yield self._graves.bury(record, "cases", str(error), profile, channel)
        else:
            logger.info("refused", command=each.asked.id, code=error.code)

    def _give_up(self, each: _Asked, error: Exception) -> Given:
        self._crashes += 1
        if self._crashes >= _CRASHES_AT_MOST:
            raise Misconfigured(
                f"{self._crashes} records in a row failed unforeseen: the worker stops, see the log"
            ) from error
        where = traceback.extract_tb(error.__traceback__)[-1]
        logger.error("a record could not be handled", exc_info=error)
        said = str(error) if isinstance(error, LaporHubError) else type(error).__name__
        return self._graves.bury(
            each.record, "cases", f"{said} in {where.name}, line {where.lineno}", each.asked.profile
        )


def _names(asked: Message | Command) -> tuple[str, ...]:
    """The commands it may have become: see `intake.interpret`."""
    if isinstance(asked, Message):
        return ids.derive("d", "open", asked.id), ids.derive("d", "add", asked.id)
    return (asked.id,)
