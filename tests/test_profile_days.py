"""Local days in a file of their own: added to the calendar, and each mistake found where it stands."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from laporhub.pipeline.profile.load import ProfileError, load

SAMPLE = Path(__file__).parent / "data" / "minimal-profile"
DAYS = """\
extra:
  2027-04-01: Hari jadi kota
worked:
  2027-04-03: Pengganti hari jadi
seasons:
  - from: 2027-02-08
    to: 2027-03-09
    title: Ramadan
    hours:
      mon: [{from: "08:00", to: "12:00"}, {from: "12:30", to: "15:00"}]
      fri: [{from: "08:00", to: "11:30"}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = Path(shutil.copytree(SAMPLE, tmp_path / "kota-contoh"))
    (made / "days.yaml").write_text(DAYS)
    return made


def test_what_the_file_says_is_added_to_the_calendar(folder: Path) -> None:
    calendar = load(folder).calendar
    assert not calendar.is_working_day(date(2027, 4, 1))
    assert calendar.is_working_day(date(2027, 4, 3))
    assert not calendar.is_working_day(date(2026, 4, 1)), "the profile's own days still hold"
    assert len(calendar.spans(date(2027, 2, 15))) == 2
    assert not calendar.is_working_day(date(2027, 2, 16)), "the fasting month of this office knows two days"
    assert calendar.fingerprint != load(SAMPLE).calendar.fingerprint


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("2027-04-01", "2027-04-31", 2, "“2027-04-31” is no day: write one that exists, as 2026-04-01"),
        ("2027-04-01", "1 April 2027", 2, "“1 April 2027” is no day"),
        ("2027-04-01", "2026-04-01", 2, "2026-04-01 stands in profile.yaml already. Delete one of them"),
        ("2027-04-03", "2027-04-01", 4, "2027-04-01 is a day off and worked"),
        ("2027-04-03", "2026-04-01", 4, "2026-04-01 is a day off and worked"),
        ("from: 2027-02-08", "from: 20270208", 6, "“20270208” is no day"),
        ("to: 2027-03-09", "to: 2027-02-07", 6, "'to' is before 'from'"),
        ("12:30", "11:30", 10, "the hours of mon overlap or are out of order"),
        ("title: Ramadan", "titel: Ramadan", 8, "has no key “titel”"),
        ("extra:", "libur:", 1, "has no key “libur”"),
        ("mon:", "senin:", 10, "“senin”"),
    ],
)
def test_a_mistake_is_found_by_line(folder: Path, old: str, new: str, line: int, says: str) -> None:
    (folder / "days.yaml").write_text(DAYS.replace(old, new, 1))
    with pytest.raises(ProfileError) as caught:
        load(folder)
    assert [p.line for p in caught.value.problems if p.file == "days.yaml" and says in str(p)] == [line], str(
        caught.value
    )


def test_seasons_that_overlap_are_refused(folder: Path) -> None:
    again = "".join(DAYS.splitlines(keepends=True)[5:]).replace("Ramadan", "Lain")
    (folder / "days.yaml").write_text(DAYS + again.replace("2027-02-08", "2027-03-09"))
    with pytest.raises(ProfileError, match="“Lain” overlaps with “Ramadan”"):
        load(folder)


def test_a_profile_needs_no_such_file(folder: Path) -> None:
    (folder / "days.yaml").unlink()
    assert load(folder).calendar.fingerprint == load(SAMPLE).calendar.fingerprint
