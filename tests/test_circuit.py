"""A platform that does not work is left alone; one that does is not kept waiting."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from support import COMPLETE, MONDAY, Clock, whatsapp
from test_publisher import PLACE, PROFILE, WHATSAPP, Platform, a_plain_classifier, hub_on, replies, write

from laporhub.hub.hub import Hub
from laporhub.pipeline.circuit import OPENS_AFTER, Circuit
from laporhub.pipeline.connector_abilities import Health
from laporhub.pipeline.publisher import Publisher
from laporhub.pipeline.store import channels

LANE, SMS = (PROFILE, "whatsapp"), (PROFILE, "sms")


# ── the rule ──

WORDS = st.lists(st.sampled_from(["well", "failed", "died"]), max_size=40)


@given(WORDS)
def test_it_opens_after_failures_in_a_row_and_closes_with_the_first_success(said: list[str]) -> None:
    circuit, now, in_a_row, dead = Circuit(), MONDAY, 0, False
    for word in said:
        match word:
            case "well":
                circuit.went_well()
                in_a_row, dead = 0, False
            case "failed":
                circuit.failed(now, "busy")
                in_a_row += 1
            case _:
                circuit.died(now, "revoked")
                dead = True
        assert circuit.is_open == (dead or in_a_row >= OPENS_AFTER)
        assert circuit.dead == dead
        if circuit.until is not None:
            assert now < circuit.until <= now + timedelta(hours=1)
            now = circuit.until  # the next try comes when it may
            assert not circuit.holds(now)


def test_pauses_grow_and_the_platforms_own_hint_counts() -> None:
    circuit, now, spans = Circuit(), MONDAY, list[float]()
    for _ in range(OPENS_AFTER + 10):
        if circuit.failed(now, "busy"):
            assert circuit.until is not None
            spans.append((circuit.until - now).total_seconds())
            now = circuit.until
    assert spans == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]
    circuit.failed(now, "busy", timedelta(hours=3))
    assert circuit.until == now + timedelta(hours=3)


# ── in the publisher ──


@dataclass
class Checked(Platform):
    """A platform that can be asked how our account stands."""

    healthy: bool = False
    asked: list[str] = field(default_factory=list)

    async def check(self, account: str) -> Health:
        self.asked.append(account)
        return Health(ok=self.healthy, reason="" if self.healthy else "the token was revoked: make a new one")


def stands(hub: Hub) -> tuple[datetime | None, str | None, int | None]:
    with hub.database.connect() as connection:
        row = channels.every(connection).get(LANE, {})
    return row.get("rests_until"), row.get("rests_why"), row.get("dead")


def publisher(hub: Hub, clock: Clock, **platforms: Platform) -> Publisher:
    connectors = {(PROFILE, channel): platform for channel, platform in platforms.items()}
    return Publisher(hub.database, hub.engine, connectors, hub.ring, clock)  # type: ignore[arg-type]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - nothing says so by itself
            await asyncio.sleep(0.01)


async def test_after_failures_in_a_row_one_reply_tries_and_the_rest_follow(tmp_path: Path) -> None:
    clock, platform = Clock(), Platform(script=deque(["busy"] * 40))
    with a_plain_classifier():
        async with hub_on(tmp_path, clock) as hub:
            hub.publisher = publisher(hub, clock, whatsapp=platform)
            states = [await write(hub, citizen) for citizen in range(1, 41)]
            await hub.publisher.send_due()
            tried = len(platform.calls)
            assert OPENS_AFTER <= tried <= 32
            until, why, dead = stands(hub)
            assert (why, dead) == ("busy", 0)
            assert until is not None
            assert until > clock()
            await hub.publisher.send_due()
            assert len(platform.calls) == tried, "it is left alone"
            clock.at = until
            await hub.publisher.send_due()
            assert len(platform.calls) == tried + 1, "one reply tries"
            platform.script.clear()
            while hub.publisher.next_due() is not None:
                clock.forward(minutes=30)
                await hub.publisher.send_due()
            assert stands(hub) == (None, None, 0)
            assert {each for state in states for each in replies(hub, state)} == {("sent", None)}
            assert len(platform.arrived) == len(states), "each once"


async def test_a_dead_token_is_asked_about_and_costs_no_reply(tmp_path: Path) -> None:
    clock, platform = Clock(), Checked(script=deque(["dead"]))
    with a_plain_classifier():
        async with hub_on(tmp_path, clock) as hub:
            hub.publisher = publisher(hub, clock, whatsapp=platform)
            state = await write(hub)
            await hub.publisher.send_due()
            assert stands(hub)[2] == 1
            pauses = []
            for _ in range(6):
                until = stands(hub)[0]
                assert until is not None
                pauses.append((until - clock()).total_seconds() / 60)
                clock.at = until
                await hub.publisher.send_due()
            assert pauses == [5, 10, 20, 40, 60, 60]
            assert platform.calls == ["publish"], "no citizen's reply is spent on it"
            assert platform.asked == [WHATSAPP] * 6
            assert stands(hub)[1] == "the token was revoked: make a new one"
            assert hub.ready()["accounts"] == f"stopped: {WHATSAPP}"
            platform.healthy = True
            clock.forward(hours=1)
            await hub.publisher.send_due()
            assert replies(hub, state) == [("sent", None)]
            assert hub.ready()["accounts"] == "ok"


async def test_a_platform_that_hangs_delays_no_other(tmp_path: Path) -> None:
    clock, slow, quick = Clock(), Platform(script=deque(["hang"])), Platform()
    with a_plain_classifier():
        async with hub_on(tmp_path, clock) as hub:
            hub.publisher = publisher(hub, clock, whatsapp=slow, sms=quick)
            running = asyncio.create_task(hub.publisher.run(idle_seconds=0.01))
            await write(hub, 1)
            await slow.hangs.wait()
            for number in range(3):
                inbound = whatsapp(2, f"Aduan baru {number}: {COMPLETE}", sid=f"SS{number}", location=PLACE)
                inbound = inbound.model_copy(update={"author_id": "+6281100000002"})
                await hub.receive(PROFILE, "sms", inbound)
                hub.publisher.wake()
            await until(lambda: len(quick.arrived) == 3)
            assert not running.done()
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


async def test_a_new_start_forgets_that_sending_rested(tmp_path: Path) -> None:
    clock, platform = Clock(), Platform(script=deque(["dead"]))
    with a_plain_classifier():
        async with hub_on(tmp_path, clock) as hub:
            hub.publisher = publisher(hub, clock, whatsapp=platform)
            state = await write(hub)
            await hub.publisher.send_due()
        async with hub_on(tmp_path, clock) as hub:
            assert stands(hub)[2] == 1
            hub.publisher = publisher(hub, clock, whatsapp=platform)
            clock.forward(hours=2)
            running = asyncio.create_task(hub.publisher.run(idle_seconds=0.01))
            await until(lambda: replies(hub, state) == [("sent", None)])
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            assert stands(hub) == (None, None, 0)
