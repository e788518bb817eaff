"""The same incident told again is suggested with an estimate; what only sounds alike is not; nothing is merged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laporhub.pipeline.case_files import CaseFile
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.classifier import Place, Suggestion, UnitGuess
from laporhub.pipeline.duplicates import (
    WITHIN,
    Known,
    Story,
    alike,
    estimate,
    questions,
    story,
    telling_words,
)
from laporhub.pipeline.messages import Location

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
SOLO = Place(name="Kota Surakarta", region="33.72", road="Jalan Slamet Riyadi")


def case(
    number: int,
    text: str,
    *,
    days: float = 1,
    reporter: str | None = None,
    unit: str = "roads",
    **more: object,
) -> CaseState:
    place = more.pop("place", SOLO)
    location = more.pop("location", None)
    assert not more
    return CaseState.model_validate(
        {
            "id": f"c_{number}",
            "profile": "laporgub-jateng",
            "profile_version": "1",
            "ticket": f"LGWP-{number:04d}-0000-0000",
            "seq": 3,
            "status": "received",
            "channel": "web",
            "account": "web",
            "conversation": f"v_{number}",
            "reporter": reporter or f"p_{number}",
            "opened_at": NOW - timedelta(days=days),
            "updated_at": NOW,
            "text": text,
            "location": location,
            "suggestion": Suggestion(units=(UnitGuess(unit=unit, probability=0.9),), place=place),
        }
    )


MINE = case(1, "Lubang besar di Jalan Slamet Riyadi depan stasiun Purwosari, sudah dua motor jatuh", days=0)

SAME = [
    ("jl slamet riyadi dpn stasiun purwosari lubangnya besar, motor pada jatuh", {}),
    ("ada lubang besar depan stasiun purwosari jalan slamet riyadi tolong ditambal", {"days": 3}),
    ("lubang di slamet riyadi dekat stasiun purwosari, kemarin ada motor jatuh", {"days": 2}),
]
OTHER = [
    ("lampu merah mati di Jalan Slamet Riyadi simpang Gendengan", {"unit": "lights"}),
    ("lubang besar di Jalan Pahlawan Semarang", {"place": Place(name="Kota Semarang", region="33.74")}),
    ("antrean samsat lama sekali, petugas hanya satu", {"unit": "tax"}),
    ("sampah menumpuk di pasar Purwosari", {"unit": "waste"}),
    ("terima kasih jalan sudah bagus", {}),
]


@pytest.mark.parametrize(("text", "more"), SAME)
def test_the_same_incident_is_suggested(text: str, more: dict[str, object]) -> None:
    found = alike(story(MINE), [case(2, text, **more)])  # type: ignore[arg-type]
    assert [each.case.id for each in found] == ["c_2"]
    assert found[0].reasons


@pytest.mark.parametrize(("text", "more"), OTHER)
def test_what_only_sounds_alike_is_not(text: str, more: dict[str, object]) -> None:
    assert alike(story(MINE), [case(2, text, **more)]) == ()  # type: ignore[arg-type]


def test_the_likeliest_comes_first_and_not_more_than_wanted() -> None:
    cases = [case(number, text, **more) for number, (text, more) in enumerate((*SAME, *OTHER), 2)]  # type: ignore[arg-type]
    found = alike(story(MINE), [*cases, *cases], most=3)
    assert len(found) == 3
    assert [each.probability for each in found] == sorted((each.probability for each in found), reverse=True)


def test_an_old_case_is_not_compared() -> None:
    text = MINE.text
    assert alike(story(MINE), [case(2, text, days=WITHIN.days + 1)]) == ()


def picture(**more: object) -> Known:
    """A picture of the reporter, kept."""
    told = {"id": "f", "message_id": "m", "position": 0, "case_id": "c", "profile": "p", "channel": "web"}
    return Known((CaseFile(**{**told, "reporter": "p_1", "url": "", "status": "kept", **more}),))  # type: ignore[arg-type]


def test_the_same_picture_tells_more_than_words() -> None:
    other = case(2, "tolong diperbaiki segera", days=1)
    one = story(MINE, picture(fingerprint="ffff0000ffff0000"))
    found = alike(one, [other], {other.id: picture(fingerprint="ffff0000ffff0003")})
    assert [each.reasons[-1] for each in found] == ["image"]
    assert alike(one, [other], {other.id: picture(fingerprint="0000ffff0000ffff")}) == ()
    of_the_unit = picture(fingerprint="ffff0000ffff0003", field="photo")
    assert alike(one, [other], {other.id: of_the_unit}) == ()


def test_where_a_picture_was_taken_tells_less_than_a_place_that_was_told() -> None:
    words = "lubang membahayakan pengendara"
    here, spot, away = (
        {"lat": lat, "lon": lon} for lat, lon in ((-7.561, 110.796), (-7.5611, 110.7961), (-7.7, 110.6))
    )
    told = story(case(1, words, days=0, location=Location(**here), place=None))
    other = case(2, words, place=None)

    def by(place: dict[str, float], *, given: bool) -> tuple[float, tuple[str, ...]]:
        if given:
            return estimate(told, story(case(2, words, location=Location(**place), place=None)))
        return estimate(told, story(other, picture(**place)))

    unknown = estimate(told, story(other))[0]
    assert by(away, given=True)[0] < by(away, given=False)[0] < unknown
    assert unknown < by(spot, given=False)[0] < by(spot, given=True)[0]
    assert "taken_near" in by(spot, given=False)[1] and "near" in by(spot, given=True)[1]
    said = story(case(2, words, location=Location(**away), place=None), picture(**spot))
    assert estimate(told, said) == by(away, given=True), "what the reporter said goes before the picture"


def test_the_same_person_is_said_only_where_that_is_proven() -> None:
    again = case(2, "lubang stasiun purwosari belum ditambal", reporter="p_1", days=4)
    mine = story(MINE, Known(proven=True))
    (found,) = alike(mine, [again], {again.id: Known(proven=True)})
    assert "reporter" in found.reasons
    assert "reporter" not in estimate(mine, story(again))[1]


def test_degrees_say_whether_it_is_the_same_spot() -> None:
    here = Location(lat=-7.5610, lon=110.7960)
    words = "lubang besar membahayakan pengendara motor"
    one = case(1, words, days=0, location=here, place=None)
    at_the_spot = case(
        2, "lubang membahayakan motor", location=Location(lat=-7.5611, lon=110.7961), place=None
    )
    far = case(3, "lubang membahayakan motor", location=Location(lat=-7.70, lon=110.60), place=None)
    assert [each.case.id for each in alike(story(one), [at_the_spot, far])] == ["c_2"]


def test_what_to_search_for_is_short_and_says_where() -> None:
    place = Place(
        name="Kota Surakarta", region="33.72", road="Jalan Slamet Riyadi", landmark="Stasiun Purwosari"
    )
    asked = questions("Lubang besar membahayakan pengendara [nama]", place)
    assert asked[:2] == ("purwosari", "slamet riyadi")
    assert all(len(each.split()) <= 3 for each in asked)
    assert questions("", None) == ()


def test_placeholders_are_no_words() -> None:
    assert telling_words("[nama] [nomor telepon] lubang") == {"lubang"}


stories = st.builds(
    Story,
    st.frozensets(st.sampled_from(["lubang", "lampu", "sampah", "pasar", "banjir"])),
    st.integers(0, 400).map(lambda days: NOW - timedelta(days=days)),
    st.none() | st.sampled_from(["p_1", "p_2"]),
    st.none() | st.builds(Place, name=st.just("x"), region=st.sampled_from(["33.72", "33.74", None])),
    st.none() | st.builds(Location, lat=st.floats(-8, -6), lon=st.floats(108, 111)),
    st.none() | st.sampled_from(["roads", "lights"]),
    st.frozensets(st.integers(0, 2**64 - 1), max_size=2),
    st.none() | st.tuples(st.floats(-8, -6), st.floats(108, 111)),
)


@given(stories, stories)
def test_an_estimate_is_the_same_both_ways_and_a_probability(one: Story, other: Story) -> None:
    (probability, why), (back, why_back) = estimate(one, other), estimate(other, one)
    assert probability == pytest.approx(back, rel=1e-3)
    assert why == why_back
    assert 0 < probability < 1
