"""Where people chat a word is enough: to confirm, to rate, to disagree; and what is no such word stays a message."""

from __future__ import annotations

from datetime import timedelta

import pytest
from support import ADMIN, MONDAY, unit_admin, whatsapp
from test_case_life import UNIT, Life

from laporhub.pipeline.commands import Words
from laporhub.pipeline.events import Transitioned


def answered() -> Life:
    life = Life()
    life.says("whatsapp", whatsapp(1))
    life.does(ADMIN, "dispose", unit=UNIT)
    life.does(unit_admin(UNIT), "respond", response="Sudah ditambal.")
    life.does(ADMIN, "approve")
    life.delivered("response")
    assert life.case.status == "answered"
    return life


def writes(life: Life, text: str, number: int = 1, **more: object) -> list[str]:
    """The steps that the message is."""
    events = life.says("whatsapp", whatsapp(1, text, sid=f"SM-lagi-{number}", **more))
    return [event.data.transition for event in events if isinstance(event.data, Transitioned)]


@pytest.mark.parametrize("text", ["Selesai", "SELESAI.", "sudah selesai", " selesai! ", "Sampun"])
def test_a_word_confirms(text: str) -> None:
    life = answered()
    assert writes(life, text) == ["close"]
    assert life.case.status == "closed" and not life.case.waiting, "and nobody has to read it"


@pytest.mark.parametrize("text", ["4", "4/5", "nilai 4", "Rating: 4", " 4. "])
def test_a_number_rates(text: str) -> None:
    life = answered()
    assert writes(life, text) == ["rate"]
    assert (life.case.rating, life.case.status) == (4, "closed")


@pytest.mark.parametrize("text", ["Belum, masih berlubang di sisi kiri", "belum pak", "BELUM"])
def test_who_disagrees_reopens_with_their_own_words(text: str) -> None:
    life = answered()
    assert writes(life, text) == ["reopen"]
    step = next(e.data for e in reversed(life.events) if isinstance(e.data, Transitioned))
    assert step.fields == {"reason": Words(text=text)} and life.case.status == "verified"


@pytest.mark.parametrize(
    "text",
    ["Selesai kapan?", "terima kasih", "6", "belumkah?", "ada 4 lubang lagi", "Selesaikan segera", "0"],
)
def test_what_is_no_such_word_is_a_message_that_staff_reads(text: str) -> None:
    life = answered()
    assert writes(life, text) == []
    assert life.case.status == "answered" and life.case.waiting


def test_it_counts_where_the_step_is_possible_and_in_time_only() -> None:
    life = answered()
    assert writes(life, "selesai", 1) == ["close"]
    life.now += timedelta(days=9)
    assert writes(life, "Belum selesai ternyata", 2) == ["reopen"]
    late = answered()
    writes(late, "selesai", 1)
    late.now += timedelta(days=9, hours=23)
    again = late.case.id
    late.now += timedelta(hours=2)
    writes(late, "belum", 2)
    assert late.case.id != again or late.case.status == "closed", "after the window it is not reopened"


def test_before_there_is_an_answer_it_is_a_message() -> None:
    life = Life()
    life.says("whatsapp", whatsapp(1))
    assert writes(life, "selesai") == [] and life.case.status == "received"


def test_what_was_written_long_ago_takes_no_step() -> None:
    life = answered()
    assert writes(life, "selesai", sent_at=MONDAY - timedelta(days=3)) == []
