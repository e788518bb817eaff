"""The distributed part of `make bench`: from Kafka to searchable in Elasticsearch, beside the least it can cost.

In one run on the same messages and servers: (a) raw bulk, (b) a bare aiokafka consumer that bulks what it reads
through the client's helper, and the same with prebuilt bytes, (c) a bare Faust agent that does, (d) this hub with all
stages. Then the time from publishing to searchable at half of (d)'s load, the processor time of one to three workers,
and a rebuild. MESSAGES and CASES name other sizes.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

import psutil
from elasticsearch import AsyncElasticsearch, Elasticsearch

ROOT = Path(__file__).parent
sys.path[:0] = [str(ROOT), str(ROOT.parent / "tests")]

import run  # noqa: E402
from bare import bare_faust, handed_on, pass_through, raw_bulk, written  # noqa: E402
from province import Province  # noqa: E402
from servers.elasticsearch import start_elasticsearch  # noqa: E402
from servers.kafka import start_kafka  # noqa: E402
from servers.postgres import fresh_database, start_postgres  # noqa: E402
from servers.running import RunningServer  # noqa: E402

from laporhub.hub.compose import utc_now  # noqa: E402
from laporhub.hub.kafka_clients import aiokafka_options  # noqa: E402
from laporhub.hub.worker_words import STAGES  # noqa: E402
from laporhub.pipeline import ids  # noqa: E402
from laporhub.pipeline.distributed.producer import Producer  # noqa: E402
from laporhub.pipeline.distributed.records import Given  # noqa: E402
from laporhub.pipeline.store.database import writer  # noqa: E402
from laporhub.pipeline.store.keys import save_keys  # noqa: E402
from laporhub.pipeline.streams import write_message  # noqa: E402

MESSAGES = int(os.environ.get("MESSAGES", "20000"))
CASES = int(os.environ.get("CASES", "100000"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
PROFILE = "laporgub-jateng"


def prepared(hub: run.Hub, province: Province, first: int, count: int) -> list[tuple[str, Given]]:
    """So many sealed messages as the web would put them on `messages`, their reporters' keys stored; with their ids."""
    book, found, keys = hub.rulebooks[PROFILE], [], []
    for number in range(first, first + count):
        message = hub._door.admit(book, "web", run.inbound(number), utc_now())
        keys.append(hub.ring.pending(message.reporter))
        record = Given(f"{province.name}.messages", message.conversation.encode(), write_message(message))
        found.append((message.id, record))
    with writer(hub.database).begin() as connection:
        save_keys(connection, [key for key in keys if key])
    return found


async def feed(province: Province, count: int, first: int = 0) -> list[bytes]:
    """So many messages on `messages`; their bodies."""
    bodies: list[bytes] = []
    async with province.hub() as hub:
        producer = Producer(aiokafka_options(province.settings))
        try:
            for begin in range(first, first + count, 1000):
                some = prepared(hub, province, begin, min(1000, first + count - begin))
                await producer.send([record for _, record in some])
                bodies += [record.value or b"" for _, record in some]
        finally:
            await producer.stop()
    return bodies


def searchable(client: Elasticsearch, province: Province, *, now: bool = False) -> int:
    """Cases that a search finds; `now` does not wait for the index's own refresh, which is work for the server."""
    index = f"{province.name}-cases"
    if now:
        client.indices.refresh(index=index)
    return int(client.count(index=index)["count"])


def cpu_of(pid: int) -> float:
    """Processor seconds of a process and of those it started, whether or not they have ended."""
    process = psutil.Process(pid)
    own = process.cpu_times()
    found = own.user + own.system + own.children_user + own.children_system
    for each in process.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            found += each.cpu_times().user + each.cpu_times().system
    return float(found)


@contextmanager
def hub_at_work(province: Province, workers: int = 1) -> Iterator[dict[str, int]]:
    """As docker-compose.yml runs it: so many processes that decide and that index; what each is for, and its pid."""
    deciding, indexing = (
        Province(**{**vars(province), "only": stages})
        for stages in (tuple(stage for stage in STAGES if stage != "sink"), ("sink",))
    )
    many = ("--workers", str(workers))
    with deciding.workers(*many) as worker, indexing.workers(*many) as indexer:
        yield {"workers": worker.pid, "indexers": indexer.pid}


