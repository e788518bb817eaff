"""kill -9 of workers at random moments, while partitions move and servers restart: nothing is lost, nothing is twice.

A small storm in every run, the full one with `LAPORHUB_FAULT_TESTS=1`. `LAPORHUB_CRASH_COMPLAINTS`,
`LAPORHUB_CRASH_KILLS` and `LAPORHUB_CRASH_SEED` name another size, and other moments.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from random import Random
from typing import TypeVar
from urllib.parse import urlencode

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from elasticsearch import Elasticsearch
from elasticsearch.helpers import scan
from province import COMMAND, Province, new_name
from servers.plugin import StartOwn
from servers.running import RunningServer
from sqlalchemy import Engine, func, select, update
from test_crash import ACCOUNT, OFFICE, TOKEN, phone, said, simulator, small_government

from laporhub.hub.compose import open_hub
from laporhub.hub.hub import Hub
from laporhub.pipeline import ids
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Act, Actor
from laporhub.pipeline.connector import Raw
from laporhub.pipeline.distributed.engine import DistributedEngine
from laporhub.pipeline.distributed.records import Given
from laporhub.pipeline.errors import RetryLater
from laporhub.pipeline.events import CaseEvent
from laporhub.pipeline.evolve import evolve
from laporhub.pipeline.fanout import forwarded, work
from laporhub.pipeline.messages import Inbound, Location
from laporhub.pipeline.store import cases
from laporhub.pipeline.store.database import writer
from laporhub.pipeline.store.keys import save_keys
from laporhub.pipeline.store.tables import dead_letters, events, outbox
from laporhub.pipeline.streams import read_event, write_command, write_message
from laporhub.pipeline.topics import (
    COMMANDS,
    EVENTS,
    MESSAGES,
    OUTBOX,
    queue_topic,
    unit_commands_topic,
    unit_topic,
)
from laporhub.simulators.serving import serving
from laporhub.simulators.twilio import TwilioSimulator
from laporhub.sinks.documents import SEARCHED_ONLY, case_document, event_document, unit_document
from laporhub.sinks.elasticsearch_templates import Indices

pytestmark = [pytest.mark.crash, pytest.mark.servers]

FULL = os.environ.get("LAPORHUB_FAULT_TESTS") == "1"
COMPLAINTS = int(os.environ.get("LAPORHUB_CRASH_COMPLAINTS", "20000" if FULL else "600"))
KILLS = int(os.environ.get("LAPORHUB_CRASH_KILLS", "20" if FULL else "4"))
SEED = int(os.environ.get("LAPORHUB_CRASH_SEED", "20261123"))
BY_WHATSAPP = 8
"""One complaint in so many."""
PROFILE = "kota-contoh"
CLERK = Actor(id="petugas-demo", role="petugas")
UNITS = ("jalan", "taman")
POLL = 0.02

T = TypeVar("T")


def page(number: int) -> Inbound:
    """What a citizen writes on the page; no network gives out numbers that begin so."""
    caller = f"+62800{number:08d}"
    return Inbound(
        external_id=f"page-{number}",
        author_id=f"tel:{caller}",
        thread=f"page-{number}",
        text=f"Jembatan Contoh nomor {number} di Kabupaten Batang berlubang sejak minggu lalu, dua motor jatuh",
        phone=caller,
        name="Warga Contoh",
        location=Location(address=f"Jalan Contoh nomor {number}"),
    )


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """As platforms and pages do: again, until it is taken."""
    while True:
        try:
            return await ask()
        except RetryLater:
            await asyncio.sleep(0.2)


class City(Province):
    """A small government with WhatsApp, whose workers reach the simulated platform."""

    platform: str = ""

    @property
    def environment(self) -> dict[str, str]:
        return super().environment | {
            "LAPORHUB_TWILIO_ACCOUNT_SID": ACCOUNT,
            "LAPORHUB_TWILIO_AUTH_TOKEN": TOKEN,
            "LAPORHUB_TWILIO_API_URL": self.platform,
        }

    def workers_log(self, last: int = 3000) -> str:
        return (self.folder / "worker.log").read_text(errors="replace")[-last:]


# ── processes ────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Crew:
    """Two workers with fixed names, which come back when they are killed; and guests that come and go."""

    city: City
    hands: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    fell: Counter[str] = field(default_factory=Counter)

    def start(self) -> None:
        for name in ("crash-0", "crash-1"):
            self.hands[name] = self._started(*COMMAND, "worker", "--member", name)

    def guest(self) -> subprocess.Popen[bytes]:
        """By Faust's own command line, without a fixed name: it joins and leaves, and partitions move each time."""
        faust = (sys.executable, "-m", "faust", "-A", "laporhub.pipeline.distributed.main", "-l", "error")
        return self._started(*faust, "worker", "--without-web")

    def kill(self, name: str) -> None:
        self.hands[name].kill()
        self.hands[name].wait()
        self.hands[name] = self._started(*COMMAND, "worker", "--member", name)

    def look_after(self) -> None:
        """Who ended by itself is started anew, as `laporhub worker` does."""
        for name, process in self.hands.items():
            if (status := process.poll()) is not None:
                self.fell[f"{name} ended with {status}"] += 1
                self.hands[name] = self._started(*COMMAND, "worker", "--member", name)

    async def end(self) -> None:
        for process in self.hands.values():
            process.terminate()
        for process in self.hands.values():
            await ended(process)

    def _started(self, *command: str) -> subprocess.Popen[bytes]:
        with (self.city.folder / "worker.log").open("ab") as log:
            return subprocess.Popen(
                command, env=self.city.environment, cwd=self.city.folder, stdout=log, stderr=log
            )


