"""The guided conversation: one question at a time, understood, with a reminder and an end; a person can take over."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import ADMIN, COMPLETE, whatsapp
from test_case_life import BOOK, Life

from laporhub.pipeline.dialogue import _says_one_of
from laporhub.pipeline.events import Asked
from laporhub.pipeline.evolve import next_alarm
from laporhub.pipeline.messages import Attachment, Inbound, Location

WHERE, WHAT, PHOTO = "Di mana kejadiannya?", "Apa yang terjadi", "Apakah ada foto"
PIN = Location(lat=-7.02, lon=110.41)
PICTURE = (Attachment(url="https://media.example/1", media_type="image/jpeg"),)


class Chat(Life):
    """A citizen on WhatsApp, and what they are answered."""

    def writes(self, text: str = "", **more: Any) -> list[str]:
        before = len(self.texts())
        self.now += timedelta(minutes=1)
        self.says("whatsapp", whatsapp(1, text, f"SM{len(self.events)}", **more))
        return self.texts()[before:]

    @property
    def questions(self) -> Counter[str]:
        return Counter(event.data.requirement for event in self.events if isinstance(event.data, Asked))


def test_one_thing_is_asked_at_a_time_until_all_is_there() -> None:
    chat = Chat()
    [first] = chat.writes("tolong pak")
    assert chat.case.ticket in first
    assert WHERE in first
    assert WHAT not in first
    [second] = chat.writes("di Jalan Contoh, Desa Contoh, Kabupaten Batang")
    # the words of the answer are enough of a story: only the picture is left, and holds nothing up
    assert chat.case.status == "received"
    assert PHOTO in second


def test_a_shared_location_and_a_photo_are_answers() -> None:
    chat = Chat()
    chat.writes("lampu jalan mati sejak kemarin malam")
    assert chat.case.asking == "place"
    [thanks] = chat.writes(kind="location", location=PIN)
    assert chat.case.status == "received"
    assert PHOTO in thanks
    assert chat.writes(kind="attachment", attachments=PICTURE) == ["Baik, sudah kami catat."]
    assert chat.case.advised == ()
    assert chat.case.asking is None


def test_what_comes_before_it_is_asked_for_is_not_asked_for() -> None:
    chat = Chat()
    [first] = chat.writes("tolong", kind="attachment", attachments=PICTURE, location=PIN)
    assert WHAT in first
    [last] = chat.writes("lampu jalan mati sejak kemarin")
    assert PHOTO not in last
    assert chat.questions == {"chronology": 1}


@pytest.mark.parametrize(
    "answer", ["tidak ada", "Tidak ada pak", "ga ada, maaf", "sudah", "itu saja", "mboten, ora ana"]
)
def test_there_is_none_is_an_answer(answer: str) -> None:
    chat = Chat()
    chat.writes(COMPLETE)
    assert chat.case.asking == "evidence"
    assert chat.writes(answer) == []
    assert chat.case.waived == ("evidence",)
    assert PHOTO not in " ".join(chat.writes("masih belum ada yang datang memperbaiki"))


def test_saying_that_it_was_sent_does_not_make_it_so() -> None:
    chat = Chat()
    chat.writes("lampu jalan mati sejak kemarin malam")
    [again] = chat.writes("sudah")
    assert "Kami masih memerlukan" in again
    assert WHERE in again


def test_a_correction_takes_the_place_of_the_answer_and_of_nothing_else() -> None:
    chat = Chat()
    chat.writes("lampu jalan mati sejak kemarin malam")
    chat.writes("di Jalan Contoh 1, Kabupaten Batang")
    chat.writes("Ralat: di Jalan Teladan 2, Kabupaten Kendal")
    assert "Jalan Teladan 2" in chat.case.text
    assert "Jalan Contoh 1" not in chat.case.text
    assert chat.case.text.startswith("lampu jalan mati")
    chat.does(ADMIN, "verify")
    chat.writes("maksud saya dekat pasar, di Jalan Teladan 2")
    assert chat.case.text.startswith("lampu jalan mati"), "also when it is not asked any more"


def test_what_was_said_first_is_never_put_away_by_a_correction() -> None:
    chat = Chat()
    chat.writes("lampu jalan mati sejak kemarin malam")
    chat.writes("ralat: di Jalan Contoh 1, Kabupaten Batang")
    assert "lampu jalan mati" in chat.case.text
    assert "Jalan Contoh 1" in chat.case.text


def test_whoever_cannot_answer_reaches_a_person_with_what_is_there() -> None:
    chat = Chat()
    chat.writes("tolong")
    chat.writes("iya")
    assert chat.case.status == "needs_info"
    chat.writes("tidak tahu")
    assert chat.case.status == "received"
    assert chat.questions == {"place": 2}
    assert chat.case.missing


def test_a_reminder_and_then_a_person_goes_on() -> None:
    chat = Chat()
    chat.writes("tolong pak")
    opened = chat.now
    assert next_alarm(chat.case) == ("completion", "warn")
    chat.rings()
    reminder = chat.texts()[-1]
    assert chat.now - opened < timedelta(hours=24), "WhatsApp takes no free words later than that"
    assert WHERE in reminder
    assert "petugas melanjutkan" in reminder
    said = len(chat.texts())
    chat.rings()
    assert chat.case.status == "received"
    assert len(chat.texts()) == said, "the end was announced: nothing more is said"
    assert chat.case.clocks["first_response"].status == "running"
    [thanks] = chat.writes("di Jalan Contoh, Kabupaten Batang, lampu mati sejak kemarin")
    assert chat.case.missing == ()
    assert PHOTO in thanks


def test_a_person_takes_over_by_asking() -> None:
    chat = Chat()
    chat.writes("tolong pak")
    chat.does(ADMIN, "ask", question="Ada apa, Bu? Boleh kami telepon?")
    assert chat.case.asking is None
    [thanks] = chat.writes("boleh")
    assert chat.case.status == "received"
    assert WHERE not in thanks
    assert chat.questions["place"] == 1


def test_a_form_is_asked_for_all_at_once() -> None:
    life = Life()
    life.says("web", Inbound(external_id="f1", author_id="anon:f1", text="tolong pak"))
    assert life.case.asking is None
    assert "nomor HP" in life.texts()[0]
    assert "lokasi kejadian" in life.texts()[0]


def test_nobody_is_asked_about_what_they_wrote_long_ago() -> None:
    chat = Chat()
    chat.writes("tolong pak", sent_at=chat.now - timedelta(days=30))
    assert chat.texts() == []
    assert chat.questions == {}


pieces = st.fixed_dictionaries(
    {
        "text": st.sampled_from(
            ["tolong", "ya", "tidak ada", "sudah", "di Jalan Contoh, Batang", COMPLETE, "🙏", ""]
        )
    },
    optional={"location": st.just(PIN), "attachments": st.just(PICTURE)},
)


@settings(max_examples=150)
@given(
    st.lists(pieces.filter(lambda each: each["text"] or len(each) > 1), min_size=1, max_size=9),
    st.integers(1, 9),
)
def test_it_always_ends_and_never_pesters(said: list[dict[str, Any]], taken_over: int) -> None:
    chat = Chat()
    rules = BOOK.profile.intake.dialogue
    assert rules
    for number, each in enumerate(said, 1):
        if number == taken_over and chat.state and chat.case.status == "needs_info":
            chat.does(ADMIN, "verify")
            assert chat.case.asking is None
        answers = chat.writes(**each)
        assert len(answers) <= 1, "one message, one answer"
        assert sum(question in " ".join(answers) for question in (WHERE, WHAT, PHOTO)) <= 1
        asking = chat.case.asking
        if chat.case.status == "needs_info":
            assert asking in chat.case.missing
    asked = chat.questions
    assert all(count <= (1 if name == "evidence" else rules.attempts) for name, count in asked.items())
    assert len(said) < 2 * sum(asked.values()) + 2 or chat.case.status != "needs_info"


@given(st.text(max_size=40))
def test_any_words_can_be_compared(text: str) -> None:
    assert isinstance(_says_one_of(text, ("tidak ada", "")), bool)
    assert _says_one_of("tidak ada", ("tidak ada",))
    assert not _says_one_of("tidak ada lampu sama sekali di jalan ini", ("tidak ada",))