def all_stages(province: Province, running: Servers, workers: int = 1) -> tuple[float, dict[str, float]]:
    """Complaints a second from `messages` to searchable, and the processor milliseconds that each process had for each.

    The clock runs from a tenth of the way, so that it does not count the workers' start.
    """
    with Elasticsearch(province.elasticsearch) as client, hub_at_work(province, workers) as ours:
        pids = ours | {server.name: server.pid for server in running}
        while searchable(client, province) < MESSAGES // 10:
            time.sleep(0.1)
        begun = searchable(client, province, now=True)
        start, before = time.perf_counter(), {name: cpu_of(pid) for name, pid in pids.items()}
        while searchable(client, province) < MESSAGES * 0.9:  # looking is work, too
            time.sleep(0.25)
        while (done := searchable(client, province, now=True)) < MESSAGES:
            time.sleep(0.1)
        took = time.perf_counter() - start
        spent = {name: (cpu_of(pid) - before[name]) / (done - begun) * 1000 for name, pid in pids.items()}
        return (done - begun) / took, spent


async def publish_to_searchable(province: Province, rate: float, seconds: float, first: int) -> list[float]:
    """Seconds from a message's publishing until a search finds its case, at so many a second.

    Each twentieth is looked for, all of them by one question in a tenth of a second: looking is work, too.
    """
    published: dict[str, float] = {}
    found: list[float] = []
    async with province.hub() as hub, province.producer() as producer:
        messages = prepared(hub, province, first, int(rate * seconds))

        async def publish() -> None:
            """What is due, twenty times a second: a load that sends each alone has more to do than the hub."""
            begun, sent = time.perf_counter(), 0
            while sent < len(messages):
                await asyncio.sleep(0.05)
                due = messages[sent : int((time.perf_counter() - begun) * rate)]
                for number, (message, _) in enumerate(due, sent):
                    if number % 20 == 0:
                        published[ids.case_id(message)] = begun + number / rate
                await producer.send([record for _, record in due])
                sent += len(due)

        publishing = asyncio.create_task(publish())
        async with AsyncElasticsearch(province.elasticsearch) as client:
            while published or not publishing.done():
                await asyncio.sleep(0.1)
                query = {"terms": {"case_id": list(published)}}
                hits = await client.search(
                    index=f"{province.name}-cases", query=query, size=1000, source=["case_id"]
                )
                seen = [each["_source"]["case_id"] for each in hits["hits"]["hits"]]
                found += [time.perf_counter() - published.pop(case) for case in seen]
        await publishing
    return found


Servers: TypeAlias = tuple[RunningServer, RunningServer, RunningServer]


@contextmanager
def servers() -> Iterator[Servers]:
    with ExitStack() as stack:
        top = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="laporhub-bench-")))
        top.chmod(0o755)
        kafka = stack.enter_context(start_kafka(top / "kafka", java_options="-Xms512m -Xmx512m"))
        search = stack.enter_context(start_elasticsearch(top / "search", java_options="-Xms1g -Xmx1g"))
        postgres = stack.enter_context(start_postgres(top / "postgres", durable=True))
        yield kafka, search, postgres


@contextmanager
def province(running: Servers, name: str) -> Iterator[Province]:
    kafka, search, postgres = (server.url for server in running)
    with fresh_database(postgres, "bench") as database, tempfile.TemporaryDirectory() as folder:
        made = Province(kafka, search, database, Path(folder), name)
        made.run("setup")
        yield made


