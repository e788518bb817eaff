"""A learned model: how much each feature of a text speaks for each label, and how far it can be trusted. Pure.

It is a table of weights: to read one runs no code of it. `training` makes it, `model_files` keeps it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import sqrt
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from laporhub.classifiers.features import Buckets, Features, Floats, Ints, Row, said_so_often
from laporhub.classifiers.labels import Offices, Where
from laporhub.classifiers.thresholds import HeldBack
from laporhub.pipeline.remembered import Remembered

Ranked: TypeAlias = list[tuple[str, float]]
"""Labels with their probabilities, the likeliest first."""

Certainty: TypeAlias = tuple[float, float]
"""What the log-odds of the likeliest label are multiplied by, and what is added to them."""
AS_SAID: Final[Certainty] = (1.0, 0.0)

_UNLIKELY: Final = 1e-2
"""The least that a prior leaves of a label: what it never heard of can still be right."""
_TIE: Final = 1e-9
"""What sets the likeliest apart where it would be as likely as the second."""
_LOOKED_AT: Final = 20
"""Words and pairs that are looked at for reasons."""
_ASKED: Final = 8
"""Words of a text that are asked for similar cases: those that weigh most."""
_ALIKE: Final = 0.3
"""The share of what such words weigh from which a past case is called similar."""


@dataclass(frozen=True, slots=True)
class PastCases:
    """Which past cases have a word: for each column of a word, `cases[start[column]:start[column + 1]]`."""

    names: Sequence[str]
    labels: Ints
    start: Ints
    cases: Ints
    weights: Floats

    def similar(self, own: Row) -> list[tuple[str, int, float]]:
        """Names, labels and likeness (0..1) of at most five cases, the most similar first."""
        columns, values = own.columns, own.values
        if not len(columns) or not len(self.names):
            return []
        asked = np.argsort(values)[-_ASKED:]
        ranges = [slice(self.start[columns[i]], self.start[columns[i] + 1]) for i in asked]
        cases = np.concatenate([self.cases[each] for each in ranges])
        if not len(cases):
            return []
        weighed = np.concatenate(
            [self.weights[each] * values[i] for each, i in zip(ranges, asked, strict=True)]
        )
        likeness = np.bincount(cases, weighed, minlength=len(self.names))
        alike = np.flatnonzero(likeness >= _ALIKE)
        best = alike[np.argsort(-likeness[alike], kind="stable")[:5]]
        return [
            (self.names[each], int(self.labels[each]), much)
            for each, much in zip(best.tolist(), likeness[best].tolist(), strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Weighed:
    """A text as a model sees it. `said` are the columns of its words, then of its pairs, in the order of the text, -1
    for what is unknown; `own` is their row, `weights` has a row for each of its columns and a column for each label.
    """

    said: Ints
    own: Row
    weights: Floats
    scores: Floats
    """Of each label, by words, pairs and pieces."""


class Reader:
    """What a model makes of words, remembered: what all pieces of a word say together is worked out once."""

    def __init__(self, features: Features, weights: Floats, bias: Floats) -> None:
        self._features = features
        self._weights = weights
        self._bias = bias
        self._buckets = Buckets()
        self._spoken = Remembered(self._speaks)

    def read(self, words: Sequence[str]) -> Weighed:
        said, own = self._features.own(self._buckets.whole(words))
        weights = self._weights.take(own.columns, axis=0)
        scores = own.values @ weights + self._bias
        if words:
            scores += self._of_pieces(words)
        return Weighed(said, own, weights, scores)

    def _of_pieces(self, words: Sequence[str]) -> Floats:
        times = Counter(words)
        told = np.frombuffer(b"".join(map(self._spoken.__getitem__, times)), np.float32)
        told = told.reshape(len(times), -1)
        often = said_so_often([*times.values()])
        length = sqrt(often * often @ told[:, -1])
        spoken: Floats = (often @ told[:, :-1]) / (length or 1.0)
        return spoken

    def _speaks(self, word: str) -> bytes:
        """What its pieces say for each label, and the sum of their squares; as bytes, which are joined fastest."""
        row = self._features.pieces(self._buckets.pieces(word))
        told = np.append(row.values @ self._weights[row.columns], row.values @ row.values)
        return told.astype(np.float32).tobytes()


@dataclass(frozen=True, slots=True)
class Linear:
    """`weights` has a row for each feature and a column for each of `labels`; each row sums up to 0.

    A label's probability is the softmax of `sharpness` times its score plus `trust_in_prior` times the logarithm of
    what was thought without any past case. Then `certainty` makes the likeliest right as often as it says, and
    `others` tells more of the rest than their words do: what each is multiplied by where another is the likeliest.
    """

    features: Features
    labels: tuple[str, ...]
    weights: Floats
    bias: Floats
    sharpness: float
    trust_in_prior: float
    known_as: tuple[str, ...]
    """What each label is called in a prior; "" for those of which it says nothing."""
    offices: Offices
    others: NDArray[np.float64]
    held_back: HeldBack
    past: PastCases
    certainty: Certainty = AS_SAID
    about: Mapping[str, Any] = field(default_factory=dict)
    """When it was made, of how many cases, and what it achieved on those held back."""
    _reader: list[Reader] = field(default_factory=list, repr=False, compare=False)

    def weighed(self, words: Sequence[str]) -> Weighed:
        if not self._reader:
            self._reader.append(Reader(self.features, self.weights, self.bias))
        return self._reader[0].read(words)

    def probabilities(self, text: Weighed, prior: Mapping[str, float] | None = None) -> NDArray[np.float64]:
        shares = probabilities(text.scores, self.sharpness, self._prior(prior))
        return corrected(shares, self.certainty, self.others)

    def _prior(self, prior: Mapping[str, float] | None) -> NDArray[np.float64] | None:
        if prior is None or not self.trust_in_prior:
            return None
        return self.trust_in_prior * log_prior(self.known_as, prior)

    def ranked(self, words: Sequence[str], where: Where, prior: Mapping[str, float] | None = None) -> Ranked:
        """What the words are for at this place; at least three labels, if there are so many."""
        return by_place(self.labels, self.probabilities(self.weighed(words), prior), self.offices, where)

    def reasons(
        self, words: Sequence[str], text: Weighed, labels: Sequence[str], most: int
    ) -> list[list[str]]:
        """For each label the words, and pairs of words, that speak most for it and less for others."""
        speak = text.weights[:, [*map(self.labels.index, labels)]].T * text.own.values
        order = (-speak).argsort(axis=1)[:, :_LOOKED_AT]
        places, found = text.said.tolist(), []
        for its, best in zip(speak, order, strict=True):
            known = text.own.columns[best[its[best] > 0]].tolist()
            found.append(_apart((_as_said(words, places.index(each)) for each in known), most))
        return found


def _as_said(words: Sequence[str], place: int) -> str:
    """The word, or the pair of words, that has this place in `Weighed.said`."""
    first = place - len(words)
    return words[place] if first < 0 else f"{words[first]} {words[first + 1]}"


def _apart(said: Iterable[str], most: int) -> list[str]:
    """The first of them, leaving out what is part of one before, or holds one."""
    chosen: list[str] = []
    for each in said:
        if each.isdigit():
            continue
        for other in chosen:
            if each in other or other in each:
                break
        else:
            chosen.append(each)
            if len(chosen) == most:
                break
    return chosen


def log_prior(known_as: Sequence[str], prior: Mapping[str, float]) -> NDArray[np.float64]:
    """What a prior says of labels; of those that it does not know, that they are as likely as any."""
    told = _unheard(known_as)
    shares = told.nothing.copy()
    for name, probability in prior.items():
        if probability > _UNLIKELY:
            for place in told.places.get(name, ()):
                shares[place] = math.log(probability)
    return shares


class _Unheard(NamedTuple):
    """A prior that says nothing of any label, and where the labels of each name stand."""

    nothing: NDArray[np.float64]
    places: Mapping[str, list[int]]


@lru_cache(maxsize=8)
def _unheard(known_as: Sequence[str]) -> _Unheard:
    neutral = 1 / max(len(known_as), 1)
    places: dict[str, list[int]] = {}
    for place, name in enumerate(known_as):
        if name:
            places.setdefault(name, []).append(place)
    return _Unheard(np.log([_UNLIKELY if name else neutral for name in known_as]), places)


def probabilities(
    scores: NDArray[Any], sharpness: float, added: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Along the last axis they sum up to 1."""
    odds = sharpness * scores.astype(np.float64)
    if added is not None:
        odds = odds + added
    odds = np.exp(odds - np.maximum.reduce(odds, axis=-1, keepdims=True))
    odds /= np.add.reduce(odds, axis=-1, keepdims=True)
    return odds


