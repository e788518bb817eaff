"""A text as numbers: its words, pairs of words and pieces of words, each by the hash of its spelling. Pure.

No word is kept: a feature is a column that its hash leads to, so a model holds nothing that could be read out.
Pieces make alike what is spelled alike ("berlubang", "brlubang"), pairs tell "lampu jalan" from "lampu rumah".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import sqrt
from typing import Final, TypeAlias
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from laporhub.classifiers.cold_start import MARKS
from laporhub.pipeline.remembered import Remembered
from laporhub.pipeline.text import normalise, words_in

Ints: TypeAlias = NDArray[np.int32]
Floats: TypeAlias = NDArray[np.float32]

READ: Final = 5_000
"""Characters of a text that are read."""
_BITS: Final = 20
BUCKETS: Final = 1 << _BITS
_MASK: Final = BUCKETS - 1
_OF_PIECES: Final = crc32(b"#")
_SHORTEST_PIECE, _LONGEST_PIECE = 2, 5
_MOST_TIMES: Final = 200
_TIMES: Final = (1 + np.log(np.maximum(np.arange(_MOST_TIMES + 1), 1))).astype(np.float32)
"""What a feature weighs that occurs so many times."""
_HALVES: Final = 2
"""Words and pieces are weighed apart: of each the squares sum up to 1."""


def words_of(text: str) -> Sequence[str]:
    text = text[:READ]
    return words_in(normalise(MARKS.sub(" ", text) if "[" in text else text))


def _pieces(word: str) -> list[int]:
    """The buckets of all that stand in the word, with its ends marked; a sign before keeps them apart from words."""
    marked, spelled = f"_{word}_", f"_{word}_".encode()
    spans = [
        (start, start + size)
        for size in range(_SHORTEST_PIECE, min(_LONGEST_PIECE, len(marked)) + 1)
        for start in range(len(marked) - size + 1)
    ]
    if len(spelled) == len(marked):
        return [crc32(spelled[start:end], _OF_PIECES) & _MASK for start, end in spans]
    return [crc32(marked[start:end].encode(), _OF_PIECES) & _MASK for start, end in spans]


@dataclass(frozen=True, slots=True)
class Row:
    """One text: columns, each once and in order, and what each weighs; `said` are those of its words, then pairs, in
    the order of the text, -1 for what is unknown.
    """

    columns: Ints
    values: Floats
    said: Ints


class Buckets:
    """The buckets of words, remembered: most words of a text were in others before."""

    def __init__(self, column: Ints | None = None) -> None:
        """With `column` pieces are not told by bucket but by the columns that these lead to, if any."""
        self._column = column
        self._words = Remembered(self._learn)

    def of(self, words: Sequence[str]) -> tuple[Ints, Ints]:
        """Of words and pairs (each the hash of both words with a space), and of pieces; as often as they occur."""
        known = [*map(self._words.__getitem__, words)]
        whole = [hashed & _MASK for hashed, _, _ in known]
        whole += [crc32(second, hashed) & _MASK for (hashed, _, _), (_, second, _) in pairwise(known)]
        pieces = np.frombuffer(b"".join([each for _, _, each in known]), np.int32)
        return np.array(whole, np.int32), pieces

    def _learn(self, word: str) -> tuple[int, bytes, bytes]:
        """The word's hash, how it goes on after another, and its pieces (as bytes, which are joined fastest)."""
        pieces = np.array(_pieces(word), np.int32)
        if self._column is not None:
            pieces = self._column[pieces]
            pieces = pieces[pieces >= 0]
        return crc32(word.encode()), f" {word}".encode(), pieces.tobytes()


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

    def buckets(self) -> Buckets:
        """For `row`; to be kept from text to text."""
        return Buckets(self.column[BUCKETS:])

    def row(self, words: Sequence[str], buckets: Buckets) -> Row:
        whole, pieces = buckets.of(words)
        said = self.column.take(whole)
        columns = np.concatenate([said[said >= 0], pieces])
        columns.sort()
        is_first = np.empty(len(columns) + 1, np.bool_)
        is_first[0] = is_first[-1] = True
        np.not_equal(columns[1:], columns[:-1], out=is_first[1:-1])
        (first,) = is_first.nonzero()
        times = first[1:] - first[:-1]
        columns = columns[first[:-1]]
        values = _TIMES.take(times, mode="clip") * self.weight.take(columns)
        own = int(columns.searchsorted(self.words))
        for half in (values[:own], values[own:]):
            half /= sqrt(half @ half) or 1.0
        return Row(columns, values, said)


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
