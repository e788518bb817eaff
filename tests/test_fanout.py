"""What units and channel admins are told: enough to act, nothing of who the reporter is, nothing of other units."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from support import ADMIN, MONDAY, SUPERVISOR, Stub, form, laporgub, unit_admin, whatsapp
from test_case_life import BOOK, DOOR, Life

from laporhub.pipeline.asyncapi import schemas
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor, Note, Words
from laporhub.pipeline.decide import decide
from laporhub.pipeline.errors import Refused
from laporhub.pipeline.events import CaseEvent
from laporhub.pipeline.evolve import evolve, next_alarm
from laporhub.pipeline.fanout import forwarded, is_work, work
from laporhub.pipeline.streams import read_unit_event, read_work
from laporhub.pipeline.topics import Record, queue_topic, unit_topic
from laporhub.pipeline.unit_events import UnitCase, UnitEvent, UnitMessage, UnitTransitioned, Work
from laporhub.pipeline.workflow import allowed

FIRST, SECOND = list(BOOK.units)[:2]
NAME, PHONE = "Warga Contoh", "0800 0000 1234"
STAFF = (ADMIN, SUPERVISOR, unit_admin(FIRST), unit_admin(SECOND))
VALID = Draft202012Validator(schemas()["unit-event.v1.json"])
VALID_WORK = Draft202012Validator(schemas()["work.v1.json"])


def told(life: Life, unit: str = FIRST) -> list[UnitEvent]:
    """What the unit's topic holds after all that happened."""
    return read(forwarded(life.events, None, life.book), unit)


def read(records: Iterable[Record], unit: str = FIRST) -> list[UnitEvent]:
    return [read_unit_event(each.value) for each in records if each.topic == unit_topic(BOOK.name, unit)]


def kinds(events: Iterable[UnitEvent]) -> list[str]:
    return [event.data.kind for event in events]


def disposed(unit: str = FIRST, **fields: object) -> Life:
    life = Life()
    life.says("whatsapp", whatsapp(1, f"Lampu jalan mati di Desa Contoh, hubungi saya {PHONE}", name=NAME))
    life.does(ADMIN, "dispose", unit=unit, **fields)
    return life


def noted(life: Life, actor: Actor, text: str) -> None:
    note = Note(
        id=f"note-{text}",
        profile=BOOK.name,
        case_id=life.case.id,
        at=life.now,
        actor=actor,
        words=Words(text=text),
    )
    life._apply(decide(BOOK, life.case, note, life.classifier))


# ── a unit ───────────────────────────────────────────────────────────────────────────────────────


def test_nobody_is_told_of_a_case_that_no_unit_has() -> None:
    life = Life()
    life.says("web", form(1))
    assert forwarded(life.events, None, BOOK) == []


def test_a_unit_that_gets_a_case_is_told_all_it_needs_to_act() -> None:
    first, *_ = told(disposed(note="Mohon dicek hari ini"))
    case = first.data
    assert isinstance(case, UnitCase)
    assert case.text == "Lampu jalan mati di Desa Contoh, hubungi saya [nomor telepon]"
    assert (case.status, case.transition, case.urgency) == ("disposed", "dispose", "normal")
    assert case.fields == {"unit": FIRST, "note": "Mohon dicek hari ini"}
    assert first.ticket
    assert first.ticket == disposed().case.ticket


def test_the_clock_of_its_standard_follows_at_once() -> None:
    events = told(disposed())
    (started,) = [e.data for e in events if e.data.kind == "clock" and e.data.clock == "unit_response"]
    assert started.due_at
    assert started.due_at > MONDAY + timedelta(days=7)


def test_a_unit_follows_its_case_to_the_end() -> None:
    life = disposed()
    life.does(unit_admin(FIRST), "respond", response="Sudah diganti.")
    life.does(ADMIN, "revise", reason="Sebutkan tanggalnya")
    life.does(unit_admin(FIRST), "respond", response="Sudah diganti kemarin.")
    life.does(ADMIN, "approve")
    life.delivered("response", "sent")
    life.does(Actor(id=life.case.reporter, role="reporter"), "rate", rating=5)
    steps = [e.data for e in told(life) if isinstance(e.data, UnitTransitioned)]
    assert [step.transition for step in steps] == [
        "respond", "revise", "respond", "approve", "publish", "rate"
    ]  # fmt: skip
    assert steps[1].fields == {"reason": "Sebutkan tanggalnya"}
    assert steps[-1].ends
    assert "rated" in kinds(told(life))