async def ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it ended by itself; after half a minute it is killed, as supervisors do."""
    try:
        await asyncio.to_thread(process.wait, 30)
        return True
    except subprocess.TimeoutExpired:
        process.kill()
        await asyncio.to_thread(process.wait)
        return False


@contextmanager
def crew(city: City) -> Iterator[Crew]:
    made = Crew(city)
    try:
        yield made
    finally:
        for process in made.hands.values():
            process.kill()
            process.wait()


# ── what comes in ────────────────────────────────────────────────────────────────────────────────


@dataclass
class Feed:
    """All that is said and done, in portions; each piece once."""

    city: City
    hub: Hub
    platform: TwilioSimulator
    random: Random
    fed: list[str] = field(default_factory=list)
    """Cases that must come of it."""
    texts: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """What each WhatsApp number said, in order."""
    conversations: dict[str, str] = field(default_factory=dict)
    to_dispose: list[str] = field(default_factory=list)
    disposed: list[str] = field(default_factory=list)
    answered: list[str] = field(default_factory=list)

    async def complaints(self, numbers: range) -> None:
        by_page = [number for number in numbers if number % BY_WHATSAPP]
        await self._pages(by_page)
        chats = [number for number in numbers if number % BY_WHATSAPP == 0]
        for start in range(0, len(chats), 25):
            await asyncio.gather(*(self._chat(number) for number in chats[start : start + 25]))

    async def _pages(self, numbers: list[int]) -> None:
        book, records, keys = self.hub.rulebooks[PROFILE], [], []
        for number in numbers:
            message = self.hub._door.admit(book, "web", page(number), self.hub.now())
            if (key := self.hub.ring.pending(message.reporter)) is not None:
                keys.append(key)
            records.append(
                Given(
                    self.city.settings.topic_prefix + MESSAGES,
                    message.conversation.encode(),
                    write_message(message),
                )
            )
            self._expect(ids.case_id(message.id), message.conversation, number)
        with writer(self.hub.database).begin() as connection:
            save_keys(connection, keys)
        await self._send(records)

    async def _chat(self, number: int) -> None:
        """One citizen, whose messages the platform repeats until they are taken."""
        sender = phone(number)
        for round_, text in enumerate(said(number // BY_WHATSAPP)):
            sid = f"SM{number:016x}{round_:016x}"
            form = {"MessageSid": sid, "From": sender, "To": OFFICE, "Body": text, "MessageType": "text"}
            raw = Raw(urlencode(form).encode(), "application/x-www-form-urlencoded")
            self.texts[sender].append(text)
            await patiently(lambda raw=raw: self.hub.take(PROFILE, None, "twilio", raw))  # type: ignore[misc]
        first = ids.message_id(PROFILE, "whatsapp", OFFICE, f"SM{number:016x}{0:016x}")
        self._expect(ids.case_id(first), "", number)

    def _expect(self, case: str, conversation: str, number: int) -> None:
        self.fed.append(case)
        if number % 3 == 0:
            self.to_dispose.append(case)

    async def steps(self) -> None:
        """Clerks dispose of some cases that are there; units' systems answer some that they have."""
        records: list[Given] = []
        prefix = self.city.settings.topic_prefix
        there = await asyncio.to_thread(self._there, [*self.to_dispose, *self.disposed])
        for case in [each for each in self.to_dispose if each in there and there[each].status == "new"]:
            state = there[case]
            act = Act(
                id=f"d_dispose_{case}",
                profile=PROFILE,
                case_id=case,
                at=self.hub.now(),
                actor=CLERK,
                transition="dispose",
                fields={"unit": self.random.choice(UNITS)},
            )
            records.append(Given(prefix + COMMANDS, state.conversation.encode(), write_command(act)))
            self.to_dispose.remove(case)
            self.disposed.append(case)
        for case in [each for each in self.disposed if each in there and there[each].status == "working"]:
            asked = {"id": f"surat-{case}", "case_id": case, "transition": "answer"}
            value = json.dumps(asked | {"fields": {"response": "Sudah kami perbaiki."}}).encode()
            unit = there[case].unit or ""
            records.append(Given(unit_commands_topic(PROFILE, unit, prefix), case.encode(), value))
            self.disposed.remove(case)
            self.answered.append(case)
        await self._send(records)

    def _there(self, wanted: list[str]) -> dict[str, CaseState]:
        with self.hub.database.connect() as connection:
            return cases.load_cases(connection, wanted)

    async def _send(self, records: list[Given]) -> None:
        engine = self.hub.engine
        assert isinstance(engine, DistributedEngine)
        for start in range(0, len(records), 500):
            some = records[start : start + 500]
            await patiently(lambda some=some: engine._producer.send(some))  # type: ignore[misc]


