"""The simulated telephone system, against a hub that is served."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from support import Clock, hub_on

from laporhub.hub.hub import Hub
from laporhub.hub.settings import Settings
from laporhub.hub.web import web_server
from laporhub.pipeline.tracking import Query
from laporhub.simulators.citizens import complaints
from laporhub.simulators.hotline import SECRET, HotlineSimulator
from laporhub.simulators.serving import serving

PROFILE = "laporgub-jateng"


@asynccontextmanager
async def served(folder: Path, clock: Clock, secret: str) -> AsyncIterator[tuple[Hub, str]]:
    """A hub that knows its own address, which the signatures cover."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with hub_on(folder, clock, connectors={"hotline": {"secret": secret, "proof": "signature"}}) as hub:
        app = web_server(hub, Settings(data=folder, port=port)).config.app
        async with serving(app, port) as url:
            yield hub, url


async def test_people_ring_and_each_call_is_one_case(tmp_path: Path) -> None:
    clock, people = Clock(), complaints(7)
    async with served(tmp_path, clock, SECRET) as (hub, url):
        played = HotlineSimulator(url, clock)
        async with played.running() as (page, told), httpx.AsyncClient(trust_env=False) as client:
            assert told == {"secret": SECRET, "proof": "signature"}
            for number in range(14):
                clock.forward(minutes=1)
                person = replace(next(people), phone=f"+6281100000{number:03d}")
                await played.citizen_writes("hotline", person)
            shown = (await client.get(page)).text
        cases = hub.tracking.find(Query((PROFILE,)), hub.now()).cases
        assert len(cases) == 14  # two of them were posted twice
        assert sum("tak terjawab" in case.text for case in cases) == shown.count("tak terjawab") == 2
        assert hub.dead_letters() == []
        assert not any("Eee" in case.text or "ada yang bisa dibantu" in case.text for case in cases)


async def test_a_hub_with_another_secret_refuses_it(tmp_path: Path) -> None:
    async with served(tmp_path, Clock(), "rahasia yang lain") as (hub, url):
        with pytest.raises(httpx.HTTPStatusError, match="403"):
            await HotlineSimulator(url, Clock()).citizen_writes("hotline", next(complaints(7)))
        assert not hub.tracking.find(Query((PROFILE,)), hub.now()).cases
