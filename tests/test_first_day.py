"""What the provincial profile makes of messages on its first day, with nothing learned: unit, place, danger, kind."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

import pytest
from support import laporgub
from word_sets import lines

from laporhub.classifiers.cold_start import ColdStartClassifier
from laporhub.pipeline.classifier import Suggestion
from laporhub.pipeline.redact import redact
from laporhub.pipeline.text import clean

BOOK = laporgub()
CLASSIFIER = ColdStartClassifier(
    BOOK.units,
    sure_from=BOOK.profile.routing.sure_from,
    suggest_from=BOOK.profile.routing.suggest_from,
    regions=BOOK.regions,
)


@dataclass(frozen=True)
class Told:
    """A message, what is right of it, and what was suggested."""

    units: Collection[str]
    region: str
    urgency: str
    intent: str
    said: Suggestion

    @property
    def guesses(self) -> list[str]:
        return [guess.unit for guess in self.said.units]

    @property
    def place(self) -> str | None:
        place = self.said.place
        return BOOK.regions.name_of(place.region) if place and place.region else None


@cache
def everything() -> list[Told]:
    found = []
    for line in lines("province.txt"):
        unit, also, region, urgency, intent, text = line.split("|")
        said = CLASSIFIER.suggest(redact(clean(text), BOOK.offices, places=BOOK.places), None)
        units = {unit, *also.split(",")} - {"-"}
        found.append(Told(units, region, urgency, intent, said))
    return found


def share(right: Collection[bool]) -> float:
    return sum(right) / len(right)


def test_there_is_enough_to_tell() -> None:
    assert len(everything()) >= 850
    assert len({unit for each in everything() for unit in each.units} & BOOK.units.keys()) == len(BOOK.units)


def test_the_right_unit_comes_first_or_among_three() -> None:
    routed = [each for each in everything() if each.units - {"?"}]
    assert share([each.guesses[0] in each.units if each.guesses else False for each in routed]) >= 0.91
    assert share([not each.units.isdisjoint(each.guesses) for each in routed]) >= 0.95


def test_what_it_is_sure_of_is_right() -> None:
    sure = [each for each in everything() if each.said.sure]
    assert len(sure) >= 0.5 * len(everything())
    assert share([each.guesses[0] in each.units for each in sure if each.units]) >= 0.96


def test_it_is_not_sure_where_the_place_must_be_asked_for() -> None:
    assert not [each for each in everything() if each.units == {"?"} and each.said.sure]


def test_the_place_of_the_matter_is_found() -> None:
    placed = [each for each in everything() if each.region != "-"]
    assert share([each.place == each.region for each in placed]) >= 0.87


@pytest.mark.parametrize(("urgency", "least"), [("critical", 0.9), ("high", 0.75)])
def test_danger_is_noticed(urgency: str, least: float) -> None:
    grave = ["critical"] if urgency == "critical" else ["critical", "high"]
    there = [each for each in everything() if each.urgency == urgency]
    assert share([each.said.urgency in grave for each in there]) >= least


def test_ordinary_matters_are_seldom_called_dangerous() -> None:
    ordinary = [each for each in everything() if each.urgency == "normal"]
    assert share([each.said.urgency != "normal" for each in ordinary]) <= 0.07


def test_complaints_are_hardly_ever_taken_for_something_else() -> None:
    complaints = [each for each in everything() if each.intent == "complaint"]
    assert share([each.said.intent == "complaint" for each in complaints]) >= 0.96
    questions = [each for each in everything() if each.intent == "question"]
    assert share([each.said.intent == "question" for each in questions]) >= 0.7


def test_hospitals_are_called_after_people_so_their_names_are_somebodys() -> None:
    assert {"jumantono", "wonogiri", "mranggen"} <= BOOK.places
    assert {"soewondo", "suwarno", "kardinah", "loekmono", "soehadi"}.isdisjoint(BOOK.places)
    assert redact("dibantu Pak Suwarno", places=BOOK.places) == "dibantu Pak [nama]"
