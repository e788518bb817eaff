"""Reading Kafka in chunks leans on the inside of Faust: only where it was tried. The kill tests say if it loses any."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import faust
import pytest

from laporhub.pipeline.distributed import consumer
from laporhub.pipeline.distributed.consumer import ChunkedTransport, _chunks, hand_on_in_chunks, in_batches


@pytest.fixture
def app() -> faust.App:
    return faust.App("test-chunks", broker="aiokafka://127.0.0.1:1", web_enabled=False)


def test_it_is_used_with_the_release_it_was_tried_with(app: faust.App) -> None:
    assert faust.__version__ in consumer.TRIED_WITH, "a new release: run the kill tests, then name it"
    assert hand_on_in_chunks(app)
    assert isinstance(app.transport, ChunkedTransport)
    assert app.transport.Consumer is consumer.ChunkedConsumer


def test_another_release_reads_as_it_always_does(app: faust.App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faust, "__version__", "99.0")
    assert not hand_on_in_chunks(app)
    assert not isinstance(app.transport, ChunkedTransport)


async def test_chunks_hold_every_record_in_order() -> None:
    async def records() -> AsyncIterator[tuple[int, int]]:
        for number in range(250):
            yield 0, number

    chunks = [chunk async for chunk in _chunks(records())]
    assert [len(chunk) for chunk in chunks] == [100, 100, 50]
    assert [number for chunk in chunks for _, number in chunk] == list(range(250))


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