def main() -> None:
    rates: dict[str, list[float]] = {"raw": [], "pass": [], "bytes": [], "faust": [], "hub": []}
    cpu: dict[int, list[dict[str, float]]] = {1: [], 3: []}
    with servers() as running:
        for turn in range(ROUNDS + 1):
            with province(running, f"b{turn}") as made:
                # The first round is not counted: Java's programs are fast once they have worked for a while.
                print(f"round {turn or 'to warm up'}: {MESSAGES} messages", flush=True)
                bodies = asyncio.run(feed(made, MESSAGES))
                rates["raw"].append(asyncio.run(raw_bulk(made, bodies, f"raw-{turn}")))
                for name, writing in (("pass", handed_on), ("bytes", written)):
                    passed = pass_through(made, MESSAGES, f"{name}-{turn}", writing)
                    rates[name].append(asyncio.run(passed))
                rates["faust"].append(bare_faust(made, MESSAGES, f"faust-{turn}"))
                rate, each = all_stages(made, running)
                rates["hub"].append(rate)
                cpu[1].append(each)
                print(
                    "  " + ", ".join(f"{name} {found[-1]:.0f}/s" for name, found in rates.items()), flush=True
                )
                print(
                    "  processor time a complaint: "
                    + ", ".join(f"{name} {spent:.2f} ms" for name, spent in each.items()),
                    flush=True,
                )
            if not turn:
                rates = {name: [] for name in rates}
                cpu[1] = []
        with province(running, "three") as made:
            asyncio.run(feed(made, MESSAGES))
            cpu[3].append(all_stages(made, running, 3)[1])
        with province(running, "latency") as made, hub_at_work(made):
            half = statistics.median(rates["hub"]) / 2
            print(f"publish to searchable, at {half:.0f}/s", flush=True)
            # Unmeasured: the worker's start, and the first half minute, in which Java's programs are slow.
            asyncio.run(publish_to_searchable(made, min(half, 20.0), 3.0, 2_000_000))
            asyncio.run(publish_to_searchable(made, half, 30.0, 3_000_000))
            waits = asyncio.run(publish_to_searchable(made, half, 15.0, 4_000_000))
        with province(running, "rebuild") as made:
            seconds, events = rebuild(made)
    write(rates, cpu, waits, seconds, events)


def rebuild(province: Province) -> tuple[float, int]:
    """Seconds to write all indices anew from the events of `CASES` cases."""
    print(f"rebuild: {CASES} cases", flush=True)
    for first in range(0, CASES, 20_000):
        asyncio.run(feed(province, min(20_000, CASES - first), first))
    with province.workers("--only", "cases"):
        asyncio.run(Province(**{**vars(province), "only": ("cases",)}).quiet())
    start = time.perf_counter()
    told = json.loads(province.run("rebuild").splitlines()[-1])
    seconds = time.perf_counter() - start
    if told["cases"] != CASES:
        raise AssertionError(told)
    return seconds, told["events"]


def write(
    rates: dict[str, list[float]],
    cpu: dict[int, list[dict[str, float]]],
    waits: list[float],
    seconds: float,
    events: int,
) -> None:
    names = {
        "raw": "raw bulk of the same messages, no Kafka",
        "pass": "bare aiokafka consumer to the client's `async_bulk`",
        "bytes": "bare aiokafka consumer to bulk of prebuilt bytes, as the hub's own sink sends them",
        "faust": "bare Faust agent with take to bulk",
        "hub": "all stages, one process that decides, one that indexes: to a searchable case with its events",
    }
    rows = [
        run.row(f"distributed.{name}_per_s", statistics.median(found), "1/s", names[name])
        for name, found in rates.items()
    ]
    rows += [
        *(
            run.row(
                f"distributed.vs_{called}",
                statistics.median(hub / bare for hub, bare in zip(rates["hub"], rates[name], strict=True)),
                "ratio",
                f"distributed.{name}_per_s",
                3,
            )
            for name, called in (("pass", "passthrough"), ("bytes", "passthrough_of_bytes"))
        ),
        *(
            run.row(
                f"distributed.cpu_ms.{workers}{'' if name == 'workers' else f'.{name.lower()}'}",
                statistics.median(each[name] for each in spent),
                "ms",
                f"processor time of {name} for a complaint, with {workers} that decide and {workers} that index",
                2,
            )
            for workers, spent in cpu.items()
            for name in spent[0]
        ),
        run.row(
            "distributed.searchable_p95_s",
            statistics.quantiles(waits, n=20)[-1],
            "s",
            f"from publishing to found, {len(waits)} samples at half of distributed.hub_per_s",
            2,
        ),
        run.row(
            "distributed.rebuild_100k_s",
            seconds,
            "s",
            f"`laporhub rebuild` of {CASES} cases, {events} events",
            1,
        ),
    ]
    run.merge(rows)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    main()