# ── what happens ─────────────────────────────────────────────────────────────────────────────────


async def reached(count: Callable[[], int], target: int, crew: Crew) -> None:
    """Waits until so many are there."""
    while await asyncio.to_thread(count) < target:
        crew.look_after()
        await asyncio.sleep(POLL)


def stored(database: Engine) -> int:
    """How many events are committed."""
    with database.connect() as connection:
        return connection.execute(select(func.max(events.c.offset))).scalar() or 0


def unsent(database: Engine) -> dict[str, int]:
    with database.connect() as connection:
        open_ = select(outbox.c.status, func.count()).where(outbox.c.next_at.is_not(None))
        return dict(connection.execute(open_.group_by(outbox.c.status)).all())  # type: ignore[arg-type]


@dataclass
class Storm:
    """The kills, each in the middle of work, each with a guest that comes or goes."""

    feed: Feed
    crew: Crew
    kafka: RunningServer
    elasticsearch: RunningServer
    random: Random
    notes: list[str] = field(default_factory=list)

    async def rage(self) -> None:
        share = COMPLAINTS // KILLS
        restarts = self.random.sample(range(KILLS), 2)
        for kill in range(KILLS):
            begun = time.monotonic()
            last = COMPLAINTS if kill == KILLS - 1 else (kill + 1) * share
            guest = self.crew.guest()
            feeding = asyncio.create_task(self._feed(kill * share, last))
            restarting = None
            if kill in restarts:
                server = (self.kafka, self.elasticsearch)[restarts.index(kill)]
                restarting = asyncio.create_task(self._restart(server))
            before = await asyncio.to_thread(stored, self.feed.hub.database)
            target = before + self.random.randint(1, share * 4)
            await reached(lambda: stored(self.feed.hub.database), target, self.crew)
            await asyncio.sleep(self.random.uniform(0, 0.2))
            victim = self.random.choice(sorted(self.crew.hands))
            self.crew.kill(victim)
            await asyncio.sleep(self.random.uniform(0, 2))
            how = "killed" if kill % 4 == 3 else "asked to go"
            if how == "killed":
                guest.kill()
            else:
                guest.terminate()
            clean = await ended(guest)
            await feeding
            if restarting is not None:
                await restarting
            what = f"{server.name} restarted, " if restarting is not None else ""
            self.note(
                f"kill {kill + 1}: {victim} at event {target}, {what}guest {how}"
                f"{'' if clean else ' and had to be killed'}, {time.monotonic() - begun:.1f} s"
            )

    async def _feed(self, first: int, last: int) -> None:
        middle = (first + last) // 2
        await self.feed.complaints(range(first, middle))
        await self.feed.steps()
        await self.feed.complaints(range(middle, last))
        await self.feed.steps()

    async def _restart(self, server: RunningServer) -> None:
        await asyncio.sleep(self.random.uniform(0, 1))
        if self.random.random() < 0.5:
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
        else:
            await asyncio.to_thread(server.restart)

    def note(self, what: str) -> None:
        self.notes.append(what)
        print(what, flush=True)  # noqa: T201

    async def calm(self) -> None:
        """Until all that came in is done: stored, indexed, sent."""
        database = self.feed.hub.database
        for _ in range(2):  # a step leads to what the next one is about
            await self._settled()
            await self.feed.steps()
        await self._settled()
        # Those that a killed worker was sending are looked up when its lease is over. Nobody is at work meanwhile.
        await self.crew.end()
        left = unsent(database)
        with writer(database).begin() as connection:
            now = datetime.now(UTC)
            connection.execute(update(outbox).where(outbox.c.next_at.is_not(None)).values(next_at=now))
        self.note(f"replies whose sender was killed: {left}")
        self.crew.start()
        await reached(lambda: -sum(unsent(database).values()), 0, self.crew)
        await self._settled()

    async def _settled(self) -> None:
        """Until the workers have acknowledged all that there is, in the order in which one leads to the other."""
        units = tuple(f"unit-commands.{PROFILE}.{unit}" for unit in UNITS)
        for streams in (units, (MESSAGES, COMMANDS), (EVENTS, OUTBOX)):
            while not await self._acknowledged(streams):
                self.crew.look_after()
                await asyncio.sleep(0.2)

    async def _acknowledged(self, streams: Sequence[str]) -> bool:
        city = self.feed.city
        admin = AIOKafkaAdminClient(bootstrap_servers=city.kafka)
        await admin.start()
        try:
            async with AIOKafkaConsumer(bootstrap_servers=city.kafka) as consumer:
                topics = [city.settings.topic_prefix + stream for stream in streams]
                described = await admin.describe_topics(topics)
                ends = await consumer.end_offsets(
                    [
                        TopicPartition(topic["topic"], place["partition"])
                        for topic in described
                        for place in topic["partitions"]
                    ]
                )
                done = await admin.list_consumer_group_offsets(city.group)
        finally:
            await admin.close()
        return all(end == 0 or (tp in done and done[tp].offset >= end) for tp, end in ends.items())


