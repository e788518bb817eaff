"""All events on Kafka, case by case: what every index can be written anew from, whatever the database holds.

The records of a case lie scattered over its partition, so they are sorted in a passing file: memory does not grow
with the number of cases.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson
import structlog
from aiokafka import AIOKafkaConsumer

from laporhub.pipeline.errors import Misconfigured, Unparsable
from laporhub.pipeline.events import CaseEvent
from laporhub.pipeline.ids import event_id
from laporhub.pipeline.streams import read_event

_AT_ONCE = 5000
logger = structlog.get_logger(__name__)

Progressed = Callable[[int], None]
"""Told how many records were read so far."""


@asynccontextmanager
async def histories(
    topic: str, options: dict[str, Any], progressed: Progressed = lambda _: None
) -> AsyncIterator[Iterator[Sequence[CaseEvent]]]:
    """Each case's history, oldest event first, as far as it is on the topic when this begins.

    What cannot be read is left out: it is in the dead letters. Raises `Misconfigured` when there is no such topic.
    """
    with tempfile.TemporaryDirectory(prefix="laporhub-rebuild-") as folder:
        sorted_by_case = sqlite3.connect(
            Path(folder) / "events.db", isolation_level=None, check_same_thread=False
        )
        try:
            await _gather(topic, options, sorted_by_case, progressed)
            yield _each(sorted_by_case)
        finally:
            sorted_by_case.close()


async def _gather(
    topic: str, options: dict[str, Any], into: sqlite3.Connection, progressed: Progressed
) -> None:
    into.executescript(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
        "CREATE TABLE events (name BLOB, sequence INTEGER, body BLOB, PRIMARY KEY (name, sequence)) WITHOUT ROWID"
    )
    await _check(topic, options)
    consumer = AIOKafkaConsumer(topic, enable_auto_commit=False, auto_offset_reset="earliest", **options)
    read = 0
    try:
        await consumer.start()
        partitions = sorted(consumer.assignment())
        ends = await consumer.end_offsets(partitions)
        left = {place for place in partitions if await consumer.position(place) < ends[place]}
        while left:
            found = await consumer.getmany(*left, timeout_ms=1000, max_records=_AT_ONCE)
            records = [record for some in found.values() for record in some]
            await asyncio.to_thread(_keep, into, records)
            read += len(records)
            progressed(read)
            left = {place for place in left if await consumer.position(place) < ends[place]}
    finally:
        await consumer.stop()


async def _check(topic: str, options: dict[str, Any]) -> None:
    """A consumer of a topic that is not there would wait for it."""
    async with AIOKafkaConsumer(**options) as consumer:
        if topic not in await consumer.topics():
            raise Misconfigured(f"There is no topic {topic}: laporhub setup makes it")


def _keep(into: sqlite3.Connection, records: Sequence[Any]) -> None:
    """A record that was published twice is kept once."""
    rows = ((record.key, _sequence(record.key, record.value), record.value) for record in records)
    into.execute("BEGIN")
    into.executemany("INSERT OR IGNORE INTO events VALUES (?, ?, ?)", (row for row in rows if row[1]))
    into.execute("COMMIT")


def _sequence(key: bytes | None, value: bytes | None) -> int:
    """The event's place in its case's history; 0 for what is no event of this case."""
    try:
        found = orjson.loads(value or b"{}")
        sequence: int = found["sequence"]
        return sequence if found["id"] == event_id((key or b"").decode(), sequence) else 0
    except (KeyError, TypeError, ValueError):
        return 0


def _each(sorted_by_case: sqlite3.Connection) -> Iterator[Sequence[CaseEvent]]:
    rows = sorted_by_case.execute("SELECT name, body FROM events ORDER BY name, sequence")
    for name, some in groupby(rows, key=lambda row: row[0]):
        history = [event for _, body in some if (event := _read(name, body)) is not None]
        if history:
            yield history


def _read(name: bytes, body: bytes) -> CaseEvent | None:
    try:
        return read_event(body)
    except Unparsable as error:
        logger.warning("an event is left out", case=name.decode(), reason=str(error))
        return None
