"""The tutorial's city works as it is written: its blocks are a profile, and a complaint goes through it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support import Clock, form, hub_on
from typer.testing import CliRunner

from laporhub.hub.cli import app
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.embedded.engine import EmbeddedEngine
from laporhub.pipeline.embedded.ticker import Ticker
from laporhub.pipeline.errors import Forbidden

TUTORIAL = Path(__file__).parents[1] / "docs" / "tutorials" / "your-own-profile.md"
BLOCK = re.compile(r"^```\w+\n# (randuasri/\S+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
NAME = "randuasri"
CLERK, CREW = Actor(id="ani-demo", role="juru_terima"), Actor(id="regu-demo", role="regu", unit="jalan")
NEIGHBOUR = Actor(id="warga-demo", role="tetangga")
WEDNESDAY = datetime(2026, 7, 8, 1, 0, tzinfo=UTC)
"""09.00 WITA."""
TEXT = "Jalan Melati di depan Warung Contoh berlubang besar, sudah ada yang jatuh"


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """The folder as a reader of the tutorial has it at the end."""
    for file, text in BLOCK.findall(TUTORIAL.read_text()):
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a") as whole:
            whole.write(text)
    return tmp_path / NAME


def test_it_is_a_profile_without_mistakes(city: Path) -> None:
    shell = CliRunner()
    checked = shell.invoke(app, ["profile", "check", str(city)])
    assert checked.exit_code == 0, checked.output
    assert "8 states" in checked.output and "3 channels" in checked.output
    drawn = shell.invoke(app, ["profile", "graph", str(city)])
    assert "Di regu" in drawn.output


def test_the_mistake_on_purpose_is_told_by_line(city: Path) -> None:
    file = city / "profile.yaml"
    text = file.read_text()
    file.write_text(text.replace("to: crew\n", "to: crw\n", 1))
    line = 1 + text[: text.index("to: crew\n")].count("\n")
    checked = CliRunner().invoke(app, ["profile", "check", str(city)])
    assert checked.exit_code == 1
    assert f"profile.yaml:{line}" in checked.output and "crew" in checked.output


async def test_a_complaint_goes_through_every_stage(city: Path, tmp_path: Path) -> None:
    clock = Clock(WEDNESDAY)
    async with hub_on(tmp_path / "data", clock, profile=str(city)) as hub:
        receipt = await hub.receive(NAME, "web", form(1, TEXT))
        assert receipt.ticket.startswith("RAWB")
        case = receipt.case_id
        state = await hub.act(case, "send", {"unit": "jalan"}, CLERK)
        assert state.clocks["mend"].due_at == datetime(
            2026, 7, 15, 7, 0, tzinfo=UTC
        )  # Saturdays count, Fridays do not
        done = {"response": "Lubang sudah ditambal.", "used": "2 dus aspal dingin"}
        state = await hub.act(case, "finish", done, CREW)
        with pytest.raises(Forbidden):
            await hub.act(case, "confirm", {}, CREW)
        state = await hub.act(case, "again", {"reason": "Tepinya masih retak"}, NEIGHBOUR)
        assert state.status == "crew"
        await hub.act(case, "finish", done, CREW)
        state = await hub.act(case, "confirm", {}, NEIGHBOUR)
        assert state.status == "told"
        clock.forward(days=14)
        assert isinstance(hub.engine, EmbeddedEngine)
        ticker = Ticker(hub.database, hub.engine, (NAME,), hub.now)
        while await ticker.ring_due():
            pass
        ended = hub.case(receipt.ticket)
        assert ended is not None and ended.status == "done"


async def test_from_2027_new_cases_have_three_days_and_running_ones_five(city: Path, tmp_path: Path) -> None:
    clock = Clock(datetime(2026, 12, 30, 2, 0, tzinfo=UTC))
    async with hub_on(tmp_path / "data", clock, profile=str(city)) as hub:
        old = await hub.receive(NAME, "web", form(1, TEXT))
        clock.at = datetime(2027, 1, 5, 2, 0, tzinfo=UTC)
        new = await hub.receive(NAME, "web", form(2, TEXT))
        due = []
        for receipt in (old, new):
            state = await hub.act(receipt.case_id, "send", {"unit": "jalan"}, CLERK)
            due.append(state.clocks["mend"].due_at.date().isoformat())
        assert due == ["2027-01-12", "2027-01-09"]
