"""A model out of past cases. Pure: the same cases, in the same order, give the same model.

The cases are in the order of time. What a model says of cases that came after those it was made of tells how sure
it may be (`sharpness`, `certainty`), how much the units' own description still counts (`trust_in_prior`), and the
thresholds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from laporhub.classifiers.calibration import Fold, calibrated, certain, otherwise
from laporhub.classifiers.features import Buckets, Features, Floats, Row, learn_features, words_of
from laporhub.classifiers.labels import NOWHERE, Offices, Where, learn_offices
from laporhub.classifiers.linear import (
    Linear,
    PastCases,
    Reader,
    by_place,
    corrected,
    log_prior,
)
from laporhub.classifiers.thresholds import HeldBack
from laporhub.pipeline.errors import Refused

_RAREST: Final = (2, 3)
"""In how many texts a word and a piece of a word must occur."""
_MANY: Final = 500
"""Cases from which what occurs only once or twice is left out."""
_COST: Final = 0.3
"""What an error costs against large weights, as scikit-learn's C."""
_OF_A_CASE: Final = 0.5
"""How much a saying of a description teaches, against a case."""
_BEGINNINGS: Final = (0.6, 0.8)
"""Shares of the cases, the earliest, of which models are made that are asked for those that came next. More than one,
since months differ in how hard they are."""
_ENOUGH: Final = 1000
"""Cases from which that is enough; before, all take turns."""
_TURNS: Final = 5
_UNSEEN: Final = -1.0
"""The score of a label that no case had: that of one that no word speaks for."""
FEWEST: Final = 20
"""Cases below which nothing is learned."""

Progress: TypeAlias = Callable[[str, float], None]
"""Is told what is done, and which share of all (0..1) is done by then."""


@dataclass(frozen=True, slots=True)
class Case:
    """A past case: what was said, and whom people gave it to. `name` is how staff finds it; `prior` is what was
    thought of it without any past case.
    """

    text: str
    label: str
    where: Where = NOWHERE
    name: str = ""
    prior: Mapping[str, float] | None = None


Saying: TypeAlias = tuple[str, str]
"""Words by which a description knows an office, and what the office is called in the cases' priors."""


def _silent(_: str, __: float) -> None:
    pass


def train(
    cases: Sequence[Case],
    progress: Progress = _silent,
    key_of: Callable[[str], str] = str,
    labels: Iterable[str] = (),
    sayings: Iterable[Saying] = (),
) -> Linear:
    """`key_of` says what a label is called in the cases' priors, "" where it is not; `labels` are those that may
    also be right though no case has had them yet. `sayings` are learned from beside the cases: they help offices
    with few of them.

    Raises `Refused` where there are too few cases, or only one label.
    """
    if len(cases) < FEWEST or len({case.label for case in cases}) < 2:
        raise Refused(
            f"{len(cases)} cases are too few to learn from: at least {FEWEST}, of two labels or more, are needed"
        )
    buckets = Buckets()
    words = [words_of(case.text) for case in cases]
    offices = learn_offices([(case.label, case.where) for case in cases])
    learned = [offices.learned_as(case.label) for case in cases]
    every = tuple(sorted({*learned, *map(offices.learned_as, labels)}))
    known_as = tuple(map(key_of, every))
    told = _told(sayings, every, known_as)
    held: list[Fold] = []
    asked: list[Case] = []
    parts = list(_parts(len(cases)))
    for number, (seen, first, last) in enumerate(parts, 1):
        if len({learned[each] for each in seen}) > 1:
            first_words, first_learned = [words[each] for each in seen], [learned[each] for each in seen]
            earlier = _fit(first_words, first_learned, buckets, every, told)
            held.append(_fold(earlier, words[first:last], cases[first:last], learned[first:last], known_as))
            asked += cases[first:last]
        progress("held back", 0.5 * number / len(parts))
    sharpness, trust = calibrated(held)
    shares = np.array([each for fold in held for each in fold.shares(sharpness, trust)])
    shares = shares.reshape(-1, len(every))  # there may be none
    right = np.array([each for fold in held for each in fold.right], np.int64)
    certainty, others = certain(shares, right), otherwise(shares, right)
    fitted = _fit(words, learned, buckets, every, told)
    progress("all", 0.95)
    model = Linear(
        features=fitted.features,
        labels=fitted.labels,
        weights=fitted.weights,
        bias=fitted.bias,
        sharpness=sharpness,
        trust_in_prior=trust,
        known_as=known_as,
        offices=offices,
        certainty=certainty,
        others=others,
        held_back=_held_back(asked, [corrected(each, certainty, others) for each in shares], every, offices),
        past=_past_cases(cases, learned, fitted),
        about={"cases": len(cases), "labels": dict(Counter(case.label for case in cases).most_common())},
    )
    progress("done", 1.0)
    return model


def _parts(cases: int) -> Iterator[tuple[Sequence[int], int, int]]:
    """Of which cases a model is made, and from which to which it is asked: later ones where there are enough, else
    every fifth of all, by what was learned of the others.
    """
    if cases >= _ENOUGH:
        cuts = [*(round(share * cases) for share in _BEGINNINGS), cases]
        yield from ((range(first), first, last) for first, last in pairwise(cuts))
        return
    for part in range(_TURNS):
        first, last = cases * part // _TURNS, cases * (part + 1) // _TURNS
        yield [*range(first), *range(last, cases)], first, last


