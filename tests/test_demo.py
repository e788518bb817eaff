"""The demo keeps to its own folder: its passwords are known to everybody."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from support import hub_on
from test_crash import free_port

from laporhub.hub.demo import claim, run_demo, staged
from laporhub.hub.settings import Settings
from laporhub.pipeline.errors import Misconfigured

CHANNELS = frozenset("web app x facebook instagram sms whatsapp hotline email counter".split())  # noqa: SIM905


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


async def test_two_profiles_show_every_channel_alive_and_everybody_works_in_their_own(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, profile="laporgub-jateng,wadul-aladin", port=free_port())
    async with staged(settings, side_by_side=False) as stage:
        town = stage.town
        for _ in range(2 * 8):  # each in turn, and the larger has eight channels
            await town._somebody_writes()
        async with asyncio.timeout(60):  # a mailbox is asked when its time has come
            while "email" not in {each.channel for each in town.hub.channels() if each.last_in}:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        alive = {each.channel for each in town.hub.channels() if each.last_in and each.configured}
        assert alive == CHANNELS
        wadul = {each.channel: each for each in town.hub.channels() if each.profile == "wadul-aladin"}
        assert wadul["email"].last_in and not wadul["x"].configured, (
            "there is one account on X, and it is theirs"
        )
        hired = town.hire()
        assert {account.profiles for account in hired} == {("laporgub-jateng",), ("wadul-aladin",)}
        names = [account.username for account in hired]
        assert len(set(names)) == len(names)
        assert "admin_disposisi" in names and "wadul-aladin.admin_kota" in names
