"""How a text sounds: which pieces of words go with hatred, threats, abuse and advertising. Pure.

The rules (`hate`, `threats`, `adverts`, `rude`) know the ways that somebody thought of; this hears the others. What
each piece says is a line of `tone.tsv`, learned from messages that are all made up (`make tone`).
"""

from __future__ import annotations

from collections import Counter
from functools import cache, lru_cache
from math import fsum, log, sqrt
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from laporhub.pipeline.remembered import Remembered
from laporhub.pipeline.text import words_of

FILE: Final = Path(__file__).with_name("tone.tsv")
LABELS: Final = ("abusive", "sara", "spam", "threat")
UNIT: Final = 100
"""Numbers in the file are hundredths."""
LEAST_LENGTH: Final = 40.0
"""What a text of about ten words weighs: a shorter one says less."""
_SHORTEST, _LONGEST = 3, 4

Speaks: TypeAlias = tuple[float, ...]
"""The square of what a word weighs, and what it says for each of `LABELS`."""


class _Learned(NamedTuple):
    """What a piece weighs and what it says for each label; and what is added to a text's scores."""

    pieces: dict[str, tuple[float, Speaks]]
    added: Speaks


def pieces(word: str) -> list[str]:
    """The word with its ends marked, and all of three and four letters in it."""
    marked = f"_{word}_"
    found = [marked] if len(marked) > _LONGEST else []
    for size in range(_SHORTEST, min(_LONGEST, len(marked)) + 1):
        found += [marked[start : start + size] for start in range(len(marked) - size + 1)]
    return found


def so_often(times: int) -> float:
    """What a piece weighs that a word has so many times."""
    return 1 + log(times)


@cache
def _learned() -> _Learned:
    lines = (line.split("\t") for line in FILE.read_text(encoding="utf-8").splitlines())
    told: dict[str, Speaks] = {
        piece: tuple(int(number) / UNIT for number in numbers) for piece, *numbers in lines
    }
    added = told.pop("")[1:]
    return _Learned({piece: (own[0], own[1:]) for piece, own in told.items()}, added)


def _speaks(word: str) -> Speaks:
    known = _learned().pieces
    there = [
        (known[piece], so_often(times)) for piece, times in Counter(pieces(word)).items() if piece in known
    ]
    weighed = [(weight * often, says) for (weight, says), often in there]
    each = (fsum(weight * says[label] for weight, says in weighed) for label in range(len(LABELS)))
    return (fsum(weight * weight for weight, _ in weighed), *each)


_SPEAKS: Final = Remembered(_speaks)


@lru_cache(maxsize=32)  # asked for each kind of flag
def heard(words: str) -> frozenset[str]:
    """Those of `LABELS` that a normalised text sounds like."""
    if not words:
        return frozenset()
    squares, *each = zip(*map(_SPEAKS.__getitem__, words_of(words)), strict=True)
    length = max(sqrt(fsum(squares)), LEAST_LENGTH)
    scores = (fsum(said) / length + added for said, added in zip(each, _learned().added, strict=True))
    return frozenset(label for label, score in zip(LABELS, scores, strict=True) if score >= 0)
