"""What the log of a case teaches: to whom people gave it in the end, and what the classifier had said. Pure.

A disposition, a return and a correction by a person are labels. What the system disposed by itself is none until
the unit's people have acted upon it: a model must not learn from itself.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from laporhub.classifiers.features import words_of
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.classifier import Suggestion
from laporhub.pipeline.events import Assigned, CaseEvent, Classified, Transitioned
from laporhub.pipeline.messages import Location, Spot
from laporhub.pipeline.profile.schema_workflow import BUILT_IN_ROLES
from laporhub.pipeline.said import taken

_SHORTEST: Final = 5
"""Words below which equal texts are a coincidence ("tolong dibantu pak")."""
_SHOWN: Final = 20
_STRIKING: Final = 3.0
"""Standard errors from which a unit's share is said to have changed."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One case, decided by people at `at`. `said` is what the classifier had said before anybody decided; `returned`
    who gave it back.
    """

    ticket: str
    text: str
    location: Location | None
    unit: str
    at: datetime
    said: Suggestion | None
    returned: tuple[str, ...] = ()
    taken: Spot | None = None
    """Where a photo was taken."""


def lesson(state: CaseState, history: Sequence[CaseEvent]) -> Lesson | None:
    """None where nobody has decided yet, or nothing is left of what was said."""
    decided: datetime | None = None
    said: Suggestion | None = None
    returned: list[str] = []
    confirmed = False
    for event in history:
        by_person = event.actorrole not in BUILT_IN_ROLES
        match event.data:
            case Classified(suggestion=suggestion) if decided is None and not returned:
                said = suggestion
            case Assigned(unit=None, previous=before):
                if by_person and before is not None:
                    returned.append(before)
                decided, confirmed = None, False
            case Assigned(previous=before):
                if by_person and before is not None:
                    returned.append(before)
                decided, confirmed = event.time, by_person
            case Transitioned() if decided is not None and by_person and not confirmed:
                decided, confirmed = event.time, event.actorunit == state.unit
    if decided is None or not confirmed or state.unit is None or not state.text.strip():
        return None
    return Lesson(
        state.ticket, state.text, state.location, state.unit, decided, said, tuple(returned), taken(state)
    )


def contradictions(lessons: Sequence[Lesson]) -> dict[str, Any]:
    """Equal words that went to different units: how often, and examples. A measure of the noise in the labels.

    `agreement` is the share of pairs of equal texts that went to the same unit; None where no text came twice.
    """
    alike: dict[str, list[Lesson]] = defaultdict(list)
    for each in lessons:
        words = words_of(each.text)
        if len(words) >= _SHORTEST:
            alike[" ".join(words)].append(each)
    repeated = [group for group in alike.values() if len(group) > 1]
    pairs = agreed = 0
    for group in repeated:
        counted = Counter(each.unit for each in group)
        pairs += math.comb(len(group), 2)
        agreed += sum(math.comb(count, 2) for count in counted.values())
    against = [group for group in repeated if len({each.unit for each in group}) > 1]
    return {
        "repeated_texts": len(repeated),
        "contradicting": len(against),
        "agreement": round(agreed / pairs, 4) if pairs else None,
        "examples": [
            [{"ticket": each.ticket, "unit": each.unit} for each in group[:5]] for group in against[:_SHOWN]
        ],
    }


def drift(lessons: Sequence[Lesson]) -> list[dict[str, Any]]:
    """Units whose share in the latest quarter of the lessons is strikingly another than before, most striking first."""
    early, late = lessons[: len(lessons) * 3 // 4], lessons[len(lessons) * 3 // 4 :]
    if not early or not late:
        return []
    before, now = Counter(each.unit for each in early), Counter(each.unit for each in late)
    found = []
    for unit in sorted(before.keys() | now.keys()):
        together = (before[unit] + now[unit]) / len(lessons)
        error = math.sqrt(together * (1 - together) * (1 / len(early) + 1 / len(late)))
        was, is_now = before[unit] / len(early), now[unit] / len(late)
        if error and abs(is_now - was) / error >= _STRIKING:
            found.append(
                (abs(is_now - was) / error, {"unit": unit, "before": round(was, 4), "now": round(is_now, 4)})
            )
    return [told for _, told in sorted(found, key=lambda each: -each[0])]


def changed(lessons: Sequence[Lesson], would: Sequence[Suggestion]) -> dict[str, Any]:
    """What a model would have said otherwise than what was said then: how often to the better or worse, and examples,
    the worst and then the best first.

    `mended` and `broken`: the first suggestion would have been right, or no longer; `sure` says whether it was.
    """
    counted: Counter[str] = Counter()
    examples: list[dict[str, Any]] = []
    for each, now in zip(lessons, would, strict=True):
        (was, was_sure), (will, will_sure) = _first(each.said), _first(now)
        if (was, was_sure) == (will, will_sure):
            continue
        kind = (
            "other"
            if (was == each.unit) is (will == each.unit)
            else "mended"
            if will == each.unit
            else "broken"
        )
        counted[kind] += 1
        told: dict[str, Any] = {"ticket": each.ticket, "change": kind, "decided": each.unit}
        examples.append(told | {"then": was, "then_sure": was_sure, "would": will, "would_sure": will_sure})
    examples.sort(key=lambda told: ("broken", "mended", "other").index(told["change"]))
    return {
        "cases": len(examples),
        **{kind: counted[kind] for kind in ("mended", "broken", "other")},
        "examples": examples[:_SHOWN],
    }


def _first(said: Suggestion | None) -> tuple[str | None, bool]:
    return (said.units[0].unit, said.sure) if said and said.units else (None, False)


# ── which of two is better ───────────────────────────────────────────────────────────────────────

COSTS: Final[Mapping[str, float]] = {
    "sure_and_wrong": 5.0,
    "not_among_three": 2.0,
    "not_first": 1.0,
    "asked": 0.2,
}
"""In hand-overs: a wrong disposition costs days, a list without the right unit a search, a doubt a look."""
_LOST_ACCURACY: Final = 0.005
_LOST_CALIBRATION: Final = 0.02
_LOST_RECALL: Final = 0.15
_COUNTS: Final = 20
"""Held-back cases of a unit from which its own loss counts."""


def cost(ranked: Sequence[Sequence[tuple[str, float]]], sure: Sequence[bool], units: Sequence[str]) -> float:
    """The mean cost of a case."""
    total = 0.0
    for named, certain, unit in zip(ranked, sure, units, strict=True):
        three = [name for name, _ in named[:3]]
        if three[:1] == [unit]:
            total += 0.0 if certain else COSTS["asked"]
        elif certain:
            total += COSTS["sure_and_wrong"]
        else:
            total += COSTS["not_first"] if unit in three else COSTS["not_among_three"]
    return round(total / len(units), 4) if units else 0.0


def objections(new: Mapping[str, Any], old: Mapping[str, Any]) -> list[str]:
    """Why figures (see `evaluation.figures`, with `cost`) of a new model are not better; nothing: they are."""
    found = []
    if new["cost"] >= old["cost"]:
        found.append(f"its errors cost {new['cost']}, those of the one in use {old['cost']}")
    if new["accuracy"] < old["accuracy"] - _LOST_ACCURACY:
        found.append(f"it is right in {new['accuracy']:.1%}, the one in use in {old['accuracy']:.1%}")
    if new["ece"] > old["ece"] + _LOST_CALIBRATION:
        found.append(f"it is further from what it says: {new['ece']} against {old['ece']}")
    for unit, now in new["per_unit"].items():
        before = old["per_unit"].get(unit)
        if before and now["cases"] >= _COUNTS and now["recall"] < before["recall"] - _LOST_RECALL:
            found.append(f"of {unit} it finds {now['recall']:.0%}, the one in use {before['recall']:.0%}")
    return found
