"""How good predictions are, against what people decided. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from laporhub.classifiers.linear import Ranked
from laporhub.classifiers.thresholds import covered

PRECISION: Final = 0.95
"""What `coverage_at_95` demands."""
_BINS: Final = 15


def figures(
    ranked: Sequence[Ranked], labels: Sequence[str], thresholds: Mapping[str, float] | None = None
) -> dict[str, Any]:
    """Over cases, each with what was predicted and the right label. Shares are 0..1.

    `ece` is the mean distance between how sure the predictions are and how often they are right, in 15 equal steps of
    probability, weighted by cases. `coverage_at_95` is the largest share of cases, the surest first, of which 95 % are
    right; `automatic` what the thresholds that were learned would dispose, and how much of it rightly.
    """
    first = [each[0] if each else ("", 0.0) for each in ranked]
    right = np.array([label == said for (said, _), label in zip(first, labels, strict=True)], np.bool_)
    probability = np.array([each for _, each in first])
    among = [label in [said for said, _ in each[:3]] for each, label in zip(ranked, labels, strict=True)]
    per_unit = _per_unit([said for said, _ in first], labels)
    found: dict[str, Any] = {
        "cases": len(labels),
        "accuracy": _share(right),
        "top3": _share(np.array(among)),
        "macro_f1": _mean([each["f1"] for each in per_unit.values() if each["cases"]]),
        "ece": round(calibration_error(probability, right), 4),
        "coverage_at_95": round(covered(probability, right, PRECISION), 4),
    }
    if thresholds is not None:
        sure = np.array(
            [value >= thresholds.get(said, thresholds.get("", 1.01)) for said, value in first], np.bool_
        )
        found["automatic"] = {
            "coverage": _share(sure),
            "precision": _share(right[sure]) if sure.any() else None,
        }
        for unit, each in per_unit.items():
            each["threshold"] = round(min(1.0, thresholds.get(unit, thresholds.get("", 1.0))), 4)
    return found | {"per_unit": per_unit}


def calibration_error(probability: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """0 where of those with probability p a share p is right."""
    if not len(right):
        return 0.0
    step = np.minimum((probability * _BINS).astype(int), _BINS - 1)
    return sum(
        float(abs(probability[step == each].sum() - right[step == each].sum())) for each in np.unique(step)
    ) / len(right)


def confusion(ranked: Sequence[Ranked], labels: Sequence[str], most: int = 10) -> list[dict[str, Any]]:
    """What is most often taken for what."""
    counted: dict[tuple[str, str], int] = {}
    for each, label in zip(ranked, labels, strict=True):
        said = each[0][0] if each else ""
        if said != label:
            counted[label, said] = counted.get((label, said), 0) + 1
    worst = sorted(counted.items(), key=lambda each: (-each[1], each[0]))[:most]
    return [{"unit": unit, "taken_for": said, "cases": count} for (unit, said), count in worst]


def _per_unit(said: Sequence[str], labels: Sequence[str]) -> dict[str, dict[str, Any]]:
    there, told = np.array(labels), np.array(said)
    found = {}
    for unit in sorted(set(labels) | (set(said) - {""})):
        mine, called = there == unit, told == unit
        both = int((mine & called).sum())
        found[unit] = {
            "cases": int(mine.sum()),
            "precision": round(both / int(called.sum()), 4) if called.any() else None,
            "recall": round(both / int(mine.sum()), 4) if mine.any() else None,
            "f1": round(2 * both / int(mine.sum() + called.sum()), 4),
        }
    return found


def _share(found: NDArray[np.bool_]) -> float:
    return round(float(found.mean()), 4) if len(found) else 0.0


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 4) if values else 0.0
