"""Replies: the right template for channel and language, filled plainly, and mistakes that name themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laporhub.pipeline import wording
from laporhub.pipeline.calendar import work_calendar
from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.profile.load import load
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.replies import FACTS, format_due, join, render

SAMPLE = load(Path(__file__).parent / "data" / "minimal-profile")


def book(templates: dict[tuple[str, str, str | None], str]) -> Rulebook:
    return replace(SAMPLE, templates=templates)


@pytest.mark.parametrize(
    ("channel", "language", "words"),
    [
        ("sms", "en", "english sms"),
        ("web", "en", "english"),
        (None, "en", "english"),
        ("sms", "id", "sms"),
        ("web", "id", "umum"),
        ("sms", "jv", "sms"),
    ],
)
def test_the_nearest_template_is_taken(channel: str | None, language: str, words: str) -> None:
    rules = book(
        {
            ("id", "ack", None): "umum",
            ("id", "ack", "sms"): "sms",
            ("en", "ack", None): "english",
            ("en", "ack", "sms"): "english sms",
        }
    )
    assert render(rules, "ack", channel, language, {}) == words


def test_a_reply_without_a_template_says_which_file_to_write() -> None:
    with pytest.raises(Misconfigured, match=r"templates/id/thanks\.txt"):
        render(SAMPLE, "thanks", "sms", "id", {})


def test_a_missing_value_names_file_and_variable() -> None:
    with pytest.raises(Misconfigured, match=r"templates/id/ask\.txt.*missing"):
        render(SAMPLE, "ask", "sms", "id", {"ticket": "KC-SM-1"})


@pytest.mark.parametrize(
    "source",
    ["{{ ticket", "{{ ticket | shout }}", "{{ ticket + 1 }}", "{{ ticket.name.other }}", "{{ 1 / 0 }}"],
)
def test_a_template_that_cannot_be_filled_names_its_file(source: str) -> None:
    with pytest.raises(Misconfigured, match=r"templates/id/ack\.txt"):
        render(book({("id", "ack", None): source}), "ack", None, "id", {"ticket": "KC"})


def test_a_template_cannot_reach_into_the_program() -> None:
    for source in ("{{ ticket.__class__.__mro__ }}", "{{ ''.__class__.__subclasses__() }}"):
        with pytest.raises(Misconfigured):
            render(book({("id", "ack", None): source}), "ack", None, "id", {"ticket": "KC"})


@given(st.text())
def test_what_people_write_is_passed_on_as_it_is(text: str) -> None:
    rules = book({("id", "ack", None): "[{{ question }}]"})
    assert render(rules, "ack", None, "id", {"question": text}) == f"[{text}]"


def test_code_in_what_people_write_is_not_run() -> None:
    rules = book({("id", "ack", None): "{{ question }}"})
    hostile = "{{ 7 * 7 }}{% for x in y %}<b>&amp;"
    assert render(rules, "ack", None, "id", {"question": hostile}) == hostile


def test_empty_lines_around_a_reply_go_and_those_inside_stay() -> None:
    rules = book({("id", "ack", None): "\n{% if unit %}x{% endif %}\nHalo,\n\n{{ ticket }}\n\n"})
    assert render(rules, "ack", None, "id", {"unit": "", "ticket": "KC"}) == "Halo,\n\nKC"


@pytest.mark.parametrize(
    ("zone", "language", "words"),
    [
        ("Asia/Jakarta", "id", "Senin, 23 November 2026 pukul 09.30 WIB"),
        ("Asia/Makassar", "id", "Senin, 23 November 2026 pukul 10.30 WITA"),
        ("Asia/Jayapura", "id", "Senin, 23 November 2026 pukul 11.30 WIT"),
        ("Asia/Kathmandu", "id", "Senin, 23 November 2026 pukul 08.15 UTC+05:45"),
        ("America/Caracas", "id", "Minggu, 22 November 2026 pukul 22.30 UTC-04:00"),
        ("Asia/Jakarta", "xx", "Senin, 23 November 2026 pukul 09.30 WIB"),
    ],
)
def test_a_time_is_said_as_the_office_says_it(zone: str, language: str, words: str) -> None:
    rules = replace(SAMPLE, calendar=work_calendar(SAMPLE.profile.calendar, zone))
    assert format_due(datetime(2026, 11, 23, 2, 30, tzinfo=UTC), rules, language) == words


def test_a_time_in_english_has_day_hour_and_zone() -> None:
    words = format_due(datetime(2026, 11, 23, 2, 30, tzinfo=UTC), SAMPLE, "en")
    assert words.startswith("Monday, 23 November 2026, 09") and words.endswith("30 WIB")


@pytest.mark.parametrize(
    ("items", "language", "words"),
    [
        ([], "id", ""),
        (["nomor HP"], "id", "nomor HP"),
        (["nomor HP", "lokasi"], "id", "nomor HP dan lokasi"),
        (["nomor HP", "lokasi", "kronologi"], "id", "nomor HP, lokasi, dan kronologi"),
        (["phone", "place"], "en", "phone and place"),
    ],
)
def test_items_are_listed_as_in_a_sentence(items: list[str], language: str, words: str) -> None:
    assert join(items, language) == words


def test_each_fact_that_templates_may_use_is_worked_out() -> None:
    assert wording._FACTS.keys() == FACTS
