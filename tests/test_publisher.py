"""Replies on their way: in order, each part at most once, whatever the platform and the hub do in between."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ADMIN, COMPLETE, Clock, Stub, hub_on, unit_admin, whatsapp

from laporhub.hub.hub import Hub
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.connector import WINDOW_CLOSED, Failed, Outcome, Outgoing, Raw, Sent, Unknown
from laporhub.pipeline.errors import RetryLater, StopChannel
from laporhub.pipeline.messages import Location
from laporhub.pipeline.publisher import Publisher
from laporhub.pipeline.store import outbox
from laporhub.pipeline.store.tables import outbox as outbox_table

PROFILE = "laporgub-jateng"
WHATSAPP = "whatsapp:+628112920200"
PLACE = Location(address="Jalan Contoh, Batang")
LEASE = timedelta(minutes=11)
"""Longer than a platform may take to answer."""


@dataclass
class Platform:
    """A connector to a platform that follows a script, one word a call of `publish`, then takes everything.

    take · busy (with `hint`) · dead · refuse · late (the window is closed) · lost (taken, no answer) ·
    gone (not taken, no answer) · broken (an exception nobody foresaw, not taken) · hang (taken, never answers)
    """

    size: int = 10_000
    hint: float | None = None
    script: deque[str] = field(default_factory=deque)
    script_of: dict[str, deque[str]] = field(default_factory=dict)
    arrived: list[Outgoing] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    hangs: asyncio.Event = field(default_factory=asyncio.Event)

    def split(self, text: str) -> Sequence[str]:
        return [text[start : start + self.size] for start in range(0, len(text), self.size)]

    async def publish(self, outgoing: Outgoing) -> Outcome:
        self.calls.append("publish")
        script = self.script_of.get(outgoing.to, self.script)
        word = script.popleft() if script else "take"
        if word in ("take", "lost", "hang"):
            self.arrived.append(outgoing)
        match word:
            case "take":
                return Sent(f"P{len(self.arrived) - 1}")
            case "busy":
                raise RetryLater("busy", after=self.hint)
            case "dead":
                raise StopChannel("the account is banned")
            case "refuse":
                return Failed("opted_out (21610)")
            case "late":
                return Failed(WINDOW_CLOSED)
            case "lost" | "gone":
                return Unknown("no answer")
            case "broken":
                raise ZeroDivisionError("a mistake nobody foresaw")
            case _:
                self.hangs.set()
                return await asyncio.get_running_loop().create_future()

    able = True

    async def look_up(self, outgoing: Outgoing, known: frozenset[str]) -> Sent | None:
        self.calls.append("look_up")
        for number, each in enumerate(self.arrived):
            if f"P{number}" not in known and (each.to, each.text) == (outgoing.to, outgoing.text):
                return Sent(f"P{number}")
        return None

    def texts(self, citizen: int = 1) -> list[str]:
        return [each.text for each in self.arrived if each.to == address(citizen)]


def address(citizen: int) -> str:
    return f"whatsapp:+62811000{citizen:05d}"


@contextmanager
def a_plain_classifier() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("laporhub.hub.routing.cold_start", lambda _: Stub())
        yield


@asynccontextmanager
async def speaking(folder: Path, platform: Platform, clock: Clock) -> AsyncIterator[Hub]:
    """A hub that answers WhatsApp on `platform`, as after a start: what was interrupted is recovered."""
    with a_plain_classifier():
        async with hub_on(folder, clock) as hub:
            hub.publisher = publisher_of(hub, platform, clock)
            await hub.publisher.recover()
            yield hub


def publisher_of(hub: Hub, platform: Platform, clock: Clock, channel: str = "whatsapp") -> Publisher:
    return Publisher(hub.database, hub.engine, {(PROFILE, channel): platform}, hub.ring, clock)  # type: ignore[dict-item]


async def write(hub: Hub, citizen: int = 1, number: int = 0, text: str = COMPLETE) -> CaseState:
    """A citizen writes a complete complaint, a new case each: it is acknowledged."""
    inbound = whatsapp(citizen, f"Aduan baru {number}: {text}", sid=f"SM{citizen}-{number}", location=PLACE)
    receipt = await hub.receive(PROFILE, "whatsapp", inbound)
    return latest(hub, receipt.ticket)


def latest(hub: Hub, ticket: str) -> CaseState:
    state = hub.case(ticket)
    assert state is not None
    return state


def queued(hub: Hub, *states: CaseState) -> list[str]:
    """The texts of the replies of these cases, in order."""
    return [e.data.text for s in states for e in hub.events(s.id) if e.data.kind == "reply_queued"]


def replies(hub: Hub, state: CaseState) -> list[tuple[str, str | None]]:
    return [(reply.status, reply.reason) for reply in latest(hub, state.ticket).replies.values()]


def reply_row(hub: Hub, state: CaseState) -> outbox.Queued:
    (name, *_) = latest(hub, state.ticket).replies
    with hub.database.connect() as connection:
        found = outbox.where_is(connection, name)
    assert found is not None
    return found


async def until_nothing_waits(hub: Hub, clock: Clock) -> None:
    while hub.publisher.next_due() is not None:
        await hub.publisher.send_due()
        clock.forward(hours=2)


async def send_and_crash(hub: Hub, platform: Platform) -> None:
    """Sends until the platform has a message and does not answer; then the process is gone."""
    sending = asyncio.create_task(hub.publisher.send_due())
    await platform.hangs.wait()
    platform.hangs.clear()
    sending.cancel()
    with suppress(asyncio.CancelledError):
        await sending


# ── order ──


async def test_replies_of_a_conversation_go_out_in_order_and_do_not_hold_up_others(tmp_path: Path) -> None:
    platform, clock = Platform(), Clock()
    platform.script_of[address(1)] = deque(["busy", "busy"])
    async with speaking(tmp_path, platform, clock) as hub:
        mine = [await write(hub, 1, number) for number in range(3)]
        theirs = [await write(hub, 2, number) for number in range(3)]
        while await hub.publisher.send_due():
            pass
        assert platform.texts(1) == []
        assert platform.texts(2) == queued(hub, *theirs)
        await until_nothing_waits(hub, clock)
        assert platform.texts(1) == queued(hub, *mine)
        assert {status for state in mine for status, _ in replies(hub, state)} == {"sent"}


async def test_a_reply_behind_another_is_not_due_before_it(tmp_path: Path) -> None:
    platform, clock = Platform(script=deque(["busy"]), hint=600), Clock()
    async with speaking(tmp_path, platform, clock) as hub:
        assert hub.publisher.next_due() is None
        for number in range(2):
            await write(hub, 1, number)
        await hub.publisher.send_due()
        assert hub.publisher.next_due() == clock() + timedelta(seconds=600)


async def test_replies_wait_for_a_channel_that_is_not_configured(tmp_path: Path) -> None:
    with a_plain_classifier():
        async with hub_on(tmp_path) as hub:
            state = await write(hub)
            assert await hub.publisher.send_due() == 0
            assert replies(hub, state) == [("queued", None)]


# ── busy, stopped ──


@pytest.mark.parametrize(("hint", "wait"), [(90.0, 90), (None, 1)])
async def test_a_busy_platform_is_left_alone_as_long_as_it_says(
    tmp_path: Path, hint: float | None, wait: int
) -> None:
    platform, clock = Platform(script=deque(["busy"]), hint=hint), Clock()
    async with speaking(tmp_path, platform, clock) as hub:
        state = await write(hub)
        await hub.publisher.send_due()
        clock.forward(seconds=wait - 0.5)
        assert await hub.publisher.send_due() == 0
        clock.forward(seconds=0.5)
        assert await hub.publisher.send_due() == 1
        assert platform.calls == ["publish", "publish"], "it was refused for certain: nothing to look up"
        assert replies(hub, state) == [("sent", None)]


async def test_without_a_hint_the_pauses_double_up_to_an_hour_and_never_end(tmp_path: Path) -> None:
    platform, clock = Platform(script=deque(["busy"] * 16)), Clock()
    async with speaking(tmp_path, platform, clock) as hub:
        state = await write(hub)
        pauses = []
        for attempts in [*range(14), 5000]:
            many = {"attempts": attempts}
            change = outbox_table.update().values(many)
            await hub.engine.submit(job=lambda connection, change=change: connection.execute(change))  # type: ignore[misc]
            await hub.publisher.send_due()
            due = hub.publisher.next_due()
            assert due is not None
            pauses.append((due - clock()).total_seconds())
            clock.at = due
        assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600, 3600]
        assert replies(hub, state) == [("queued", None)]


async def test_a_dead_account_rests_says_so_and_comes_back(tmp_path: Path) -> None:
    platform, clock = Platform(), Clock()
    platform.script_of[address(1)] = deque(["dead"])
    async with speaking(tmp_path, platform, clock) as hub:
        first = await write(hub, 1)
        await hub.publisher.send_due()
        assert hub.ready()["accounts"] == f"stopped: {WHATSAPP}"
        second = await write(hub, 2)
        await hub.publisher.send_due()
        assert platform.calls == ["publish"], "the account is left alone"
        clock.forward(minutes=5)
        assert hub.ready()["accounts"] == f"stopped: {WHATSAPP}", "until it has been seen to work"
        await until_nothing_waits(hub, clock)
        assert hub.ready()["accounts"] == "ok"
        assert platform.texts(1) == queued(hub, first)
        assert platform.texts(2) == queued(hub, second)


# ── unknown outcomes ──


@pytest.mark.parametrize("word", ["lost", "gone", "broken"])
async def test_an_unknown_outcome_is_looked_up_before_it_is_tried_again(tmp_path: Path, word: str) -> None:
    platform, clock = Platform(script=deque([word])), Clock()
    async with speaking(tmp_path, platform, clock) as hub:
        state = await write(hub)
        await hub.publisher.send_due()
        assert replies(hub, state) == [("queued", None)]
        await until_nothing_waits(hub, clock)
        assert platform.texts() == queued(hub, state)
        assert platform.calls == ["publish", "look_up"] + ["publish"] * (word != "lost")
        assert replies(hub, state) == [("sent", None)]
        assert reply_row(hub, state).sent == ("P0",)


async def test_the_same_words_twice_are_two_messages(tmp_path: Path) -> None:
    """The reporter is told the same twice: the first message must not pass for the second."""
    platform, clock = Platform(), Clock()
    async with speaking(tmp_path, platform, clock) as hub:
        state = await write(hub)
        await hub.act(state.id, "answer", {"response": "Sudah ditambal."}, ADMIN)
        await until_nothing_waits(hub, clock)
        await hub.act(state.id, "close", {}, ADMIN)
        before, platform.calls = len(platform.arrived), []
        for number in range(2):
            platform.script.append("lost")
            inbound = whatsapp(1, "masih berlubang", sid=f"SM-again-{number}")
            await hub.receive(PROFILE, "whatsapp", inbound)
            await until_nothing_waits(hub, clock)
        first, second = (each.text for each in platform.arrived[before:])
        assert first == second
        assert queued(hub, state)[-2:] == [first, second]
        assert platform.calls == ["publish", "look_up"] * 2


async def test_an_outcome_that_stays_unknown_is_asked_for_less_and_less_often(tmp_path: Path) -> None:
    platform, clock = Platform(script=deque(["gone"] * 10)), Clock()
    async with speaking(tmp_path, platform, clock) as hub:
        await write(hub)
        pauses = []
        while platform.script:
            await hub.publisher.send_due()
            due = hub.publisher.next_due()
            assert due is not None
            pauses.append((due - clock()).total_seconds())
            clock.at = due
        assert pauses == [5, 5, 5, 8, 16, 32, 64, 128, 256, 512]


@pytest.mark.parametrize("word", ["hang", "before"])
async def test_a_crash_while_sending_is_looked_up_after_the_restart(tmp_path: Path, word: str) -> None:
    platform, clock = Platform(script=deque(["hang"])), Clock()
    async with speaking(tmp_path, platform, clock) as hub:
        state = await write(hub)
        await send_and_crash(hub, platform)
        assert reply_row(hub, state).status == "sending"
    if word == "before":
        platform.arrived.clear()
    async with speaking(tmp_path, platform, clock) as hub:
        assert await hub.publisher.send_due() == 0, "the platform may still be at it"
        await until_nothing_waits(hub, clock)
        assert platform.texts() == queued(hub, state)
        assert platform.calls == ["publish", "look_up"] + ["publish"] * (word == "before")
        assert replies(hub, state) == [("sent", None)]


async def test_what_the_hub_could_not_note_down_is_looked_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full just after the platform took it: it must not count as unsent."""
    platform, clock = Platform(), Clock()
    async with speaking(tmp_path, platform, clock) as hub:
        state, honest = await write(hub), hub.engine.submit

        async def full(**given: object) -> object:
            if given.get("command") is not None:
                raise RetryLater("It could not be stored (disk is full)")
            return await honest(**given)  # type: ignore[arg-type]

        monkeypatch.setattr(hub.engine, "submit", full)
        await hub.publisher.send_due()
        monkeypatch.setattr(hub.engine, "submit", honest)
        assert reply_row(hub, state).status == "sending"
        assert await hub.publisher.send_due() == 0
        clock.at += LEASE
        await until_nothing_waits(hub, clock)
        assert platform.calls == ["publish", "look_up"]
        assert platform.texts() == queued(hub, state)
        assert replies(hub, state) == [("sent", None)]


