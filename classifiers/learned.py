"""The classifier that has learned: what past cases say of a text, together with what the units' description says.

The description (`cold_start`) tells place, urgency, flags and topic, and is the prior of the learned model. Units
that differ only in territory are learned as one duty, since words do not tell them apart; the place does. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from laporhub.classifiers.cold_start import ColdStartClassifier
from laporhub.classifiers.duties import Duties
from laporhub.classifiers.features import Row, words_of
from laporhub.classifiers.linear import Linear
from laporhub.classifiers.thresholds import thresholds
from laporhub.pipeline.classifier import Suggestion, UnitGuess
from laporhub.pipeline.messages import Location
from laporhub.pipeline.profile.schema_units import Unit

_WEIGHED: Final = 8
"""Units of the description's opinion that count; the others are unlikely."""
_LEAST: Final = 0.001
_REASONS: Final = 3


class Description:
    """What units.yaml alone says of a text, as a prior over duties, and which unit of a duty the place tells."""

    def __init__(self, units: Mapping[str, Unit]) -> None:
        self.duties: Mapping[str, str] = Duties(units).of
        self._units = units
        self._cold = ColdStartClassifier(units, suggest_from=_LEAST, top=_WEIGHED)
        members: dict[str, list[str]] = defaultdict(list)
        for unit, duty in self.duties.items():
            members[duty].append(unit)
        self._members: Mapping[str, Sequence[str]] = members

    def suggest(self, text: str, location: Location | None) -> Suggestion:
        """Of more units than are worth naming."""
        return self._cold.suggest(text, location)

    def prior(self, suggestion: Suggestion) -> dict[str, float]:
        """Duties with their probabilities."""
        found: dict[str, float] = {}
        for guess in suggestion.units:
            duty = self.duties[guess.unit]
            found[duty] = found.get(duty, 0.0) + guess.probability
        return found

    def unit_of(self, duty: str, suggestion: Suggestion) -> list[tuple[str, float]]:
        """The units that have the duty, and the share of each; the text's place tells it where there are several."""
        members = self._members.get(duty, ())
        if len(members) == 1:
            return [(members[0], 1.0)]
        named = [guess for guess in suggestion.units if self.duties[guess.unit] == duty]
        total = sum(guess.probability for guess in named)
        if not total:
            return [(unit, 1 / len(members)) for unit in members]
        return [(guess.unit, guess.probability / total) for guess in named]


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
    ) -> None:
        self._description = Description(units)
        self._learned = learned
        self._version = version
        self._suggest_from = suggest_from
        self._top = top
        self.thresholds = thresholds(learned.held_back, precision)

    @property
    def model(self) -> str:
        return self._version

    def suggest(self, text: str, location: Location | None) -> Suggestion:
        described = self._description.suggest(text, location)
        words = words_of(text)
        row = self._learned.row(words)
        shares = self._learned.probabilities(row, self._description.prior(described))
        ranked: list[tuple[str, str, float]] = []
        for place in shares.argsort(kind="stable")[::-1][: self._top + 1]:
            duty, probability = self._learned.labels[place], float(shares[place])
            for unit, part in self._description.unit_of(duty, described)[: self._top + 1]:
                ranked.append((unit, duty, probability * part))
        ranked.sort(key=lambda each: (-each[2], each[0]))
        named = [each for each in ranked[: self._top] if each[2] >= self._suggest_from]
        told = {guess.unit: guess.reasons for guess in described.units}
        similar = self._learned.past.similar(row, self._learned.features.words)
        guesses = tuple(
            UnitGuess(
                unit=unit,
                probability=round(probability, 4),
                reasons=self._reasons(words, row, duty, told.get(unit, ()), similar),
            )
            for unit, duty, probability in named
        )
        return described.but(
            {
                "units": guesses,
                "sure": bool(named) and named[0][2] >= self._threshold(named[0][1]),
                "model": self._version,
            }
        )

    def _threshold(self, duty: str) -> float:
        return self.thresholds.get(duty, self.thresholds[""])

    def _reasons(
        self,
        words: Sequence[str],
        row: Row,
        duty: str,
        described: Sequence[str],
        similar: Sequence[tuple[str, int, float]],
    ) -> tuple[str, ...]:
        """Words that past cases taught, the place, and past cases alike."""
        learned = [f"kata: {word}" for word in self._learned.reasons(words, row, duty, _REASONS)]
        places = [reason for reason in described if not reason.startswith("kata: ")]
        alike = [name for name, label, _ in similar if self._learned.labels[label] == duty][:1]
        return (*learned, *places, *(f"serupa: {name}" for name in alike))
