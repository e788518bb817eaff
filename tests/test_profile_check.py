"""Every mistake a profile can have is found, by file and line, with what to do about it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from laporhub.pipeline.profile.load import ProfileError, load

DATA = Path(__file__).parent / "data"
SAMPLE = DATA / "minimal-profile"
MISTAKES: dict[str, dict[str, Any]] = YAML(typ="safe", pure=True).load(DATA / "profile-mistakes.yaml")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SAMPLE, tmp_path / "kota-contoh"))


def make(mistake: dict[str, Any], file: Path) -> int:
    """Makes the mistake, and says in which line it is then."""
    before = file.read_text()
    assert mistake["old"] in before
    after = before.replace(mistake["old"], mistake["new"], 1)
    for old, new in mistake.get("also", {}).items():
        assert old in after
        after = after.replace(old, new, 1)
    file.write_text(after)
    if "at" in mistake:
        return 1 + next(n for n, line in enumerate(after.splitlines()) if mistake["at"] in line)
    lines = zip(before.splitlines(), after.splitlines(), strict=False)
    return 1 + next(n for n, (was, now) in enumerate(lines) if was != now)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_where_it_is_with_what_to_do(folder: Path, name: str) -> None:
    mistake = MISTAKES[name]
    file = mistake.get("file", "profile.yaml")
    line = make(mistake, folder / file)
    with pytest.raises(ProfileError) as caught:
        load(folder)
    said = {
        (problem.file, problem.line)
        for problem in caught.value.problems
        if mistake["says"] in problem.message and mistake.get("remedy", "") in problem.remedy
    }
    assert (file, line) in said, str(caught.value)


def test_the_sample_has_no_mistake() -> None:
    assert load(SAMPLE).name == "kota-contoh"