async def test_work_that_the_engine_has_to_repeat_sends_nothing_twice(tmp_path: Path) -> None:
    """One thing in a batch breaks: all of it is done again, one by one."""
    platform, clock, hold = Platform(), Clock(), threading.Event()

    def busy(_: object) -> None:
        hold.wait()

    def broken(_: object) -> None:
        raise ZeroDivisionError("a mistake nobody foresaw")

    async with speaking(tmp_path, platform, clock) as hub:
        states = [await write(hub, citizen) for citizen in range(5)]
        waiting = asyncio.create_task(hub.engine.submit(job=busy))
        await asyncio.sleep(0)
        sending = asyncio.create_task(hub.publisher.send_due())
        poison = asyncio.create_task(hub.engine.submit(job=broken))
        await asyncio.sleep(0)
        hold.set()
        await asyncio.gather(waiting, poison, return_exceptions=True)
        assert await sending == 5
        assert [platform.texts(citizen) for citizen in range(5)] == [queued(hub, state) for state in states]


# ── several parts ──


@pytest.mark.parametrize("word", ["busy", "dead", "lost", "gone", "broken"])
@pytest.mark.parametrize("before", [0, 1, 2])
async def test_parts_are_resumed_where_they_stopped(tmp_path: Path, word: str, before: int) -> None:
    platform, clock = Platform(size=60, script=deque(["take"] * before + [word])), Clock()
    async with speaking(tmp_path, platform, clock) as hub:
        state = await write(hub)
        (text,) = queued(hub, state)
        parts = list(platform.split(text))
        assert len(parts) > 3
        await hub.publisher.send_due()
        assert platform.texts() == parts[: before + (word == "lost")]
        await until_nothing_waits(hub, clock)
        assert platform.texts() == parts
        assert [each.part for each in platform.arrived] == list(range(len(parts)))
        assert reply_row(hub, state).sent == tuple(f"P{number}" for number in range(len(parts)))


