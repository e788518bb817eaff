"""kill -9 at random moments: nothing is lost, nothing is there twice, every reply is sent exactly once."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest

from laporhub.simulators.serving import serving
from laporhub.simulators.twilio import TwilioSimulator

pytestmark = pytest.mark.crash

SEED = 20261123
OFFICE = "whatsapp:+628112920200"
ACCOUNT, TOKEN = "AC" + "0" * 32, "not-a-secret"
POLL = 0.005
INCOMPLETE = "tolong pak"


def small_government(folder: Path) -> Path:
    """The sample profile with WhatsApp: a process is sooner at work than with a province's hundred units."""
    shutil.copytree(Path(__file__).parent / "data" / "minimal-profile", folder)
    profile = folder / "profile.yaml"
    channel = f'{{code: WA, title: WhatsApp, account: "{OFFICE}", provider: twilio}}'
    text = profile.read_text(encoding="utf-8").replace(
        "channels: [web, sms]", "channels: [web, sms, whatsapp]"
    )
    profile.write_text(
        text.replace("channels:\n", f"channels:\n  whatsapp: {channel}\n", 1), encoding="utf-8"
    )
    return folder


def phone(number: int) -> str:
    """No network gives out numbers that begin so."""
    return f"whatsapp:+62800{number:08d}"


def said(number: int) -> list[str]:
    """What this citizen writes: mostly one complaint; some add to it, some have to be asked, once or twice."""
    complaint = (
        f"Jalan Contoh nomor {number} di Kabupaten Batang berlubang sejak minggu lalu, dua motor jatuh"
    )
    match number % 20:
        case 3:
            return [complaint, f"Tambahan untuk nomor {number}: lampu jalan juga mati"]
        case 7:
            return [INCOMPLETE, complaint]
        case 11:
            return [INCOMPLETE, INCOMPLETE, complaint]
        case _:
            return [complaint]


@dataclass(frozen=True)
class Saying:
    """One message: who, what, and its id on the platform."""

    sid: str
    sender: str
    text: str

    @property
    def form(self) -> str:
        kind = {"MessageSid": self.sid, "From": self.sender, "To": OFFICE, "Body": self.text}
        return urlencode(kind | {"MessageType": "text", "ProfileName": "Warga Contoh"})


def sayings(citizens: int) -> list[Saying]:
    """In an order in which the messages of many citizens are mixed, each citizen's own in order."""
    queue = [(round_, number) for number in range(citizens) for round_ in range(len(said(number)))]
    shuffled = random.Random(SEED)
    place = {number: shuffled.random() for number in range(citizens)}
    queue.sort(key=lambda each: (place[each[1]] + each[0] * 0.01, each[1], each[0]))
    return [
        Saying(f"SM{number:016x}{round_:016x}", phone(number), said(number)[round_])
        for round_, number in queue
    ]


def simulator(hook: str = "http://127.0.0.1:9/hooks/twilio") -> TwilioSimulator:
    return TwilioSimulator(ACCOUNT, TOKEN, [OFFICE], hook, None, lambda: datetime.now(UTC), seed=SEED)


