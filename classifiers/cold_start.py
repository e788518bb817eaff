"""The classifier of the first day: it knows the units' own description and nothing of past cases.

Duties are read from words (`duties`), territories from places (`place`). A duty that governments share goes
to the one whose territory the text names; without a place none of them is likely. Pure and deterministic.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import Any, TypeAlias

from laporhub.classifiers.duties import Duties, Evidence, Said
from laporhub.classifiers.locality import locality, told
from laporhub.classifiers.place import READ, Found, PlaceFinder, Spotted, as_place, region_name, spotted
from laporhub.classifiers.signals import triage
from laporhub.pipeline.base_model import trusted
from laporhub.pipeline.classifier import Place, Suggestion, UnitGuess
from laporhub.pipeline.messages import Location, Spot
from laporhub.pipeline.profile.schema_units import Unit
from laporhub.pipeline.regions import Regions
from laporhub.pipeline.text import normalise, says_where

MODEL = "cold-start/1"

_guess, _suggestion, _place = trusted(UnitGuess), trusted(Suggestion), trusted(Place)

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
_PLACE_IS_CLEAR = 0.5
_BY_DISTRICT = 0.7
"""How sure the region is of which only a district, or the degrees, are known."""
_SOMEWHERE = 0.4
"""How much a road or a landmark says that is in no list."""
_REASONS = 3

Ranking: TypeAlias = list[tuple[str, float]]
"""Units with their probabilities, the likeliest first."""
_Alike: TypeAlias = tuple[Sequence[str], float]
"""Units that are equally likely, and the odds of each of them."""


def _holders(
    units: Mapping[str, Unit], duties: Duties
) -> Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Duty → those who have it everywhere, and those who have it in a territory."""
    found: dict[str, tuple[list[str], list[str]]] = {}
    for unit in units.values():
        anywhere, placed = found.setdefault(duties.of[unit.id], ([], []))
        (anywhere if unit.territory is None else placed).append(unit.id)
    return {duty: (tuple(anywhere), tuple(placed)) for duty, (anywhere, placed) in found.items()}


def _likeliest_first(units: Ranking) -> Ranking:
    """Those that are equally likely by name."""
    units.sort()
    units.sort(key=itemgetter(1), reverse=True)
    return units