@pytest.mark.parametrize("before", [0, 1, 2])
async def test_a_crash_between_two_parts_repeats_none(tmp_path: Path, before: int) -> None:
    platform, clock = Platform(size=60, script=deque(["take"] * before + ["hang"])), Clock()
    async with speaking(tmp_path, platform, clock) as hub:
        state = await write(hub)
        await send_and_crash(hub, platform)
    async with speaking(tmp_path, platform, clock) as hub:
        await until_nothing_waits(hub, clock)
        assert platform.texts() == list(platform.split(*queued(hub, state)))
        assert replies(hub, state) == [("sent", None)]


# ── what cannot be delivered is for a person ──


async def test_a_response_that_is_refused_stays_with_the_office_until_it_arrives(tmp_path: Path) -> None:
    platform, clock = Platform(), Clock()
    async with speaking(tmp_path, platform, clock) as hub:
        state, unit = await write(hub), next(iter(hub.rulebooks[PROFILE].units))
        await hub.act(state.id, "dispose", {"unit": unit}, ADMIN)
        await hub.act(state.id, "respond", {"response": "Sudah diperbaiki."}, unit_admin(unit))
        await until_nothing_waits(hub, clock)
        platform.script.append("refuse")
        await hub.act(state.id, "approve", {}, ADMIN)
        await until_nothing_waits(hub, clock)
        assert latest(hub, state.ticket).status == "approved"
        assert replies(hub, state)[-1] == ("failed", "opted_out (21610)")
        await hub.act(state.id, "resend", {}, ADMIN)
        await until_nothing_waits(hub, clock)
        assert latest(hub, state.ticket).status == "answered"
        name = list(latest(hub, state.ticket).replies)[-1]
        body = f"MessageSid=SM9&MessageStatus=undelivered&ErrorCode=30003&To={WHATSAPP}"
        await hub.take(PROFILE, None, "twilio", Raw(body.encode(), url=f"https://hub.example/?reply={name}"))
        assert latest(hub, state.ticket).status == "approved", "it turned out not to have arrived"
        assert replies(hub, state)[-1] == ("failed", "unreachable (30003)")


