"""A unit's own system sends its response back: as that unit, whatever it claims, and once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import ADMIN, MONDAY, laporgub, unit_admin, whatsapp
from test_case_life import Life

from laporhub.pipeline.commands import Act, Words
from laporhub.pipeline.decide import decide
from laporhub.pipeline.errors import Conflict, Forbidden, NotFound, Refused, Unparsable
from laporhub.pipeline.streams import read_unit_event
from laporhub.pipeline.topics import unit_commands_topic, unit_topic
from laporhub.pipeline.unit_commands import UnitRequest, refusal, unit_command, unit_role
from laporhub.pipeline.unit_events import UnitRefused

BOOK = laporgub()
BOOKS = {BOOK.name: BOOK}
UNIT, OTHER = list(BOOK.units)[:2]
TOPIC = unit_commands_topic(BOOK.name, UNIT)


def sent(**more: Any) -> bytes:
    given = {"id": "surat-17", "case_id": "c_1", "transition": "respond", "fields": {"response": "Sudah."}}
    return json.dumps(given | more).encode()


def asked(topic: str = TOPIC, **more: Any) -> UnitRequest:
    return unit_command(topic, sent(**more), BOOKS)


def test_the_topic_says_who_acts() -> None:
    request = asked()
    assert (request.profile, request.actor.role, request.actor.unit) == (BOOK.name, "admin_unit", UNIT)
    assert (request.case_id, request.transition, request.fields) == ("c_1", "respond", {"response": "Sudah."})


@given(
    st.dictionaries(
        st.sampled_from(["actor", "unit", "role", "profile", "actorunit", "at", "kind", "seen"]),
        st.sampled_from([OTHER, "admin_gubernur", {"id": "x", "role": "admin_gubernur"}, None, 1]),
        min_size=1,
    )
)
def test_nothing_in_the_record_can_say_otherwise(claims: dict[str, Any]) -> None:
    with pytest.raises(Unparsable, match="extra_forbidden"):
        asked(**claims)


def test_the_same_record_again_is_the_same_command_and_another_units_is_not() -> None:
    assert asked().id == asked().id != asked(id="surat-18").id
    assert asked().id != asked(unit_commands_topic(BOOK.name, OTHER)).id


@pytest.mark.parametrize("topic", [unit_topic(BOOK.name, UNIT), "laporhub.commands", ""])
def test_no_other_topic_is_taken_for_a_units(topic: str) -> None:
    with pytest.raises(NotFound):
        asked(topic)


@pytest.mark.parametrize(("profile", "unit"), [("kota-lain", UNIT), (BOOK.name, "tidak-ada")])
def test_a_unit_that_the_hub_does_not_serve_is_refused(profile: str, unit: str) -> None:
    with pytest.raises(NotFound, match="no unit"):
        asked(unit_commands_topic(profile, unit))


@given(
    st.one_of(st.none(), st.binary(max_size=60), st.sampled_from([b"[]", b"{}", b"null", b'"x"', b"\xff"]))
)
def test_what_is_no_command_is_unparsable(value: bytes | None) -> None:
    with pytest.raises(Unparsable):
        unit_command(TOPIC, value, BOOKS)


def test_a_command_of_a_later_version_is_refused_by_its_version() -> None:
    with pytest.raises(Unparsable, match="schema version 2") as refused:
        asked(schema_version=2, new_field="x")
    assert refused.value.code == "unknown_version"


def test_the_role_is_the_first_of_the_profile_that_works_on_its_units_cases() -> None:
    assert unit_role(BOOK) == "admin_unit"


# ── what becomes of it ───────────────────────────────────────────────────────────────────────────


def acted(life: Life, request: UnitRequest) -> None:
    """As the hub's intake does: words redacted, then decided like everybody's."""
    fields: dict[str, Words | str | int] = {name: Words(text=text) for name, text in request.fields.items()}
    command = Act(
        id=request.id,
        profile=request.profile,
        case_id=request.case_id,
        at=life.now,
        actor=request.actor,
        transition=request.transition,
        fields=fields,
    )
    life._apply(decide(BOOK, life.case, command, life.classifier))


def with_unit(unit: str) -> Life:
    life = Life()
    life.says("whatsapp", whatsapp(1))
    life.does(ADMIN, "dispose", unit=unit)
    return life


def test_a_response_waits_for_approval_like_one_typed_in_and_counts_once() -> None:
    life = with_unit(UNIT)
    acted(life, asked(case_id=life.case.id))
    assert (life.case.status, life.case.draft) == ("drafted", Words(text="Sudah."))
    before = life.case
    acted(life, asked(case_id=life.case.id))
    assert life.case == before


def test_a_unit_cannot_act_on_another_units_case_or_take_anothers_step() -> None:
    life = with_unit(OTHER)
    with pytest.raises(Forbidden):
        acted(life, asked(case_id=life.case.id))
    life = with_unit(UNIT)
    life.does(unit_admin(UNIT), "respond", response="Sudah.")
    with pytest.raises(Forbidden):
        acted(life, asked(case_id=life.case.id, transition="approve", fields={}))


def told(value: bytes | None, error: Refused) -> UnitRefused:
    record = refusal(TOPIC, value, error, MONDAY)
    assert record
    assert record.topic == unit_topic(BOOK.name, UNIT)
    event = read_unit_event(record.value)
    assert event.sequence == 0
    assert isinstance(event.data, UnitRefused)
    return event.data


def test_the_unit_is_told_what_was_refused_and_why() -> None:
    found = told(sent(), Conflict("Not possible now", code="wrong_state"))
    assert (found.command, found.code, found.reason) == ("surat-17", "wrong_state", "Not possible now")


def test_a_refusal_quotes_no_number_and_comes_even_for_what_cannot_be_read() -> None:
    found = told(b"\xff{", Unparsable("bad: 0800 0000 1234"))
    assert (found.command, found.code, found.reason) == (None, "unparsable", "bad: [nomor telepon]")


def test_the_same_refusal_is_known_again() -> None:
    error = Conflict("no", code="wrong_state")
    first, second = (refusal(TOPIC, sent(), error, MONDAY) for _ in range(2))
    assert first == second != refusal(TOPIC, sent(id="b"), error, MONDAY)
    assert refusal("laporhub.commands", sent(), error, MONDAY) is None