# ── what must be so ──────────────────────────────────────────────────────────────────────────────


@dataclass
class Truth:
    """All that PostgreSQL has, and what follows from it."""

    states: dict[str, CaseState]
    histories: dict[str, list[CaseEvent]]
    bodies: dict[str, bytes]
    """Event → as it is stored."""

    @classmethod
    def of(cls, database: Engine) -> Truth:
        with database.connect() as connection:
            states = {state.id: state for some in cases.every_case(connection) for state in some}
            rows = connection.execute(select(events.c.id, events.c.body).order_by(events.c.id)).all()
        histories: dict[str, list[CaseEvent]] = defaultdict(list)
        for row in rows:
            histories[row.id.partition(".")[0]].append(read_event(row.body.encode()))
        return cls(states, histories, {row.id: row.body.encode() for row in rows})


def assert_one_case_a_complaint(truth: Truth, feed: Feed) -> None:
    assert sorted(truth.states) == sorted(truth.histories) == sorted(feed.fed)
    gaps = {
        case: history[-1].sequence
        for case, history in truth.histories.items()
        if [event.sequence for event in history] != list(range(1, truth.states[case].seq + 1))
    }
    assert gaps == {}
    spoken: Counter[tuple[str, ...]] = Counter()
    for case, history in truth.histories.items():
        assert reduce(evolve, history, None) == truth.states[case]  # type: ignore[arg-type]
        spoken[tuple(event.data.text for event in history if event.data.kind == "message_added")] += 1
    assert len(spoken) == len(feed.fed) and set(spoken.values()) == {1}
    assert {tuple(texts) for texts in feed.texts.values()} <= set(spoken)
    taken = Counter(
        (event.case_id, event.data.transition)
        for history in truth.histories.values()
        for event in history
        if event.data.kind == "transitioned" and event.data.transition in ("dispose", "answer")
    )
    asked = [(case, "dispose") for case in (*feed.disposed, *feed.answered)]
    asked += [(case, "answer") for case in feed.answered]
    assert taken == Counter(asked)