async def test_a_refused_reply_does_not_hold_up_the_next(tmp_path: Path) -> None:
    platform, clock = Platform(script=deque(["refuse"])), Clock()
    async with speaking(tmp_path, platform, clock) as hub:
        first, second = await write(hub, 1, 1), await write(hub, 1, 2)
        await until_nothing_waits(hub, clock)
        assert platform.texts() == queued(hub, second)
        assert replies(hub, first) == [("failed", "opted_out (21610)")]


async def test_an_erased_reporter_is_not_written_to(tmp_path: Path) -> None:
    platform, clock = Platform(), Clock()
    async with speaking(tmp_path, platform, clock) as hub:
        state = await write(hub)
        hub.ring.erase(state.reporter)
        await until_nothing_waits(hub, clock)
        assert platform.calls == []
        assert replies(hub, state) == [("failed", "no_address")]


async def test_words_that_were_erased_are_not_sent_to_who_writes_again(tmp_path: Path) -> None:
    platform, clock = Platform(), Clock()
    async with speaking(tmp_path, platform, clock) as hub:
        state = await write(hub, 1, 1)
        await until_nothing_waits(hub, clock)
        await hub.act(state.id, "ask", {"question": "Apakah nomor Anda 0811 2345 678?"}, ADMIN)
        hub.ring.erase(state.reporter)
        again = await write(hub, 1, 2)
        await until_nothing_waits(hub, clock)
        assert replies(hub, state)[-1] == ("failed", "erased")
        assert platform.texts()[1:] == queued(hub, again)


