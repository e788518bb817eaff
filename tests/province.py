"""A distributed hub for tests: real Kafka, PostgreSQL and Elasticsearch, and real workers in processes of their own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from support import Clock

from laporhub.hub.compose import open_hub
from laporhub.hub.hub import Hub
from laporhub.hub.settings import Settings
from laporhub.pipeline.distributed.engine import DistributedEngine
from laporhub.pipeline.distributed.producer import Producer
from laporhub.pipeline.topics import COMMANDS, EVENTS, MESSAGES

COMMAND = (sys.executable, "-m", "laporhub.hub.cli")
_PATIENCE = 300.0
"""Seconds, on a machine that has much to do."""


@dataclass(frozen=True)
class Province:
    """The servers, and the names that one test has on them."""

    kafka: str
    elasticsearch: str
    database: str
    folder: Path
    name: str
    only: tuple[str, ...] = ()
    profile: str = "laporgub-jateng"

    @property
    def settings(self) -> Settings:
        return Settings(
            data=self.folder,
            profile=self.profile,
            kafka_servers=self.kafka,
            database_url=self.database,  # type: ignore[arg-type]
            elasticsearch_url=self.elasticsearch,
            topic_prefix=f"{self.name}.",
            index_prefix=self.name,
        )

    @property
    def environment(self) -> dict[str, str]:
        known = self.settings
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("LAPORHUB_")},
            "LAPORHUB_DATA": str(known.data),
            "LAPORHUB_PROFILE": known.profile,
            "LAPORHUB_KAFKA_SERVERS": known.kafka_servers,
            "LAPORHUB_DATABASE_URL": self.database,
            "LAPORHUB_ELASTICSEARCH_URL": known.elasticsearch_url,
            "LAPORHUB_TOPIC_PREFIX": known.topic_prefix,
            "LAPORHUB_INDEX_PREFIX": known.index_prefix,
        }

    def run(self, *words: str) -> str:
        """A command of `laporhub`, to its end; what it printed."""
        done = subprocess.run(
            [*COMMAND, *words], env=self.environment, capture_output=True, text=True, timeout=240
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def workers(self, *options: str) -> Iterator[subprocess.Popen[bytes]]:
        """`laporhub worker`, with those that it starts."""
        stages = [word for stage in self.only for word in ("--only", stage)]
        log = (self.folder / "worker.log").open("ab")
        with (
            log,
            subprocess.Popen(
                [*COMMAND, "worker", *stages, *options], env=self.environment, stdout=log, stderr=log
            ) as process,
        ):
            try:
                yield process
            finally:
                process.terminate()
                process.wait(60)

    @asynccontextmanager
    async def hub(self, clock: Clock | None = None, seed: int = 7) -> AsyncIterator[Hub]:
        entropy = Random(seed).randbytes
        async with open_hub(self.settings, now=clock or Clock(), entropy=entropy) as hub:
            assert isinstance(hub.engine, DistributedEngine)
            hub.engine.answer_within = 90.0  # workers may still be starting, on a machine that has much to do
            yield hub

    @asynccontextmanager
    async def producer(self) -> AsyncIterator[Producer]:
        producer = Producer({"bootstrap_servers": self.kafka})
        try:
            yield producer
        finally:
            await producer.stop()

    @property
    def group(self) -> str:
        return ".".join((f"{self.name}.hub", *self.only))

    async def quiet(self, *streams: str) -> None:
        """Until the workers have acknowledged all that is on these streams: if none is named, on their inputs.

        Raises `TimeoutError` when they do not get on.
        """
        before, deadline = None, 0.0
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka)
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka)
        await admin.start()
        await consumer.start()
        try:
            while True:
                partitions = [
                    TopicPartition(f"{self.name}.{stream}", number)
                    for stream in streams or (MESSAGES, COMMANDS)
                    for number in range(self.settings.partitions)
                ]
                ends = await consumer.end_offsets(partitions)
                done = await admin.list_consumer_group_offsets(self.group)
                if all(end == 0 or (tp in done and done[tp].offset >= end) for tp, end in ends.items()):
                    return
                if done != before:
                    before, deadline = done, time.monotonic() + _PATIENCE
                elif time.monotonic() > deadline:
                    raise TimeoutError("the workers do not acknowledge what is on the streams")
                await asyncio.sleep(0.1)
        finally:
            await consumer.stop()
            await admin.close()

    async def records(self, stream: str = EVENTS) -> list[tuple[bytes, bytes]]:
        """All records of a stream, (key, value), each partition in order."""
        # (Assigned by hand, a consumer that begins at the end may overtake `seek_to_beginning`.)
        consumer = AIOKafkaConsumer(
            f"{self.name}.{stream}",
            bootstrap_servers=self.kafka,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        try:
            partitions = sorted(consumer.assignment())
            ends = await consumer.end_offsets(partitions)
            found: list[tuple[bytes, bytes]] = []
            for tp in partitions:
                while await consumer.position(tp) < ends[tp]:
                    some = await consumer.getmany(tp, timeout_ms=1000)
                    found += [(record.key, record.value) for record in some.get(tp, [])]
            return found
        finally:
            await consumer.stop()


def new_name() -> str:
    return f"t{uuid.uuid4().hex[:10]}"