def assert_streamed(truth: Truth, records: list[tuple[bytes, bytes]]) -> int:
    """Every event, byte for byte; at first sight each case's in order. How many came more than once."""
    seen: dict[str, bytes] = {}
    newest: dict[bytes, int] = defaultdict(int)
    for key, value in records:
        event = read_event(value)
        if event.id in seen:
            assert seen[event.id] == value
            continue
        seen[event.id] = value
        assert key == event.case_id.encode()
        assert event.sequence == newest[key] + 1, f"{event.id} came behind or before its turn"
        newest[key] = event.sequence
    assert seen == truth.bodies
    return len(records) - len(seen)


def assert_indexed(truth: Truth, client: Elasticsearch, indices: Indices) -> None:
    client.indices.refresh(index=f"{indices.prefix}-*")

    def there(index: str) -> dict[str, tuple[int, object]]:
        found = scan(client, index=index, version=True, size=2000)
        return {hit["_id"]: (hit["_version"], hit["_source"]) for hit in found}

    def plain(document: Mapping[str, object]) -> object:
        """As it is kept."""
        kept = {name: value for name, value in document.items() if name not in SEARCHED_ONLY}
        return json.loads(orjson.dumps(kept, option=orjson.OPT_UTC_Z))

    states = truth.states.values()
    assert there(indices.cases) == {state.id: (state.seq, plain(case_document(state))) for state in states}
    found = there(f"{indices.prefix}-events-*")
    assert {name: document for name, (_, document) in found.items()} == {
        event.id: plain(event_document(event)) for history in truth.histories.values() for event in history
    }
    for unit in UNITS:
        assert there(indices.unit(PROFILE, unit)) == {
            state.id: (state.seq, plain(unit_document(case_document(state))))
            for state in states
            if state.unit == unit
        }