@dataclass
class Laporhub:
    """The installed command on one data folder, to be killed."""

    data: Path
    platform: str
    more: Mapping[str, str] = field(default_factory=dict)
    """Variables beside Twilio's."""

    @asynccontextmanager
    async def running(self, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LAPORHUB_")}
        environment |= {
            "LAPORHUB_TWILIO_ACCOUNT_SID": ACCOUNT,
            "LAPORHUB_TWILIO_AUTH_TOKEN": TOKEN,
            "LAPORHUB_TWILIO_API_URL": self.platform,
            **self.more,
        }
        command = (sys.executable, "-m", "laporhub.hub.cli", *arguments, "--data", str(self.data))
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, cwd=self.data.parent, stdout=pipe, stderr=pipe
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    def events(self) -> int:
        """How many events are committed."""
        return int(self._one('SELECT coalesce(max("offset"), 0) FROM events'))

    def waiting(self) -> int:
        """How many replies are still to be sent."""
        return self._one("SELECT count(*) FROM outbox WHERE next_at IS NOT NULL")

    def _one(self, statement: str) -> int:
        try:
            with closing(sqlite3.connect(f"file:{self.data}/hub.db?mode=ro", uri=True)) as connection:
                return int(connection.execute(statement).fetchone()[0])
        except sqlite3.OperationalError:  # not made yet
            return 0

    def rows(self, statement: str) -> Iterator[tuple[object, ...]]:
        with closing(sqlite3.connect(self.data / "hub.db")) as connection:
            yield from connection.execute(statement)


async def reached(process: asyncio.subprocess.Process, count: Callable[[], int], target: int) -> bool:
    """Waits until `count` is at the target; False if the process ends before."""
    while count() < target:
        if process.returncode is not None:
            return False
        await asyncio.sleep(POLL)
    return True


async def killed(process: asyncio.subprocess.Process) -> None:
    process.send_signal(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL


def assert_each_once(hub: Laporhub, platform: TwilioSimulator, everything: list[Saying]) -> None:
    """Every citizen has one case with all they said; histories have no gap; each reply was sent once, in order."""
    assert [row[0] for row in hub.rows("PRAGMA integrity_check")] == ["ok"]
    histories: dict[str, list[dict[str, object]]] = defaultdict(list)
    for (body,) in hub.rows("SELECT body FROM events ORDER BY id"):
        event = json.loads(str(body, "utf-8") if isinstance(body, bytes) else str(body))
        histories[event["subject"]].append(event)
    citizens = Counter(each.sender for each in everything)
    assert len(histories) == len(citizens)
    assert [row[0] for row in hub.rows("SELECT count(*) FROM cases")] == [len(citizens)]
    assert [row[0] for row in hub.rows("SELECT count(*) FROM tracking")] == [len(citizens)]
    assert [row[0] for row in hub.rows("SELECT count(*) FROM messages")] == [len(everything)]
    sequences = {case: [event["sequence"] for event in history] for case, history in histories.items()}
    assert {case: s for case, s in sequences.items() if s != list(range(1, len(s) + 1))} == {}
    seqs = dict(hub.rows("SELECT id, seq FROM cases"))
    assert seqs == {case: len(history) for case, history in histories.items()}

    heard = Counter(
        tuple(data["text"] for data in _data(history, "message_added")) for history in histories.values()
    )
    spoken: dict[str, list[str]] = defaultdict(list)
    for saying in everything:
        spoken[saying.sender].append(saying.text)
    assert heard == Counter(tuple(texts) for texts in spoken.values())

    queued = Counter(
        tuple(d["text"] for d in _data(history, "reply_queued")) for history in histories.values()
    )
    arrived: dict[str, list[str]] = defaultdict(list)
    for message in platform.network.messages:
        if message.direction != "inbound":
            arrived[message.to].append(message.body)
    sent = Counter(tuple(texts) for texts in arrived.values())
    assert sent - queued == {}, "sent what was not queued, or more often"
    assert queued - sent == {}, "queued and not sent"
    updates = [
        Counter((d["reply_id"], d["status"]) for d in _data(history, "reply_updated"))
        for history in histories.values()
    ]
    replies = sum(len(texts) * times for texts, times in queued.items())
    assert {status for counted in updates for _, status in counted} == {"sent"}
    assert {times for counted in updates for times in counted.values()} == {1}
    assert sum(len(counted) for counted in updates) == replies
    assert {row[0] for row in hub.rows("SELECT status FROM outbox")} == {"sent"}


def _data(history: list[dict[str, object]], kind: str) -> list[dict[str, object]]:
    return [data for event in history if isinstance(data := event["data"], dict) and data["kind"] == kind]


async def test_fifty_kills_while_five_thousand_complaints_come_in(tmp_path: Path) -> None:
    everything = sayings(5000)
    source = tmp_path / "whatsapp.txt"
    source.write_text("".join(f"{saying.form}\n" for saying in everything), encoding="ascii")
    platform, moments = simulator(), random.Random(SEED)
    for saying in everything:
        platform.network.receive(saying.sender, saying.text)
    async with serving(platform) as url:
        hub = Laporhub(tmp_path / "data", url)
        profile = small_government(tmp_path / "profile")
        command = ("ingest", "whatsapp", str(source), "--deliver", "--profile", str(profile))
        for kill in range(50):
            async with hub.running(*command) as process:
                if moments.random() < 0.4:
                    at_work = await reached(process, hub.events, hub.events() + 1)
                    await asyncio.sleep(moments.uniform(0, 0.2))
                else:
                    target = len(platform.log) + moments.randint(1, 120)
                    at_work = await reached(process, lambda: len(platform.log), target)
                    await asyncio.sleep(moments.uniform(0, 0.02))
                assert at_work, f"ended before kill {kill}: {(await process.communicate())[1].decode()}"
                await killed(process)
        async with hub.running(*command) as process:
            output, errors = await process.communicate()
        assert (process.returncode, errors) == (0, b"")
    tally = json.loads(output)
    assert tally["accepted"] + tally["duplicate"] == len(everything)
    assert (tally["rejected"], tally["dead_lettered"]) == (0, 0)
    assert_each_once(hub, platform, everything)


async def test_kills_of_the_server_while_the_platform_delivers_and_repeats(tmp_path: Path) -> None:
    """The platform posts each message until it is answered with 200; some it posts again although it was."""
    port, everything, moments = free_port(), sayings(500), random.Random(SEED)
    platform = simulator(f"http://127.0.0.1:{port}/hooks/twilio")
    posts = Posts(platform)
    async with serving(platform) as url:
        hub = Laporhub(tmp_path / "data", url)
        command = ("serve", "--port", str(port))
        posting = asyncio.create_task(posts.post_all(everything))
        for _ in range(5):
            async with hub.running(*command) as process:
                target = posts.answered + moments.randint(20, 100)
                assert await reached(process, lambda: posts.answered, target), await process.communicate()  # noqa: B023
                await asyncio.sleep(moments.uniform(0, 0.05))
                await killed(process)
        async with hub.running(*command) as process:
            await posting
            assert await reached(process, lambda: -hub.waiting(), 0), await process.communicate()
        await platform.aclose()
    assert_each_once(hub, platform, everything)


@dataclass
class Posts:
    """The platform's side: a few messages at a time, each citizen's in order."""

    platform: TwilioSimulator
    answered: int = 0
    _made: int = 0

    async def post_all(self, everything: list[Saying]) -> None:
        by_citizen: dict[str, list[Saying]] = defaultdict(list)
        for saying in everything:
            by_citizen[saying.sender].append(saying)
        waiting = iter(by_citizen.values())

        async def post_some() -> None:
            for own in waiting:
                for saying in own:
                    await self._post(saying)

        await asyncio.gather(*(post_some() for _ in range(8)))

    async def _post(self, saying: Saying) -> None:
        number = self._made
        self._made += 1
        status = await self.platform.citizen_says(saying.sender, saying.text)
        while status != 200:
            await asyncio.sleep(0.05)
            status = await self.platform.repeat_webhook(number)
        self.answered += 1
        if number % 10 == 0:
            await self.platform.repeat_webhook(number)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
