"""The demo keeps to its own folder: its passwords are known to everybody."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from support import hub_on

from laporhub.hub.demo import claim, run_demo
from laporhub.hub.settings import Settings
from laporhub.pipeline.errors import Misconfigured


async def test_a_folder_of_a_real_hub_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        before = hub.accounts.all()
    with pytest.raises(Misconfigured, match="give the demo another --data"):
        await run_demo(Settings(data=tmp_path, profile="laporgub-jateng"))
    assert not (tmp_path / "demo").exists()
    async with hub_on(tmp_path) as hub:
        assert hub.accounts.all() == before == []


def test_the_demos_own_folder_is_taken_again(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "demo"
    claim(folder)
    assert folder.stat().st_mode & 0o777 == 0o700

    async def opened() -> None:
        async with hub_on(folder):
            pass

    asyncio.run(opened())
    assert (folder / "hub.db").exists()
    claim(folder)


def test_an_empty_folder_may_become_the_demos(tmp_path: Path) -> None:
    claim(tmp_path)
    claim(tmp_path)
