"""The classifier of the first day: it knows the units' own description and nothing of past cases.

Duties are read from words (`duties`), territories from places (`place`). A duty that governments share goes
to the one whose territory the text names; without a place none of them is likely. Pure and deterministic.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TypeAlias

from laporhub.classifiers.duties import NOTHING_SAID, Duties, Evidence
from laporhub.classifiers.place import READ, Found, PlaceFinder, as_place, region_name
from laporhub.classifiers.signals import flags, urgency
from laporhub.pipeline.models import Location, Suggestion, UnitGuess
from laporhub.pipeline.profile.schema import Unit
from laporhub.pipeline.text import normalise

MODEL = "cold-start/1"

_SHARPNESS = 2.4
_NOTHING = 0.5
"""The score that a text without any meaning for a unit reaches: it takes the rest of the probability."""
_SPOKEN_OF = math.exp(_SHARPNESS * 0.25)
"""What the odds of governments with a territory gain where the text names one."""
_ELSEWHERE = 0.01
"""What is left of a unit's likelihood if the text names another territory."""
_ANYWHERE = 0.5
"""What is left of it if the text names none; all units that share the duty share that, too."""
_MARGIN = 0.15
_REASONS = 3

Ranking: TypeAlias = list[tuple[str, float]]
"""Units with their probabilities, the likeliest first."""


_MARKS = re.compile(r"\[[a-zA-Z /]{3,30}\]")
"""What redaction leaves in place of a name or number: it says nothing about the matter."""


class ColdStartClassifier:
    """Routes by units.yaml alone.

    `sure_from` is the probability from which it does not abstain, `suggest_from` the one below which a unit
    is not worth naming, `top` how many it names.
    """

    def __init__(
        self,
        units: Mapping[str, Unit],
        *,
        sure_from: float = 0.6,
        suggest_from: float = 0.02,
        top: int = 3,
    ) -> None:
        self._units = units
        self._duties = Duties(units)
        self._places = PlaceFinder(units)
        self._sure_from = sure_from
        self._suggest_from = suggest_from
        self._top = top
        self._each = [
            (unit.id, self._duties.of[unit.id], unit.territory is not None) for unit in units.values()
        ]
        self._sharing = {
            duty: sum(1 for other in self._duties.of.values() if other == duty)
            for duty in set(self._duties.of.values())
        }

    @property
    def model(self) -> str:
        return MODEL

    def suggest(self, text: str, location: Location | None) -> Suggestion:
        words = normalise(_MARKS.sub(" ", text[:READ]))
        evidence = self._duties.evidence(words)
        places = self._places.find(words, location)
        found = {place.unit: place for place in places}
        ranked = self._ranked(evidence, found)
        guesses = tuple(
            UnitGuess(
                unit=unit,
                probability=round(probability, 4),
                reasons=self._reasons(unit, evidence.get(self._duties.of[unit], NOTHING_SAID), found),
            )
            for unit, probability in ranked
            if probability >= self._suggest_from and self._can_be_told(unit, evidence, found)
        )[: self._top]
        return Suggestion(
            units=guesses,
            sure=bool(guesses) and guesses[0].unit == ranked[0][0] and self._is_sure(ranked),
            topic=self._topic(ranked, evidence),
            urgency=urgency(words),
            place=as_place(places),
            flags=flags(words),
            model=MODEL,
        )

    def _ranked(
        self, evidence: Mapping[str, Evidence], found: Mapping[str, Found]
    ) -> list[tuple[str, float]]:
        """All units, the likeliest first; their probabilities and that of "none of them" sum up to 1."""
        odds = {duty: math.exp(_SHARPNESS * said.score) for duty, said in evidence.items()}
        likelihood: dict[str, float] = {}
        for unit, duty, territory in self._each:
            if duty not in odds and unit not in found:
                continue
            likelihood[unit] = odds.get(duty, 1.0)
            if territory:
                likelihood[unit] *= self._fit(unit, duty, found)
        total = sum(likelihood.values()) + math.exp(_SHARPNESS * _NOTHING)
        ranked = ((unit, value / total) for unit, value in likelihood.items())
        return sorted(ranked, key=lambda each: (-each[1], each[0]))

    def _fit(self, unit: str, duty: str, found: Mapping[str, Found]) -> float:
        """What the place makes of the odds of a unit with a territory."""
        if not found:
            return _ANYWHERE / self._sharing[duty]
        return _SPOKEN_OF * (found[unit].weight if unit in found else _ELSEWHERE)

    def _can_be_told(self, unit: str, evidence: Mapping[str, Evidence], found: Mapping[str, Found]) -> bool:
        """Whether there is a reason to name it. Of governments that share a duty, a place must tell which."""
        duty = self._duties.of[unit]
        if unit in found or self._sharing[duty] > 1:
            return unit in found
        return bool(evidence[duty].words or evidence[duty].hints)

    def _is_sure(self, ranked: Ranking) -> bool:
        if not ranked or ranked[0][1] < self._sure_from:
            return False
        second = ranked[1][1] if len(ranked) > 1 else 0.0
        return ranked[0][1] - second >= _MARGIN

    def _topic(self, ranked: Ranking, evidence: Mapping[str, Evidence]) -> str | None:
        """The keyword that says most for the likeliest unit, even if the place to name it is missing."""
        if not ranked:
            return None
        words = evidence.get(self._duties.of[ranked[0][0]], NOTHING_SAID).words
        return words[0][1] if words else None

    def _reasons(self, unit: str, known: Evidence, found: Mapping[str, Found]) -> tuple[str, ...]:
        """Why, in Indonesian, for the person who decides."""
        reasons = [f"kata: {word}" for _, word in (known.words or known.hints)[:_REASONS]]
        if unit in found:
            reasons.append(f"tempat: {region_name(self._units[unit])}")
        return (*reasons, *(f"bukan: {word}" for word in known.against[:1]))
