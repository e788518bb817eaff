"""The classifier that has learned: what past cases say of a text, together with what the units' description says.

The description (`cold_start`) tells place, urgency, flags and topic, and is the prior of the learned model. Units
that differ only in territory are learned as one duty, since words do not tell them apart; the place does. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from laporhub.classifiers.cold_start import ColdStartClassifier, Ranking, Reading
from laporhub.classifiers.duties import OF_A_REGION, Duties
from laporhub.classifiers.features import words_of
from laporhub.classifiers.linear import Linear
from laporhub.classifiers.thresholds import thresholds
from laporhub.pipeline.base_model import trusted
from laporhub.pipeline.classifier import Suggestion, UnitGuess
from laporhub.pipeline.messages import Location, Spot
from laporhub.pipeline.profile.schema_units import Unit
from laporhub.pipeline.regions import Regions

_guess = trusted(UnitGuess)

_WEIGHED: Final = 12
"""Units of the description's opinion that count; the others are unlikely."""
_LEAST: Final = 0.001
_REASONS: Final = 3


def _sayings(units: Iterable[Unit], duties: Mapping[str, str]) -> Sequence[tuple[str, str]]:
    """Keywords, tasks and examples; what several units say of one duty only once, and nothing of one region alone."""
    said = [
        (text, duties[unit.id])
        for unit in units
        for text in (*unit.keywords, *unit.tasks, *unit.examples)
        if OF_A_REGION not in text
    ]
    return list(dict.fromkeys(said))


class Description:
    """What units.yaml alone says of a text, as a prior over duties, and which unit of a duty the place tells."""

    def __init__(self, units: Mapping[str, Unit], regions: Regions | None = None) -> None:
        self.duties: Mapping[str, str] = Duties(units).of
        self.cold = ColdStartClassifier(units, suggest_from=_LEAST, top=_WEIGHED, regions=regions)
        self.sayings: Sequence[tuple[str, str]] = _sayings(units.values(), self.duties)
        """What the units say of themselves, with the duty of each; to be learned from beside cases."""
        members: dict[str, list[str]] = defaultdict(list)
        for unit, duty in self.duties.items():
            members[duty].append(unit)
        self._members: Mapping[str, Sequence[str]] = members

    def read(self, text: str, location: Location | None, taken: Spot | None = None) -> Reading:
        return self.cold.read(text, location, taken)

    def ranked(self, text: str, location: Location | None) -> Ranking:
        """Units with their probabilities, the likeliest first."""
        return self.read(text, location).ranked[:_WEIGHED]

    def prior(self, reading: Reading) -> dict[str, float]:
        """Duties with their probabilities."""
        found: dict[str, float] = {}
        for unit, probability in reading.ranked[:_WEIGHED]:
            duty = self.duties[unit]
            found[duty] = found.get(duty, 0.0) + probability
        return found

    def units_of(self, duty: str, reading: Reading) -> list[tuple[str, float]]:
        """The units that have the duty, and the share of each; the text's place tells it where there are several."""
        members = self._members.get(duty, ())
        if len(members) == 1:
            return [(members[0], 1.0)]
        named = [(unit, reading.found[unit].weight) for unit in members if unit in reading.found]
        total = sum(weight for _, weight in named)
        if not total:
            return [(unit, 1 / len(members)) for unit in members]
        return sorted(
            ((unit, weight / total) for unit, weight in named), key=lambda each: (-each[1], each[0])
        )

    def key_of(self, label: str) -> str:
        """Which duty of `prior` a learned label is; "" where the description has none such."""
        return label if label in self._members else ""

    def place(self, unit: str, reading: Reading) -> list[str]:
        return [self.cold.place_reason(unit, reading)] if unit in reading.found else []


class LearnedClassifier:
    """Keeps `ports.Classifier`. `precision` is what must come true of what it is sure of; `model` names the version."""

    def __init__(
        self,
        units: Mapping[str, Unit],
        learned: Linear,
        *,
        version: str,
        precision: float = 0.95,
        suggest_from: float = 0.02,
        top: int = 3,
        regions: Regions | None = None,
    ) -> None:
        self._description = Description(units, regions)
        self._learned = learned
        self._version = version
        self._suggest_from = suggest_from
        self._top = top
        self.thresholds = thresholds(learned.held_back, precision)

    @property
    def model(self) -> str:
        return self._version

    def suggest(self, text: str, location: Location | None, taken: Spot | None = None) -> Suggestion:
        reading = self._description.read(text, location, taken)
        words = words_of(text)
        weighed = self._learned.weighed(words)
        shares = self._learned.probabilities(weighed, self._description.prior(reading))
        ranked: list[tuple[str, str, float]] = []
        for place in shares.argsort(kind="stable")[::-1][: self._top + 1]:
            duty, probability = self._learned.labels[place], float(shares[place])
            for unit, part in self._description.units_of(duty, reading)[: self._top + 1]:
                ranked.append((unit, duty, probability * part))
        ranked.sort(key=lambda each: (-each[2], each[0]))
        named = [each for each in ranked[: self._top] if each[2] >= self._suggest_from]
        sure = bool(named) and named[0][2] >= self._threshold(named[0][1])
        sure = sure and not reading.is_by_photo(named[0][0])
        duties = [duty for _, duty, _ in named]
        learned = self._learned.reasons(words, weighed, duties, _REASONS)
        # Who must look is told of similar cases; where it is clear nobody asks.
        similar = [] if sure else self._learned.past.similar(weighed.own)
        guesses = tuple(
            _guess(
                unit=unit,
                probability=round(probability, 4),
                reasons=(
                    *(f"kata: {word}" for word in taught),
                    *self._description.place(unit, reading),
                    *self._alike(similar, duty),
                ),
            )
            for (unit, duty, probability), taught in zip(named, learned, strict=True)
        )
        return self._description.cold.suggestion(reading, guesses, sure=sure, model=self._version)

    def _threshold(self, duty: str) -> float:
        return self.thresholds.get(duty, self.thresholds[""])

    def _alike(self, similar: Sequence[tuple[str, int, float]], duty: str) -> list[str]:
        """The most similar past case that was for this duty."""
        return [f"serupa: {name}" for name, label, _ in similar if self._learned.labels[label] == duty][:1]