def _told(
    sayings: Iterable[Saying], every: Sequence[str], known_as: Sequence[str]
) -> list[tuple[Sequence[str], str]]:
    """The words of each saying with the label that it speaks for, where there is one and no other."""
    named = Counter(known_as)
    label_of = {name: label for label, name in zip(every, known_as, strict=True) if named[name] == 1}
    return [(words_of(text), label_of[name]) for text, name in sayings if name in label_of]


@dataclass(frozen=True, slots=True)
class _Fitted:
    features: Features
    labels: tuple[str, ...]
    weights: Floats
    bias: Floats
    words: Sequence[Row]
    """Of each case its words and pairs."""


def _fit(
    words: Sequence[Sequence[str]],
    labels: Sequence[str],
    buckets: Buckets,
    every: tuple[str, ...],
    told: Sequence[tuple[Sequence[str], str]] = (),
) -> _Fitted:
    """A column for each of `every` label; one that no case and nothing `told` has is never spoken for by words."""
    features = learn_features(words, buckets, rarest=_RAREST if len(words) > _MANY else (1, 1))
    halves = [*features.halves(words, buckets)]
    own = [half for half, _ in halves]
    said = zip(features.halves((each for each, _ in told), buckets), told, strict=True)
    heard = [(pair, label) for pair, (_, label) in said if any(len(row.columns) for row in pair)]
    halves += [pair for pair, _ in heard]
    weight = np.repeat([1.0, _OF_A_CASE], [len(words), len(heard)])
    svm, table = _scikit_learn()
    flat = [row for pair in halves for row in pair]
    starts = np.fromiter(accumulate((len(row.columns) for row in flat), initial=0), np.int64)[::2]
    columns = np.concatenate([row.columns for row in flat])
    values = np.concatenate([row.values for row in flat], dtype=np.float64)  # else it is copied to that
    del halves, flat  # the largest of all, and now twice in memory
    matrix = table((values, columns, starts), shape=(len(weight), features.columns))
    matrix.sum_duplicates()
    right = np.array([*labels, *(label for _, label in heard)])
    fitted = svm(C=_COST, tol=0.01, random_state=0).fit(matrix, right, weight)
    weights, bias = fitted.coef_, fitted.intercept_
    if len(fitted.classes_) == 2:  # then there is one row of weights, for the second against the first
        weights, bias = np.concatenate([-weights, weights]), np.concatenate([-bias, bias])
    places = [every.index(str(label)) for label in fitted.classes_]
    full, offset = (
        np.zeros((len(every), features.columns), np.float32),
        np.full(len(every), _UNSEEN, np.float32),
    )
    # What speaks for all labels alike tells nothing.
    full[places], offset[places] = weights - weights.mean(axis=0), bias
    return _Fitted(features, every, np.ascontiguousarray(full.T), offset, own)


def _scikit_learn() -> tuple[Any, Any]:
    """Takes a second to import, and is not needed to read a model."""
    from scipy.sparse import csr_matrix
    from sklearn.svm import LinearSVC

    return LinearSVC, csr_matrix


def _fold(
    fitted: _Fitted,
    words: Sequence[Sequence[str]],
    cases: Sequence[Case],
    learned: Sequence[str],
    known_as: Sequence[str],
) -> Fold:
    reader = Reader(fitted.features, fitted.weights, fitted.bias)
    priors = [log_prior(known_as, case.prior) for case in cases if case.prior is not None]
    return Fold(
        np.array([reader.read(each).scores for each in words], np.float64),
        np.array(priors) if len(priors) == len(cases) else None,
        np.array([fitted.labels.index(label) for label in learned]),
    )


def _held_back(
    asked: Sequence[Case], shares: Sequence[NDArray[np.float64]], every: Sequence[str], offices: Offices
) -> HeldBack:
    first = [
        (by_place(every, each, offices, case.where)[0], case.label)
        for each, case in zip(shares, asked, strict=True)
    ]
    return HeldBack(
        [offices.learned_as(label) for (label, _), _ in first],
        np.array([probability for (_, probability), _ in first]),
        np.array([label == right for (label, _), right in first], np.bool_),
    )


def _past_cases(cases: Sequence[Case], learned: Sequence[str], fitted: _Fitted) -> PastCases:
    """An index of the cases that have a name, by their words."""
    index = {label: number for number, label in enumerate(fitted.labels)}
    own = fitted.features.words
    named = [number for number, case in enumerate(cases) if case.name]
    rows = [fitted.words[number] for number in named]
    flat = np.concatenate([row.columns for row in rows]) if rows else np.empty(0, np.int32)
    values = np.concatenate([row.values for row in rows]) if rows else np.empty(0, np.float32)
    owner = np.repeat(np.arange(len(named), dtype=np.int32), [len(row.columns) for row in rows])
    order = np.argsort(flat, kind="stable")
    return PastCases(
        [cases[number].name for number in named],
        np.array([index[learned[number]] for number in named], np.int32),
        np.searchsorted(flat[order], np.arange(own + 1)).astype(np.int32),
        owner[order],
        values[order],
    )
