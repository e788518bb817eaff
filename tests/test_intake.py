"""Which case a direct message is about: never somebody else's, and none where nobody can tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import COMPLETE, MONDAY, Stub, laporgub

from laporhub.pipeline import ids
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.decide import decided
from laporhub.pipeline.door import Door, own_phone
from laporhub.pipeline.intake import goes_on, interpret, is_private
from laporhub.pipeline.messages import Inbound, Message
from laporhub.pipeline.profile.load import load

RULES = laporgub()
PROFILES = Path(__file__).parents[1] / "profiles"


class Unsealed:
    def seal(self, reporter: str, plain: str, now: object) -> str:
        return plain


DOOR = Door(Unsealed(), b"pepper")  # type: ignore[arg-type]


def said(text: str, name: str, channel: str = "x", **more: object) -> Message:
    given = {"external_id": name, "author_id": "11", "text": text, "verified": True}
    return DOOR.admit(RULES, channel, Inbound.model_validate(given | more), MONDAY)


def case(text: str, name: str, channel: str = "x", status: str = "sent") -> CaseState:
    """One that a post opened; `status` is how far our replies to it got."""
    command = interpret(RULES, said(text, name, channel, thread=name), None)
    _, state = decided(RULES, None, command, Stub(), ids.ticket("LG", "XX", command.case_id))
    assert state is not None
    said_already = {name: reply.but({"status": status}) for name, reply in state.replies.items()}
    return state.but({"replies": said_already})


DIRECT = said("Di Batang", "dm")
OPEN = {
    "asked": case("jalan rusak", "1"),
    "asked too": case("lampu mati", "2"),
    "verified": case(COMPLETE, "3").but({"status": "verified"}),
    "elsewhere": case("jalan rusak", "4", channel="facebook"),
    "not asked yet": case("jalan rusak", "6", status="queued"),
    "not reached": case("jalan rusak", "7", status="failed"),
}


def test_a_direct_message_is_told_from_a_post() -> None:
    assert is_private(DIRECT)
    assert not is_private(said("Di Batang", "5", thread="5"))


@given(st.sets(st.sampled_from(sorted(OPEN))))
def test_it_is_about_the_one_case_that_waits_for_it(names: set[str]) -> None:
    asked = names & {"asked", "asked too"}
    expected = OPEN[asked.pop()] if len(asked) == 1 else None
    assert goes_on(RULES, DIRECT, None, [OPEN[name] for name in sorted(names)]) == expected


def test_a_question_of_unknown_fate_counts_as_asked() -> None:
    """The platform may have taken it without telling us; one that surely has not been said yet asks for nothing."""
    case = OPEN["not asked yet"]
    assert goes_on(RULES, DIRECT, None, [case], tried=set(case.replies)) == case
    assert goes_on(RULES, DIRECT, None, [case], tried={"r_another"}) is None
    refused = OPEN["not reached"]
    assert goes_on(RULES, DIRECT, None, [refused], tried=set(refused.replies)) is None


def test_a_conversation_with_an_open_case_goes_on_with_that() -> None:
    assert goes_on(RULES, DIRECT, OPEN["verified"], [OPEN["asked"]]) == OPEN["verified"]


@pytest.mark.parametrize("days", [1, 30])
def test_one_that_has_ended_does_not_hold_it(days: int) -> None:
    ended = OPEN["verified"].but({"status": "closed", "closed_at": MONDAY - timedelta(days=days)})
    assert goes_on(RULES, DIRECT, ended, [OPEN["asked"]]) == OPEN["asked"]
    assert goes_on(RULES, DIRECT, ended, []) == ended


def test_who_waits_no_longer_is_not_gone_on_with() -> None:
    """A person took it further without the answer: what comes now is for a person to place."""
    assert goes_on(RULES, DIRECT, None, [OPEN["asked"].but({"status": "verified"})]) is None


def test_what_a_running_case_waits_for_is_as_in_the_rules_it_was_opened_under() -> None:
    """New rules ask for nothing in private: a running case goes on as it began."""
    case = OPEN["asked"].but({"profile_version": "2026-01-01"})
    intake = RULES.profile.intake.model_copy(update={"in_private": None})
    newest = replace(RULES, profile=RULES.profile.model_copy(update={"intake": intake}))
    both = replace(newest, editions={date(2026, 1, 1): RULES, date(2026, 6, 1): newest})
    assert goes_on(both, DIRECT, None, [case]) == case
    assert goes_on(both, DIRECT, None, [case.but({"profile_version": "2026-06-01"})]) is None


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("HP 0811 0000 123", "+628110000123"),
        ("nomor saya: 0811-0000-123, di Batang", "+628110000123"),
        (
            "Di Kabupaten Batang depan Pasar Contoh sejak minggu lalu. No. HP/WA +62 811 0000 123",
            "+628110000123",
        ),
        ("08110000123 pak", "+628110000123"),
        ("Yang menipu saya memakai 0811 0000 123 dan sudah minta uang dua kali", None),
        ("HP 0811 0000 123 atau WA 0811 0000 124", None),
        ("kantornya di telp 024 8441256", None),
        ("tidak ada", None),
    ],
)
def test_a_number_that_somebody_gives_as_their_own_is_kept_as_such(text: str, phone: str | None) -> None:
    assert own_phone(text) == phone
    assert said(text, "dm").known == (("phone",) if phone else ())
    assert said(text, "post", thread="post").known == (), "not what everybody reads"
    assert said(text, "dm").reporter == said("Halo", "dm").reporter, "and it proves nothing"


@pytest.mark.parametrize("name", [path.parent.name for path in sorted(PROFILES.glob("*/profile.yaml"))])
def test_what_asks_for_a_direct_message_is_gone_on_with_in_one(name: str) -> None:
    """In every shipped profile: the words of its questions and its rules say the same."""
    rules = load(name)
    told = {
        (reply, channel)
        for (language, reply, channel), words in rules.templates.items()
        if reply in ("incomplete", "question") and language == "id" and channel in rules.profile.channels
        if "pesan langsung (DM)" in words or "pesan pribadi" in words
    }
    assert told
    private = rules.profile.intake.in_private
    assert private is not None
    assert told == {(reply, channel) for reply in private.replies for channel in private.channels}
