"""Dated versions of a profile: a case keeps the rules it began under, a new one follows those of its day."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some
from support import Clock, Stub, form, hub_on, shipped
from typer.testing import CliRunner

from laporhub.dashboards.labels import codes
from laporhub.hub.cli import app
from laporhub.pipeline.commands import Act, Actor
from laporhub.pipeline.decide import decided
from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.intake import interpret
from laporhub.pipeline.messages import Message
from laporhub.pipeline.profile.load import ProfileError, load
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.versions import laid_over
from laporhub.pipeline.tracking import Query
from laporhub.pipeline.workflow import queue_statuses
from laporhub.web.history import status_title
from laporhub.web.i18n import translator

SAMPLE = Path(__file__).parent / "data" / "minimal-profile"
NAME = "kota-contoh"
CLERK = Actor(id="petugas-demo", role="petugas")
LATER = """
versions:
  - from: 2026-06-01
    source: Peraturan baru
    title: Aduan Kota Contoh Baru
    clocks:
      handling:
        limit: {working_days: 3}
        warn: {working_days: 2}
    states:
      settled: {title: Tuntas}
    transitions:
      settle: {title: Tuntaskan, from: [working], to: settled, roles: [kantor]}
      finish: {title: Akhiri, from: [settled], to: done, roles: [kantor]}
    requirements:
      hatred:
