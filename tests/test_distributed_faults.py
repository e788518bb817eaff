"""Servers that are away or come back, workers that die, stand still, come and go: it goes on by itself.

Two of these in every run, all of them with `LAPORHUB_FAULT_TESTS=1`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from elasticsearch import Elasticsearch
from province import Province, new_name
from servers.machine import free_port
from servers.plugin import StartOwn
from support import COMPLETE, Clock, form
from test_crash import OFFICE, small_government

from laporhub.hub.hub import Hub
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.connector import Raw
from laporhub.pipeline.distributed.engine import DistributedEngine
from laporhub.pipeline.distributed.records import Given
from laporhub.pipeline.errors import RetryLater
from laporhub.pipeline.hub_port import Receipt
from laporhub.pipeline.messages import Inbound, Message
from laporhub.pipeline.store import cases
from laporhub.pipeline.store.database import writer
from laporhub.pipeline.store.keys import save_keys
from laporhub.pipeline.streams import read_event, write_event, write_message
from laporhub.pipeline.topics import DEADLETTER, EVENTS, MESSAGES
from laporhub.sinks.elasticsearch_templates import Indices

pytestmark = pytest.mark.servers
full = pytest.mark.skipif(
    os.environ.get("LAPORHUB_FAULT_TESTS") != "1", reason="takes minutes: LAPORHUB_FAULT_TESTS=1 runs it"
)

PROFILE = "kota-contoh"
FAUST = (sys.executable, "-m", "faust", "-A", "laporhub.pipeline.distributed.main", "-l", "error", "worker")
PATIENCE = 150.0
"""Seconds, on a machine that has much to do."""


@pytest.fixture(scope="session")
def government(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(small_government(tmp_path_factory.mktemp("government") / "profile"))


@pytest.fixture
def city(kafka: str, elasticsearch: str, postgres: str, government: str, tmp_path: Path) -> Province:
    made = Province(kafka, elasticsearch, postgres, tmp_path, new_name(), profile=government)
    made.run("setup")
    return made


def today() -> Clock:
    """So that no alarm is due in the middle of a test: the workers' clock is the real one."""
    return Clock(datetime.now(UTC))


async def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not await asyncio.to_thread(done):
        assert time.monotonic() < deadline, "it did not come to that"
        await asyncio.sleep(0.1)


def stored(hub: Hub) -> list[CaseState]:
    with hub.database.connect() as connection:
        return [state for some in cases.every_case(connection) for state in some]


async def hooked(hub: Hub, number: int) -> None:
    """By WhatsApp: the platform hears that it was taken, not what came of it."""
    words = {"MessageSid": f"SM{number:032d}", "From": f"whatsapp:+62800{number:08d}", "To": OFFICE}
    body = urlencode(words | {"Body": f"{COMPLETE} nomor {number}", "MessageType": "text"}).encode()
    tally = await hub.take(PROFILE, None, "twilio", Raw(body, "application/x-www-form-urlencoded"))
    assert (tally.accepted, tally.dead_lettered, tally.rejected) == (1, 0, 0)


async def fed(city: Province, hub: Hub, inbound: list[Inbound]) -> None:
    """By the page, without waiting for an answer."""
    records, keys = [], []
    for each in inbound:
        message = hub._door.admit(hub.rulebooks[PROFILE], "web", each, hub.now())
        keys.append(hub.ring.pending(message.reporter))
        records.append(
            Given(f"{city.name}.{MESSAGES}", message.conversation.encode(), write_message(message))
        )
    with writer(hub.database).begin() as connection:
        save_keys(connection, [key for key in keys if key is not None])
    async with city.producer() as producer:
        await producer.send(records)


def forms(count: int, first: int = 0) -> list[Inbound]:
    return [form(number) for number in range(first, first + count)]


