"""What is to be compared with: the same messages, with as little around them as can be. See `distributed`."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from aiokafka import AIOKafkaConsumer
from elasticsearch import AsyncElasticsearch, Elasticsearch
from elasticsearch.helpers import async_bulk
from province import Province

ROOT = Path(__file__).parent
AT_ONCE = 500


def bulk_line(index: str, name: str) -> bytes:
    return b'{"index":{"_index":"%b","_id":"%b"}}\n' % (index.encode(), name.encode())


async def written(client: AsyncElasticsearch, index: str, bodies: Sequence[tuple[str, bytes]]) -> None:
    """One bulk of prebuilt bytes, as the hub's own sink sends it."""
    operations = [bulk_line(index, name) + body for name, body in bodies]
    answer = await client.bulk(operations=operations, filter_path=["errors"])
    if answer["errors"]:
        raise AssertionError("a document was refused")


async def handed_on(client: AsyncElasticsearch, index: str, bodies: Sequence[tuple[str, bytes]]) -> None:
    """The same documents through the client's own helper, which is how one would write it who measures nothing."""
    actions = [{"_index": index, "_id": name, "_source": json.loads(body)} for name, body in bodies]
    await async_bulk(client, actions)


Writing: TypeAlias = Callable[[AsyncElasticsearch, str, Sequence[tuple[str, bytes]]], Awaitable[None]]


def fresh_index(elasticsearch: str, name: str) -> None:
    """As Elasticsearch makes it by itself, but for the copies."""
    with Elasticsearch(elasticsearch) as client:
        client.indices.create(index=name, settings={"number_of_replicas": 0})


async def raw_bulk(province: Province, bodies: Sequence[bytes], index: str) -> float:
    fresh_index(province.elasticsearch, index)
    async with AsyncElasticsearch(province.elasticsearch) as client:
        start = time.perf_counter()
        for first in range(0, len(bodies), AT_ONCE):
            some = bodies[first : first + AT_ONCE]
            await written(client, index, [(f"m{first + n}", body) for n, body in enumerate(some)])
        return len(bodies) / (time.perf_counter() - start)


async def pass_through(province: Province, messages: int, index: str, write: Writing = handed_on) -> float:
    """Reads `messages` from its beginning, and bulks what it reads."""
    fresh_index(province.elasticsearch, index)
    consumer = AIOKafkaConsumer(
        f"{province.name}.messages", bootstrap_servers=province.kafka, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        async with AsyncElasticsearch(province.elasticsearch) as client:
            start, done = time.perf_counter(), 0
            while done < messages:
                found = await consumer.getmany(timeout_ms=1000, max_records=AT_ONCE)
                records = [record for some in found.values() for record in some]
                if records:
                    named = [(f"{r.partition}-{r.offset}", r.value) for r in records]
                    await write(client, index, named)
                done += len(records)
            return done / (time.perf_counter() - start)
    finally:
        await consumer.stop()


def bare_faust(province: Province, messages: int, index: str) -> float:
    """An agent with `take`, in a process of its own."""
    fresh_index(province.elasticsearch, index)
    done = subprocess.run(
        [
            *(sys.executable, str(ROOT / "bare_faust.py"), province.kafka, province.elasticsearch, index),
            *(f"{province.name}.messages", str(messages)),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    found = [line for line in done.stdout.splitlines() if line.startswith("rate ")]
    if not found:
        raise AssertionError(done.stdout + done.stderr)
    return float(found[-1].split()[1])
