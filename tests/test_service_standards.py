"""The table of the service standards: every numbered sentence is in it, and every test that it names is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
DOCUMENT = TESTS.parent / "docs" / "service-standards.md"
ROW = re.compile(r"^\| (\d{3}\.[\w.]+) \| (.+?) \| (.*?) \| (.+?) \|$", re.MULTILINE)


def numbered(prefix: str, *counts: tuple[str, int]) -> Iterator[str]:
    """`numbered("000", ("2", 7))`: 000.2.1 … 000.2.7; a count of 0 is a sentence without numbers below it."""
    for section, count in counts:
        yield from ([f"{prefix}.{section}.{n}" for n in range(1, count + 1)] or [f"{prefix}.{section}"])


# What the five standards number, by their own numbers.
SENTENCES = {
    *numbered("000", ("1", 0), ("2", 7), ("3", 2), ("4", 0), ("5", 0), ("6.a", 6), ("6.b", 4), ("7", 3)),
    *numbered("000", ("8", 3), ("9", 4), ("10", 0), ("11", 0), ("12", 0), ("13", 2), ("14", 0)),
    *numbered("001", ("1", 1), ("2", 7), ("3", 0), ("4", 0), ("5", 1), ("6.1", 7), ("6.2", 4)),
    *numbered("002", ("dasar", 6), ("kualifikasi", 2), ("peralatan", 2), ("peringatan", 0)),
    *numbered("002", ("pencatatan", 1)),
    *(f"002.{number}" for number in range(1, 8)),
    *numbered("003", ("A.1", 3), ("A.waktu", 2), ("A.3", 0), ("A.4", 0), ("A.5", 7), ("B.1", 5), ("B.2", 6)),
    *(f"003.A.2.1.{letter}" for letter in "abcdefg"),
    *(f"003.A.2.{number}" for number in range(2, 6)),
    *numbered("003", ("B.3", 5), ("B.4", 2), ("B.5", 5), ("B.6", 0), ("B.8", 0)),
    *("003.B.5.1.koordinasi", "003.B.5.edukasi", "003.B.7.1"),
    *(f"003.B.7.2.{letter}" for letter in "abc"),
    *numbered("004", ("1", 2), ("2", 10), ("3", 4), ("4", 0), ("5", 0), ("6.a", 6), ("6.b", 4), ("7", 7)),
    *numbered("004", ("8", 4), ("9", 3), ("10", 0), ("11", 0), ("12", 0), ("13", 2), ("14", 0)),
}

ROWS = ROW.findall(DOCUMENT.read_text())


@cache
def found_in(file: str) -> frozenset[str]:
    path = TESTS / file
    found = re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.MULTILINE) if path.exists() else []
    return frozenset(found)


def test_every_numbered_sentence_has_one_row() -> None:
    ids = [row[0] for row in ROWS]
    assert sorted(ids) == sorted(SENTENCES)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_row_names_tests_that_exist_or_what_is_missing(row: tuple[str, str, str, str]) -> None:
    _, says, lives, proof = row
    assert says.strip()
    if proof.startswith("open: "):
        return
    assert lives.strip()
    named = re.findall(r"`(\w+\.py)::(test_\w+)`", proof)
    assert named and len(named) == proof.count("`") // 2
    assert [name for file, name in named if name not in found_in(file)] == []
