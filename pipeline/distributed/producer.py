"""Our own producer: idempotent, all replicas confirm, and a batch of records is one wait.

Faust's own producer is neither idempotent nor batched (measured: a third of the records a second).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, UnknownTopicOrPartitionError
from aiokafka.partitioner import DefaultPartitioner

from laporhub.pipeline.distributed.records import Given
from laporhub.pipeline.errors import RetryLater
from laporhub.pipeline.topics import LARGEST_RECORD

_PATIENCE = 60.0
"""Seconds until a batch that the brokers do not confirm is given up; the caller then tries all of it again."""
_COLLECT_MS = 5
_MANY = 50
"""Records from which they are sent in batches of their own. Of these a partition takes one at a time."""
_AROUND_A_RECORD = 100
"""More bytes than a record's lengths, times and offsets take."""
_ANSWERS_WITHIN = 5.0
"""Seconds until a broker that does not answer counts as away."""

_NOT_TRIED = (MessageSizeTooLargeError, UnknownTopicOrPartitionError)
"""Refused before it was on its way: the others, and the producer, are as they were."""

logger = structlog.get_logger(__name__)

_by_key = DefaultPartitioner()


@lru_cache(maxsize=10_000)
def _partition_of(key: bytes, count: int) -> int:
    """The place among so many partitions, as every client of Kafka works it out. The records of a case share a key."""
    place: int = _by_key(key, range(count), range(count))
    return place


def _partition(key: bytes | None, every: Sequence[int], available: Sequence[int]) -> int:
    partition: int = (
        every[_partition_of(key, len(every))] if key is not None else _by_key(key, every, available)
    )
    return partition


class Producer:
    """One for each event loop. `options` say how to reach the brokers: servers, security, credentials."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self.health = "ok"
        """Or why the brokers could not be reached when they were last needed, or looked for."""

    async def start(self) -> None:
        """Raises `RetryLater` when no broker answers."""
        async with self._starting:
            if self._producer is not None:
                return
            producer = AIOKafkaProducer(
                enable_idempotence=True,
                acks="all",
                linger_ms=_COLLECT_MS,
                partitioner=_partition,
                max_batch_size=256 * 1024,
                max_request_size=LARGEST_RECORD,
                request_timeout_ms=int(_PATIENCE * 500),
                **self._options,
            )
            try:
                await producer.start()
            except KafkaError as error:
                await producer.stop()
                self.health = f"Kafka cannot be reached ({error})"
                raise RetryLater(f"{self.health}: it will be tried again") from error
            self._producer = producer
            self.health = "ok"

    async def start_patiently(self) -> None:
        """Waits until a broker answers."""
        while True:
            try:
                await self.start()
                return
            except RetryLater as error:
                logger.warning("waiting", reason=str(error))
                await asyncio.sleep(1)

    async def stop(self) -> None:
        """What was sent is confirmed first."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def send(self, records: Sequence[Given]) -> None:
        """Durable when it returns. Raises `RetryLater`; then some of them may have been written, in order."""
        await self.start()
        producer = self._producer
        if producer is None:
            raise RetryLater("The hub is closing")
        try:
            async with asyncio.timeout(_PATIENCE):
                await (_each if len(records) < _MANY else _together)(producer, records)
        except (KafkaError, TimeoutError) as error:
            self.health = f"Kafka did not take the records ({type(error).__name__}: {error})"
            if not isinstance(error, _NOT_TRIED):
                # An idempotent producer that failed is in doubt about its sequence: the next one begins anew.
                await self._begin_anew(producer)
            raise RetryLater(self.health) from error
        self.health = "ok"

    async def look(self) -> None:
        """Asks the brokers for a sign of life: `health` tells."""
        try:
            await self.start()
            if self._producer is not None:
                async with asyncio.timeout(_ANSWERS_WITHIN):
                    answered = await self._producer.client.force_metadata_update()
                self.health = "ok" if answered else "Kafka does not answer"
        except (RetryLater, KafkaError, TimeoutError):
            self.health = "Kafka does not answer"

    async def _begin_anew(self, failed: AIOKafkaProducer) -> None:
        """Ends the failed one; others may have done so before.

        Not as usual, which waits for the brokers; and left alone it would write what it still holds when they are
        back, behind what was written meanwhile.
        """
        if self._producer is failed:
            self._producer = None
        try:
            async with asyncio.timeout(_ANSWERS_WITHIN):
                sending = failed._sender.sender_task
                failed._closed = True
                if sending is not None:
                    sending.cancel()
                await failed.client.close()
                if sending is not None:
                    await asyncio.wait([sending])
        except Exception as error:
            logger.warning("the old producer could not be closed", reason=f"{type(error).__name__}: {error}")


async def _each(producer: AIOKafkaProducer, records: Iterable[Given]) -> None:
    """One by one: whoever else sends meanwhile shares a batch with them."""
    await _all(
        [
            await producer.send(each.topic, each.value, key=each.key, headers=list(each.headers) or None)
            for each in records
        ]
    )


async def _together(producer: AIOKafkaProducer, records: Iterable[Given]) -> None:
    """In batches of our own, a partition's in order: half of what each record costs otherwise."""
    every: dict[str, list[int]] = {}
    parted: dict[tuple[str, int], list[Given]] = {}
    for each in records:
        if _size(each) > LARGEST_RECORD:
            raise MessageSizeTooLargeError(f"a record of {_size(each)} bytes for {each.topic}")
        if each.topic not in every:
            every[each.topic] = sorted(await producer.partitions_for(each.topic))
        of_topic = every[each.topic]
        parted.setdefault((each.topic, _partition(each.key, of_topic, of_topic)), []).append(each)
    await _all([_to_partition(producer, *where, some) for where, some in parted.items()])


async def _to_partition(
    producer: AIOKafkaProducer, topic: str, partition: int, records: Sequence[Given]
) -> None:
    waiting, batch = [], producer.create_batch()
    for each in records:
        record: dict[str, Any] = {
            "key": each.key,
            "value": each.value,
            "headers": list(each.headers),
            "timestamp": None,
        }
        if batch.append(**record) is None:  # it is full
            waiting.append(await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            batch.append(**record)
    waiting.append(await producer.send_batch(batch, topic, partition=partition))
    await _all(waiting)


def _size(record: Given) -> int:
    headers = sum(len(name) + len(value or b"") for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers + _AROUND_A_RECORD


async def _all(waiting: Sequence[Any]) -> None:
    """Waits for each, and raises the first failure when all have ended."""
    ended = await asyncio.gather(*waiting, return_exceptions=True)
    for each in ended:
        if isinstance(each, BaseException):
            raise each