async def assert_each_once(city: Province, hub: Hub, count: int) -> None:
    """So many cases, whole histories, and the same on Kafka and in the index."""
    await until(lambda: len(stored(hub)) >= count)
    await city.quiet()
    await city.quiet(EVENTS)
    states = stored(hub)
    assert len(states) == count
    bodies = {}
    for state in states:
        history = hub.events(state.id)
        assert [event.sequence for event in history] == list(range(1, state.seq + 1))
        bodies |= {event.id: write_event(event) for event in history}
    streamed = await city.records()
    assert {read_event(value).id: value for _, value in streamed} == bodies
    assert {value for _, value in streamed} == set(bodies.values())
    with Elasticsearch(city.elasticsearch) as client:
        indices = Indices(city.name)
        client.indices.refresh(index=f"{city.name}-*")
        hits = client.search(index=indices.cases, size=10_000, version=True, source=False)["hits"]["hits"]
        assert {hit["_id"]: hit["_version"] for hit in hits} == {state.id: state.seq for state in states}
        assert client.count(index=f"{city.name}-events-*")["count"] == len(bodies)
    assert hub.dead_letters() == []


def readiness(port: int) -> tuple[int, dict[str, str]]:
    """Status and parts; 0 while nobody answers."""
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=10, trust_env=False)
    except httpx.TransportError:
        return 0, {}
    return answer.status_code, answer.json()["parts"]


def children(process: subprocess.Popen[bytes]) -> list[int]:
    """The workers that a supervisor has started."""
    tasks = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(pid) for pid in tasks.read_text().split()]


