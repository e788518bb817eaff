"""The service standard can be read by everybody: each component, the limits, the hours, the ways in."""

from __future__ import annotations

from datetime import UTC, datetime
from html import unescape
from pathlib import Path

import pytest
from web_hub import web_on

from laporhub import profiles
from laporhub.pipeline.profile.load import load
from laporhub.pipeline.profile.section import say


@pytest.mark.parametrize("name", profiles.shipped())
async def test_every_component_of_the_standard_is_published(tmp_path: Path, name: str) -> None:
    async with web_on(tmp_path, profile=name) as web:
        home = (await web.browser.get("/")).text
        assert 'href="/standar"' in home
        page = unescape((await web.browser.get("/standar")).text)
        for component in load(name).profile.standard:
            assert say(component.title, "id") in page
            for point in component.points:
                assert say(point, "id") in page


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("laporgub-jateng", ("12 jam", "6 hari kerja", "+622484412", "@LaporGub_")),
        ("wadul-aladin", ("14 hari kerja", "30 menit", "5 menit", "1 menit", "08.00–21.00", "+62816644000")),
        ("batiknet", ("2 hari kerja", "08.00–12.00, 12.30–15.45", "08.00–11.00")),
    ],
)
async def test_limits_hours_and_accounts_are_those_that_hold(
    tmp_path: Path, name: str, wanted: tuple[str, ...]
) -> None:
    async with web_on(tmp_path, profile=name) as web:
        page = unescape((await web.browser.get("/standar")).text)
        assert [each for each in wanted if each not in page] == []


async def test_each_service_of_a_hub_has_its_own(tmp_path: Path) -> None:
    async with web_on(tmp_path, profile="wadul-aladin,batiknet") as web:
        page = await web.browser.get("/p/batiknet/standar")
        assert "Surat pemberitahuan gangguan" in page.text


async def test_a_profile_without_one_publishes_none(tmp_path: Path) -> None:
    sample = Path(__file__).parent / "data" / "minimal-profile"
    async with web_on(tmp_path, profile=str(sample)) as web:
        assert (await web.browser.get("/standar")).status_code == 404
        assert "/standar" not in (await web.browser.get("/")).text


async def test_what_the_sop_of_2022_says_stays_on_record(tmp_path: Path) -> None:
    async with web_on(tmp_path, profile="wadul-aladin") as web:
        now = (await web.browser.get("/standar")).text
        web.clock.at = datetime(2022, 5, 9, 3, 0, tzinfo=UTC)
        page = unescape((await web.browser.get("/standar")).text)
        old = load("wadul-aladin").on(web.clock.at).profile
        assert old.standard
        for component in old.standard:
            for point in component.points:
                assert say(point, "id") in page
        assert "2 hari" in page and "2021 tentang PPID" in page
        assert "14 hari kerja" in now and "2021 tentang PPID" not in now
