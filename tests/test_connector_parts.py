"""Long answers in several messages."""

from __future__ import annotations

import re

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from laporhub.connectors.parts import octets, split, units

LIMIT = 1600
text = st.text(st.sampled_from("ab .\n👨‍👩‍👧🇮🇩é\u0301क्षि"), max_size=400)


def bare(part: str) -> str:
    return re.sub(r"^\(\d+/\d+\) ", "", part)


def test_a_short_answer_is_one_message_as_it_is() -> None:
    assert split("Terima kasih.", LIMIT) == ["Terima kasih."]


def test_a_full_message_is_not_split() -> None:
    assert split("a" * LIMIT, LIMIT) == ["a" * LIMIT]
    assert len(split("a" * (LIMIT + 1), LIMIT)) == 2


def test_parts_are_numbered() -> None:
    assert [part[:6] for part in split("kata " * 900, LIMIT)] == ["(1/3) ", "(2/3) ", "(3/3) "]


def test_it_is_cut_between_paragraphs_before_sentences_before_words() -> None:
    assert split("Satu dua. Tiga empat.\n\nLima enam. Tujuh.", 34) == [
        "(1/2) Satu dua. Tiga empat.",
        "(2/2) Lima enam. Tujuh.",
    ]
    assert split("Satu dua tiga. Empat lima enam tujuh.", 31)[0] == "(1/2) Satu dua tiga."
    assert split("satu dua tiga empat lima enam tujuh", 27)[0] == "(1/2) satu dua tiga empat"


def test_a_family_of_emoji_stays_together() -> None:
    family = "👨‍👩‍👧‍👦"
    parts = split(family * 50, 60)
    assert all(set(regex.findall(r"\X", bare(part))) == {family} for part in parts)


def test_more_than_nine_parts_still_fit() -> None:
    parts = split("kata " * 5000, LIMIT)
    assert len(parts) > 9
    assert max(map(units, parts)) <= LIMIT


@given(text, st.integers(20, 60))
def test_no_part_is_too_long_and_nothing_is_lost(answer: str, limit: int) -> None:
    parts = split(answer, limit)
    assert all(units(part) <= limit for part in parts)
    assert re.sub(r"\s", "", "".join(map(bare, parts))) == re.sub(r"\s", "", answer)


def test_one_letter_longer_than_a_message_is_cut_all_the_same() -> None:
    parts = split("a" + "\u0301" * 100, 40)
    assert all(units(part) <= 40 for part in parts)
    assert "".join(map(bare, parts)) == "a" + "\u0301" * 100


def test_a_limit_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="no room"):
        split("kata kata", 6)


whole = st.lists(st.sampled_from(["a", "b ", "👨‍👩‍👧", "🇮🇩 ", "é", "क्षि", ". ", "\n"]), max_size=200).map(
    "".join
)


@given(whole, st.integers(40, 90))
def test_bytes_are_counted_where_a_platform_counts_bytes(answer: str, limit: int) -> None:
    parts = split(answer, limit, octets)
    assert all(len(part.encode()) <= limit for part in parts)
    assert re.sub(r"\s", "", "".join(map(bare, parts))) == re.sub(r"\s", "", answer)
    graphemes = [each for part in parts for each in regex.findall(r"\X", bare(part))]
    assert [g for g in graphemes if g.strip()] == [g for g in regex.findall(r"\X", answer) if g.strip()]
