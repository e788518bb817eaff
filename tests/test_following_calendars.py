"""A hub that starts with another calendar than before: running clocks follow it, each by an event, and once."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

from support import ADMIN, Clock, form, hub_on, seeded

from laporhub import profiles
from laporhub.hub.compose import open_hub
from laporhub.hub.hub import Hub
from laporhub.hub.settings import Settings
from laporhub.pipeline.embedded.ticker import Ticker
from laporhub.pipeline.events import CaseEvent
from laporhub.pipeline.store.calendars import followed

PROFILE = "laporgub-jateng"
DECREED = "extra:\n  2026-11-27: Cuti bersama\n"


def office(folder: Path) -> Path:
    return Path(shutil.copytree(profiles.folder(PROFILE), folder / "profil"))


async def follows(hub: Hub, clock: Clock) -> None:
    """What a hub does at its start."""
    ticker = Ticker(hub.database, hub.engine, tuple(hub.rulebooks), clock)
    await ticker.follow_calendars(hub.rulebooks)  # type: ignore[arg-type]


def moved(hub: Hub, case_id: str) -> list[CaseEvent]:
    return [event for event in hub.events(case_id) if event.data.kind == "clock_moved"]


def followed_by(hub: Hub) -> str | None:
    with hub.database.connect() as connection:
        return followed(connection, PROFILE)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - what the hub does in its own time
            await asyncio.sleep(0.01)


async def test_a_decreed_day_moves_every_case_that_runs_by_one_event_each(tmp_path: Path) -> None:
    folder, data, clock = office(tmp_path), tmp_path / "data", Clock()
    async with hub_on(data, clock, profile=str(folder)) as hub:
        await follows(hub, clock)
        unit = next(iter(hub.rulebooks[PROFILE].units))
        taken = [await hub.receive(PROFILE, "web", form(number)) for number in range(3)]
        for each in taken[:2]:
            await hub.act(each.case_id, "dispose", {"unit": unit}, ADMIN)
    (folder / "days.yaml").write_text(DECREED)
    clock.forward(days=1)
    for _ in range(2):
        async with hub_on(data, clock, profile=str(folder)) as hub:
            await follows(hub, clock)
            await follows(hub, clock)
            for each, times in zip(taken, (1, 1, 0), strict=True):
                assert len(moved(hub, each.case_id)) == times
            state = hub.case(taken[0].ticket)
            assert state is not None
            assert state.clocks["unit_response"].due_at.date() == date(2026, 12, 2)
            assert followed_by(hub) == hub.rulebooks[PROFILE].calendar.fingerprint


async def test_a_hub_looks_by_itself_when_it_starts(tmp_path: Path) -> None:
    folder, clock = office(tmp_path), Clock()
    settings = Settings(data=tmp_path / "data", profile=str(folder))
    async with open_hub(settings, now=clock, entropy=seeded()) as hub:
        receipt = await hub.receive(PROFILE, "web", form(1))
        await hub.act(receipt.case_id, "dispose", {"unit": next(iter(hub.rulebooks[PROFILE].units))}, ADMIN)
        await until(lambda: followed_by(hub) is not None)
    (folder / "days.yaml").write_text(DECREED)
    async with open_hub(settings, now=clock, entropy=seeded()) as hub:
        await until(lambda: len(moved(hub, receipt.case_id)) == 1)
