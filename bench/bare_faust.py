"""What the documentation of Faust shows: an agent that takes batches, here into a bulk. Prints its rate, and ends."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from typing import Any

import faust
from elasticsearch import AsyncElasticsearch

kafka, elasticsearch, index, topic, wanted = sys.argv[1:]
app = faust.App(
    f"bare-{index}",
    broker=f"aiokafka://{kafka}",
    web_enabled=False,
    consumer_auto_offset_reset="earliest",
    topic_allow_declare=False,
    topic_disable_leader=True,
    datadir=tempfile.gettempdir(),
    worker_redirect_stdouts=False,
)
client = AsyncElasticsearch(elasticsearch)
seen: dict[str, float] = {"done": 0, "start": 0}


@app.agent(app.topic(topic, value_serializer="raw"))
async def pass_on(stream: Any) -> None:
    async for values in stream.take(500, within=0.1):
        if not seen["start"]:
            seen["start"] = time.perf_counter()
        operations = []
        for number, value in enumerate(values, int(seen["done"])):
            line = b'{"index":{"_index":"%b","_id":"%d"}}\n' % (index.encode(), number)
            operations.append(line + value)
        await client.bulk(operations=operations, filter_path=["errors"])
        seen["done"] += len(values)
        if seen["done"] >= int(wanted):
            print("rate", seen["done"] / (time.perf_counter() - seen["start"]), flush=True)
            os._exit(0)


if __name__ == "__main__":
    sys.argv[1:] = []
    faust.Worker(app, loglevel="ERROR").execute_from_commandline()