def test_what_the_reporter_adds_reaches_the_unit() -> None:
    life = disposed()
    life.says("whatsapp", whatsapp(1, "Sekarang dua lampu", "SM2", name=NAME))
    (said,) = [e.data for e in told(life) if isinstance(e.data, UnitMessage)]
    assert said.text == "Sekarang dua lampu"


def test_a_case_that_moves_on_is_taken_from_the_one_and_told_to_the_other() -> None:
    life = disposed()
    life.does(unit_admin(FIRST), "return", reason="Bukan kewenangan kami")
    life.does(ADMIN, "dispose", unit=SECOND, note="Hanya untuk yang kedua")
    life.does(unit_admin(SECOND), "respond", response="Kami kerjakan.")
    assert kinds(told(life))[-1] == "taken_away"
    assert kinds(told(life, SECOND))[0] == "case"
    assert "Kami kerjakan." not in str(told(life))
    assert "Hanya untuk yang kedua" not in str(told(life))
    assert "Bukan kewenangan kami" not in str(told(life, SECOND))


def test_a_note_for_the_next_unit_is_not_shown_to_the_one_before() -> None:
    """A reopened case is still the first unit's when it is given to the second."""
    life = disposed()
    life.does(unit_admin(FIRST), "respond", response="Sudah.")
    life.does(ADMIN, "approve")
    life.delivered("response", "sent")
    life.does(Actor(id=life.case.reporter, role="reporter"), "reopen", reason="Masih mati")
    assert life.case.unit == FIRST
    life.does(ADMIN, "dispose", unit=SECOND, note="Hanya untuk yang kedua")
    assert "Hanya untuk yang kedua" not in str(told(life))
    assert "Masih mati" in str(told(life))
    assert kinds(told(life))[-1] == "taken_away"
    (case,) = [e.data for e in told(life, SECOND) if isinstance(e.data, UnitCase)]
    assert case.fields["note"] == "Hanya untuk yang kedua"


def test_a_unit_reads_its_own_notes_and_nobody_elses() -> None:
    life = disposed()
    noted(life, unit_admin(FIRST), "Tim berangkat besok")
    noted(life, ADMIN, "Pelapor pernah melapor hal sama")
    assert [e.data.text for e in told(life) if e.data.kind == "noted"] == ["Tim berangkat besok"]


def test_a_unit_that_the_profile_no_longer_knows_gets_nothing() -> None:
    life = disposed()
    fewer = {name: unit for name, unit in BOOK.units.items() if name != FIRST}
    assert forwarded(life.events, None, laporgub_with(units=fewer)) == []


def test_private_cases_stay_away_from_units_whose_roles_may_not_see_them() -> None:
    life = Life()
    life.says("web", form(1, private=True))
    life.does(ADMIN, "dispose", unit=FIRST)
    roles = {
        name: role.model_copy(update={"sees_private": role.scope != "unit"})
        for name, role in BOOK.profile.roles.items()
    }
    assert kinds(told(life))[0] == "case"
    assert forwarded(life.events, None, laporgub_with(roles=roles)) == []


def laporgub_with(units: Any = None, roles: Any = None) -> Any:
    from dataclasses import replace

    profile = BOOK.profile.model_copy(update={"roles": roles or BOOK.profile.roles})
    return replace(laporgub(), units=units or BOOK.units, profile=profile)


# ── whatever happens ─────────────────────────────────────────────────────────────────────────────


def wander(choices: list[int]) -> tuple[Life, list[list[CaseEvent]]]:
    """A case on a way that `choices` pick among all that is possible; also its events, turn by turn."""
    life = Life(classifier=Stub(unit=FIRST))
    turns = [list(life.says("whatsapp", whatsapp(1, f"Lampu mati di Desa Contoh {PHONE}", name=NAME)))]
    for number, choice in enumerate(choices):
        before, life.now = len(life.events), life.now + timedelta(hours=choice % 90)
        try:
            _turn(life, number, choice)
        except Refused:
            continue
        turns.append(life.events[before:])
    return life, turns


