"""A text as numbers: its words, pairs of words and pieces of words, each by the hash of its spelling. Pure.

No word is kept: a feature is a column that its hash leads to, so a model holds nothing that could be read out.
Pieces make alike what is spelled alike ("berlubang", "brlubang"), pairs tell "lampu jalan" from "lampu rumah".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from laporhub.classifiers.cold_start import MARKS
from laporhub.pipeline.text import normalise

Ints: TypeAlias = NDArray[np.int32]
Floats: TypeAlias = NDArray[np.float32]

READ: Final = 5_000
"""Characters of a text that are read."""
_BITS: Final = 20
BUCKETS: Final = 1 << _BITS
_SHORTEST_PIECE, _LONGEST_PIECE = 2, 5
_WORDS_AT_HAND: Final = 100_000
_HALVES: Final = 2
"""Words and pieces are weighed apart: of each the squares sum up to 1."""


def words_of(text: str) -> list[str]:
    text = text[:READ]
    return normalise(MARKS.sub(" ", text) if "[" in text else text).split()


def bucket(feature: str) -> int:
    """Where the hash of a word, pair or piece leads to."""
    return crc32(feature.encode()) & (BUCKETS - 1)


def _pieces(word: str) -> Iterator[str]:
    """All that stand in the word, with its ends marked; the mark keeps them apart from words, too."""
    marked = f"_{word}_"
    for size in range(_SHORTEST_PIECE, min(_LONGEST_PIECE, len(marked)) + 1):
        for start in range(len(marked) - size + 1):
            yield f"#{marked[start : start + size]}"


@dataclass(frozen=True, slots=True)
class Row:
    """One text: columns, each once and in order, and what each weighs."""

    columns: Ints
    values: Floats


class Buckets:
    """The buckets of words, remembered: most words of a text were in others before."""

    def __init__(self) -> None:
        self._words: dict[str, tuple[int, Ints]] = {}

    def word(self, word: str) -> tuple[int, Ints]:
        """Of the word itself, and of its pieces."""
        known = self._words.get(word)
        if known is None:
            if len(self._words) >= _WORDS_AT_HAND:
                self._words.clear()
            pieces = np.fromiter((bucket(piece) for piece in _pieces(word)), np.int32)
            known = self._words[word] = (bucket(word), pieces)
        return known

    def of(self, words: Sequence[str]) -> tuple[Ints, Ints]:
        """Of words and pairs, and of pieces; as often as they occur."""
        known = [self.word(word) for word in words]
        whole = [bucket for bucket, _ in known]
        whole += [bucket(f"{first} {second}") for first, second in pairwise(words)]
        pieces = np.concatenate([each for _, each in known]) if known else np.empty(0, np.int32)
        return np.array(whole, np.int32), pieces


@dataclass(frozen=True, slots=True)
class Features:
    """Which buckets count, and how much: `column` of each bucket (-1: none), `weight` of each column.

    Columns of words come first; `words` is how many.
    """

    column: Ints
    weight: Floats
    words: int

    @property
    def columns(self) -> int:
        return len(self.weight)

    def row(self, words: Sequence[str], buckets: Buckets) -> Row:
        whole, pieces = buckets.of(words)
        halves = [self._half(each, offset) for each, offset in ((whole, 0), (pieces, BUCKETS))]
        return Row(
            np.concatenate([columns for columns, _ in halves]),
            np.concatenate([values for _, values in halves]),
        )

    def _half(self, buckets: Ints, offset: int) -> tuple[Ints, Floats]:
        columns = self.column[buckets + offset]
        columns, times = np.unique(columns[columns >= 0], return_counts=True)
        values = (1 + np.log(times)) * self.weight[columns]
        length = np.sqrt(values @ values)
        return columns, (values / length if length else values).astype(np.float32)


def learn_features(texts: Iterable[Sequence[str]], buckets: Buckets, *, rarest: tuple[int, int]) -> Features:
    """Keeps what occurs in at least so many texts (words, pieces); the rarer, the more it weighs."""
    seen = np.zeros(_HALVES * BUCKETS, np.int32)
    total = 0
    for words in texts:
        whole, pieces = buckets.of(words)
        seen[np.unique(whole)] += 1
        seen[np.unique(pieces) + BUCKETS] += 1
        total += 1
    kept = [
        np.flatnonzero(half >= least) for half, least in zip(np.split(seen, _HALVES), rarest, strict=True)
    ]
    where = np.concatenate([kept[0], kept[1] + BUCKETS])
    column = np.full(_HALVES * BUCKETS, -1, np.int32)
    column[where] = np.arange(len(where), dtype=np.int32)
    weight = (1 + np.log((1 + total) / (1 + seen[where]))).astype(np.float32)
    return Features(column, weight, len(kept[0]))
