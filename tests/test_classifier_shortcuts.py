"""The classifier takes short cuts; it says the same, to the last digit, as one that takes none."""

import math
import re
from collections import defaultdict

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support import laporgub

from laporhub.classifiers import adverts, danger, intent, threats
from laporhub.classifiers.beginnings import Beginnings, beginnings
from laporhub.classifiers.cold_start import (
    _ANYWHERE,
    _ELSEWHERE,
    _NOTHING,
    _SHARPNESS,
    _SPOKEN_OF,
    ColdStartClassifier,
)
from laporhub.classifiers.duties import _APART, _REACH, Duties, _score, stems
from laporhub.pipeline import rude, text
from laporhub.pipeline.base_model import trusted
from laporhub.pipeline.classifier import Suggestion, UnitGuess
from laporhub.pipeline.identity import name_forms, spelled
from laporhub.pipeline.text import normalise

UNITS = laporgub().units
DUTIES = Duties(UNITS)
CLASSIFIER = ColdStartClassifier(UNITS)
SEARCHES = (danger._URGENT, adverts._SAID, threats._SAID, threats._WILL_DO)
KINDS = intent._KINDS
PHRASES = sorted(
    {
        text
        for unit in UNITS.values()
        for text in (*unit.keywords, *unit.not_ours, *unit.examples, *unit.tasks)
    }
)
WARNINGS = sorted(
    {
        word
        for patterns in (*(phrases.patterns for phrases in SEARCHES), KINDS.patterns)
        for pattern in patterns
        for word in re.findall("[a-z]{2,}", pattern.pattern)
    }
)

texts = st.lists(st.sampled_from(PHRASES) | st.sampled_from(WARNINGS), max_size=12).map(" ".join)
shuffled = texts.flatmap(lambda text: st.permutations(text.split())).map(" ".join)


def plain_scores(text: str) -> dict[str, float]:
    """Every phrase for every duty, the heaviest of each kept, and summed up."""
    words = stems(DUTIES._without_addresses(text))
    found: dict[str, dict[tuple[str, ...], tuple[float, str | None]]] = defaultdict(dict)

    def weigh(phrase: tuple[str, ...], duty: str, weight: float, shown: str | None) -> None:
        if abs(weight) > abs(found[duty].get(phrase, (0.0, None))[0]):
            found[duty][phrase] = (weight, shown)

    for i, word in enumerate(words):
        for size in range(1, len(words) - i + 1):
            phrase = tuple(words[i : i + size])
            for duty, (weight, shown) in DUTIES._postings.get(phrase, {}).items():
                weigh(phrase, duty, weight, shown)
        for other in words[i + 1 : i + 1 + _REACH]:
            first, second = sorted((word, other))
            for phrase, postings in DUTIES._pairs.get((first, second), ()):
                for duty, (weight, shown) in postings.items():
                    weigh(phrase, duty, weight * _APART, shown)
    dilution = (1 + max(0, len(words) - 25) / 25) ** 0.35
    return {duty: _score(phrases) / dilution for duty, phrases in found.items()}


@settings(max_examples=200)
@given(texts | shuffled)
def test_scores_are_those_of_every_phrase_for_every_duty(text: str) -> None:
    words = normalise(text)
    assert DUTIES.evidence(words).scores == plain_scores(words)


@settings(max_examples=200)
@given(texts | shuffled)
def test_units_are_named_by_the_share_that_they_have_of_all(text: str) -> None:
    words = normalise(text)
    found = {place.unit: place for place in CLASSIFIER._places.find(words)}
    odds = {duty: math.exp(_SHARPNESS * score) for duty, score in plain_scores(words).items()}
    likelihood: dict[str, float] = {}
    for unit in UNITS.values():
        duty = DUTIES.of[unit.id]
        if duty not in odds and unit.id not in found:
            continue
        likelihood[unit.id] = odds.get(duty, 1.0)
        if unit.territory and not found:
            likelihood[unit.id] *= _ANYWHERE / sum(1 for other in DUTIES.of.values() if other == duty)
        elif unit.territory:
            likelihood[unit.id] *= _SPOKEN_OF * (found[unit.id].weight if unit.id in found else _ELSEWHERE)
    total = sum(likelihood.values()) + math.exp(_SHARPNESS * _NOTHING)
    all_of_them = sorted(
        ((unit, value / total) for unit, value in likelihood.items()), key=lambda each: (-each[1], each[0])
    )
    ranked = CLASSIFIER._ranked(DUTIES.evidence(words).scores, found)
    assert [unit for unit, _ in ranked] == [unit for unit, _ in all_of_them[: len(ranked)]]
    assert dict(ranked) == pytest.approx(dict(all_of_them[: len(ranked)]), rel=1e-12)
    assert len(ranked) >= min(2, len(all_of_them))
    assert all(probability < 0.02 for _, probability in all_of_them[len(ranked) :])


