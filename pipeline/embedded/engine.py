"""The writer: takes what comes in, a batch at a time, through all stages in one transaction.

Callers submit from any event loop and wait; while one batch commits, the next gathers (group commit). In the
transaction are the streams, the states, the outbox, the conversation, the vault's new keys and the tracking
rows: after a crash either all of a step is there, or none.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Command, Tick
from laporhub.pipeline.errors import LaporHubError, RetryLater
from laporhub.pipeline.events import ReplyQueued
from laporhub.pipeline.messages import Message
from laporhub.pipeline.store import log, outbox
from laporhub.pipeline.store.batch import Batch
from laporhub.pipeline.store.database import writer
from laporhub.pipeline.store.keys import save_keys
from laporhub.pipeline.store.tables import events
from laporhub.pipeline.store.writes import Done, Government
from laporhub.pipeline.vault import ReporterKey

_BATCH = 256
_AT_HAND = 2000
_CACHE_KIB = 160 * 1024
_CRASHES_AT_MOST = 50
"""Unforeseen errors in a row after which the engine takes nothing more: a bad deploy must not eat the queue."""

logger = structlog.get_logger(__name__)

Job: TypeAlias = Callable[[Connection], object]


class Sink(Protocol):
    """Brings searchable records up to date, within the writer's transaction. `name` is its cursor's."""

    @property
    def name(self) -> str: ...

    def clear(self, connection: Connection) -> None: ...

    def write(
        self,
        connection: Connection,
        states: Sequence[CaseState],
        spoken: frozenset[str],
        reworded: frozenset[str] = frozenset(),
    ) -> None:
        """`spoken` are the cases with new words, `reworded` those whose older words must not be found any more."""
        ...


@dataclass
class Submission:
    """One thing to do: a message, a command, and what must be stored with it."""

    message: Message | None = None
    command: Command | None = None
    key: ReporterKey | None = None
    jobs: Sequence[Job] = ()
    loop: asyncio.AbstractEventLoop | None = None
    future: asyncio.Future[Done | None] | None = None
    result: Done | Exception | None = field(default=None, repr=False)


class EmbeddedEngine:
    """See the module. `on_replies` is called on the writer's thread when replies wait to be sent: keep it short."""

    def __init__(
        self,
        database: Engine,
        governments: Mapping[str, Government],
        sinks: Sequence[Sink],
    ) -> None:
        self._database = writer(database)
        self._governments = governments
        self._sinks = sinks
        self.on_replies: Callable[[], None] = lambda: None
        self._queue: queue.SimpleQueue[Submission | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._crashes = 0
        self._states: OrderedDict[str, CaseState] = OrderedDict()

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="laporhub-writer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finishes what was submitted, then ends."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    @property
    def health(self) -> str:
        if self._thread is None or not self._thread.is_alive():
            return "the writer is not running"
        if self._crashes >= _CRASHES_AT_MOST:
            return f"stopped after {self._crashes} unforeseen errors in a row: see the log"
        return "ok"

    async def submit(
        self,
        *,
        message: Message | None = None,
        command: Command | None = None,
        key: ReporterKey | None = None,
        before: Job | None = None,
        job: Job | None = None,
        answer: bool = True,  # noqa: ARG002 - what came of it is always known here
    ) -> Done | None:
        """Waits until it is durable. Raises what the core refused, or `RetryLater` when it could not be stored."""
        if self.health != "ok":
            raise RetryLater(f"The hub cannot take anything now: {self.health}")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Done | None] = loop.create_future()
        jobs = [each for each in (before, job) if each]
        self._queue.put(Submission(message, command, key, jobs, loop, future))
        return await future

    async def replay(self, plain: str) -> bool:  # noqa: ARG002
        """There are no records of streams among this engine's dead letters."""
        return False

    # ── the writer's thread ──────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        # One connection for good: its cache holds the pages that random keys touch, however many cases there are.
        with self._database.connect() as connection:
            with connection.begin():
                connection.exec_driver_sql(f"PRAGMA cache_size = -{_CACHE_KIB}")
            self._work_on(connection)

    def _work_on(self, connection: Connection) -> None:
        ended = False
        while not ended:
            submission = self._queue.get()
            work: list[Submission] = []
            while submission is not None:
                work.append(submission)
                if len(work) >= _BATCH or self._queue.empty():
                    break
                submission = self._queue.get()
            else:
                ended = True
            if work:
                self._commit(connection, work)
                _answer(work)

    def _commit(self, connection: Connection, work: Sequence[Submission]) -> None:
        """One transaction for all; if that fails, each on its own, so that one cannot take others down."""
        try:
            with connection.begin():
                replies, states = self._process(connection, work)
        except Exception as error:
            if len(work) > 1:
                for each in work:
                    each.result = None
                    self._commit(connection, [each])
                return
            work[0].result = self._explained(error, counts=not isinstance(work[0].command, Tick))
            return
        self._crashes = 0
        self._remember(states)
        if replies:
            self.on_replies()

    def _process(self, connection: Connection, work: Sequence[Submission]) -> tuple[int, Sequence[CaseState]]:
        """How many replies now wait to be sent, and the changed cases."""
        batch = Batch(connection, self._governments, self._states)
        save_keys(connection, (each.key for each in work if each.key))
        batch.prepare(
            [each.message for each in work if each.message], [each.command for each in work if each.command]
        )
        for each in work:
            try:
                # Jobs stand or fall with their command: what is refused leaves nothing behind.
                with connection.begin_nested() if each.jobs else nullcontext():
                    self._take(connection, batch, each)
            except LaporHubError as error:
                each.result = error
        batch.save()
        changed = batch.changed()
        replies = [
            e for e in batch.writes.events if isinstance(e.data, ReplyQueued) and e.data.status == "queued"
        ]
        outbox.enqueue(connection, replies)
        for sink in self._sinks:
            sink.write(connection, changed, batch.writes.spoken(), batch.writes.reworded())
            log.advance(connection, sink.name, log.tail(connection, events))
        return len(replies), changed

    def _take(self, connection: Connection, batch: Batch, each: Submission) -> None:
        for job in each.jobs:
            job(connection)
        if each.message:
            each.result = batch.receive(each.message)
        if each.command:
            each.result = batch.handle(each.command)

    def _remember(self, states: Sequence[CaseState]) -> None:
        """Keeps committed states at hand. This is the only writer, so they stay true."""
        for state in states:
            self._states[state.id] = state
            self._states.move_to_end(state.id)
        while len(self._states) > _AT_HAND:
            self._states.popitem(last=False)

    def latest(self, case_id: str) -> CaseState | None:
        """The state of a case that changed lately, or None: then the database has it."""
        return self._states.get(case_id)

    def _explained(self, error: Exception, *, counts: bool) -> Exception:
        """`counts`: an alarm that fails is tried again by itself, and must not stop what citizens send."""
        if isinstance(error, LaporHubError):
            return error
        if isinstance(error, DBAPIError):
            logger.error("could not store", reason=str(error.orig))
            return RetryLater(f"It could not be stored ({error.orig}): nothing is lost, send it again")
        self._crashes += counts
        logger.error("unforeseen error", exc_info=error)
        return error


def _answer(work: Sequence[Submission]) -> None:
    """Wakes the waiting callers, one call a loop."""
    loops: dict[asyncio.AbstractEventLoop, list[Submission]] = {}
    for each in work:
        if each.loop is not None:
            loops.setdefault(each.loop, []).append(each)
    for loop, waiting in loops.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, waiting)


def _resolve(waiting: Sequence[Submission]) -> None:
    for each in waiting:
        future: Any = each.future
        if future.done():
            continue
        if isinstance(each.result, Exception):
            future.set_exception(each.result)
        else:
            future.set_result(each.result)
