"""Platforms that are polled: nothing is left out and nothing is twice, wherever a poll is broken off."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import Clock, hub_on

from laporhub.connectors.web import WebConnector
from laporhub.hub.hub import Hub
from laporhub.hub.polling import Account, Poller, polled_accounts
from laporhub.pipeline.connector import Raw
from laporhub.pipeline.connector_abilities import Polled
from laporhub.pipeline.errors import Misconfigured, RetryLater, StopChannel
from laporhub.pipeline.store import polls
from laporhub.pipeline.tracking import Query

PROFILE = "laporgub-jateng"


@dataclass
class Mailbox(WebConnector):
    """A platform that is polled, `size` messages a page; the cursor is how many were read."""

    waiting: list[str] = field(default_factory=list)
    size: int = 2
    poll_every: float = 60.0
    asked: list[str | None] = field(default_factory=list)
    script: deque[Exception] = field(default_factory=deque)

    async def poll(self, account: str, cursor: str | None) -> Polled:
        self.asked.append(cursor)
        if self.script:
            raise self.script.popleft()
        start = int(cursor or 0)
        page = self.waiting[start : start + self.size]
        end = start + len(page)
        return Polled([Raw(body) for body in map(payload, page)], str(end), more=end < len(self.waiting))


def payload(name: str) -> bytes:
    return orjson.dumps({"id": name, "text": f"Jalan rusak {name} di Kabupaten Batang sejak kemarin"})


def poller(hub: Hub, box: Mailbox) -> Poller:
    return Poller(hub.database, hub, [Account(PROFILE, "web", "web", "box", box)], hub.now)


def account(box: Mailbox) -> Account:
    return Account(PROFILE, "web", "web", "box", box)


def cases(hub: Hub) -> int:
    found = hub.tracking.find(Query((PROFILE,), limit=200), hub.now())
    assert len({case.id for case in found.cases}) == len(found.cases)
    return len(found.cases)


async def test_all_pages_are_read_and_the_next_time_goes_on_from_there(tmp_path: Path) -> None:
    clock, box = Clock(), Mailbox(["a", "b", "c", "d", "e"])
    async with hub_on(tmp_path, clock) as hub:
        assert await poller(hub, box).ask(account(box)) == 5
        box.waiting.append("f")
        assert await poller(hub, box).ask(account(box)) == 0, "its time has not come"
        clock.forward(seconds=61)
        assert await poller(hub, box).ask(account(box)) == 1
        assert cases(hub) == 6
    assert box.asked == [None, "2", "4", "5"]


async def test_two_who_poll_take_turns(tmp_path: Path) -> None:
    box = Mailbox(["a"])
    async with hub_on(tmp_path) as hub:
        assert [await poller(hub, box).ask(account(box)) for _ in range(2)] == [1, 0]


@settings(max_examples=25)
@given(st.integers(1, 4), st.lists(st.integers(0, 8), max_size=4))
async def test_wherever_it_is_broken_off_there_is_no_gap_and_nothing_twice(
    tmp_path_factory: pytest.TempPathFactory, size: int, stops: list[int]
) -> None:
    clock, names = Clock(), [f"m{number}" for number in range(9)]
    box = Mailbox(names, size)
    async with hub_on(tmp_path_factory.mktemp("hub"), clock) as hub:
        for stop in [*stops, None]:
            crashing = poller(hub, box)
            if stop is not None:
                crashing._hub = Falls(hub, stop)
            with suppress(ConnectionError):
                await crashing.ask(account(box))
            clock.forward(seconds=61)
        assert cases(hub) == len(names)


@dataclass
class Falls:
    """A hub whose process ends after so many payloads: some are stored, the cursor is not."""

    hub: Hub
    left: int

    async def take(self, profile: str, channel: str | None, provider: str, raw: Raw) -> object:
        if self.left == 0:
            raise ConnectionError("killed")
        self.left -= 1
        return await self.hub.take(profile, channel, provider, raw)

    @property
    def write(self) -> object:
        return self.hub.write


async def test_a_platform_that_is_busy_is_left_alone_as_long_as_it_asks(tmp_path: Path) -> None:
    clock, box = Clock(), Mailbox(["a"], script=deque([RetryLater("busy", after=900)]))
    async with hub_on(tmp_path, clock) as hub:
        assert await poller(hub, box).ask(account(box)) == 0
        clock.forward(minutes=14)
        assert await poller(hub, box).ask(account(box)) == 0
        assert box.asked == [None]
        with hub.database.connect() as connection:
            (kept,) = polls.every(connection)
        assert (kept.trouble, kept.polled_at) == ("busy", hub.now() + timedelta(minutes=1))
        clock.forward(minutes=3)
        assert await poller(hub, box).ask(account(box)) == 1


@pytest.mark.parametrize("error", [StopChannel("the token is dead"), Misconfigured("no such account")])
async def test_an_account_that_is_refused_is_not_asked_again_at_once(
    tmp_path: Path, error: Exception
) -> None:
    clock, box = Clock(), Mailbox(["a"], script=deque([error]))
    async with hub_on(tmp_path, clock) as hub:
        with suppress(Misconfigured):
            await poller(hub, box).ask(account(box))
        clock.forward(minutes=4)
        assert await poller(hub, box).ask(account(box)) == 0
        assert len(box.asked) == 1
        with hub.database.connect() as connection:
            assert polls.every(connection)[0].trouble == str(error)


async def test_only_channels_whose_connector_polls_and_is_able_are_polled(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        found = polled_accounts(hub.rulebooks, {"web": Mailbox(), "app": WebConnector()})
        assert [(each.channel, each.name) for each in found] == [("web", "laporgub.jatengprov.go.id")]
        deaf = Mailbox()
        deaf.able = False
        assert polled_accounts(hub.rulebooks, {"web": deaf}) == []