@settings(max_examples=300)
@given(texts | shuffled | st.lists(st.sampled_from(WARNINGS), max_size=20).map(" ".join))
def test_no_pattern_is_missed_because_it_is_not_searched_for(text: str) -> None:
    words = normalise(text)
    for phrases in SEARCHES:
        there = [pattern.search(words) for pattern in phrases.patterns]
        said = [(phrases.kinds[number], found[0]) for number, found in enumerate(there) if found]
        assert sorted(phrases.found(words)) == sorted(said)


@settings(max_examples=300)
@given(texts | shuffled | st.lists(st.sampled_from(WARNINGS), max_size=20).map(" ".join))
def test_what_is_tried_at_some_words_only_finds_what_a_search_finds(text: str) -> None:
    words = normalise(text)
    places = KINDS.places(words)
    for number, pattern in enumerate(KINDS.patterns):
        found, sought = KINDS.first(number, words, places), pattern.search(words)
        assert (found and found.span()) == (sought and sought.span())


def said_by(*patterns: re.Pattern[str]) -> st.SearchStrategy[str]:
    """Texts of the words of some patterns, and what the patterns themselves match among plain words."""
    words = sorted({word for each in patterns for word in re.findall("[a-z]{2,}", each.pattern)})
    plain = st.lists(st.sampled_from([*words, "saya", "kamu", "jalan", "sudah"]), max_size=6).map(" ".join)
    matches = st.one_of(
        [st.from_regex(re.compile(each.pattern, re.ASCII), fullmatch=True) for each in patterns]
    )
    return st.tuples(plain, matches | plain, plain).map(" ".join).map(normalise)


@settings(max_examples=500)
@given(said_by(*threats._SAID.patterns, *threats._WILL_DO.patterns, threats._THEIRS_FIRST))
@example("kuacak acak")
def test_no_threat_is_missed_because_of_the_words_that_are_looked_for_first(words: str) -> None:
    ways = (*threats._SAID.patterns, *threats._WILL_DO.patterns, threats._THEIRS_FIRST)
    threatens = any(way.search(words) for way in ways) and not threats._THREATENED.search(words)
    assert threats.is_threat(words) == threatens


@settings(max_examples=500)
@given(said_by(rude._IN_COMPANY))
def test_no_insult_is_missed_because_of_the_words_that_are_looked_for_first(words: str) -> None:
    if rude._IN_COMPANY.search(words):
        assert rude.is_rude(words, words)


@settings(max_examples=300)
@given(st.text(st.characters(codec="ascii")) | st.text())
def test_words_of_plain_letters_are_found_as_words_of_any(raw: str) -> None:
    assert name_forms.words_apart(raw) == name_forms._WORDS_APART.split(raw)
    if raw.isascii():
        assert text._ASCII_WORD.findall(raw.lower()) == text._WORD.findall(raw.lower())


@settings(max_examples=300)
@given(
    st.lists(
        st.sampled_from(["rt", "rw5", "rt05", "km", "smk negeri", "jalan contoh nomor", "12", "3", "art 7"])
    )
)
def test_a_number_of_a_place_is_looked_for_where_it_may_be(words: list[str]) -> None:
    said = " ".join(words)
    before = any(said.endswith(text._NUMBERED, 0, number.start()) for number in text._NUMBER.finditer(said))
    assert before or not text._WITH_NUMBER.search(said)


@settings(max_examples=300)
@given(st.lists(st.sampled_from([*spelled._SAID, *spelled._TIMES, "08", "1234567"]), min_size=1))
def test_a_number_that_is_said_has_two_letters_for_each_digit(words: list[str]) -> None:
    digits = len("".join(spelled._dictated(words)))
    assert sum(map(spelled._halves, words)) >= 2 * min(digits, spelled.FEWEST)


def test_a_pattern_that_may_begin_with_anything_is_refused() -> None:
    with pytest.raises(ValueError, match="pattern 1 has to begin with letters"):
        Beginnings([re.compile(r"\b(?:air)\b"), re.compile(r"\b(?:(?:\w+ )?api)\b")])


def test_a_pattern_begins_with_letters_or_with_anything() -> None:
    assert beginnings(r"\b(?:(?<!sisa )kebakaran (?:hebat|besar)|telp?on|(?:\w+ )?api|\d+ ?rb)\b") == {
        "kebakaran ",
        "tel",
        r"\d",
        "",
        "api ",
    }


def test_what_is_made_of_trusted_values_is_what_checking_makes_of_them() -> None:
    guess = trusted(UnitGuess)(unit="roads", probability=0.5)
    assert guess == UnitGuess(unit="roads", probability=0.5)
    made = trusted(Suggestion)(sure=True, units=(guess,))
    checked = Suggestion(units=(guess,), sure=True)
    assert made == checked
    assert made.model_dump_json() == checked.model_dump_json()
    assert made.but({"topic": "x"}) == checked.but({"topic": "x"})
