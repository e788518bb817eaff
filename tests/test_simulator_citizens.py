"""The made-up citizens: believable enough for a demo, and nobody real."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from itertools import islice

import pytest

from laporhub.simulators.citizen_texts import ANSWERS, CLOSINGS, COMPLAINTS, OPENINGS
from laporhub.simulators.citizens import complaints, staff_answer

MANY = list(islice(complaints(1), 3000))


def test_the_same_seed_gives_the_same_citizens() -> None:
    assert list(islice(complaints(5), 50)) == list(islice(complaints(5), 50))
    assert list(islice(complaints(5), 50)) != list(islice(complaints(6), 50))


def test_there_is_variety() -> None:
    assert len(COMPLAINTS) >= 60
    assert {base.style for base in COMPLAINTS} == set(OPENINGS) == set(CLOSINGS)
    assert len({complaint.text for complaint in MANY}) > 2000
    assert len({complaint.topic for complaint in MANY}) == len({base.topic for base in COMPLAINTS})


def test_all_channels_are_used_whatsapp_most() -> None:
    channels = Counter(complaint.channel for complaint in MANY)
    assert set(channels) == {"whatsapp", "sms", "web", "app", "x", "facebook", "instagram", "hotline"}
    assert channels.most_common(1)[0][0] == "whatsapp"


def test_every_slot_is_filled() -> None:
    assert not any(re.search(r"[{}]", complaint.text) for complaint in MANY)


def test_nobody_is_real() -> None:
    for complaint in MANY:
        assert complaint.phone is None or re.fullmatch(r"\+62800000\d{4}", complaint.phone)
        assert complaint.name is None or complaint.name.startswith("Warga Contoh")
    words = " ".join(base.text for base in COMPLAINTS)
    assert not re.search(r"\d{5,}|@|https?:", words)


def test_phones_write_from_a_number() -> None:
    assert all(complaint.phone for complaint in MANY if complaint.channel in ("whatsapp", "sms"))


def test_several_people_report_one_incident_in_their_own_words() -> None:
    incidents = defaultdict(list)
    for complaint in MANY:
        incidents[complaint.incident].append(complaint)
    shared = [group for group in incidents.values() if len(group) > 1]
    assert 0.05 < sum(len(group) - 1 for group in shared) / len(MANY) < 0.3
    assert any(len({complaint.text for complaint in group}) > 1 for group in shared)
    assert all(len({complaint.topic for complaint in group}) == 1 for group in shared)


def test_some_complaints_do_not_say_where() -> None:
    assert any(complaint.topic == "unclear" and complaint.location is None for complaint in MANY)


def test_text_messages_have_no_emoji() -> None:
    assert all(max(complaint.text) < "\u2600" for complaint in MANY if complaint.channel == "sms")


@pytest.mark.parametrize("text", ["Jalan rusak", "lampu mati", "air keruh", "THR belum dibayar", "halo", ""])
def test_a_unit_has_an_answer_to_everything(text: str) -> None:
    answer = staff_answer("Dinas Contoh", text, random.Random(1))
    assert "Dinas Contoh" in answer or "{" not in answer
    assert answer == staff_answer("Dinas Contoh", text, random.Random(1))


def test_an_answer_is_about_the_complaint() -> None:
    assert "saluran" in staff_answer("PDAM Contoh", "air keruh", random.Random(1))
    assert all("{unit}" in answer or answer for answers in ANSWERS.values() for answer in answers)
