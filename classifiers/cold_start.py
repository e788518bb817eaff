"""The classifier of the first day: it knows the units' own description and nothing of past cases.

Duties are read from words (`duties`), territories from places (`place`). A duty that governments share goes
to the one whose territory the text names; without a place none of them is likely. Pure and deterministic.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import islice
from typing import TypeAlias

from laporhub.classifiers.duties import Duties, Evidence, Said
from laporhub.classifiers.place import READ, Found, PlaceFinder, as_place, region_name
from laporhub.classifiers.signals import signals
from laporhub.pipeline.base_model import trusted
from laporhub.pipeline.classifier import Suggestion, UnitGuess
from laporhub.pipeline.messages import Location
from laporhub.pipeline.profile.schema_units import Unit
from laporhub.pipeline.text import normalise

MODEL = "cold-start/1"

_guess, _suggestion = trusted(UnitGuess), trusted(Suggestion)

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
_Share: TypeAlias = tuple[tuple[str, ...], float]
"""Units that are equally likely, and how likely each of them is."""


def _each_of(shares: Iterable[_Share]) -> Ranking:
    return [(unit, share) for units, share in shares for unit in units]


def _holders(
    units: Mapping[str, Unit], duties: Duties
) -> Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Duty → those who have it everywhere, and those who have it in a territory."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    for unit in units.values():
        anywhere, placed = found.setdefault(duties.of[unit.id], ([], []))
        (anywhere if unit.territory is None else placed).append(unit.id)
    return {duty: (tuple(anywhere), tuple(placed)) for duty, (anywhere, placed) in found.items()}


def _likeliest_first(each: tuple[str, float]) -> tuple[float, str]:
    return -each[1], each[0]


MARKS = re.compile(r"\[[a-zA-Z /]{3,30}\]")
"""What redaction leaves in place of a name or number: it says nothing about the matter."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says, to the description: its words, what they say of duties, places, and units by likelihood."""

    words: str
    said: Said
    places: Sequence[Found]
    found: Mapping[str, Found]
    """The places by the unit that each belongs to."""
    ranked: Ranking


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
        self._holders = _holders(units, self._duties)
        self._sharing = {
            duty: sum(1 for other in self._duties.of.values() if other == duty)
            for duty in set(self._duties.of.values())
        }
        self._anywhere = {duty: _ANYWHERE / sharing for duty, sharing in self._sharing.items()}

    @property
    def model(self) -> str:
        return MODEL

    def read(self, text: str, location: Location | None) -> Reading:
        """What the description says of all units, before anything is made of it."""
        text = text[:READ]
        words = normalise(MARKS.sub(" ", text) if "[" in text else text)
        said = self._duties.evidence(words)
        places = self._places.find(words, location)
        found = {place.unit: place for place in places}
        return Reading(words, said, places, found, self._ranked(said.scores, found))

    def suggest(self, text: str, location: Location | None) -> Suggestion:
        reading = self.read(text, location)
        said, found, ranked = reading.said, reading.found, reading.ranked
        worth_naming = (
            (unit, probability)
            for unit, probability in ranked
            if probability >= self._suggest_from and self._can_be_told(unit, said, found)
        )
        guesses = tuple(
            _guess(
                unit=unit,
                probability=round(probability, 4),
                reasons=self._reasons(unit, said.evidence(self._duties.of[unit]), found),
            )
            for unit, probability in islice(worth_naming, self._top)
        )
        sure = bool(guesses) and guesses[0].unit == ranked[0][0] and self._is_sure(ranked)
        return self.suggestion(reading, guesses, sure=sure)

    def suggestion(
        self, reading: Reading, guesses: tuple[UnitGuess, ...], *, sure: bool, model: str = MODEL
    ) -> Suggestion:
        """The guesses, with what is to be said of the text beside its units."""
        urgency, flags = signals(reading.words)
        return _suggestion(
            units=guesses,
            sure=sure,
            topic=self._topic(reading.ranked, reading.said),
            urgency=urgency,
            place=as_place(reading.places),
            flags=flags,
            model=model,
        )

    def _ranked(self, scores: Mapping[str, float], found: Mapping[str, Found]) -> Ranking:
        """The units worth naming, and at least two, the likeliest first.

        The probabilities of all units and that of "none of them" sum up to 1.
        """
        shares = self._shares({duty: math.exp(_SHARPNESS * score) for duty, score in scores.items()}, found)
        worth_naming = _each_of(share for share in shares if share[1] >= self._suggest_from)
        if len(worth_naming) < 2:
            return nsmallest(2, _each_of(shares), key=_likeliest_first)
        return sorted(worth_naming, key=_likeliest_first)

    def _shares(self, odds: Mapping[str, float], found: Mapping[str, Found]) -> Sequence[_Share]:
        """The probability of each unit of which anything is said, of alike ones together."""
        alike: list[_Share] = [
            ((unit,), odds.get(self._duties.of[unit], 1.0) * _SPOKEN_OF * place.weight)
            for unit, place in found.items()
        ]
        elsewhere = _SPOKEN_OF * _ELSEWHERE
        for duty, odd in odds.items():
            anywhere, placed = self._holders[duty]
            if anywhere:
                alike.append((anywhere, odd))
            if placed and found:
                alike.append((tuple(unit for unit in placed if unit not in found), odd * elsewhere))
            elif placed:
                alike.append((placed, odd * self._anywhere[duty]))
        total = sum([len(units) * odd for units, odd in alike]) + math.exp(_SHARPNESS * _NOTHING)
        return [(units, odd / total) for units, odd in alike]

    def _can_be_told(self, unit: str, said: Said, found: Mapping[str, Found]) -> bool:
        """Whether there is a reason to name it. Of governments that share a duty, a place must tell which."""
        duty = self._duties.of[unit]
        if unit in found or self._sharing[duty] > 1:
            return unit in found
        return said.evidence(duty).tells()

    def _is_sure(self, ranked: Ranking) -> bool:
        if not ranked or ranked[0][1] < self._sure_from:
            return False
        second = ranked[1][1] if len(ranked) > 1 else 0.0
        return ranked[0][1] - second >= _MARGIN

    def _topic(self, ranked: Ranking, said: Said) -> str | None:
        """The keyword that says most for the likeliest unit, even if the place to name it is missing."""
        if not ranked:
            return None
        words = said.evidence(self._duties.of[ranked[0][0]]).words
        return words[0][1] if words else None

    def _reasons(self, unit: str, known: Evidence, found: Mapping[str, Found]) -> tuple[str, ...]:
        """Why, in Indonesian, for the person who decides."""
        reasons = [f"kata: {word}" for _, word in (known.words or known.hints)[:_REASONS]]
        if unit in found:
            reasons.append(f"tempat: {region_name(self._units[unit])}")
        return (*reasons, *(f"bukan: {word}" for word in known.against[:1]))
