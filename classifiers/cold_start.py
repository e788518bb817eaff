"""The classifier of the first day: it knows the units' own description and nothing of past cases.

Duties are read from words (`duties`), territories from places (`place`). A duty that governments share goes
to the one whose territory the text names; without a place none of them is likely. Pure and deterministic.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from laporhub.classifiers.duties import Duties, Evidence
from laporhub.classifiers.place import READ, Found, PlaceFinder, region_name
from laporhub.classifiers.signals import flags, urgency
from laporhub.pipeline.models import Location, Suggestion, UnitGuess
from laporhub.pipeline.profile.schema import Unit
from laporhub.pipeline.text import normalise

MODEL = "cold-start/1"

_SHARPNESS = 3.2
_NOTHING = 0.75
"""The score that a text without any meaning for a unit reaches: it takes the rest of the probability."""
_PLACE_SPEAKS = 0.25
"""Added to the score of governments with a territory where the text names one."""
_ELSEWHERE = 0.01
"""What is left of a unit's likelihood if the text names another territory."""
_ANYWHERE = 0.5
"""What is left of it if the text names none; all units that share the duty share it, too."""
_MARGIN = 0.15
_REASONS = 3


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
        self._sharing = {
            duty: sum(1 for other in self._duties.of.values() if other == duty)
            for duty in set(self._duties.of.values())
        }

    @property
    def model(self) -> str:
        return MODEL

    def suggest(self, text: str, location: Location | None) -> Suggestion:
        words = normalise(text[:READ])
        evidence = self._duties.evidence(words)
        found = self._places.find(words, location)
        ranked = self._ranked(evidence, {each.unit: each for each in found})
        guesses = tuple(
            UnitGuess(
                unit=unit,
                probability=round(probability, 4),
                reasons=self._reasons(unit, evidence.get(self._duties.of[unit]), found),
            )
            for unit, probability in ranked[: self._top]
            if probability >= self._suggest_from
        )
        return Suggestion(
            units=guesses,
            sure=self._is_sure(ranked),
            topic=self._topic(guesses, evidence),
            urgency=urgency(words),
            place=found[0].place() if found else None,
            flags=flags(words),
            model=MODEL,
        )

    def _ranked(
        self, evidence: Mapping[str, Evidence], found: Mapping[str, Found]
    ) -> list[tuple[str, float]]:
        """All units, the likeliest first; their probabilities and that of "none of them" sum up to 1."""
        likelihood: dict[str, float] = {}
        for unit in self._units.values():
            duty = self._duties.of[unit.id]
            known = evidence.get(duty)
            if known is None:
                continue
            here = unit.territory is not None and bool(found)
            score = known.score + (_PLACE_SPEAKS if here else 0.0)
            likelihood[unit.id] = math.exp(_SHARPNESS * score) * self._fit(unit, found)
        total = sum(likelihood.values()) + math.exp(_SHARPNESS * _NOTHING)
        ranked = ((unit, value / total) for unit, value in likelihood.items())
        return sorted(ranked, key=lambda each: (-each[1], each[0]))

    def _fit(self, unit: Unit, found: Mapping[str, Found]) -> float:
        """How well the place suits the unit, 0..1."""
        if unit.territory is None:
            return 1.0
        if not found:
            return _ANYWHERE / self._sharing[self._duties.of[unit.id]]
        return found[unit.id].weight if unit.id in found else _ELSEWHERE

    def _is_sure(self, ranked: list[tuple[str, float]]) -> bool:
        if not ranked or ranked[0][1] < self._sure_from:
            return False
        second = ranked[1][1] if len(ranked) > 1 else 0.0
        return ranked[0][1] - second >= _MARGIN

    def _topic(self, guesses: tuple[UnitGuess, ...], evidence: Mapping[str, Evidence]) -> str | None:
        if not guesses:
            return None
        words = evidence[self._duties.of[guesses[0].unit]].words
        return words[0][1] if words else None

    def _reasons(self, unit: str, known: Evidence | None, found: tuple[Found, ...]) -> tuple[str, ...]:
        """Why, in Indonesian, for the person who decides."""
        reasons = [f"kata: {word}" for _, word in (known.words if known else [])][:_REASONS]
        if self._units[unit].territory is not None:
            reasons += [f"tempat: {region_name(self._units[unit])}" for each in found if each.unit == unit]
        reasons += [f"bukan: {word}" for word in (known.against if known else [])][:1]
        return tuple(reasons)