async def assert_forwarded(truth: Truth, city: City, hub: Hub) -> None:
    """Each unit has all that concerns it, in order, and nothing else; the queue has each case as it stands."""
    book, prefix = hub.rulebooks[PROFILE], city.settings.topic_prefix
    expected: dict[str, dict[bytes, list[bytes | None]]] = defaultdict(lambda: defaultdict(list))
    for history in truth.histories.values():
        for topic, key, value in forwarded(history, None, book, prefix):
            expected[topic][key].append(value)
    assert set(expected) == {unit_topic(PROFILE, unit, prefix) for unit in UNITS}
    for topic, wanted in expected.items():
        told: dict[bytes, list[bytes | None]] = defaultdict(list)
        for key, value in dict.fromkeys(await city.records(topic.removeprefix(prefix))):
            told[key].append(value)
        assert told == wanted, "at first sight in order"
    for channel in ("web", "whatsapp"):
        topic = queue_topic(PROFILE, channel, prefix)
        newest: dict[bytes, bytes | None] = dict(await city.records(topic.removeprefix(prefix)))
        wanted_work = {
            record.key: record.value
            for state in truth.states.values()
            for record in work(state, book, prefix)
            if record.topic == topic and record.value is not None
        }
        assert {key: value for key, value in newest.items() if value is not None} == wanted_work


def assert_each_reply_once(truth: Truth, platform: TwilioSimulator, database: Engine) -> int:
    """How many there were."""
    queued: Counter[tuple[str, ...]] = Counter()
    updates: Counter[tuple[str, str]] = Counter()
    for case, history in truth.histories.items():
        if truth.states[case].channel != "whatsapp":
            continue
        texts = tuple(event.data.text for event in history if event.data.kind == "reply_queued")
        queued[texts] += 1
        updates.update(
            (event.data.reply_id, event.data.status)
            for event in history
            if event.data.kind == "reply_updated"
        )
    arrived: dict[str, list[str]] = defaultdict(list)
    for message in platform.network.messages:
        if message.direction != "inbound":
            arrived[message.to].append(message.body)
    sent = Counter(tuple(texts) for texts in arrived.values())
    assert sent - queued == {}, "sent what was not queued, or more often"
    assert queued - sent == {}, "queued and not sent"
    replies = sum(len(texts) * times for texts, times in queued.items())
    assert ({status for _, status in updates}, set(updates.values())) == ({"sent"}, {1})
    assert len(updates) == replies
    with database.connect() as connection:
        assert set(connection.execute(select(outbox.c.status)).scalars()) == {"sent"}
    return replies


async def test_kills_rebalances_and_restarts(
    own_kafka: StartOwn, own_elasticsearch: StartOwn, postgres: str, tmp_path: Path
) -> None:
    print(f"\n{COMPLAINTS} complaints, {KILLS} kills, seed {SEED}")  # noqa: T201
    moments, kafka, search = Random(SEED), own_kafka(), own_elasticsearch()
    platform = simulator()
    async with serving(platform) as url:
        city = City(
            kafka.url,
            search.url,
            postgres,
            tmp_path,
            new_name(),
            profile=str(small_government(tmp_path / "profile")),
        )
        object.__setattr__(city, "platform", url)
        await asyncio.to_thread(city.run, "setup")
        for number in range(0, COMPLAINTS, BY_WHATSAPP):
            for text in said(number // BY_WHATSAPP):
                platform.network.receive(phone(number), text)
        async with open_hub(city.settings) as hub:
            with crew(city) as hands:
                hands.start()
                storm = Storm(Feed(city, hub, platform, moments), hands, kafka, search, moments)
                try:
                    await storm.rage()
                    await storm.calm()
                    await hands.end()
                except BaseException:
                    print(city.workers_log())  # noqa: T201
                    raise
            truth = Truth.of(hub.database)
            assert_one_case_a_complaint(truth, storm.feed)
            twice = assert_streamed(truth, await city.records())
            with Elasticsearch(search.url) as client:
                assert_indexed(truth, client, Indices(city.name))
            await assert_forwarded(truth, city, hub)
            replies = assert_each_reply_once(truth, platform, hub.database)
            with hub.database.connect() as connection:
                assert connection.execute(select(func.count()).select_from(dead_letters)).scalar() == 0
    print(  # noqa: T201
        f"{len(truth.states)} cases, {len(truth.bodies)} events ({twice} streamed more than once), {replies} replies, "
        f"{len(storm.feed.answered)} answered by units; workers that fell by themselves: {dict(hands.fell)}"
    )
