"""From which probability a label may be trusted, by what came true on cases that the model had not seen. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

NEVER: Final = 1.01
"""A threshold that no probability reaches."""
_ENOUGH: Final = 20
"""Cases from which a label's own history counts; until then that of all labels together does."""


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Predictions on cases that were held back: label, probability and whether it was right."""

    labels: Sequence[str]
    probability: NDArray[np.float64]
    right: NDArray[np.bool_]


def threshold(probability: NDArray[np.float64], right: NDArray[np.bool_], precision: float) -> float:
    """The lowest probability from which at least `precision` of the predictions were right; `NEVER` if none is."""
    order = np.argsort(-probability, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    # Not within a run of equal probabilities: they are trusted together or not at all.
    last = np.append(probability[order][1:] != probability[order][:-1], True) if len(order) else np.empty(0)
    good = np.flatnonzero((share >= precision) & (last == 1))
    good = good[good + 1 >= min(_ENOUGH, len(order))]
    return float(probability[order][good[-1]]) if len(good) else NEVER


def thresholds(held: HeldBack, precision: float) -> Mapping[str, float]:
    """For each label that was predicted often enough; "" is for all others."""
    labels = np.array(held.labels)
    found = {"": threshold(held.probability, held.right, precision)}
    for label in sorted(set(held.labels)):
        mine = labels == label
        if mine.sum() >= _ENOUGH:
            found[label] = threshold(held.probability[mine], held.right[mine], precision)
    return found


def covered(probability: NDArray[np.float64], right: NDArray[np.bool_], precision: float) -> float:
    """The largest share of cases, the surest first, of which at least `precision` are right."""
    if not len(probability):
        return 0.0
    order = np.argsort(-probability, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(share >= precision)
    return float(good[-1] + 1) / len(order) if len(good) else 0.0