MARKS = re.compile(r"\[[a-zA-Z /]{3,30}\]")
"""What redaction leaves in place of a name or number: it says nothing about the matter."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says, to the description: its words, what they say of duties, places, and units by likelihood."""

    text: str
    location: Location | None
    words: str
    said: Said
    places: Sequence[Found]
    found: Mapping[str, Found]
    """The places by the unit that each belongs to."""
    ranked: Ranking
    spot: Spotted | None = None
    """Where degrees lead if no name tells, or a photo's where the name is that of several."""

    def is_by_photo(self, unit: str) -> bool:
        """Whether only a photo speaks for this unit's territory: then a person decides."""
        return self.spot is not None and self.spot.by_photo and unit in self.found


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
        regions: Regions | None = None,
    ) -> None:
        self._units = units
        self._duties = Duties(units)
        self._places = PlaceFinder(units, regions)
        self._sure_from = sure_from
        self._suggest_from = suggest_from
        self._top = top
        self._regions = regions or Regions()
        holders = _holders(units, self._duties)
        self._alone = {
            duty: units[0] for duty, (units, placed) in holders.items() if len(units) == 1 and not placed
        }
        """Duties that one unit has, everywhere, and that unit."""
        self._shared = {duty: each for duty, each in holders.items() if duty not in self._alone}
        self._sharing = {
            duty: sum(1 for other in self._duties.of.values() if other == duty)
            for duty in set(self._duties.of.values())
        }
        self._anywhere = {duty: _ANYWHERE / sharing for duty, sharing in self._sharing.items()}

    @property
    def model(self) -> str:
        return MODEL

    def read(self, text: str, location: Location | None, taken: Spot | None = None) -> Reading:
        """What the description says of all units, before anything is made of it."""
        text = text[:READ]
        words = normalise(MARKS.sub(" ", text) if "[" in text else text)
        said = self._duties.evidence(words)
        places, spot = self._where(words, location, spotted(self._regions, told(text, location), taken))
        found = {place.unit: place for place in places}
        return Reading(text, location, words, said, places, found, self._ranked(said.scores, found), spot)

    def _where(
        self, words: str, location: Location | None, spot: Spotted | None
    ) -> tuple[Sequence[Found], Spotted | None]:
        """The territories that are meant; with the degrees, where they tell what no name does, or a photo's do."""
        named = self._places.find(words, location)
        if not named:
            return self._places.at(spot), spot
        settled = self._places.settled(named, spot)
        by_photo = spot is not None and spot.by_photo and settled != named
        return settled, spot if by_photo else None

    def suggest(self, text: str, location: Location | None, taken: Spot | None = None) -> Suggestion:
        reading = self.read(text, location, taken)
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
                reasons=self._reasons(unit, said.evidence(self._duties.of[unit]), reading),
            )
            for unit, probability in islice(worth_naming, self._top)
        )
        sure = bool(guesses) and guesses[0].unit == ranked[0][0] and self._is_sure(ranked)
        sure = sure and not reading.is_by_photo(guesses[0].unit)
        return self.suggestion(reading, guesses, sure=sure)

    def suggestion(
        self, reading: Reading, guesses: tuple[UnitGuess, ...], *, sure: bool, model: str = MODEL
    ) -> Suggestion:
        """The guesses, with what is to be said of the text beside its units."""
        sorted_as = triage(reading.text, reading.words)
        place = self._place(reading)
        return _suggestion(
            units=guesses,
            sure=sure,
            topic=self._topic(reading.ranked, reading.said),
            urgency=sorted_as.urgency,
            intent=sorted_as.intent,
            place=place,
            flags=(*sorted_as.flags, *self._open_questions(reading.said, reading.words, place)),
            model=model,
        )

    def _place(self, reading: Reading) -> Place | None:
        """The region that is meant, and where in it."""
        place = as_place(reading.places) if reading.spot is None else None
        region = place.region if place else None
        where = locality(reading.text, reading.words, reading.location, self._regions, region)
        more = {
            "district": where.district.code if where.district else None,
            "village": where.village.code if where.village else None,
            "road": where.road,
            "landmark": where.landmark,
            "lat": where.lat,
            "lon": where.lon,
        }
        if place is not None:
            return place.but(more)
        if where.district is not None:  # by the degrees, or a name that only one district has
            return _place(
                name=where.district.name, region=where.district.code[:5], confidence=_BY_DISTRICT, **more
            )
        if reading.spot is not None:
            return self._by_degrees(reading.spot, more)
        name = where.landmark or where.road
        return _place(name=name, confidence=_SOMEWHERE, **more) if name else None

    def _by_degrees(self, spot: Spotted, more: Mapping[str, Any]) -> Place:
        """The region in which they lie, and the district if the table tells."""
        district, region = spot.around.district, spot.around.regency
        name = self._regions.name_of(region)
        more = {**more, "district": district.code} if district else more
        return _place(
            name=f"{district.name}, {name}" if district else name,
            region=region,
            confidence=spot.confidence,
            by_photo=spot.by_photo,
            **more,
        )

    def _open_questions(self, said: Said, words: str, place: Place | None) -> tuple[str, ...]:
        """ "where": somewhere is named, but whose territory it is decides who acts, and that is not said."""
        if place is not None and place.region is not None and place.confidence >= _PLACE_IS_CLEAR:
            return ()
        if not said.scores or self._sharing[said.likeliest()] == 1:
            return ()
        return ("where",) if place is not None or says_where(words) else ()

    def _ranked(self, scores: Mapping[str, float], found: Mapping[str, Found]) -> Ranking:
        """The units worth naming, and at least two, the likeliest first.

        The probabilities of all units and that of "none of them" sum up to 1.
        """
        alone, alike = self._odds(
            {duty: math.exp(_SHARPNESS * score) for duty, score in scores.items()}, found
        )
        total = sum([odd for _, odd in alone]) + sum([len(units) * odd for units, odd in alike])
        total += math.exp(_SHARPNESS * _NOTHING)

        def from_odds(least: float) -> Ranking:
            found = [(unit, odd / total) for unit, odd in alone if odd >= least]
            found += [(unit, odd / total) for units, odd in alike if odd >= least for unit in units]
            return _likeliest_first(found)

        worth_naming = from_odds(self._suggest_from * total)
        return worth_naming if len(worth_naming) >= 2 else from_odds(0.0)[:2]

    def _odds(
        self, odds: Mapping[str, float], found: Mapping[str, Found]
    ) -> tuple[list[tuple[str, float]], list[_Alike]]:
        """The odds of each unit of which anything is said, and of those that are alike together."""
        alone = [
            (unit, odds.get(self._duties.of[unit], 1.0) * _SPOKEN_OF * place.weight)
            for unit, place in found.items()
        ]
        alone += [(self._alone[duty], odd) for duty, odd in odds.items() if duty in self._alone]
        alike: list[_Alike] = []
        elsewhere = _SPOKEN_OF * _ELSEWHERE
        for duty, (anywhere, placed) in self._shared.items():
            odd = odds.get(duty)
            if odd is None:
                continue
            if anywhere:
                alike.append((anywhere, odd))
            if placed and found:
                alike.append(([unit for unit in placed if unit not in found], odd * elsewhere))
            elif placed:
                alike.append((placed, odd * self._anywhere[duty]))
        return alone, alike

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
        return said.evidence(self._duties.of[ranked[0][0]]).strongest()

    def _reasons(self, unit: str, known: Evidence, reading: Reading) -> tuple[str, ...]:
        """Why, in Indonesian, for the person who decides."""
        reasons = [f"kata: {word}" for _, word in (known.words or known.hints)[:_REASONS]]
        if unit in reading.found:
            reasons.append(self.place_reason(unit, reading))
        return (*reasons, *(f"bukan: {word}" for word in known.against[:1]))

    def place_reason(self, unit: str, reading: Reading) -> str:
        by = "tempat menurut foto" if reading.is_by_photo(unit) else "tempat"
        return f"{by}: {region_name(self._units[unit])}"
