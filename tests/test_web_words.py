"""What pages say: complete in both languages, with times and dates as people read them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st
from support import MONDAY, laporgub

from laporhub import reports, web
from laporhub.classifiers.signals import triage
from laporhub.pipeline.text import normalise
from laporhub.web.forms import clean, is_phone, local_time
from laporhub.web.guard import Attempts, csrf_token, local_path, same
from laporhub.web.i18n import LANGUAGES, Translator, translator
from laporhub.web.words import flag, span, time_left

FOLDER = Path(str(web.__file__)).parent
SAYING = (FOLDER, Path(str(reports.__file__)).parent)
KEYWORDS: dict[str, Any] = {"_": None, "t": None, "many": (1, 2), "ngettext": (1, 2)}


def said() -> Iterator[str]:
    """Every message of templates and code, of pages and of reports."""
    methods = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
    for folder in SAYING:
        for _, _, message, _, _ in extract_from_dir(folder, methods, keywords=KEYWORDS):
            yield message if isinstance(message, str) else message[0]


def test_everything_that_is_said_has_an_english_version_and_nothing_else_has() -> None:
    with (FOLDER / "locale/en/LC_MESSAGES/messages.po").open("rb") as po:
        catalog = read_po(po, locale="en")
    translated = {
        m.id if isinstance(m.id, str) else m.id[0] for m in catalog if m.id and m.string and all(m.string)
    }
    assert set(said()) == translated


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_can_be_filled_in(language: str) -> None:
    class Anything(dict[str, str]):
        def __missing__(self, key: str) -> str:
            return f"<{key}>"

    t = translator(language)
    for message in said():
        assert t.gettext(message) % Anything()
        names = [set(), set()]  # type: ignore[var-annotated]
        for seen, text in zip(names, (message, t.gettext(message)), strict=True):

            class Names(dict[str, str]):
                def __missing__(self, key: str, seen: set[str] = seen) -> str:
                    seen.add(key)
                    return ""

            assert (text % Names()) is not None
        assert names[0] == names[1], message


def test_an_unknown_language_is_indonesian() -> None:
    assert translator("xx").language == "id"
    assert Translator("id")("Sisa %(span)s", span="3 jam") == "Sisa 3 jam"


@pytest.mark.parametrize(
    ("length", "indonesian", "english"),
    [
        (timedelta(seconds=3), "1 menit", "1 minute"),
        (timedelta(minutes=59, seconds=59), "59 menit", "59 minutes"),
        (timedelta(minutes=60), "1 jam", "1 hour"),
        (timedelta(hours=35), "35 jam", "35 hours"),
        (timedelta(hours=-47), "1 hari", "1 day"),
        (timedelta(days=400), "400 hari", "400 days"),
    ],
)
def test_a_length_of_time(length: timedelta, indonesian: str, english: str) -> None:
    assert span(length, translator("id")) == indonesian
    assert span(length, translator("en")) == english


def test_time_left_counts_working_days_for_clocks_in_working_days() -> None:
    rules, t = laporgub(), translator("id")
    friday = datetime(2026, 11, 27, 2, tzinfo=UTC)
    due = rules.calendar.add_working_days(friday, 3)
    assert time_left("unit_response", due, friday, rules, t) == "Sisa 3 hari kerja"
    assert time_left("first_response", friday + timedelta(hours=5), friday, rules, t) == "Sisa 5 jam"
    assert time_left("first_response", friday - timedelta(hours=2), friday, rules, t) == "Lewat tenggat 2 jam"


@given(st.text())
def test_cleaned_text_has_nothing_invisible_and_stays_so(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert not set(once) & set("\0\r\x1b\u202e\u2066")
    assert once.encode().decode() == once


@pytest.mark.parametrize("typed", ["0811 0000 0001", "+62 811-0000-0001", "(024) 8441256", "08110000001"])
def test_phone_numbers_may_be_written_any_way(typed: str) -> None:
    assert is_phone(typed)


@pytest.mark.parametrize("typed", ["abc", "123", "0811x00000001", "1" * 16, ""])
def test_what_is_no_phone_number(typed: str) -> None:
    assert not is_phone(typed)


@pytest.mark.parametrize("typed", ["2026-11-22T09:30", "22-11-2026 09.30", "22/11/2026 09:30"])
def test_a_local_time_as_browsers_send_it_and_people_type_it(typed: str) -> None:
    at = local_time(typed, laporgub().calendar.zone)
    assert at is not None
    assert at.astimezone(UTC) == datetime(2026, 11, 22, 2, 30, tzinfo=UTC)


def test_what_is_no_time() -> None:
    assert local_time("kemarin sore", laporgub().calendar.zone) is None


@given(st.text())
def test_a_link_after_signing_in_stays_on_this_site(target: str) -> None:
    safe = local_path(target, "/staff")
    assert safe.startswith("/") and not safe.startswith(("//", "/\\"))


@pytest.mark.parametrize(
    "target", ["https://example.org", "//example.org", "/\\example.org", "javascript:1", None]
)
def test_a_link_to_elsewhere_is_not_followed(target: str | None) -> None:
    assert local_path(target, "/staff") == "/staff"


def test_secrets_match_only_themselves() -> None:
    token = csrf_token("key", "session")
    assert same(token, token)
    for other in (None, "", "é", token[:-1], csrf_token("key", "other"), csrf_token("other", "session")):
        assert not same(other, token)


def test_after_five_wrong_passwords_one_waits_and_memory_is_bounded() -> None:
    attempts = Attempts(most=10)
    for _ in range(5):
        assert not attempts.blocked("Dewi", "a", MONDAY)
        attempts.failed("dewi", "a", MONDAY)
    assert attempts.blocked("dewi", "a", MONDAY)
    assert not attempts.blocked("dewi", "b", MONDAY)
    assert not attempts.blocked("dewi", "a", MONDAY + timedelta(minutes=5))
    for number in range(50):
        attempts.failed(f"user-{number}", "a", MONDAY)
    assert len(attempts._failed) == 10


def test_what_the_classifier_sees_is_said_in_words() -> None:
    t = translator("id")
    for text in (
        "Dasar pejabat goblok",
        "Kebakaran rumah warga",
        "tes tes",
        "",
        "Ada banjir di desa saya",
        "slot gacor klik link",
    ):
        for name in triage(text, normalise(text)).flags:
            assert flag(name, t) != name
    assert flag("where", t) == "wilayahnya belum disebut"
    assert flag("of a plug-in", t) == "of a plug-in"
