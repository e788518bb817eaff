"""The cases stage: messages and commands in, events out. Blocking, and independent of who reads and writes Kafka.

One batch is one transaction: states, events, conversations, outbox rows and what became of awaited commands. The
caller publishes what `process` returns, says so (`published`), then acknowledges.

A batch may be committed and never published: the process was killed. So each case remembers through which sequence
all surely was published when it was written. Whoever touches it next, and did not publish it last, first publishes
what follows that, and then the new: readers see a case's events in order, some of them twice, none of them late.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from itertools import groupby

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Command
from laporhub.pipeline.distributed.graves import Graves
from laporhub.pipeline.distributed.records import ASKED, ASKED_BY, AWAITED, Given, Taken
from laporhub.pipeline.errors import Refused, RetryLater, Unparsable, WriteConflict
from laporhub.pipeline.events import CaseEvent, ReplyQueued
from laporhub.pipeline.evolve import evolve
from laporhub.pipeline.fanout import forwarded, work
from laporhub.pipeline.messages import Message
from laporhub.pipeline.store import cases, log, outbox
from laporhub.pipeline.store.batch import WITHDRAWN, Batch
from laporhub.pipeline.store.database import is_transient, reason, writer
from laporhub.pipeline.store.outcomes import Outcome, Refusal, load_outcomes, save_outcomes
from laporhub.pipeline.store.writes import Government
from laporhub.pipeline.streams import OutboxRecord, read_command, read_event, read_message, write_record
from laporhub.pipeline.topics import EVENTS, MESSAGES, OUTBOX
from laporhub.pipeline.unit_commands import refusal

_REMEMBERED = 100_000
"""Cases of which a worker remembers that it published them; of others it publishes the latest step once more."""
_CONFLICTS = 5
"""So often in a row another process may be faster; then there is more to it."""
_PATIENCE = 25
"""So often one record alone is tried before the conflict is taken for a fault: about six seconds in all."""
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
    streamed: dict[str, int] = field(default_factory=dict)
    """Case → through which sequence it is published when all of this is."""
    queued: dict[str, int] = field(default_factory=dict)
    """Case → the sequence that its queue is told of."""


class Told(list[Given]):
    """What a batch leads to, in order, and what is to be remembered once it is on Kafka: as in `_Turn`."""

    def __init__(self, given: Iterable[Given] = (), queued: Mapping[str, int] | None = None) -> None:
        super().__init__(given)
        self.streamed: dict[str, int] = {}
        self.queued = dict(queued or {})


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
        self._conflicts = 0
        self._published: dict[str, int] = {}

    def process(self, records: Sequence[Taken]) -> Told:
        """Raises `RetryLater` when the database cannot take it now: nothing is lost, give it the same batch again.

        Raises `Misconfigured` when one record after the other fails unforeseen: a person must look.
        """
        asked, told = [], Told()
        for record in records:
            try:
                asked.append(_Asked(record, self._read(record)))
            except Unparsable as error:
                told.append(self._graves.bury(record, "cases", str(error)))
        if asked:
            self._commit(asked, told)
        return told

    def published(self, told: list[Given]) -> Told:
        """To be called when all that `process` returned is on Kafka, and again while it returns more to publish.

        A queue keeps the newest record of a case. So a process that stood still after its commit, while another went
        on with the case, looks here whether what it wrote was still the newest. Raises `RetryLater`.
        """
        if not isinstance(told, Told):
            raise TypeError("only what `process` told can have been published")
        for case, sequence in told.streamed.items():
            self._published.pop(case, None)  # what was published last is forgotten last
            self._published[case] = sequence
        while len(self._published) > _REMEMBERED:
            del self._published[next(iter(self._published))]
        try:
            with self._database.connect() as connection:
                moved = cases.moved_cases(connection, told.queued)
        except Exception as error:
            if is_transient(error):
                raise RetryLater(f"The cases cannot be read: {_said(error)}") from error
            raise
        newest = (given for state in moved for given in self._work(state, None))
        return Told(newest, queued={state.id: state.seq for state in moved})

    def _read(self, record: Taken) -> Message | Command:
        return (
            read_message(record.value)
            if record.topic == self._prefix + MESSAGES
            else read_command(record.value)
        )

    def _commit(self, asked: Sequence[_Asked], told: Told) -> None:
        """One transaction for all; if something unforeseen fails, each on its own, so that one stops no other."""
        try:
            self._turn(asked, told)
            return
        except WriteConflict as error:
            self._conflicts += 1
            if self._conflicts < _CONFLICTS:
                raise
            logger.error("other processes were faster again and again", reason=str(error))
            self._conflicts = 0
        except RetryLater:
            raise
        except Exception as error:
            if len(asked) == 1:
                told.append(self._give_up(asked[0], error))
                return
        for each in asked:
            self._alone(each, told)

    def _alone(self, asked: _Asked, told: Told) -> None:
        """Tried until whoever else is at its case is done: only what no patience mends is given up."""
        for attempt in range(_PATIENCE):
            try:
                self._turn([asked], told)
                return
            except WriteConflict as error:
                conflict = error
                time.sleep(random.uniform(0, 0.02 * (attempt + 1)))
            except RetryLater:
                raise
            except Exception as error:
                told.append(self._give_up(asked, error))
                return
        told.append(self._give_up(asked, conflict))

    def _turn(self, asked: Sequence[_Asked], told: Told) -> None:
        """One transaction, and what follows from it. Raises `RetryLater` when the database cannot take it now."""
        try:
            with self._database.begin() as connection:
                turn = self._decide(connection, asked)
        except Exception as error:
            if is_transient(error) and not isinstance(error, WriteConflict):
                raise RetryLater(f"The cases could not be stored: {_said(error)}") from error
            raise
        self._conflicts = 0
        told.streamed |= turn.streamed
        told.queued |= turn.queued
        told += turn.given
        self._graves.went_well("cases")
        for refused in turn.refused:
            told += self._tell(*refused)

    def _decide(self, connection: Connection, asked: Sequence[_Asked]) -> _Turn:
        batch = Batch(connection, self._governments, shared=True, published=self._published)
        batch.prepare(
            [each.asked for each in asked if isinstance(each.asked, Message)],
            [each.asked for each in asked if not isinstance(each.asked, Message)],
        )
        told = load_outcomes(connection, (each.asked.id for each in asked if _is_answered(each.record)))
        before = dict(batch.states)
        latest = dict(before)
        turn = _Turn()
        new: list[Given] = []
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
            for one in (done, *done.also):
                if one.events:
                    new += self._events(one.events, one.before, batch.writes.bodies)
                if one.before is not None and one.state.id in batch.streamed:
                    before.setdefault(one.state.id, one.before)
                latest[one.state.id] = one.state
                turn.streamed[one.state.id] = one.state.seq
            if each.record.header(AWAITED) is not None:
                turn.outcomes.append(Outcome(each.asked.id, done.state.id, None, self._now()))
        batch.save()
        replies = [
            event
            for event in batch.writes.events
            if isinstance(event.data, ReplyQueued) and event.data.status == "queued"
        ]
        outbox.enqueue(connection, replies)
        save_outcomes(connection, turn.outcomes)
        behind = {
            case: state
            for case in turn.streamed
            if (state := before.get(case)) is not None and batch.streamed[case] < state.seq
        }
        turn.given += self._again(connection, behind, batch.streamed)
        turn.given += new
        changed = {event.case_id for event in batch.writes.events}
        for case in turn.streamed:
            if case in behind or case in changed:
                told_queue = list(self._work(latest[case], None if case in behind else before.get(case)))
                turn.given += told_queue
                if told_queue:
                    turn.queued[case] = latest[case].seq
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
        self, connection: Connection, behind: Mapping[str, CaseState], streamed: Mapping[str, int]
    ) -> Iterable[Given]:
        """What is stored of these cases and may never have been published, as it was to be published then."""
        wanted = {case: (state.opened_at, state.seq) for case, state in behind.items()}
        for case, bodies in log.histories(connection, wanted).items():
            history = [read_event(body.encode()) for body in bodies]
            before = reduce(evolve, history[: streamed[case]], None)
            by_name = {event.id: body for event, body in zip(history, bodies, strict=True)}
            for _, group in groupby(history[streamed[case] :], key=lambda event: event.cause):
                led_to = list(group)
                yield from self._events(led_to, before, by_name)
                before = reduce(evolve, led_to, before)

    # ── what is refused ──────────────────────────────────────────────────────────────────────────

    def _tell(self, each: _Asked, error: Refused, at: datetime) -> Iterable[Given]:
        """Whoever waits reads the outcome; a unit's system is told on its topic; a message is kept for a person."""
        record = each.record
        topic, asked = record.header(ASKED_BY), record.header(ASKED)
        if topic is not None:
            answer = refusal(topic.decode(), asked, error, at, self._prefix)
            if answer is not None:
                yield Given(*answer)
        elif error.code == WITHDRAWN:
            logger.info("refused", message=each.asked.id, code=error.code)
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


def _said(error: Exception) -> str:
    return reason(error) if isinstance(error, DBAPIError) else str(error)
