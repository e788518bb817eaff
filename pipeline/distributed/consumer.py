"""Faust's consumer and streams, handing records on by the hundred instead of one at a time.

Faust wraps each record it reads in four asyncio tasks, so that it can let go when partitions move. That was most of
what a record cost (measured: 14.4k to 16.7k records a second on a bare pass-through). One such wait for a chunk is
enough: when the flow is suspended in the middle of one, what was not handed on is read again from the committed
offset, exactly as before. A stream gives each record a turn of the event loop of its own; `in_batches` takes from its
queue what is there. Both lean on Faust's inside, so they are used with the releases they were tried with, and can be
switched off.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from typing import Any, Final

import faust
import structlog
from aiokafka.errors import ConsumerStoppedError
from faust.transport.drivers.aiokafka import Consumer, Transport

TRIED_WITH: Final = ("0.15.3",)
_CHUNK: Final = 100

logger = structlog.get_logger(__name__)


class ChunkedConsumer(Consumer):
    """See the module."""

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            while not (self.should_stop or fetcher.should_stop):
                found = self.getmany(timeout=1.0)
                await self.sleep(0)  # a flow that is always full must not keep others waiting
                async for chunk in _chunks(found):
                    await self._commit_what_is_due()
                    await self.wait_first(self._hand_on(chunk), self.suspend_flow.wait())
        except (asyncio.CancelledError, ConsumerStoppedError):
            if not self.transport.app.should_stop:
                raise

    async def _commit_what_is_due(self) -> None:
        if self._commit_every is not None and self._n_acked >= self._commit_every:
            self._n_acked = 0
            await self.commit()

    async def _hand_on(self, chunk: list[tuple[Any, Any]]) -> None:
        for tp, message in chunk:
            read = self._read_offset[tp]
            if read is not None and message.offset < read:
                continue  # was handed on before
            if read and message.offset > read + 1 and self.app.topics.acks_enabled_for(message.topic):
                await self._add_gap(tp, read + 1, message.offset)  # offsets that hold no record
            await self.callback(message)
            self._read_offset[tp] = message.offset


async def in_batches(stream: Any, most: int, within: float) -> AsyncIterator[list[Any]]:
    """What waits in the stream's queue, at most so many events; fewer once `within` seconds are over.

    As `stream.noack().noack_take(most, within)`: nothing is acknowledged, what the caller raises ends the agent.
    """
    app, queue = stream.app, stream.channel.queue
    await stream.maybe_start()
    while not stream.should_stop:
        try:
            event = await stream.channel.__anext__()
        except StopAsyncIteration as told:  # so Faust wakes who waits when the worker stops
            if not app.should_stop:
                raise RuntimeError("an agent was stopped, and not its worker") from told
            return
        if queue.qsize() < most - 1:
            await asyncio.sleep(within)
        events = [event, *(queue.get_nowait() for _ in range(min(queue.qsize(), most - 1)))]
        events = [each for each in events if _is_current(app, each.message)]
        if events:
            yield events
            events.clear()  # what is acknowledged may go
        await asyncio.sleep(0)  # a queue that is always full must not keep others waiting


def _is_current(app: faust.App, message: Any) -> bool:
    """Whether it was read since partitions last moved: an older one is read again, by whoever has it now.

    What is current counts as unacknowledged from here on: a worker that stops waits for it.
    """
    generation: Any = app
    if not app.flow_control.is_active() or message.generation_id != generation.consumer_generation_id:
        return False
    if not message.tracked:
        message.tracked = True
        consumer: Any = app.consumer
        consumer.unacked.add(message)
    return True


class ChunkedTransport(Transport):
    Consumer = ChunkedConsumer


def hand_on_in_chunks(app: faust.App) -> bool:
    """Makes the app use it, if this release of Faust is one it was tried with. Whether it does."""
    if faust.__version__ not in TRIED_WITH:
        logger.warning("reading one record at a time", faust=faust.__version__, tried_with=TRIED_WITH)
        return False
    app.transport = ChunkedTransport(app.conf.broker_consumer, app, app.loop)
    return True


async def _chunks(found: AsyncIterable[tuple[Any, Any]]) -> AsyncIterator[list[tuple[Any, Any]]]:
    chunk: list[tuple[Any, Any]] = []
    async for each in found:
        chunk.append(each)
        if len(chunk) >= _CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
