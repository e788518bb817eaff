"""Lists, documents and clocks that stop with a reply: what the format takes, and what the check finds wrong with it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from laporhub import profiles
from laporhub.pipeline.items import LENGTH, LINES, Item, is_list, items_in
from laporhub.pipeline.profile.load import ProfileError, load


@pytest.mark.parametrize(
    ("profile", "old", "new", "at", "said", "remedy"),
    [
        (
            "batiknet",
            "states: [repaired, closed]",
            "states: [repaird, closed]",
            "repaird",
            "no state “repaird”",
            "repaired",
        ),
        (
            "batiknet",
            "roles: [teknis, layanan, pengarah, reporter]",
            "roles: [teknisi]",
            "[teknisi]",
            "no role or group “teknisi”",
            "teknis",
        ),
        (
            "batiknet",
            "items: [replaced]",
            "items: [result]",
            "items: [result]",
            "no field of “type: items” “result”",
            "replaced",
        ),
        (
            "batiknet",
            "{title: OPD pelapor, field: opd}",
            "{title: OPD pelapor, field: odp}",
            "field: odp",
            "no field “odp”",
            "opd",
        ),
        (
            "batiknet",
            "    text: berita_acara",
            "    text: acara",
            "text: acara",
            "has no words in “id”",
            "templates/id/acara.txt",
        ),
        (
            "batiknet",
            "    text: berita_acara\n",
            "    text: berita_acara\n    texts: x\n",
            "texts: x",
            "has no key “texts”",
            "text",
        ),
        (
            "wadul-aladin",
            "&automatic [ack, ask_first",
            "&automatic [akc, ask_first",
            "akc",
            "no reply “akc”",
            "ack",
        ),
    ],
)
def test_a_mistake_is_found_where_it_is_with_what_to_do(
    tmp_path: Path, profile: str, old: str, new: str, at: str, said: str, remedy: str
) -> None:
    folder = Path(shutil.copytree(profiles.folder(profile), tmp_path / profile))
    text = (folder / "profile.yaml").read_text()
    assert text.count(old) >= 1
    (folder / "profile.yaml").write_text(changed := text.replace(old, new))
    with pytest.raises(ProfileError) as caught:
        load(folder)
    line = next(number for number, each in enumerate(changed.splitlines(), 1) if at in each)
    found = {each.line: each.remedy for each in caught.value.problems if said in each.message}
    assert line in found, str(caught.value)
    assert remedy in found[line]


def test_words_of_a_document_use_only_what_there_is(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(profiles.folder("batiknet"), tmp_path / "batiknet"))
    template = folder / "templates" / "id" / "berita_acara.txt"
    template.write_text(template.read_text() + "\n{{ diagnosa }}\n")
    with pytest.raises(ProfileError, match="nothing fills “diagnosa” in this document.*diagnosis"):
        load(folder)


# ── lists ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("line", "item"),
    [
        ("2 buah konektor RJ-45", Item("konektor RJ-45", "2 buah")),
        ("- 40 meter kabel UTP", Item("kabel UTP", "40 meter")),
        ("1,5 kg timah", Item("timah", "1,5 kg")),
        ("10m kabel", Item("kabel", "10 m")),
        ("3 x switch", Item("switch", "3")),
        ("switch 8 port", Item("switch 8 port")),
        ("4", Item("4")),
    ],
)
def test_a_line_says_what_and_how_many(line: str, item: Item) -> None:
    assert items_in(line) == (item,)


@given(
    some.lists(
        some.text(some.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=30)
    )
)
def test_nothing_that_was_written_is_lost(lines: list[str]) -> None:
    words = [line for line in lines if line.strip("-•* ")]
    found = items_in("\n".join(lines))
    assert len(found) == len(words)
    for line, item in zip(words, found, strict=True):
        said = set((item.quantity + item.name).replace(" ", ""))
        assert set(line.lstrip("-•* ")) - set("x×") <= said


def test_a_form_takes_a_list_of_a_bearable_length() -> None:
    assert is_list("1 buah barang")
    assert not is_list("")
    assert not is_list("\n".join(["x"] * (LINES + 1)))
    assert not is_list("x" * (LENGTH + 1))