"""


def versioned(folder: Path, more: str = LATER) -> Path:
    copy = Path(shutil.copytree(SAMPLE, folder / "kota-contoh"))
    with (copy / "profile.yaml").open("a") as file:
        file.write(more)
    return copy


@pytest.fixture
def book(tmp_path: Path) -> Rulebook:
    return load(versioned(tmp_path, fixed(LATER)))


def fixed(text: str) -> str:
    """With the clock that runs on in the new state, and stops at the end."""
    return text.replace(
        "warn: {working_days: 2}\n", "warn: {working_days: 2}\n        stop: [answered, done]\n"
    )


def at(day: str) -> datetime:
    """Noon in Jakarta."""
    return datetime.fromisoformat(f"{day}T05:00:00+00:00").astimezone(UTC)


def test_what_is_not_named_stays_and_what_is_named_changes(book: Rulebook) -> None:
    old, new = book.on(at("2026-05-31")).profile, book.on(at("2026-06-01")).profile
    assert (old.title, new.title) == ("Aduan Kota Contoh", "Aduan Kota Contoh Baru")
    assert old.clocks["handling"].limit.working_days == 6
    assert new.clocks["handling"].limit.working_days == 3
    assert new.clocks["handling"].escalate == old.clocks["handling"].escalate
    assert new.clocks["silence"] == old.clocks["silence"]
    assert "settle" not in old.transitions and "settle" in new.transitions
    assert "hatred" in old.requirements and "hatred" not in new.requirements
    assert new.source == "Peraturan baru"
    assert (new.channels, new.roles) == (old.channels, old.roles)


def test_the_day_is_that_of_the_office(book: Rulebook) -> None:
    midnight = datetime(2026, 5, 31, 17, 0, tzinfo=UTC)  # 00.00 on 1 June in Jakarta
    assert book.on(midnight - timedelta(seconds=1)).profile.version == date(2026, 1, 1)
    assert book.on(midnight).profile.version == date(2026, 6, 1)


def test_before_the_first_day_the_first_rules_hold(book: Rulebook) -> None:
    assert book.on(at("2020-01-01")).profile.version == date(2026, 1, 1)


@given(some.dates(date(2025, 1, 1), date(2028, 1, 1)))
def test_a_version_that_is_gone_is_followed_as_of_its_day(day: date) -> None:
    found = _EDITIONS.under(day.isoformat()).profile.version
    known = [date(2022, 4, 11), date(2024, 1, 1), date(2025, 3, 1)]
    assert found == max(version for version in known if version <= day)


_EDITIONS = shipped("wadul-aladin")

SECTION = some.dictionaries(
    some.sampled_from("abc"), some.dictionaries(some.sampled_from("xyz"), some.integers(), max_size=3)
)


@given(
    SECTION,
    some.dictionaries(
        some.sampled_from("abc"), some.none() | some.dictionaries(some.sampled_from("xyz"), some.integers())
    ),
)
def test_by_name_and_key_the_later_word_counts(
    before: dict[str, dict[str, int]], change: dict[str, dict[str, int] | None]
) -> None:
    after = laid_over({"clocks": before, "name": "n"}, {"from": "2027-01-01", "clocks": change})
    assert after["name"] == "n" and after["version"] == "2027-01-01"
    for name in {*before, *change}:
        said = change.get(name, {})
        if said is None:
            assert name not in after["clocks"]
        else:
            assert after["clocks"][name] == {**before.get(name, {}), **said}


# ── a running case ───────────────────────────────────────────────────────────────────────────────


async def test_a_running_case_keeps_its_rules_also_after_a_restart(tmp_path: Path) -> None:
    folder, clock = versioned(tmp_path, fixed(LATER)), Clock(at("2026-05-29"))
    async with hub_on(tmp_path / "data", clock, profile=str(folder)) as hub:
        old = await hub.receive(NAME, "web", form(1))
        clock.at = at("2026-06-02")
        new = await hub.receive(NAME, "web", form(2))
        for receipt in (old, new):
            await hub.act(receipt.case_id, "dispose", {"unit": "jalan"}, CLERK)
        states = [hub.case(receipt.ticket) for receipt in (old, new)]
        assert [state and state.profile_version for state in states] == ["2026-01-01", "2026-06-01"]
        due = [state.clocks["handling"].due_at.date().isoformat() for state in states if state]
        assert due == ["2026-06-10", "2026-06-05"]
        assert hub.rulebooks[NAME].profile.title == "Aduan Kota Contoh Baru"
    async with hub_on(tmp_path / "data", clock, profile=str(folder)) as hub:
        before = [hub.case(receipt.ticket) for receipt in (old, new)]
        assert before == states
        with pytest.raises(Exception, match="settle"):
            await hub.act(old.case_id, "settle", {}, CLERK)
        settled = await hub.act(new.case_id, "settle", {}, CLERK)
        assert (settled.status, settled.clocks["handling"].status) == ("settled", "running")
        done = await hub.act(new.case_id, "finish", {}, CLERK)
        assert (done.status, done.clocks["handling"].status) == ("done", "stopped")


# ── what the check refuses ───────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("more", "marked", "said"),
    [
        ("versions:\n  - from: 2026-01-01\n", "from: 2026-01-01", "two versions hold from 2026-01-01"),
        ("versions:\n  - from: 2025-12-31\n", "from: 2025-12-31", "stands after that of 2026-01-01"),
        (
            "versions:\n  - from: 2027-01-01\n  - from: 2026-07-01\n",
            "from: 2026-07-01",
            "stands after that of 2027-01-01",
        ),
        ("versions:\n  - from: 2027-01-01\n    roles: {}\n", "roles: {}", "has no key “roles”"),
        (
            "versions:\n  - from: 2027-01-01\n    clocks:\n      handlng:\n",
            "handlng",
            "cannot be taken away",
        ),
        (
            "versions:\n  - from: 2027-01-01\n    clocks:\n      handling: {limit: {days: 2, hours: 1}}\n",
            "handling: {limit",
            "exactly one",
        ),
        (
            "versions:\n  - from: 2027-01-01\n    clocks:\n      handling: {warn: {working_days: 9}}\n",
            "handling: {warn",
            "warns when it is too late",
        ),
        (
            "versions:\n  - from: 2027-01-01\n    transitions:\n      close:\n",
            "then: close",
            "there is no transition “close”",
        ),
        (
            "versions:\n  - from: 2027-01-01\n    clocks:\n      new: {start: [new], stop: [done], limit: {days: 1}}",
            "new: {start",
            "lacks “title”",
        ),
    ],
)
def test_a_mistake_in_a_version_is_found_where_it_is(
    tmp_path: Path, more: str, marked: str, said: str
) -> None:
    folder = versioned(tmp_path, "\n" + more)
    with pytest.raises(ProfileError) as caught:
        load(folder)
    lines = (folder / "profile.yaml").read_text().splitlines()
    where = max(number for number, line in enumerate(lines, 1) if marked in line)
    found = [(each.line, each.message) for each in caught.value.problems if said in each.message]
    assert found and found[0][0] == where, str(caught.value)


# ── a change that running cases could not follow ─────────────────────────────────────────────────


async def one_case(data: Path, folder: Path, day: str = "2026-05-29") -> None:
    async with hub_on(data, Clock(at(day)), profile=str(folder)) as hub:
        receipt = await hub.receive(NAME, "web", form(1))
        await hub.act(receipt.case_id, "dispose", {"unit": "jalan"}, CLERK)


def edit(folder: Path, *changes: tuple[str, str]) -> None:
    file = folder / "profile.yaml"
    text = file.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)


LOST = {
    "version": ([("version: 2026-01-01", "version: 2026-02-01")], "began under the version of 2026-01-01"),
    "state": (
        [
            ("  working: {title: Dikerjakan}", "  at_work: {title: Dikerjakan}"),
            ("[working]", "[at_work]"),
            ("to: working", "to: at_work"),
        ],
        "stand in “working”",
    ),
    "clock": ([("  handling:\n    title: Penanganan", "  work:\n    title: Penanganan")], "clock “handling”"),
}


@pytest.mark.parametrize("what", LOST)
async def test_a_change_that_strands_a_running_case_is_refused_and_changes_nothing(
    tmp_path: Path, what: str
) -> None:
    changes, said = LOST[what]
    folder = versioned(tmp_path, "")
    await one_case(tmp_path / "data", folder)
    before = (folder / "profile.yaml").read_text()
    edit(folder, *changes)
    load(folder)  # by itself it is right
    with pytest.raises(Misconfigured, match=f"1 running case.*{said}"):
        async with hub_on(tmp_path / "data", profile=str(folder)):
            pass
    checked = CliRunner().invoke(app, ["profile", "check", str(folder), "--data", str(tmp_path / "data")])
    assert checked.exit_code == 1 and said in checked.output
    (folder / "profile.yaml").write_text(before)
    async with hub_on(tmp_path / "data", profile=str(folder)) as hub:
        assert len(hub.tracking.find(Query((NAME,)), hub.now()).cases) == 1


async def test_once_the_last_case_has_ended_the_same_change_is_taken(tmp_path: Path) -> None:
    folder = versioned(tmp_path, "")
    async with hub_on(tmp_path / "data", Clock(at("2026-05-29")), profile=str(folder)) as hub:
        receipt = await hub.receive(NAME, "web", form(1))
        await hub.act(receipt.case_id, "dispose", {"unit": "jalan"}, CLERK)
        official = Actor(id="dinas-demo", role="dinas", unit="jalan")
        await hub.act(receipt.case_id, "answer", {"response": "Sudah."}, official)
        await hub.act(receipt.case_id, "close", {}, CLERK)
    edit(folder, *LOST["version"][0])
    checked = CliRunner().invoke(app, ["profile", "check", str(folder), "--data", str(tmp_path / "data")])
    assert checked.exit_code == 0, checked.output
    async with hub_on(tmp_path / "data", profile=str(folder)) as hub:
        assert hub.rulebooks[NAME].profile.version == date(2026, 2, 1)


async def test_running_cases_of_a_unit_that_is_gone_are_counted(tmp_path: Path) -> None:
    folder = versioned(tmp_path, "")
    async with hub_on(tmp_path / "data", Clock(at("2026-05-29")), profile=str(folder)) as hub:
        for number in (1, 2, 3):
            receipt = await hub.receive(NAME, "web", form(number))
            if number < 3:
                await hub.act(receipt.case_id, "dispose", {"unit": "jalan"}, CLERK)
    check = ["profile", "check", str(folder), "--data", str(tmp_path / "data")]
    assert "no unit any more" not in CliRunner().invoke(app, check).output
    units = folder / "units.yaml"
    units.write_text(units.read_text().replace("id: jalan", "id: jalan-raya"))
    checked = CliRunner().invoke(app, check)
    assert checked.exit_code == 0 and "“jalan”, which is no unit any more: 2." in checked.output


async def test_a_new_version_strands_nobody(tmp_path: Path) -> None:
    folder = versioned(tmp_path, "")
    await one_case(tmp_path / "data", folder)
    with (folder / "profile.yaml").open("a") as file:
        file.write(fixed(LATER))
    async with hub_on(tmp_path / "data", Clock(at("2026-07-01")), profile=str(folder)) as hub:
        (state,) = hub.tracking.find(Query((NAME,)), hub.now()).cases
        assert hub.rulebooks[NAME].of(state).profile.version == date(2026, 1, 1)


def test_a_folder_without_a_hub_is_said_to_be_one(tmp_path: Path) -> None:
    checked = CliRunner().invoke(app, ["profile", "check", str(SAMPLE), "--data", str(tmp_path)])
    assert checked.exit_code == 1 and "holds no hub" in checked.output


# ── whichever edition an engine has at hand ──────────────────────────────────────────────────────


def test_the_same_events_follow_whichever_version_the_engine_was_started_with() -> None:
    message = Message(
        id="m_contoh",
        profile="wadul-aladin",
        channel="whatsapp",
        account="whatsapp:+62816644000",
        external_id="SM1",
        conversation="v_contoh",
        reporter="p_contoh",
        text="Jalan di depan Pasar Contoh berlubang sejak minggu lalu",
        sealed_identity="-",
        known=("phone", "name"),
        received_at=at("2022-05-09"),
    )
    histories = []
    for edition in _EDITIONS.every_edition:
        opening = interpret(edition, message, None)
        opened, state = decided(edition, None, opening, Stub(unit="dpupr"), "PWWA00000000000")
        assert state is not None
        later = Act(
            id="d_contoh",
            profile="wadul-aladin",
            case_id=state.id,
            at=at("2026-11-23"),
            actor=Actor(id="kota-demo", role="admin_kota"),
            transition="forward",
            fields={"unit": "dpupr"},
        )
        moved, state = decided(edition, state, later, Stub(unit="dpupr"))
        histories.append([event.model_dump_json() for event in (*opened, *moved)])
    assert histories[0] == histories[1] == histories[2]


def test_what_only_one_version_has_is_called_by_its_title_everywhere(book: Rulebook) -> None:
    said = codes(book, "id")
    assert said["missing"]["hatred"] == "Tanpa SARA"
    assert said["status"]["settled"] == "Tuntas"
    for edition in book.every_edition:
        assert status_title(edition, "settled", translator("id")) == "Tuntas"
        assert "settled" in queue_statuses(edition, "petugas")
