"""Faust's consumer and streams, handing records on by the hundred instead of one at a time.

Faust wraps each record it reads in four asyncio tasks, so that it can let go when partitions move. That was most of
what a record cost (measured: 14.4k to 16.7k records a second on a bare pass-through). One such wait for a chunk is
enough: when the flow is suspended in the middle of one, what was not handed on is read again from the committed
offset, exactly as before. Then it looks for serializers and settings for each record; ours are raw bytes, so they go
into the queue of the one stream that reads them. Records of a partition stay together, not one of each in turn: so a
case's events come in one batch. A stream gives each record a turn of the event loop of its own; `in_batches` takes
from its queue what is there. All of it leans on Faust's inside, so it is used with the releases it was tried with,
and can be switched off.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
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

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._pressed: dict[Any, tuple[Callable[[], None], Callable[[], None]]] = {}

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            while not (self.should_stop or fetcher.should_stop):
                found = self._in_chunks()
                await self.sleep(0)  # a flow that is always full must not keep others waiting
                async for chunk in found:
                    await self._commit_what_is_due()
                    await self.wait_first(self._hand_on(chunk), self.suspend_flow.wait())
        except (asyncio.CancelledError, ConsumerStoppedError):
            if not self.transport.app.should_stop:
                raise

    async def _in_chunks(self) -> AsyncIterator[list[tuple[Any, Any]]]:
        """What is read next; nothing of it from where partitions begin to move on."""
        records, active = await self._wait_next_records(1.0)
        generation = self.app.consumer_generation_id
        if records is None or self.should_stop:
            return
        if not self.flow_active:
            await self._begin_again()
            return
        wanted = [
            (tp, record)
            for tp, some in records.items()
            if active is None or tp in active or tp in self._buffered_partitions
            for record in some
        ]
        for start in range(0, len(wanted), _CHUNK):
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return
            yield [(tp, self._to_message(tp, record)) for tp, record in wanted[start : start + _CHUNK]]

    async def _begin_again(self) -> None:
        """From the committed offsets, when partitions moved while it read."""
        try:
            await self.perform_seek()
        except Exception as error:
            logger.warning("reading could not begin again", reason=f"{type(error).__name__}: {error}")

    async def _commit_what_is_due(self) -> None:
        if self._commit_every is not None and self._n_acked >= self._commit_every:
            self._n_acked = 0
            await self.commit()

    async def _hand_on(self, chunk: list[tuple[Any, Any]]) -> None:
        app: Any = self.app
        await app.flow_control.acquire()
        for tp, message in chunk:
            read = self._read_offset[tp]
            if read is not None and message.offset < read:
                continue  # was handed on before
            if read and message.offset > read + 1 and app.topics.acks_enabled_for(message.topic):
                await self._add_gap(tp, read + 1, message.offset)  # offsets that hold no record
            await self._into_stream(tp, message)
            self._read_offset[tp] = message.offset

    async def _into_stream(self, tp: Any, message: Any) -> None:
        app: Any = self.app
        readers = app.topics._tp_index.get(tp, ())
        if len(readers) != 1:  # Faust knows what to do
            await self.callback(message)
            return
        (channel,) = readers
        message.incref()
        event = faust.Event(app, message.key, message.value, None, message)
        if channel.queue.full():
            await channel.put(event)
            return
        high, drop = self._pressed.get(tp) or self._pressed.setdefault(
            tp, (partial(self.on_buffer_full, tp), partial(self.on_buffer_drop, tp))
        )
        channel.queue.put_nowait_enhanced(event, on_pressure_high=high, on_pressure_drop=drop)


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