@contextmanager
def guest(city: Province) -> Iterator[subprocess.Popen[bytes]]:
    """One more worker, without a fixed name: partitions move when it comes, and when it goes."""
    with (
        (city.folder / "guest.log").open("ab") as log,
        subprocess.Popen(
            [*FAUST, "--without-web"], env=city.environment, cwd=city.folder, stdout=log, stderr=log
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()
        # By the signal itself where it was still starting.
        assert process.returncode in (0, -signal.SIGTERM), "it was asked to go, and fell"


# ── servers ──────────────────────────────────────────────────────────────────────────────────────


async def test_kafka_comes_up_after_the_worker_and_goes_away_again(
    own_kafka: StartOwn, elasticsearch: str, postgres: str, government: str, tmp_path: Path
) -> None:
    kafka, port = own_kafka(), free_port()
    city = Province(kafka.url, elasticsearch, postgres, tmp_path, new_name(), profile=government)
    await asyncio.to_thread(city.run, "setup")
    await asyncio.to_thread(kafka.stop)
    with city.workers("--port", str(port)) as supervisor:
        async with city.hub(today()) as hub:
            with pytest.raises(RetryLater):
                await hub.receive(PROFILE, "web", form(1))
            await asyncio.to_thread(kafka.start)
            assert (await hub.receive(PROFILE, "web", form(1))).ticket
            await until(lambda: readiness(port)[0] == 200)
            await asyncio.to_thread(kafka.kill)
            await until(lambda: readiness(port)[1].get("kafka") == "Kafka does not answer")
            assert readiness(port)[0] == 503
            await asyncio.to_thread(kafka.start)
            assert (await patient(hub, form(2))).ticket
            await until(lambda: readiness(port)[0] == 200)
            await assert_each_once(city, hub, 2)
        assert supervisor.poll() is None


async def patient(hub: Hub, inbound: Inbound) -> Receipt:
    """As a page does that was asked to come again."""
    while True:
        try:
            return await hub.receive(PROFILE, "web", inbound)
        except RetryLater:
            await asyncio.sleep(0.2)


@full
async def test_the_cases_go_on_while_elasticsearch_is_away(
    own_elasticsearch: StartOwn, kafka: str, postgres: str, government: str, tmp_path: Path
) -> None:
    """For longer than the watchdog's patience, and though partitions move meanwhile."""
    search, port = own_elasticsearch(), free_port()
    city = Province(kafka, search.url, postgres, tmp_path, new_name(), profile=government)
    await asyncio.to_thread(city.run, "setup")
    with city.workers("--port", str(port), "--watchdog", "10") as supervisor:
        async with city.hub(today()) as hub:
            await hub.receive(PROFILE, "web", form(1))
            await until(lambda: readiness(port)[0] == 200)
            (worker,) = children(supervisor)
            await asyncio.to_thread(search.stop)
            away_since = time.monotonic()
            await hub.receive(PROFILE, "web", form(2))
            await until(lambda: "cannot be reached" in readiness(port)[1].get("search", ""))
            status, parts = readiness(port)
            assert status == 503 and parts["cases"] == "ok"
            await until(lambda: time.monotonic() - away_since > 20)
            await hub.receive(PROFILE, "web", form(3))
            assert children(supervisor) == [worker], "who waits for a server is left alone"
            with guest(city):
                for number in range(4, 10):
                    await hub.receive(PROFILE, "web", form(number))
            await hub.receive(PROFILE, "web", form(10))
            await asyncio.to_thread(search.start)
            await assert_each_once(city, hub, 10)
            await until(lambda: readiness(port)[0] == 200)


@full
async def test_postgresql_restarts_in_the_middle(
    own_postgres: StartOwn, kafka: str, elasticsearch: str, government: str, tmp_path: Path
) -> None:
    server, port = own_postgres(), free_port()
    city = Province(kafka, elasticsearch, server.url, tmp_path, new_name(), profile=government)
    await asyncio.to_thread(city.run, "setup")
    with city.workers("--port", str(port)) as supervisor:
        async with city.hub(today()) as hub:
            await hub.receive(PROFILE, "web", form(0))
            (worker,) = children(supervisor)
            await fed(city, hub, forms(300, 1))
            await until(lambda: len(stored(hub)) > 1)
            await asyncio.to_thread(server.stop)
            message = admitted(hub, form(400))
            with pytest.raises(RetryLater):
                await hub.engine.submit(message=message)
            async with city.producer() as producer:
                key = message.conversation.encode()
                await producer.send([Given(f"{city.name}.{MESSAGES}", key, write_message(message))])
            await until(lambda: "waiting" in readiness(port)[1].get("cases", ""))
            status, parts = readiness(port)
            assert (status, parts["database"]) == (503, "cannot be reached")
            await asyncio.to_thread(server.start)
            await patient(hub, form(400))
            await assert_each_once(city, hub, 302)
            assert children(supervisor) == [worker]
            await until(lambda: readiness(port)[0] == 200)


def admitted(hub: Hub, inbound: Inbound) -> Message:
    """Sealed with the key at hand, as the database is away."""
    hub.ring._looked_at = time.monotonic()
    return hub._door.admit(hub.rulebooks[PROFILE], "web", inbound, hub.now())


@full
async def test_a_document_that_does_not_fit_stops_no_other_and_comes_back(city: Province) -> None:
    """Somebody made the index by hand, and an address in it a number."""
    indices = Indices(city.name)
    with Elasticsearch(city.elasticsearch) as client:
        client.indices.delete(index=indices.cases)
        client.indices.create(index=indices.cases, mappings={"properties": {"address": {"type": "integer"}}})
        with city.workers():
            async with city.hub(today()) as hub:
                await fed(city, hub, [form(0), *(form(n, location=None) for n in range(1, 6))])
                await until(lambda: len(stored(hub)) == 6)
                await city.quiet(EVENTS)
                bad = next(state for state in stored(hub) if state.location is not None)
                client.indices.refresh(index=indices.cases)
                hits = client.search(index=indices.cases, source=False)["hits"]["hits"]
                assert {hit["_id"] for hit in hits} == {state.id for state in stored(hub)} - {bad.id}
                (letter,) = hub.dead_letters()
                assert letter.stage == "sink" and "address" in letter.reason
                told = await city.records(DEADLETTER)
                assert letter.id.encode() in {key for key, _ in told}
                client.indices.delete(index=indices.cases)
                client.indices.create(index=indices.cases)
                await hub.replay(letter.id)
                await city.quiet(EVENTS)
                client.indices.refresh(index=indices.cases)
                assert client.get(index=indices.cases, id=bad.id)["_version"] == bad.seq
                assert hub.dead_letters() == []


# ── workers ──────────────────────────────────────────────────────────────────────────────────────


@full
async def test_what_comes_while_no_worker_runs_is_kept(city: Province) -> None:
    """Hooks are answered at once; who waits for a ticket is asked to come again, and then gets it."""
    async with city.hub(today()) as hub:
        engine = hub.engine
        assert isinstance(engine, DistributedEngine)
        await asyncio.gather(*(hooked(hub, number) for number in range(20)))
        engine.answer_within = 0.2
        with pytest.raises(RetryLater, match="stored"):
            await hub.receive(PROFILE, "web", form(1))
        assert stored(hub) == []
        with city.workers():
            await until(lambda: len(stored(hub)) == 21)
            engine.answer_within = 90
            again = await hub.receive(PROFILE, "web", form(1))
            assert again.ticket and again.duplicate
            await assert_each_once(city, hub, 21)


@full
async def test_one_who_gives_up_takes_nothing_from_who_waits_with_them(city: Province) -> None:
    """The same form sent twice; one page is closed."""
    async with city.hub(today()) as hub:
        first = asyncio.create_task(hub.receive(PROFILE, "web", form(1)))
        second = asyncio.create_task(hub.receive(PROFILE, "web", form(1)))
        engine = hub.engine
        assert isinstance(engine, DistributedEngine)
        await until(lambda: sum(map(len, engine._waiting.values())) == 2)
        first.cancel()
        with city.workers():
            assert (await second).ticket
            await assert_each_once(city, hub, 1)


@full
async def test_partitions_move_in_the_middle_of_batches(city: Province) -> None:
    """A second worker comes, works, is asked to go: three times."""
    async with city.hub(today()) as hub:
        with city.workers():
            for round_ in range(3):
                await fed(city, hub, forms(200, round_ * 400))
                with guest(city):
                    await until(lambda: len(stored(hub)) > round_ * 400)  # noqa: B023
                    await fed(city, hub, forms(200, round_ * 400 + 200))
                    await until(lambda: len(stored(hub)) > round_ * 400 + 250)  # noqa: B023
            await assert_each_once(city, hub, 1200)


async def test_a_worker_that_stood_still_and_wakes_up_spoils_nothing(city: Province) -> None:
    """Stopped for longer than its session: another has its partitions when it goes on where it was."""
    async with city.hub(today()) as hub:
        with city.workers("--workers", "2") as supervisor:
            await hub.receive(PROFILE, "web", form(0))
            await until(lambda: len(children(supervisor)) == 2)
            await fed(city, hub, forms(800, 1))
            await until(lambda: len(stored(hub)) > 20)
            zombie = children(supervisor)[0]
            os.kill(zombie, signal.SIGSTOP)
            try:
                await until(lambda: len(stored(hub)) == 801)  # the other one has done its share too
                await fed(city, hub, forms(400, 801))
            finally:
                os.kill(zombie, signal.SIGCONT)
            await assert_each_once(city, hub, 1201)


@full
async def test_a_killed_worker_is_started_anew_and_all_end_when_asked(city: Province) -> None:
    async with city.hub(today()) as hub:
        with city.workers("--workers", "2") as supervisor:
            await hub.receive(PROFILE, "web", form(1))
            before = children(supervisor)
            os.kill(before[0], signal.SIGKILL)
            await until(lambda: len(children(supervisor)) == 2 and before[0] not in children(supervisor))
            await hub.receive(PROFILE, "web", form(2))
            workers = children(supervisor)
            supervisor.terminate()
            assert await asyncio.to_thread(supervisor.wait, 60) == 0
            assert not any(alive(pid) for pid in workers)
        with city.workers() as supervisor:
            await hub.receive(PROFILE, "web", form(3))
            (worker,) = children(supervisor)
            supervisor.kill()
            await until(lambda: not alive(worker))
        await assert_each_once_later(city, hub)


async def assert_each_once_later(city: Province, hub: Hub) -> None:
    with city.workers():
        await assert_each_once(city, hub, 3)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@full
async def test_an_alarm_that_is_due_while_partitions_move_rings_once(city: Province) -> None:
    """They came in ten hours ago; after nine somebody is to be warned."""
    past = Clock(datetime.now(UTC))
    past.forward(hours=-10)
    async with city.hub(past) as hub:
        await fed(city, hub, forms(150))
        with city.workers():
            with guest(city):
                await until(lambda: sum(rung(hub).values()) > 0)
            await until(lambda: len(rung(hub)) == 150)
            await city.quiet()
            assert set(rung(hub).values()) == {1}
            await assert_each_once(city, hub, 150)


def rung(hub: Hub) -> Counter[str]:
    """Case → how often it was warned."""
    return Counter(
        state.id
        for state in stored(hub)
        if "warn" not in state.clocks["first_response"].alarms
        for event in hub.events(state.id)
        if event.data.kind == "clock_alarmed"
    )
