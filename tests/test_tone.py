"""How a text sounds is learned from the made-up sets, and heard where no rule says it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from laporhub.classifiers.disguise import put_right
from laporhub.classifiers.signals import flags
from laporhub.classifiers.tone import FILE, LABELS, UNIT, heard
from laporhub.pipeline.text import normalise

sys.path.insert(0, str(Path(__file__).parent.parent / "bench"))

import tone as making


@pytest.fixture(scope="module")
def learned() -> tuple[list[str], dict[str, tuple[float, float]]]:
    return making.learned()


def numbers(lines: list[str]) -> dict[str, list[int]]:
    return {piece: [*map(int, told)] for piece, *told in (line.split("\t") for line in lines)}


def test_the_file_is_what_the_sets_teach(learned: tuple[list[str], dict[str, tuple[float, float]]]) -> None:
    there, taught = numbers(FILE.read_text("utf-8").splitlines()), numbers(learned[0])
    assert there.keys() == taught.keys(), "make tone"
    assert all(abs(a - b) <= 2 for piece in there for a, b in zip(there[piece], taught[piece], strict=True))


def test_a_text_is_heard_as_it_was_learned() -> None:
    """The sum over remembered words is that over the columns of the learner, but for what is rounded at the edge."""
    texts = [text for some in making.items() for _, text in some]
    rows, told = making.Rows(texts), numbers(FILE.read_text("utf-8").splitlines())
    says = np.array([told[piece][1:] for piece in rows.column]) / UNIT
    scores = rows.matrix() @ says + np.array(told[""][1:]) / UNIT
    for text, own in zip(texts, scores, strict=True):
        there = heard(put_right(normalise(text)))
        assert {label for label, score in zip(LABELS, own, strict=True) if score > 1e-9} <= there
        assert there <= {label for label, score in zip(LABELS, own, strict=True) if score > -1e-9}


@pytest.mark.parametrize(
    ("label", "least"), [("sara", 0.85), ("spam", 0.85), ("threat", 0.55), ("abusive", 0.5)]
)
def test_messages_are_found_that_were_not_learned_from(
    learned: tuple[list[str], dict[str, tuple[float, float]]], label: str, least: float
) -> None:
    found, accused = learned[1][label]
    assert found >= least
    assert accused <= 0.01


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("besok jangan harap petugasmu pulang utuh, bensin dan korek sudah kami siapkan", "threat"),
        ("suku itu semuanya penipu, usir saja mereka dari kota kami biar bersih", "sara"),
        ("daftar sekarang bonus member baru, withdraw cepat, link ada di bio kami", "spam"),
    ],
)
def test_what_no_rule_says_is_heard(text: str, label: str) -> None:
    assert label in heard(normalise(text))
    assert label in flags(text, normalise(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?!",
        "lampu jalan di depan pasar mati sejak seminggu, mohon diperbaiki",
        "sampah menumpuk di belakang masjid, anjing liar mengacak-acak tiap malam",
        "bagaimana cara mengurus kartu keluarga setelah menikah",
    ],
)
def test_a_plain_message_sounds_like_none(text: str) -> None:
    assert not heard(normalise(text))


@given(
    st.lists(
        st.sampled_from(
            ["awas", "kalian", "bakar", "kantor", "usir", "semua", "promo", "murah", "anjing", "pak"]
        ),
        max_size=8,
    )
)
def test_the_order_of_words_does_not_matter(words: list[str]) -> None:
    assert heard(" ".join(words)) == heard(" ".join(sorted(words))) <= frozenset(LABELS)