def corrected(
    shares: NDArray[np.float64], certainty: Certainty, others: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The probabilities of one text, the likeliest as sure as it may be; the others share the rest, each as before
    times what `others` has for it. The likeliest stays it.
    """
    best = int(shares.argmax())
    sure, rest = log_odds(float(shares[best])), shares * others
    rest[best] = 0.0
    total = float(rest.sum())
    if not total:
        return shares
    slope, added = certainty
    second = float(rest.max())
    first = max(1 / (1 + math.exp(-slope * sure - added)), second / (second + total) + _TIE)
    rest *= (1 - first) / total
    rest[best] = first
    return rest


def log_odds(probability: float) -> float:
    bounded = min(max(probability, _TIE), 1 - _TIE)
    return math.log(bounded / (1 - bounded))


def by_place(
    labels: Sequence[str], shares: NDArray[np.float64], offices: Offices, where: Where, most: int = 5
) -> Ranked:
    """The likeliest labels; what is one office in many places is told by the place."""
    best = np.argsort(-shares, kind="stable")[: most + 1]
    found: dict[str, float] = {}
    for each in best:
        for label, part in offices.told_by_place(labels[each], where).items():
            found[label] = found.get(label, 0.0) + part * float(shares[each])
    return sorted(found.items(), key=lambda each: (-each[1], each[0]))[:most]