def _turn(life: Life, number: int, choice: int) -> None:
    reporter = Actor(id=life.case.reporter, role="reporter")
    steps = [(actor, name) for actor in (*STAFF, reporter) for name, _ in allowed(BOOK, life.case, actor)]
    pick = choice % (len(steps) + 3)
    if pick == len(steps):
        text = f"Ini {NAME}, telepon {PHONE}, masih mati"
        message = DOOR.admit(BOOK, "whatsapp", whatsapp(1, text, f"SM-more-{number}", name=NAME), life.now)
        life.hears(message.but({"case_id": life.case.id}))
    elif pick == len(steps) + 1:
        noted(life, STAFF[choice % 4], f"catatan rahasia {choice % 4} nomor {number}")
    elif pick == len(steps) + 2:
        if next_alarm(life.case):
            life.rings()
    else:
        actor, name = steps[pick]
        life.does(actor, name, **_filled(name, choice))


def _filled(transition: str, choice: int) -> dict[str, object]:
    values: dict[str, object] = {"rating": 1 + choice % 5, "unit": (FIRST, SECOND)[choice % 2]}
    return {
        name: "duplicate" if field.type == "choice" else values.get(field.type, f"kata {choice}")
        for name, field in BOOK.profile.transitions[transition].fields.items()
        if field.required or field.type == "text"
    }


ways = st.lists(st.integers(0, 10**6), max_size=14)
lived = settings(max_examples=60)


@lived
@given(ways)
def test_no_way_of_a_case_tells_who_the_reporter_is_or_who_worked_on_it(choices: list[int]) -> None:
    life, _ = wander(choices)
    text = " ".join((each.value or b"").decode() for each in forwarded(life.events, None, BOOK))
    hidden = (
        life.case.reporter,
        life.case.conversation,
        NAME,
        PHONE,
        "62811000",
        "key-of",
        *(a.id for a in STAFF),
    )
    assert [secret for secret in hidden if secret in text] == []


@lived
@given(ways)
def test_a_unit_is_told_of_its_own_cases_only(choices: list[int]) -> None:
    life, _ = wander(choices)
    events = {event.sequence: event for event in life.events}
    helpers: dict[int, set[str]] = {0: set()}  # after each event
    state: CaseState | None = None
    for event in life.events:
        state = evolve(state, event)
        helpers[event.sequence] = set(state.parts)
    for unit in (FIRST, SECOND):
        for each in told(life, unit):
            event = events[each.sequence]
            before, after = helpers[event.sequence - 1], helpers[event.sequence]
            assert unit in {event.unit, getattr(event.data, "previous", None)} | before | after
            assert event.unit == unit or unit in after or each.data.kind == "taken_away"
            assert "rahasia" not in str(each) or event.actorunit == unit


@lived
@given(ways, st.data())
def test_batches_change_nothing(choices: list[int], data: st.DataObject) -> None:
    """However the steps were cut, and when they come again: the same records, each place in the history once."""
    life, turns = wander(choices)
    steps = data.draw(st.integers(0, len(turns)))
    cut = sum(len(turn) for turn in turns[:steps])
    before = state_after(life.events[:cut])
    whole = forwarded(life.events, None, BOOK)
    assert forwarded(life.events[:cut], None, BOOK) + forwarded(life.events[cut:], before, BOOK) == whole
    for unit in (FIRST, SECOND):
        places = [each.sequence for each in told(life, unit)]
        assert places == sorted(set(places))


@lived
@given(ways)
def test_a_unit_that_follows_its_topic_knows_where_its_case_stands(choices: list[int]) -> None:
    life, _ = wander(choices)
    if life.case.unit is None:
        return
    known: dict[str, Any] = {}
    for each in told(life, life.case.unit):
        VALID.validate(json.loads(each.model_dump_json(exclude_none=True)))
        match each.data:
            case UnitCase() as case:
                known = {"status": case.status, "text": case.text}
            case UnitMessage(text=text):
                known["text"] += f"\n{text}"
            case UnitTransitioned(target=target):
                known["status"] = target
            case data if data.kind == "taken_away":
                known = {}
    assert known == {"status": life.case.status, "text": life.case.text}


