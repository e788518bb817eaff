"""Producers that behave as Kafka may."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from laporhub.pipeline.distributed.producer import Producer
from laporhub.pipeline.distributed.records import Given


class Silent(Producer):
    """Brokers that take a record and do not answer, until they may."""

    def __init__(self) -> None:
        super().__init__({})
        self.may_answer = asyncio.Event()
        self.taken: list[Given] = []

    async def send(self, records: Iterable[Given]) -> None:
        await self.may_answer.wait()
        self.taken += records
