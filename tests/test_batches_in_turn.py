"""Batch by batch through a stage: handled, published, acknowledged, in that order whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from brokers import Silent

from laporhub.pipeline.distributed.app import Stage, work_through
from laporhub.pipeline.distributed.producer import Producer
from laporhub.pipeline.distributed.progress import Progress
from laporhub.pipeline.distributed.records import Given, Taken


class Heard:
    """A record as Faust hands it on."""

    def __init__(self, offset: int, acknowledged: list[int]) -> None:
        self.message = SimpleNamespace(
            topic="t", partition=0, offset=offset, key=b"k", value=str(offset).encode(), headers=()
        )
        self._acknowledged = acknowledged

    def ack(self) -> None:
        self._acknowledged.append(self.message.offset)


async def each_alone(heard: Sequence[Heard]) -> AsyncIterator[list[Any]]:
    for one in heard:
        yield [one]


async def passed_on(records: Sequence[Taken]) -> list[Given]:
    return [Given("e", each.key, each.value) for each in records]


async def no_crash(error: BaseException) -> None:
    raise AssertionError("the worker was to go on") from error


async def test_the_next_batch_is_handled_while_one_is_published() -> None:
    """And waits to be published itself: nothing is acknowledged before all that it led to is on Kafka."""
    producer, acknowledged, handled = Silent(), list[int](), list[int]()
    second = asyncio.Event()

    async def handle(records: Sequence[Taken]) -> list[Given]:
        handled.extend(each.offset for each in records)
        if len(handled) == 2:
            second.set()
        return await passed_on(records)

    heard = [Heard(offset, acknowledged) for offset in range(4)]
    stage = Stage("s", ("t",), handle)
    working = asyncio.create_task(work_through(each_alone(heard), stage, producer, Progress("s"), no_crash))
    async with asyncio.timeout(5):
        await second.wait()
    for _ in range(100):
        await asyncio.sleep(0)
    assert handled == [0, 1] and acknowledged == []
    producer.may_answer.set()
    await working
    assert handled == acknowledged == [0, 1, 2, 3]
    assert [each.value for each in producer.taken] == [b"0", b"1", b"2", b"3"]


async def test_a_batch_that_cannot_be_published_crashes_the_worker_though_no_other_comes() -> None:
    class Broken(Producer):
        async def send(self, records: Iterable[Given]) -> None:
            raise ValueError("unforeseen")

    acknowledged: list[int] = []
    crashed: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    async def crash(error: BaseException) -> None:
        crashed.set_result(error)

    async def one_then_silence() -> AsyncIterator[list[Any]]:
        yield [Heard(0, acknowledged)]
        await asyncio.Event().wait()

    working = asyncio.create_task(
        work_through(one_then_silence(), Stage("s", ("t",), passed_on), Broken({}), Progress("s"), crash)
    )
    async with asyncio.timeout(5):
        assert str(await crashed) == "unforeseen"
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert acknowledged == []


async def test_a_worker_that_is_stopped_acknowledges_nothing_more() -> None:
    producer, acknowledged = Silent(), list[int]()

    async def one_then_silence() -> AsyncIterator[list[Any]]:
        yield [Heard(0, acknowledged)]
        await asyncio.Event().wait()

    working = asyncio.create_task(
        work_through(one_then_silence(), Stage("s", ("t",), passed_on), producer, Progress("s"), no_crash)
    )
    for _ in range(100):
        await asyncio.sleep(0)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    producer.may_answer.set()
    for _ in range(100):
        await asyncio.sleep(0)
    assert acknowledged == [] and producer.taken == []