# ── it goes on ──


# ── stopping, and who comes too late ──


async def test_an_orderly_stop_lets_the_platform_answer(tmp_path: Path) -> None:
    platform, clock = Slow(), Clock()
    async with speaking(tmp_path, platform, clock) as hub:
        state = await write(hub)
        running = asyncio.create_task(hub.publisher.run())
        await platform.hangs.wait()
        running.cancel()
        await asyncio.sleep(0)
        platform.may_answer.set()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert replies(hub, state) == [("sent", None)]
        assert platform.texts() == queued(hub, state)


async def test_a_stop_does_not_wait_for_ever(tmp_path: Path) -> None:
    platform, clock = Platform(script=deque(["hang"])), Clock()
    async with speaking(tmp_path, platform, clock) as hub:
        state = await write(hub)
        running = asyncio.create_task(hub.publisher.run(grace_seconds=0.05))
        await platform.hangs.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert reply_row(hub, state).status == "sending", "to be looked up when its lease is over"


async def test_who_comes_after_the_lease_leaves_it_to_whoever_looks_it_up(tmp_path: Path) -> None:
    """The platform took a quarter of an hour to refuse; meanwhile another sender may have it."""
    platform, clock = Slow(word="refuse"), Clock()
    async with speaking(tmp_path, platform, clock) as hub:
        state = await write(hub)
        sending = asyncio.create_task(hub.publisher.send_due())
        await platform.hangs.wait()
        clock.forward(minutes=15)
        platform.may_answer.set()
        await sending
        assert replies(hub, state) == [("queued", None)]
        assert reply_row(hub, state).status == "sending"
        await until_nothing_waits(hub, clock)
        assert replies(hub, state) == [("sent", None)]


