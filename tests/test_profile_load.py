"""Loading a profile: what is in it arrives, and whatever is wrong with its files is said, never thrown."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laporhub import profiles
from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.profile.load import Problem, ProfileError, load

SAMPLE = Path(__file__).parent / "data" / "minimal-profile"
FILES = ("profile.yaml", "units.yaml", "templates/id/ack.txt")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAMPLE, tmp_path / "kota-contoh"))


def problems(where: str | Path) -> tuple[Problem, ...]:
    with pytest.raises(ProfileError) as caught:
        load(where)
    return caught.value.problems


# ── what arrives ─────────────────────────────────────────────────────────────────────────────────


def test_a_profile_arrives_with_units_templates_and_calendar(folder: Path) -> None:
    rules = load(folder)
    assert (rules.name, rules.language, rules.folder) == ("kota-contoh", "id", folder)
    assert rules.profile.version == date(2026, 1, 1)
    assert list(rules.units) == ["jalan", "taman"]
    assert rules.unit_kinds == {"dinas": "Dinas kota"}
    assert set(rules.templates) == {
        ("id", "ack", None), ("id", "ask", None), ("id", "answer", None), ("id", "answer", "sms"),
    }  # fmt: skip
    assert not rules.calendar.is_working_day(date(2026, 4, 1))
    assert rules.calendar.is_working_day(date(2026, 4, 4))


@pytest.mark.parametrize("name", profiles.shipped())
def test_shipped_profiles_load_by_name_and_by_folder(name: str) -> None:
    by_name = load(name)
    assert by_name.name == name
    assert by_name.folder == profiles.folder(name) == load(str(by_name.folder)).folder


def test_laporgub_is_shipped() -> None:
    assert "laporgub-jateng" in profiles.shipped()


def test_a_profile_that_is_not_shipped_has_no_folder() -> None:
    with pytest.raises(KeyError, match="laporgub-jateng"):
        profiles.folder("laporgub-jatim")


def test_hidden_files_and_a_byte_order_mark_do_no_harm(folder: Path) -> None:
    (folder / "templates/id/.ack.txt.swp").write_bytes(b"\xff\x00")
    text = (folder / "profile.yaml").read_text()
    (folder / "profile.yaml").write_text("\ufeff" + text.replace("\n", "\r\n"))
    assert load(folder).name == "kota-contoh"


def test_anchors_spare_repeating(folder: Path) -> None:
    text = (folder / "profile.yaml").read_text()
    text = text.replace('tue: [{from: "07:00", to: "15:30"}]', 'tue: &day [{from: "07:00", to: "15:30"}]')
    (folder / "profile.yaml").write_text(text.replace('wed: [{from: "07:00", to: "15:30"}]', "wed: *day"))
    hours = load(folder).profile.calendar.hours
    assert hours["wed"] == hours["tue"]


# ── what is wrong with files ─────────────────────────────────────────────────────────────────────


def test_no_such_profile_names_those_there_are(tmp_path: Path) -> None:
    for where in ("laporgub-jatim", tmp_path / "nowhere"):
        (problem,) = problems(where)
        assert "no such profile" in problem.message
        assert "laporgub-jateng" in problem.remedy


def test_all_missing_files_are_named_at_once(folder: Path) -> None:
    (folder / "profile.yaml").unlink()
    (folder / "units.yaml").unlink()
    assert [(p.file, p.line) for p in problems(folder)] == [("profile.yaml", None), ("units.yaml", None)]


@pytest.mark.parametrize("content", [b"", b"# only a comment\n", b"---\n"])
def test_an_empty_file_is_said_to_be_empty(folder: Path, content: bytes) -> None:
    (folder / "units.yaml").write_bytes(content)
    (problem,) = problems(folder)
    assert problem.file == "units.yaml"
    assert "empty" in problem.message or "key: value" in problem.remedy


@pytest.mark.parametrize(
    ("old", "new", "line_of", "message", "remedy"),
    [
        ("title: Aduan Kota Contoh", "title: Aduan: Kota", "title: Aduan: Kota", "breaks off", "quotes"),
        ("  initial: new", "\tinitial: new", "\tinitial", "breaks off", "spaces instead of tabs"),
        ("languages: [id]", "languages: [id", "time_zone", "breaks off", "brackets"),
        ("  reply: ack", "  reply: ack\n  reply: ask", "  reply: ask", "twice", "Keep one"),
        ("source: Contoh, bukan peraturan", "source: !secret x", "!secret", "no meaning", "quotes"),
        ("source: Contoh, bukan peraturan", "source: &a [*a]", "source:", "contains itself", ""),
        ("source: Contoh, bukan peraturan", "source: *nowhere", "*nowhere", "breaks off", ""),
        ("source: Contoh, bukan peraturan", "source: a\x07b", "source:", "character", "Delete"),
        ("source: Contoh, bukan peraturan", "? [a]\n: b", "? [a]", "a key must be a word", "quotes"),
        ("source: Contoh, bukan peraturan", "---\nsource: x", "---", "", ""),
    ],
)
def test_broken_yaml_is_shown_by_line(
    folder: Path, old: str, new: str, line_of: str, message: str, remedy: str
) -> None:
    text = (folder / "profile.yaml").read_text()
    assert old in text
    text = text.replace(old, new, 1)
    (folder / "profile.yaml").write_text(text)
    line = 1 + next(n for n, line in enumerate(text.splitlines()) if line_of in line)
    found = [p for p in problems(folder) if message in p.message and remedy in p.remedy]
    assert ("profile.yaml", line) in {(p.file, p.line) for p in found}, found


def test_a_file_that_is_not_utf8_is_shown_by_line(folder: Path) -> None:
    data = (folder / "units.yaml").read_bytes().replace(b"taman dan", b"taman \xe9 dan")
    (folder / "units.yaml").write_bytes(data)
    (problem,) = problems(folder)
    assert (problem.file, problem.line) == ("units.yaml", 12)
    assert "UTF-8" in problem.message


def test_nesting_without_end_is_refused(folder: Path) -> None:
    (folder / "profile.yaml").write_text("[" * 2_000)
    (problem,) = problems(folder)
    assert problem.file == "profile.yaml"


def test_all_that_is_wrong_is_said_at_once_in_the_order_of_the_files(folder: Path) -> None:
    for file, old, new in (
        ("profile.yaml", "title: Baru", "titel: Baru"),
        ("profile.yaml", "name: kota-contoh", "name: Kota Contoh"),
        ("units.yaml", "kind: dinas", "kind: Dinas Kota"),
    ):
        path = folder / file
        path.write_text(path.read_text().replace(old, new, 1))
    found = problems(folder)
    assert [p.file for p in found] == ["profile.yaml", "profile.yaml", "profile.yaml", "units.yaml"]
    assert [p.line for p in found] == sorted(p.line or 0 for p in found[:3]) + [6]


def test_a_problem_is_one_line_with_place_and_remedy(folder: Path) -> None:
    (folder / "units.yaml").write_text(
        (folder / "units.yaml").read_text().replace("taman dan", "\x01taman dan")
    )
    with pytest.raises(Misconfigured) as caught:
        load(folder)
    assert (
        str(caught.value) == "units.yaml:12: a character that may not stand here. Delete it and type it anew."
    )


# ── templates ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("templates/id/ack.sms.long.txt", "no reply"),
        ("templates/id/ack.md", "no reply"),
        ("templates/ack.txt", "no reply"),
        ("templates/id/sms/ack.txt", "no reply"),
        ("templates/en/ack.txt", "“en” is none of the profile's languages"),
        ("templates/id/ack.telegram.txt", "no channel “telegram”"),
    ],
)
def test_a_template_that_would_never_be_used_is_named(folder: Path, file: str, message: str) -> None:
    (folder / file).parent.mkdir(exist_ok=True)
    (folder / file).write_text("Halo")
    (problem,) = problems(folder)
    assert problem.file == file and message in problem.message and problem.remedy


def test_an_empty_template_is_named(folder: Path) -> None:
    (folder / "templates/id/ack.txt").write_text(" \n")
    assert any(p.file == "templates/id/ack.txt" and "empty" in p.message for p in problems(folder))


# ── whatever is in the files ─────────────────────────────────────────────────────────────────────


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_is_typed_it_loads_or_says_why(tmp_path: Path, data: st.DataObject) -> None:
    copy = Path(shutil.copytree(SAMPLE, tmp_path / "kota-contoh", dirs_exist_ok=True))
    file = data.draw(st.sampled_from(FILES))
    lines = (SAMPLE / file).read_bytes().splitlines(keepends=True)
    number = data.draw(st.integers(0, len(lines) - 1))
    typed = data.draw(
        st.sampled_from([b"- ", b": ", b"{", b"]", b'"', b"\t", b"  ", b"&a ", b"x: "])
        | st.binary(max_size=6)
    )
    at = data.draw(st.integers(0, len(lines[number])))
    lines[number] = lines[number][:at] + typed + lines[number][at + data.draw(st.integers(0, 4)) :]
    (copy / file).write_bytes(b"".join(lines))
    try:
        load(copy)
    except ProfileError as error:
        assert error.problems
        assert all(problem.line is None or problem.line >= 1 for problem in error.problems)
