"""Batch by batch through a stage: handled, published, acknowledged, in that order whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
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


async def test_nothing_is_acknowledged_before_all_that_it_led_to_is_on_kafka() -> None:
    producer, acknowledged, handled = Silent(), list[int](), list[int]()

    async def handle(records: Sequence[Taken]) -> list[Given]:
        handled.extend(each.offset for each in records)
        return await passed_on(records)

    heard = [Heard(offset, acknowledged) for offset in range(4)]
    stage = Stage("s", ("t",), handle)
    working = asyncio.create_task(work_through(each_alone(heard), stage, producer, Progress("s")))
    for _ in range(100):
        await asyncio.sleep(0)
    assert handled == [0] and acknowledged == []
    producer.may_answer.set()
    await working
    assert handled == acknowledged == [0, 1, 2, 3]
    assert [each.value for each in producer.taken] == [b"0", b"1", b"2", b"3"]


async def test_a_batch_that_cannot_be_published_ends_the_work_unacknowledged() -> None:
    class Broken(Producer):
        async def send(self, records: Sequence[Given]) -> None:
            raise ValueError("unforeseen")

    acknowledged: list[int] = []
    heard = [Heard(offset, acknowledged) for offset in range(2)]
    with pytest.raises(ValueError, match="unforeseen"):
        await work_through(each_alone(heard), Stage("s", ("t",), passed_on), Broken({}), Progress("s"))
    assert acknowledged == []


async def test_a_worker_that_is_stopped_acknowledges_nothing_more() -> None:
    producer, acknowledged = Silent(), list[int]()

    async def one_then_silence() -> AsyncIterator[list[Any]]:
        yield [Heard(0, acknowledged)]
        await asyncio.Event().wait()

    working = asyncio.create_task(
        work_through(one_then_silence(), Stage("s", ("t",), passed_on), producer, Progress("s"))
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
