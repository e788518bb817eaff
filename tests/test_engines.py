"""The embedded and the distributed engine do the same: every scenario leads to the same events, byte for byte."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest
from province import Province, new_name
from scenarios import PROFILE, SCENARIOS, Play
from servers.postgres import fresh_database
from support import Clock
from test_publisher import Platform

from laporhub.hub.compose import open_hub
from laporhub.hub.hub import Hub
from laporhub.hub.settings import Settings
from laporhub.pipeline.distributed.clockwork import Clockwork
from laporhub.pipeline.embedded.engine import EmbeddedEngine
from laporhub.pipeline.embedded.ticker import Ticker
from laporhub.pipeline.publisher import Publisher
from laporhub.pipeline.streams import write_event

Scenario = Callable[[Play], Awaitable[None]]
Histories = dict[str, list[bytes]]
STAGES = ("cases", "sink", "outbox", "units")
"""All but the clocks: those go by the scenario's."""


@pytest.fixture(scope="module")
def province(
    kafka: str, elasticsearch: str, postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Province]:
    """All scenarios on one, as in life."""
    with fresh_database(postgres_server) as database:
        folder = tmp_path_factory.mktemp("province")
        made = Province(kafka, elasticsearch, database, folder, new_name(), STAGES)
        made.run("setup")
        with made.workers():
            yield made


def seed_of(scenario: Scenario) -> int:
    return zlib.crc32(scenario.__name__.encode())


def platforms(hub: Hub, clock: Clock) -> Publisher:
    """WhatsApp, SMS and X take everything; the page needs nobody."""
    speaking = {(PROFILE, channel): Platform() for channel in ("whatsapp", "sms", "x")}
    return Publisher(hub.database, hub.engine, speaking, hub.ring, clock)


@asynccontextmanager
async def embedded(folder: Path, scenario: Scenario) -> AsyncIterator[Play]:
    clock = Clock()
    settings = Settings(data=folder, profile=PROFILE)
    async with open_hub(
        settings, now=clock, entropy=Random(seed_of(scenario)).randbytes, background=False
    ) as hub:
        assert isinstance(hub.engine, EmbeddedEngine)
        ticker, publisher = Ticker(hub.database, hub.engine, [PROFILE], clock), platforms(hub, clock)

        async def ring() -> None:
            while await ticker.ring_due():
                pass

        async def send() -> None:
            while await publisher.send_due():
                pass

        yield Play(hub, clock, ring, send, SCENARIOS.index(scenario) * 100)


@asynccontextmanager
async def distributed(province: Province, scenario: Scenario) -> AsyncIterator[Play]:
    clock = Clock()
    async with province.hub(clock, seed_of(scenario)) as hub, province.producer() as producer:
        clockwork = Clockwork(hub.database, producer, [PROFILE], f"{province.name}.", clock)
        publisher = platforms(hub, clock)

        async def ring() -> None:
            while await clockwork.ring_due():
                await province.quiet()

        async def send() -> None:
            while await publisher.send_due():
                await province.quiet()

        yield Play(hub, clock, ring, send, SCENARIOS.index(scenario) * 100)


async def played(play: Play, scenario: Scenario) -> Histories:
    await scenario(play)
    return {case: [write_event(event) for event in play.hub.events(case)] for case in play.cases}


@pytest.mark.servers
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
async def test_both_engines_make_the_same_events(
    scenario: Scenario, province: Province, tmp_path: Path
) -> None:
    # The same secrets, or the same person would have another pseudonym.
    keys = tmp_path / "keys"
    async with asyncio.timeout(120), distributed(province, scenario) as play:
        theirs = await played(play, scenario)
        keys.mkdir()
        for file in (province.folder / "keys").iterdir():
            (keys / file.name).write_bytes(file.read_bytes())
    async with embedded(tmp_path, scenario) as play:
        ours = await played(play, scenario)
    assert theirs == ours
    await province.quiet()  # what is in the database may be on its way
    on_kafka = await province.records()
    for case, history in ours.items():
        streamed = dict.fromkeys(value for key, value in on_kafka if key == case.encode())
        assert list(streamed) == history, "the stream has what the database has, in order"
