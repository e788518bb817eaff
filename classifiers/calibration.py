"""How sure a model may be, by what it said of cases that it had not seen. Pure.

First the sharpness of its scores and the trust in the units' description, then how often the likeliest label is right,
then which labels are right where it is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from laporhub.classifiers.linear import AS_SAID, Certainty, log_odds, probabilities

_SHARPEST: Final = tuple(np.geomspace(0.2, 10, 30))
_TRUST: Final = (0.0, 0.1, 0.2, 0.3, 0.4, 0.55, 0.75, 1.0, 1.4, 2.0)
_LIKE_SAID: Final = 5.0
"""How many cases' worth it takes to believe that what was said was not meant so."""
_FLATTEST: Final = 0.1
"""The least slope: who is surer is never less often right."""
_LEAST: Final = 1e-4
"""What the right label's probability is taken for at least: one odd case must not decide."""
_ALIKE: Final = 10.0
"""How much it takes to believe that one label is right more often than others where the likeliest is wrong."""


@dataclass(frozen=True, slots=True)
class Fold:
    """What a model that had not seen them said of cases: scores and, of each or of none, the logarithm of its prior,
    both with a column for each label. `right` are the columns of their labels.
    """

    scores: NDArray[np.float64]
    prior: NDArray[np.float64] | None
    right: NDArray[np.int64]

    def shares(self, sharpness: float, trust: float) -> NDArray[np.float64]:
        added = None if self.prior is None else trust * self.prior
        return probabilities(self.scores, sharpness, added)


def calibrated(held: Sequence[Fold]) -> tuple[float, float]:
    """The sharpness and the trust in the prior with which the right labels were likeliest."""
    if not held:
        return 1.0, 1.0
    trusts = _TRUST if all(fold.prior is not None for fold in held) else (0.0,)
    return min(product(_SHARPEST, trusts), key=lambda each: (_surprise(held, *each), each))


def _surprise(held: Sequence[Fold], sharpness: float, trust: float) -> float:
    """The mean of the negative logarithm of the right labels' probabilities."""
    right = [fold.shares(sharpness, trust)[np.arange(len(fold.right)), fold.right] for fold in held]
    return -float(np.log(np.maximum(np.concatenate(right), _LEAST)).mean())


def certain(shares: NDArray[np.float64], right: NDArray[np.int64]) -> Certainty:
    """With which the likeliest label is right as often as it says; with few cases it stays near to what it said.

    `shares` are the labels' probabilities, a row for each case that was held back; `right` the labels' columns.
    """
    if not len(right):
        return AS_SAID
    likeliest = shares.argmax(axis=1) == right
    sure = np.array([log_odds(each) for each in shares.max(axis=1)])

    def surprise(certainty: NDArray[np.float64]) -> float:
        odds = certainty[0] * sure + certainty[1]
        away = float(np.square(certainty - AS_SAID).sum())
        return float(np.logaddexp(0, np.where(likeliest, -odds, odds)).sum()) + _LIKE_SAID * away

    slope, added = _scipy_minimize()(surprise, AS_SAID, bounds=((_FLATTEST, None), (None, None))).x
    return float(slope), float(added)


def otherwise(shares: NDArray[np.float64], right: NDArray[np.int64]) -> NDArray[np.float64]:
    """What to multiply each label's probability by where another is the likeliest, so that the right ones become
    likeliest among those others; 1 for all with few cases. Takes what `certain` takes.
    """
    labels = shares.shape[1]
    first = shares.argmax(axis=1)
    wrong = np.flatnonzero(first != right)
    if not len(wrong):
        return np.ones(labels)
    said, right = np.log(np.maximum(shares[wrong], np.finfo(np.float64).tiny)), right[wrong]
    said[np.arange(len(wrong)), first[wrong]] = -np.inf

    def surprise(added: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        others = probabilities(said, 1.0, added)
        right_ones = others[np.arange(len(right)), right]
        lost = -float(np.log(np.maximum(right_ones, np.finfo(np.float64).tiny)).sum())
        slope = others.sum(axis=0) - np.bincount(right, minlength=labels)
        return lost + _ALIKE / 2 * float(added @ added), slope + _ALIKE * added

    found: NDArray[np.float64] = np.exp(_scipy_minimize()(surprise, np.zeros(labels), jac=True).x)
    return found


def _scipy_minimize() -> Any:
    """Takes a second to import."""
    from scipy.optimize import minimize

    return minimize
