"""Reading Kafka in chunks leans on the inside of Faust: only where it was tried. The kill tests say if it loses any."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import faust
import pytest
from faust.types import TP

from laporhub.pipeline.distributed import consumer
from laporhub.pipeline.distributed.consumer import ChunkedTransport, hand_on_in_chunks, in_batches


@pytest.fixture
def app() -> Iterator[faust.App]:
    made: Any = faust.App("test-chunks", broker="aiokafka://127.0.0.1:1", web_enabled=False)
    yield made
    if made._consumer is not None:
        made._consumer._thread.thread_loop.close()


def test_it_is_used_with_the_release_it_was_tried_with(app: faust.App) -> None:
    assert faust.__version__ in consumer.TRIED_WITH, "a new release: run the kill tests, then name it"
    assert hand_on_in_chunks(app)
    assert isinstance(app.transport, ChunkedTransport)
    assert app.transport.Consumer is consumer.ChunkedConsumer


def test_another_release_reads_as_it_always_does(app: faust.App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faust, "__version__", "99.0")
    assert not hand_on_in_chunks(app)
    assert not isinstance(app.transport, ChunkedTransport)


FIRST, SECOND = TP("events", 0), TP("events", 1)


def record(tp: TP, offset: int) -> Any:
    """As aiokafka reads it."""
    return SimpleNamespace(
        topic=tp.topic,
        partition=tp.partition,
        offset=offset,
        timestamp=None,
        timestamp_type=0,
        headers=(),
        key=b"c",
        value=b"%d" % offset,
        checksum=None,
        serialized_key_size=1,
        serialized_value_size=1,
    )


def reading(app: faust.App, records: dict[TP, Sequence[int]]) -> Any:
    """The app's consumer, which has read records of these offsets."""
    assert hand_on_in_chunks(app)
    found: Any = app.consumer

    async def next_records(_: float) -> tuple[Any, Any]:
        return {tp: [record(tp, each) for each in offsets] for tp, offsets in records.items()}, set(records)

    found._wait_next_records = next_records
    app.flow_control.resume()
    return found


def heard_by(app: Any, *readers: Any) -> list[tuple[int, int]]:
    """Partition and offset of what waits in the streams' queues."""
    return [
        (event.message.partition, event.message.offset)
        for reader in readers
        for event in reader.channel.queue._queue
    ]


def stream_of(app: Any) -> Any:
    stream = app.topic("events", key_serializer="raw", value_serializer="raw").stream()
    app.topics.add(stream.channel)
    app.topics._update_tp_index({FIRST, SECOND})
    app.topics._update_callback_map()
    return stream


async def test_every_record_is_handed_on_once_and_a_partition_s_in_order_and_together(app: faust.App) -> None:
    consumer = reading(app, {FIRST: range(130), SECOND: range(120)})
    stream = stream_of(app)
    chunks = [chunk async for chunk in consumer._in_chunks()]
    assert [len(chunk) for chunk in chunks] == [100, 100, 50]
    for chunk in chunks * 2:  # a rebalance may bring them again
        await consumer._hand_on(chunk)
    handed_on = heard_by(app, stream)
    assert handed_on[:250] == [(0, n) for n in range(130)] + [(1, n) for n in range(120)]
    assert set(handed_on[250:]) <= {(0, 129), (1, 119)}, "at most the last ones again"
    event = stream.channel.queue.get_nowait()
    assert (event.key, event.value, event.message.refcount) == (b"c", b"0", 1)


async def test_once_partitions_move_nothing_more_of_what_was_read_is_handed_on(app: faust.App) -> None:
    consumer = reading(app, {FIRST: range(300)})
    chunks = consumer._in_chunks()
    assert len(await anext(chunks)) == 100
    app.consumer_generation_id += 1
    assert [chunk async for chunk in chunks] == []


async def test_what_was_read_while_partitions_moved_is_read_again(app: faust.App) -> None:
    consumer = reading(app, {FIRST: range(10)})
    sought = []

    async def seek() -> None:
        sought.append(True)
        raise ConnectionError("not now")  # it is tried again when it reads next

    consumer.perform_seek = seek
    consumer.stop_flow()
    assert [chunk async for chunk in consumer._in_chunks()] == [] and sought == [True]


async def test_a_topic_that_two_read_is_left_to_faust(app: faust.App) -> None:
    consumer = reading(app, {FIRST: range(3)})
    left = []

    async def faust_does(message: Any) -> None:
        left.append(message.offset)

    consumer.callback = faust_does
    readers = stream_of(app), stream_of(app)
    async for chunk in consumer._in_chunks():
        await consumer._hand_on(chunk)
    assert left == [0, 1, 2] and heard_by(app, *readers) == []


async def test_a_full_queue_is_waited_for_and_its_partition_is_not_read_meanwhile(app: faust.App) -> None:
    app.conf.stream_buffer_maxsize = 10
    consumer = reading(app, {FIRST: range(12)})
    consumer._active_partitions = {FIRST}
    stream = stream_of(app)
    (chunk,) = [chunk async for chunk in consumer._in_chunks()]
    handing_on = asyncio.create_task(consumer._hand_on(chunk))
    await asyncio.sleep(0)
    assert len(heard_by(app, stream)) == 10 and FIRST not in consumer._active_partitions
    got = [await stream.channel.queue.get() for _ in range(12)]
    await handing_on
    assert [event.message.offset for event in got] == list(range(12))
    assert stream.channel.queue.empty()


async def test_who_waits_for_records_ends_in_peace_when_the_worker_stops_and_only_then(
    app: faust.App,
) -> None:
    for stops in (False, True):
        stream: Any = app.channel().stream()
        await stream.channel.throw(StopAsyncIteration())
        if stops:
            app._stopped.set()
            assert [batch async for batch in in_batches(stream, 10, 0.0)] == []
        else:
            with pytest.raises(RuntimeError, match="not its worker"):
                await anext(in_batches(stream, 10, 0.0))
        await stream.stop()
