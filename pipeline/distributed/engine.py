"""The engine as web, hooks and command line see it where workers do the work: write it to Kafka, wait for word.

A message is durable once Kafka has it, whether or not a worker is up. What came of it is read from the database,
where the workers write it, by one query for all who wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TypeAlias, TypeVar

import structlog
from sqlalchemy import Connection, Engine

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Command, Delivery, Locate, Tick, Withdraw
from laporhub.pipeline.distributed.graves import dug_up
from laporhub.pipeline.distributed.producer import Producer
from laporhub.pipeline.distributed.records import AWAITED, Given
from laporhub.pipeline.errors import NotFound, RetryLater
from laporhub.pipeline.messages import Message
from laporhub.pipeline.store import cases
from laporhub.pipeline.store.database import is_transient, writer
from laporhub.pipeline.store.keys import save_keys
from laporhub.pipeline.store.outcomes import Outcome, load_outcomes
from laporhub.pipeline.store.writes import Done
from laporhub.pipeline.streams import write_command, write_message
from laporhub.pipeline.topics import COMMANDS, MESSAGES
from laporhub.pipeline.vault import ReporterKey

_LOOK_SECONDS = 0.02

logger = structlog.get_logger(__name__)


_Answer: TypeAlias = "asyncio.Future[tuple[Outcome, CaseState | None]]"
_T = TypeVar("_T")


class DistributedEngine:
    """See the module. `answer_within` is how long, in seconds, a client waits for Kafka and the workers."""

    def __init__(
        self,
        database: Engine,
        producer: Producer,
        prefix: str,
        now: Callable[[], datetime],
        answer_within: float = 10.0,
    ) -> None:
        self._database = database
        self._producer = producer
        self._prefix = prefix
        self._now = now
        self.answer_within = answer_within
        self._waiting: dict[str, set[_Answer]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._sending: set[asyncio.Task[RetryLater | None]] = set()
        self._trouble: str | None = None
        self.on_replies: Callable[[], None] = lambda: None

    @property
    def health(self) -> str:
        return self._trouble or "ok"

    def latest(self, case_id: str) -> CaseState | None:  # noqa: ARG002
        """Nothing is kept at hand: workers write the cases, and the database has them."""
        return None

    async def close(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking
        await self._producer.stop()
        for sending in self._sending:
            sending.cancel()

    async def submit(
        self,
        *,
        message: Message | None = None,
        command: Command | None = None,
        key: ReporterKey | None = None,
        before: Callable[[Connection], object] | None = None,
        job: Callable[[Connection], object] | None = None,
        answer: bool = True,
    ) -> Done | None:
        """Durable when it returns; the key first, so that nothing streamed can never be opened, with what goes
        `before`; the job last.

        For messages and staff's commands: what came of it. Raises what the core refused, or `RetryLater`: when it
        could not be stored, and when no worker answered in time. Then it is stored all the same: sending it again
        is the same message, and gets the answer.
        """
        if key is not None or before is not None:
            await self._write(partial(_first, key, before))
        done = None
        if message is not None:
            done = await self._send_message(message, answer)
        if command is not None:
            done = await self._send_command(command)
        if job is not None:
            await self._write(job)
        return done

    async def replay(self, plain: str) -> bool:
        """Puts the record in an opened dead letter back on its stream; False if it holds a payload from outside."""
        record = dug_up(plain)
        if record is not None:
            await self._produce(record)
        return record is not None

    async def _send_message(self, message: Message, answer: bool) -> Done | None:
        before = await self._in_database(lambda: self._received(message.id))
        if before is not None:
            return Done(before, (), duplicate=True)
        record = Given(
            self._prefix + MESSAGES,
            message.conversation.encode(),
            write_message(message),
            ((AWAITED, b"1"),) if answer else (),
        )
        if answer:
            return await self._ask(message.id, record)
        await self._produce(record)
        return None

    async def _send_command(self, command: Command) -> Done | None:
        state = await self._in_database(lambda: self._case(command.case_id))
        if state is None:
            raise NotFound(f"there is no case {command.case_id}")
        if command.id in state.applied:
            return Done(state, (), duplicate=True)
        record = Given(self._prefix + COMMANDS, state.conversation.encode(), write_command(command))
        if isinstance(command, Tick | Delivery | Locate | Withdraw):  # nobody looks at what comes of these
            await self._produce(record)
            return None
        return await self._ask(command.id, Given(record.topic, record.key, record.value, ((AWAITED, b"1"),)))

    async def _produce(self, record: Given) -> None:
        """Raises `RetryLater` when Kafka has not confirmed it in time. It may get there yet: the same record again
        is the same message.
        """
        sending = asyncio.create_task(self._send(record))
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)
        # Cutting it off would take the producer's other records with it: it goes on, and its end is noted.
        done, _ = await asyncio.wait({sending}, timeout=self.answer_within)
        if not done:
            self._trouble = "Kafka does not answer"
            raise RetryLater("Kafka does not answer: send it again, it will be the same", after=5)
        if (error := await sending) is not None:
            raise error

    async def _send(self, record: Given) -> RetryLater | None:
        """What kept it from being durable."""
        try:
            await self._producer.send([record])
        except RetryLater as error:
            self._trouble = str(error)
            return error
        self._trouble = None
        return None

    # ── waiting for word ─────────────────────────────────────────────────────────────────────────

    async def _ask(self, name: str, record: Given) -> Done:
        # Each who waits has a future of their own: one who gives up takes nothing from the others.
        future: _Answer = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(name, set()).add(future)
        until = asyncio.get_running_loop().time() + self.answer_within
        try:
            await self._produce(record)
            if self._looking is None or self._looking.done():
                self._looking = asyncio.create_task(self._look())
            async with asyncio.timeout_at(until):
                outcome, state = await future
        except TimeoutError:
            raise RetryLater(
                "It is stored, but no worker has answered yet: send it again to hear what came of it", after=5
            ) from None
        finally:
            others = self._waiting.get(name, set())
            others.discard(future)
            if not others:
                self._waiting.pop(name, None)
        if outcome.refusal is not None:
            raise outcome.refusal.as_error()
        if state is None:
            raise RetryLater("The case cannot be read yet: try again")
        return Done(state, ())

    async def _look(self) -> None:
        """Asks the database for all who wait, as long as somebody does."""
        while self._waiting:
            try:
                found = await asyncio.to_thread(self._outcomes, list(self._waiting))
            except Exception as error:
                logger.warning("outcomes cannot be read", reason=type(error).__name__)
                await asyncio.sleep(1)
                continue
            for name, came_of in found.items():
                for future in self._waiting.pop(name, ()):
                    if not future.done():
                        future.set_result(came_of)
            await asyncio.sleep(_LOOK_SECONDS)

    # ── the database, on other threads ───────────────────────────────────────────────────────────

    def _outcomes(self, names: list[str]) -> dict[str, tuple[Outcome, CaseState | None]]:
        with self._database.connect() as connection:
            found = load_outcomes(connection, names)
            states = cases.load_cases(connection, (each.case_id for each in found.values() if each.case_id))
        return {name: (each, states.get(each.case_id or "")) for name, each in found.items()}

    def _received(self, message_id: str) -> CaseState | None:
        with self._database.connect() as connection:
            seen = cases.already_received(connection, [message_id])
            if not seen:
                return None
            return cases.load_cases(connection, [seen[message_id][0]]).get(seen[message_id][0])

    def _case(self, case_id: str) -> CaseState | None:
        with self._database.connect() as connection:
            return cases.load_cases(connection, [case_id]).get(case_id)

    async def _write(self, job: Callable[[Connection], object]) -> None:
        def run() -> None:
            with writer(self._database).begin() as connection:
                job(connection)

        await self._in_database(run)

    async def _in_database(self, work: Callable[[], _T]) -> _T:
        """On another thread. Raises `RetryLater` while the database cannot be reached."""
        try:
            return await asyncio.to_thread(work)
        except Exception as error:
            if is_transient(error) and not isinstance(error, RetryLater):
                raise RetryLater("The database cannot be reached: nothing is lost, send it again") from error
            raise


def _first(
    key: ReporterKey | None, before: Callable[[Connection], object] | None, connection: Connection
) -> None:
    save_keys(connection, [key] if key is not None else [])
    if before is not None:
        before(connection)