def state_after(events: list[CaseEvent]) -> CaseState | None:
    state = None
    for event in events:
        state = evolve(state, event)
    return state


def test_a_state_that_is_ahead_is_told_as_it_stands() -> None:
    life = disposed()
    life.says("whatsapp", whatsapp(1, "Sekarang dua lampu", "SM2"))
    first, *_ = read(forwarded(life.events, life.case, BOOK))
    assert isinstance(first.data, UnitCase)
    assert "Sekarang dua lampu" in first.data.text


# ── a channel's admins ───────────────────────────────────────────────────────────────────────────


def todo(life: Life) -> Work | None:
    (record,) = work(life.case, BOOK)
    assert record.topic == queue_topic(BOOK.name, life.case.channel)
    assert record.key == life.case.id.encode()
    return read_work(record.value)


def test_a_new_case_is_work_for_its_channels_admins() -> None:
    life = Life()
    life.says("whatsapp", whatsapp(1, f"Lampu jalan mati di Desa Contoh, {PHONE}"))
    found = todo(life)
    assert found
    assert (found.turn, found.status, found.ticket) == ("tppm", "received", life.case.ticket)
    assert found.due_at == MONDAY + timedelta(hours=12)
    assert [guess.unit for guess in found.suggestions] == [FIRST]
    assert "[nomor telepon]" in found.text


def test_what_lies_with_others_is_gone_from_the_queue_until_it_comes_back() -> None:
    life = disposed()
    assert todo(life) is None
    life.does(unit_admin(FIRST), "respond", response="Sudah.")
    found = todo(life)
    assert found
    assert found.status == "drafted"


def test_a_reply_that_failed_is_work_until_a_later_one_arrives() -> None:
    life = disposed()
    life.does(unit_admin(FIRST), "respond", response="Sudah.")
    life.does(ADMIN, "approve")
    life.delivered("response", "sent")
    assert todo(life) is None
    life.delivered("response", "failed", "window_closed")
    found = todo(life)
    assert found
    assert (found.attention, found.failed_replies) == (True, ("response",))
    life.does(ADMIN, "resend")
    life.delivered_as(list(life.case.replies)[-1], "sent")
    assert todo(life) is None


def test_a_reporter_who_writes_again_is_heard_even_while_the_unit_works() -> None:
    life = disposed()
    life.says("whatsapp", whatsapp(1, "Belum ada yang datang", "SM2"))
    found = todo(life)
    assert found
    assert found.attention
    noted(life, ADMIN, "Sudah dibaca")
    assert todo(life) is None


def test_a_channel_without_admins_has_no_queue() -> None:
    life = disposed()
    assert work(life.case, laporgub_with(roles={"admin_unit": BOOK.profile.roles["admin_unit"]})) == []


def test_what_was_no_work_and_is_none_says_nothing() -> None:
    life = disposed()
    before = life.case
    life.does(unit_admin(FIRST), "accept")
    assert work(life.case, BOOK, before=before) == []
    assert [record.value for record in work(life.case, BOOK)] == [None]


@lived
@given(ways)
def test_the_queue_holds_exactly_what_is_to_be_done(choices: list[int]) -> None:
    """Compacted, as its readers see it after any way of the case; the records keep their schema."""
    life, turns = wander(choices)
    queue: dict[bytes, bytes | None] = {}
    state: CaseState | None = None
    for turn in turns:
        before = state
        for event in turn:
            state = evolve(state, event)
        assert state
        queue |= {record.key: record.value for record in work(state, BOOK, before=before)}
    kept = [value for value in queue.values() if value is not None]
    assert bool(kept) == is_work(BOOK, life.case)
    for value in kept:
        VALID_WORK.validate(json.loads(value))
        found = read_work(value)
        assert found
        assert (found.sequence, found.status) == (life.case.seq, life.case.status)
        assert life.case.reporter not in value.decode()


@pytest.mark.parametrize("private", [False, True])
def test_private_work_is_for_admins_who_may_see_it(private: bool) -> None:
    roles = {
        name: role.model_copy(update={"sees_private": False}) for name, role in BOOK.profile.roles.items()
    }
    life = Life()
    life.says("web", form(1, private=private))
    (record,) = work(life.case, laporgub_with(roles=roles))
    assert (record.value is None) is private
