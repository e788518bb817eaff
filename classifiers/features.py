"""A text as numbers: its words, pairs of words and pieces of words, each by the hash of its spelling. Pure.

No word is kept: a feature is a column that its hash leads to, so a model holds nothing that could be read out.
Pieces make alike what is spelled alike ("berlubang", "brlubang"), pairs tell "lampu jalan" from "lampu rumah".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any, Final, TypeAlias
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
_OF_THE_FIRST: Final = np.uint32(0x9E3779B1)
"""By which the first word of a pair is multiplied, so that the second is not taken for it."""
_SHORTEST_PIECE, _LONGEST_PIECE = 2, 5
_MOST_TIMES: Final = 200
_TIMES: Final = (1 + np.log(np.maximum(np.arange(_MOST_TIMES + 1), 1))).astype(np.float32)
_HALVES: Final = 2
_NO_COLUMNS: Final[Ints] = np.empty(0, np.int32)
_NO_VALUES: Final[Floats] = np.empty(0, np.float32)


def words_of(text: str) -> Sequence[str]:
    text = text[:READ]
    return words_in(normalise(MARKS.sub(" ", text) if "[" in text else text))


def _pieces(word: str) -> Ints:
    """The buckets of all that stand in the word, with its ends marked; a sign before keeps them apart from words."""
    marked, spelled = f"_{word}_", f"_{word}_".encode()
    spans = [
        (start, start + size)
        for size in range(_SHORTEST_PIECE, min(_LONGEST_PIECE, len(marked)) + 1)
        for start in range(len(marked) - size + 1)
    ]
    if len(spelled) == len(marked):
        found = [crc32(spelled[start:end], _OF_PIECES) & _MASK for start, end in spans]
    else:
        found = [crc32(marked[start:end].encode(), _OF_PIECES) & _MASK for start, end in spans]
    return np.array(found, np.int32)


class Buckets:
    """The buckets of words, remembered: most words of a text were in others before."""

    def __init__(self) -> None:
        self._hashes = Remembered(lambda word: crc32(word.encode()))
        self._pieces = Remembered(_pieces)

    def whole(self, words: Sequence[str]) -> Ints:
        """Of each word, then of each pair of neighbours, in the order of the text."""
        hashes = np.fromiter(map(self._hashes.__getitem__, words), np.uint32, len(words))
        pairs = hashes[:-1] * _OF_THE_FIRST ^ hashes[1:]
        return np.concatenate([hashes, pairs]).astype(np.int32) & _MASK

    def pieces(self, word: str) -> Ints:
        return self._pieces[word]


@dataclass(frozen=True, slots=True)
class Row:
    """Columns, and what each weighs; what a column has twice adds up."""

    columns: Ints
    values: Floats


@dataclass(frozen=True, slots=True)
class Features:
    """Which buckets count, and how much: `column` of each bucket (-1: none), `weight` of each column.

    Columns of words and pairs come first; `words` is how many. Words and pairs are one half of a text, pieces the
    other: in each the squares sum up to 1. A word that comes again counts less each time, with all its pieces.
    """

    column: Ints
    weight: Floats
    words: int

    @property
    def columns(self) -> int:
        return len(self.weight)

    def own(self, buckets: Ints) -> tuple[Ints, Row]:
        """The half of the words and pairs that are in these buckets: the column of each, -1 for none, and the row."""
        said = self.column.take(buckets)
        row = self._row(said)
        return said, Row(row.columns, _of_one_length(row.values))

    def pieces(self, buckets: Ints) -> Row:
        """Of one word, by the buckets of its pieces; not yet part of a half."""
        return self._row(self.column.take(buckets + BUCKETS))

    def _row(self, columns: Ints) -> Row:
        """Each of these columns once, in order."""
        columns = columns[columns >= 0]
        columns.sort()
        is_first = np.empty(len(columns) + 1, np.bool_)
        is_first[0] = is_first[-1] = True
        np.not_equal(columns[1:], columns[:-1], out=is_first[1:-1])
        (first,) = is_first.nonzero()
        columns = columns[first[:-1]]
        return Row(columns, said_so_often(first[1:] - first[:-1]) * self.weight.take(columns))

    def halves(self, texts: Iterable[Sequence[str]], buckets: Buckets) -> Iterator[tuple[Row, Row]]:
        """Both halves of each text."""
        pieces = Remembered(lambda word: self.pieces(buckets.pieces(word)))
        for words in texts:
            _, own = self.own(buckets.whole(words))
            times = Counter(words)
            each = [pieces[word] for word in times]
            often = said_so_often([*times.values()])
            columns = np.concatenate([_NO_COLUMNS, *(row.columns for row in each)])
            values = [row.values * much for row, much in zip(each, often, strict=True)]
            yield own, Row(columns, _of_one_length(np.concatenate([_NO_VALUES, *values])))


def said_so_often(times: Sequence[int] | NDArray[Any]) -> Floats:
    """What each weighs that occurs so many times."""
    return _TIMES.take(times, mode="clip")


def _of_one_length(values: Floats) -> Floats:
    return values / (sqrt(values @ values) or 1.0)


def learn_features(texts: Iterable[Sequence[str]], buckets: Buckets, *, rarest: tuple[int, int]) -> Features:
    """Keeps what occurs in at least so many texts (words, pieces); the rarer, the more it weighs."""
    seen = np.zeros(_HALVES * BUCKETS, np.int32)
    total = 0
    for words in texts:
        seen[np.unique(buckets.whole(words))] += 1
        pieces = np.concatenate([_NO_COLUMNS, *map(buckets.pieces, {*words})])
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