async def test_a_reply_that_another_sender_has_is_not_marked(tmp_path: Path) -> None:
    platform, clock = Slow(), Clock()
    async with speaking(tmp_path, platform, clock) as hub:
        state = await write(hub)
        sending = asyncio.create_task(hub.publisher.send_due())
        await platform.hangs.wait()
        theirs = clock() + timedelta(hours=1)
        with hub.database.begin() as connection:
            connection.execute(outbox_table.update().values(next_at=theirs))
        platform.may_answer.set()
        await sending
        row = reply_row(hub, state)
        assert (row.status, row.next_at) == ("sending", theirs)
        assert replies(hub, state) == [("queued", None)], "neither the row nor the case"


@dataclass
class Slow(Platform):
    """Answers when it may, at first with `word`, then as usual."""

    word: str = "take"
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def publish(self, outgoing: Outgoing) -> Outcome:
        self.hangs.set()
        await self.may_answer.wait()
        if self.word == "refuse":
            self.word = "take"
            return Failed("opted_out (21610)")
        return await super().publish(outgoing)


async def test_a_mistake_in_a_connector_does_not_stop_the_others(tmp_path: Path) -> None:
    platform, clock = Platform(), Clock()
    platform.script_of[address(0)] = deque(["broken"] * 20)
    async with speaking(tmp_path, platform, clock) as hub:
        states = [await write(hub, citizen) for citizen in range(5)]
        await hub.publisher.send_due()
        assert [replies(hub, state) for state in states] == [[("queued", None)]] + [[("sent", None)]] * 4


async def test_the_publisher_outlives_whatever_goes_wrong_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    platform, clock, done = Platform(), Clock(), asyncio.Event()
    async with speaking(tmp_path, platform, clock) as hub:
        state, honest, calls = await write(hub), hub.publisher.send_due, iter(range(100))

        async def sometimes(*lanes: tuple[str, str]) -> int:
            if next(calls) == 0:
                raise RetryLater("The hub cannot take anything now")
            handled = await honest(*lanes)
            done.set()
            return handled

        monkeypatch.setattr(hub.publisher, "send_due", sometimes)
        running = asyncio.create_task(hub.publisher.run(idle_seconds=0))
        await done.wait()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        assert replies(hub, state) == [("sent", None)]


# ── all of it at random ──

WORDS = ["take", "busy", "dead", "lost", "gone", "broken", "hang", "refuse"]


@settings(max_examples=40)
@given(
    script=st.lists(st.sampled_from(WORDS), max_size=14),
    messages=st.lists(st.integers(1, 2), min_size=1, max_size=4),
    size=st.sampled_from([10_000, 120, 60]),
)
def test_each_part_arrives_at_most_once_and_in_order(
    script: list[str], messages: list[int], size: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_whatever_happens(Path(folder), Platform(size=size, script=deque(script)), messages))


async def _whatever_happens(folder: Path, platform: Platform, citizens: list[int]) -> None:
    clock, states = Clock(), []
    async with speaking(folder, platform, clock) as hub:
        for number, citizen in enumerate(citizens):
            states.append((citizen, await write(hub, citizen, number)))
    ended = False
    while not ended:
        async with speaking(folder, platform, clock) as hub:  # again after each crash
            sending = asyncio.create_task(until_nothing_waits(hub, clock))
            hanging = asyncio.create_task(platform.hangs.wait())
            await asyncio.wait({sending, hanging}, return_when=asyncio.FIRST_COMPLETED)
            ended = sending.done()
            sending.cancel()
            hanging.cancel()
            await asyncio.gather(sending, hanging, return_exceptions=True)
            platform.hangs.clear()
    async with speaking(folder, platform, clock) as hub:
        for citizen in set(citizens):
            arrived = iter([each.text for each in platform.arrived if each.to == address(citizen)])
            for state in (state for who, state in states if who == citizen):
                parts = list(platform.split(*queued(hub, state)))
                row = reply_row(hub, state)
                assert row.status in ("sent", "failed")
                assert row.status == "failed" or len(row.sent) == len(parts)
                assert [next(arrived) for _ in row.sent] == parts[: len(row.sent)]
            assert list(arrived) == []
