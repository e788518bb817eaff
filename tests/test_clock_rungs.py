"""Each warning and each escalation rings once, whoever asks how often; and what moves, moves by an event."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from support import ADMIN, MONDAY, SUPERVISOR, form, unit_admin, whatsapp
from test_case_life import BOOK, UNIT, Life

from laporhub.pipeline import clocks
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor, Note, Recount, Tick, Withdraw, Words
from laporhub.pipeline.counting import figures
from laporhub.pipeline.errors import Refused
from laporhub.pipeline.events import CaseEvent, ClockAlarmed, ClockMoved, ClockStarted
from laporhub.pipeline.evolve import evolve, next_alarm
from laporhub.pipeline.notices import notices_of
from laporhub.pipeline.periods import parse_period
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_time import ClockRule
from laporhub.pipeline.workflow import allowed
from laporhub.sinks.documents import case_document
from laporhub.web.chronicle import staff_lines
from laporhub.web.i18n import translator
from laporhub.web.words import time_left

LADDER: dict[str, Any] = {
    "warn": [{"after": {"working_hours": 2}}, {"after": {"working_hours": 5}, "to": "tppm"}],
    "limit": {"working_hours": 8},
    "escalate": [
        {"to": "admin_gubernur"},
        {"to": "admin_gubernur", "after": {"working_hours": 4}},
        {"to": "pimpinan", "after": {"working_hours": 6}},
    ],
}
JOINT_LEAVE = date(2026, 11, 27)
"""A Friday that is decreed off."""


def with_clock(name: str, **parts: Any) -> Rulebook:
    """The LaporGub standard with one clock told otherwise."""
    rule = BOOK.profile.clocks[name].model_dump(exclude={"warn", "limit", "escalate"}, exclude_none=True)
    made = ClockRule.model_validate(rule | parts)
    known = {**BOOK.profile.clocks, name: made}
    return replace(BOOK, profile=BOOK.profile.model_copy(update={"clocks": known}))


def closed_on(book: Rulebook, *days: date) -> Rulebook:
    """The same office, with more days off."""
    extra = book.calendar.extra | set(days)
    return replace(book, calendar=replace(book.calendar, extra=extra))


LADDERS = with_clock("unit_response", **LADDER)


def at_the_unit(book: Rulebook = BOOK) -> Life:
    life = Life(book)
    life.says("web", form(1))
    life.does(ADMIN, "dispose", unit=UNIT)
    return life


def catches_up(life: Life) -> list[ClockAlarmed]:
    """The hub is back, and rings all that is due by now."""
    rung = []
    while (tick := clocks.tick(life.case, life.now)) is not None and tick.due_at <= life.now:
        events = life.applies(tick)
        assert events, "the hub would ask for ever"
        rung += [event.data for event in events if isinstance(event.data, ClockAlarmed)]
    return rung


def clock_events(events: Sequence[CaseEvent]) -> list[str]:
    return [event.data.kind for event in events if event.data.kind.startswith("clock_")]


# ── the hub takes a step at the limit ────────────────────────────────────────────────────────────


def answered(book: Rulebook = BOOK) -> Life:
    life = at_the_unit(book)
    life.does(unit_admin(UNIT), "respond", response="Sudah ditambal.")
    life.does(ADMIN, "approve")
    life.delivered("response", "sent")
    assert life.case.status == "answered"
    return life


def test_a_case_closed_after_silence_is_not_late_for_anybody() -> None:
    life = answered()
    life.now += timedelta(days=10, minutes=1)
    assert [(each.alarm, each.late) for each in catches_up(life)] == [("then", False)]
    assert life.case.status == "closed"
    document = case_document(life.case)
    assert document["late"] is False and "confirmation" in document["clocks_kept"]
    month = parse_period("2026-12", BOOK.calendar.zone)
    made = figures([life.events], BOOK, month, None, life.now)
    assert (made.closed, made.late_cases, made.clocks["confirmation"].late) == (1, 0, 0)
    told = [line.text for line in staff_lines(BOOK, life.events, translator("id"))]
    assert "Konfirmasi pelapor: waktunya habis" in told


def test_a_reporter_who_is_slow_to_agree_breaks_no_promise() -> None:
    life = answered()
    life.now += timedelta(days=11)  # the hub was away, and this is the first that it hears
    life.does(Actor(id=life.case.reporter, role="reporter"), "rate", rating=5)
    assert case_document(life.case)["late"] is False


def test_a_step_of_the_hub_is_late_where_somebody_is_told() -> None:
    book = with_clock("confirmation", limit={"days": 10}, escalate=[{"to": "pimpinan"}])
    life = answered(book)
    life.now += timedelta(days=10, minutes=1)
    catches_up(life)
    assert life.case.status == "closed"
    assert case_document(life.case)["clocks_late"] == ["confirmation"]


# ── several at once ──────────────────────────────────────────────────────────────────────────────


def test_after_a_long_outage_each_rung_is_told_once_to_those_who_need_it() -> None:
    life = at_the_unit(LADDERS)
    life.now += timedelta(days=10)
    rung = catches_up(life)
    assert [(each.alarm, each.escalate_to, each.silent) for each in rung] == [
        ("warn", None, True),
        ("warn1", "tppm", True),
        ("0", "admin_gubernur", True),  # the later one says the same
        ("1", "admin_gubernur", False),
        ("2", "pimpinan", False),
    ]
    assert [each.late for each in rung] == [False, False, True, True, True]
    assert {each.due_at for each in rung} == {life.case.clocks["unit_response"].due_at}


def test_in_time_nothing_is_silent() -> None:
    life = at_the_unit(LADDERS)
    rung = []
    while next_alarm(life.case) is not None:
        rung += [event.data for event in life.rings() if isinstance(event.data, ClockAlarmed)]
    assert [each.alarm for each in rung] == ["warn", "warn1", "0", "1", "2"]
    assert not any(each.silent for each in rung)


def told(life: Life, book: Rulebook) -> list[tuple[str, str]]:
    """Occasion and receiver of what staff was told of the clock."""
    rung = [event for event in life.events if isinstance(event.data, ClockAlarmed)]
    return [(each.occasion, each.receiver) for each in notices_of(book, life.case, rung)]


def test_each_rung_tells_whom_it_names_or_whose_turn_it_is() -> None:
    life = at_the_unit(LADDERS)
    while next_alarm(life.case) is not None:
        life.rings()
    assert told(life, LADDERS) == [
        ("warned", f"unit:{UNIT}"),
        ("warned", "role:tppm"),
        ("escalated", "role:admin_gubernur"),
        ("escalated", "role:admin_gubernur"),
        ("escalated", "role:pimpinan"),
    ]


def test_a_ladder_may_begin_with_somebody_named_and_end_with_whose_turn_it_is() -> None:
    warn = [{"after": {"working_hours": 2}, "to": "tppm"}, {"after": {"working_hours": 5}}]
    book = with_clock("unit_response", **LADDER | {"warn": warn})
    life = at_the_unit(book)
    for _ in warn:
        life.rings()
    assert told(life, book) == [("warned", "role:tppm"), ("warned", f"unit:{UNIT}")]


def test_of_what_is_overtaken_nobody_is_told() -> None:
    life = at_the_unit(LADDERS)
    life.now += timedelta(days=10)
    catches_up(life)
    assert told(life, LADDERS) == [("escalated", "role:admin_gubernur"), ("escalated", "role:pimpinan")]


def test_a_reminder_that_comes_too_late_is_not_sent() -> None:
    life = Life()
    life.says("whatsapp", whatsapp(1, "tolong pak"))
    assert life.case.status == "needs_info"
    life.now += timedelta(days=11)
    catches_up(life)
    assert life.case.status == "received"
    assert "reminder" not in [reply.purpose for reply in life.case.replies.values()]


def test_a_case_that_no_unit_has_is_escalated_once() -> None:
    life = Life()
    life.says("web", form(1))
    life.now += timedelta(hours=13)
    rung = catches_up(life)
    assert [(each.alarm, each.escalate_to) for each in rung] == [("warn", None), ("0", "admin_gubernur")]
    assert {event.unit for event in life.events} == {None}
    assert catches_up(life) == []


def test_before_its_time_nothing_rings() -> None:
    life = at_the_unit()
    tick = clocks.tick(life.case, life.now)
    assert tick is not None and tick.due_at > life.now
    assert life.applies(tick) == []
    earlier = tick.model_copy(update={"at": MONDAY - timedelta(days=400)})
    assert life.applies(earlier) == []


def test_due_while_it_stands_still_it_waits_until_the_reporter_has_answered() -> None:
    life = Life()
    life.says("whatsapp", whatsapp(1, "tolong pak"))
    first = life.case.clocks["first_response"]
    assert first.status == "paused"
    stale = life.tick("first_response", "0", first.due_at)
    assert life.applies(stale.model_copy(update={"at": first.due_at})) == []
    life.now += timedelta(hours=15)
    life.says("whatsapp", whatsapp(1, "Lampu jalan mati sejak seminggu di Jalan Contoh", "SM2"))
    clock = life.case.clocks["first_response"]
    assert (clock.status, clock.rung) == ("running", ())
    assert clock.due_at == life.now + timedelta(hours=12)


# ── what does not touch a clock ──────────────────────────────────────────────────────────────────


def test_edits_comments_and_notes_move_no_clock() -> None:
    life = Life()
    life.says("whatsapp", whatsapp(1))
    life.does(ADMIN, "dispose", unit=UNIT)
    before = life.case.clocks
    life.now += timedelta(hours=30)
    (first,) = life.case.said
    about = {"profile": BOOK.name, "case_id": life.case.id, "at": life.now}
    written = [
        life.says("whatsapp", whatsapp(1, "Masih berlubang, tolong segera", "SM2")),
        life.says("whatsapp", whatsapp(1, "Jalan Contoh di Batang berlubang besar", "SM3", replaces="SM2")),
        life.applies(Note(id="n1", words=Words(text="Sudah dicek"), actor=ADMIN, **about)),
        life.applies(Withdraw(id="w1", message_id=first.ids[0], **about)),
    ]
    assert all(written)
    assert life.case.clocks == before


# ── the calendar changes ─────────────────────────────────────────────────────────────────────────


def test_a_day_decreed_off_moves_what_is_still_to_ring_by_an_event() -> None:
    life = at_the_unit()
    promised = life.case.clocks["unit_response"].due_at
    life.book = closed_on(BOOK, JOINT_LEAVE)
    life.now += timedelta(days=1)
    command = clocks.recount_command(life.case, life.book.calendar, life.now)
    assert command is not None
    (event,) = life.applies(command)
    assert isinstance(event.data, ClockMoved)
    assert event.data.due_at == promised + timedelta(days=1)
    assert clocks.recount_command(life.case, life.book.calendar, life.now) is None
    life.book = BOOK  # a mistake in the file, mended
    back = clocks.recount_command(life.case, BOOK.calendar, life.now)
    assert back is not None and back.id != command.id
    life.applies(back)
    assert life.case.clocks["unit_response"].due_at == promised


def test_a_clock_that_rings_on_a_day_decreed_off_rings_the_day_after() -> None:
    life = at_the_unit(with_clock("unit_response", limit={"working_days": 4}, escalate=[{"to": "pimpinan"}]))
    alarm = life.case.clocks["unit_response"].alarms["0"]
    assert alarm.date() == JOINT_LEAVE
    life.book = closed_on(life.book, JOINT_LEAVE)
    life.now = alarm + timedelta(minutes=1)
    events = life.applies(life.tick("unit_response", "0", alarm))
    assert clock_events(events) == ["clock_moved"]
    assert life.case.clocks["unit_response"].due_at.date() == JOINT_LEAVE + timedelta(days=3)
    rung = [event.data for event in life.rings()]
    assert [each.alarm for each in rung if isinstance(each, ClockAlarmed)] == ["0"]


def test_a_case_answered_on_a_day_decreed_off_is_in_time() -> None:
    book = with_clock("unit_response", limit={"working_days": 3}, escalate=[{"to": "pimpinan"}])
    life = at_the_unit(book)
    due = life.case.clocks["unit_response"].due_at
    life.book = closed_on(book, due.date())
    life.now = due + timedelta(hours=2)
    life.does(unit_admin(UNIT), "return", reason="Bukan ruas jalan kami.")
    assert not life.case.clocks["unit_response"].late


def test_nothing_is_over_by_surprise_when_a_day_is_worked_after_all() -> None:
    book = with_clock("unit_response", limit={"working_days": 4}, escalate=[{"to": "pimpinan"}])
    life = at_the_unit(closed_on(book, JOINT_LEAVE))
    promised = life.case.clocks["unit_response"]
    life.book = book  # by this one it was due on the Friday
    life.now = promised.due_at - timedelta(hours=3)
    assert clocks.recount_command(life.case, book.calendar, life.now) is None
    assert life.case.clocks["unit_response"] == promised
    earlier = promised.started_at + timedelta(hours=1)
    assert clocks.recount_command(life.case, book.calendar, earlier) is not None


def test_what_is_late_stays_late() -> None:
    book = with_clock("unit_response", **LADDER)
    life = at_the_unit(book)
    life.now = life.case.clocks["unit_response"].alarms["0"]
    catches_up(life)
    late = life.case.clocks["unit_response"]
    life.book = closed_on(book, *(date(2026, 11, day) for day in range(23, 31)))
    life.applies(Recount(id="r1", profile=book.name, case_id=life.case.id, at=life.now))
    clock = life.case.clocks["unit_response"]
    assert (clock.late, clock.due_at, clock.rung) == (True, late.due_at, late.rung)
    assert all(clock.alarms[name] > at for name, at in late.alarms.items())


def test_history_replayed_under_another_calendar_is_the_same() -> None:
    life = at_the_unit()
    life.now += timedelta(days=20)
    catches_up(life)
    replayed: CaseState | None = None
    for event in life.events:
        replayed = evolve(replayed, CaseEvent.model_validate_json(event.model_dump_json()))
    assert replayed == life.case


# ── whatever happens ─────────────────────────────────────────────────────────────────────────────

BOOKS = [
    LADDERS,
    closed_on(LADDERS, JOINT_LEAVE),
    closed_on(LADDERS, *(date(2026, 12, day) for day in range(1, 25))),
    replace(LADDERS, calendar=replace(LADDERS.calendar, worked=frozenset({date(2026, 11, 28)}))),
]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["act", "act", "tick", "old ticks", "say", "note", "calendar", "recount"]),
        st.sampled_from([ADMIN, SUPERVISOR, unit_admin(UNIT)]),
        st.sampled_from([0, 1, 59, 480, 600, 1440, 7 * 1440, 30 * 1440]),
        st.integers(0, 2**16),
    ),
    max_size=25,
)
FILLED = {"unit": UNIT, "reason": "unclear", "explanation": "x", "question": "x", "response": "x"}


@settings(max_examples=80)
@given(STEPS)
def test_whatever_happens_each_rung_rings_once_and_none_is_lost(
    steps: list[tuple[str, Actor, int, int]],
) -> None:
    """Duplicated and shuffled ticks, ticks of the past, outages, pauses, changed calendars, edits and comments."""
    life = Life(LADDERS)
    life.says("whatsapp", whatsapp(1))
    case, ticks = life.case.id, list[Tick]()
    for number, (what, actor, minutes, chance) in enumerate(steps):
        life.now += timedelta(minutes=minutes)
        tick = clocks.tick(life.case, life.now)
        if tick is not None:
            ticks.append(tick)
        before = life.case
        events: Sequence[CaseEvent] = ()
        match what:
            case "act":
                possible = allowed(life.book, life.case, actor)
                if not possible:
                    continue
                name, step = possible[chance % len(possible)]
                try:
                    events = life.does(actor, name, **{n: FILLED.get(n, "x") for n in step.fields})
                except Refused:
                    continue
            case "tick" if ticks:
                events = life.applies(ticks[-1])
            case "old ticks":
                shuffled = random.Random(chance).sample(ticks, len(ticks))
                for each in [*shuffled, *shuffled]:
                    at = life.now if chance % 2 else each.at
                    events = [*events, *life.applies(each.model_copy(update={"at": at}))]
            case "say":
                events = life.says("whatsapp", whatsapp(1, "Masih rusak", f"SMx{number}"))
            case "note":
                about = {"profile": BOOK.name, "case_id": life.case.id, "at": life.now, "actor": actor}
                try:
                    events = life.applies(Note(id=f"n{number}", words=Words(text="catatan"), **about))
                except Refused:
                    continue
            case "calendar":
                life.book = BOOKS[chance % len(BOOKS)]
            case "recount":
                command = clocks.recount_command(life.case, life.book.calendar, life.now)
                events = life.applies(command) if command else ()
        if life.case.id != case:
            return  # the reporter's words were a new case
        if what in ("say", "note") and not any(e.data.kind == "transitioned" for e in events):
            assert life.case.clocks == before.clocks
        _check(before, events)
    catches_up(life)
    _check_all(life)


def _check(before: CaseState, events: Sequence[CaseEvent]) -> None:
    """Nothing rings before its time, or while the clock is not running."""
    state = before
    for event in events:
        if isinstance(event.data, ClockAlarmed):
            clock = state.clocks[event.data.clock]
            assert clock.status == "running"
            assert clock.alarms[event.data.alarm] <= event.time
        if isinstance(event.data, ClockMoved):
            clock, moved = state.clocks[event.data.clock], event.data
            assert clock.alarms.keys() == moved.alarms.keys()
            for name, at in moved.alarms.items():
                assert at == clock.alarms[name] or at > event.time, "nothing is over by surprise"
        state = evolve(state, event)


def _check_all(life: Life) -> None:
    runs: Counter[str] = Counter()
    rung: Counter[tuple[str, int, str]] = Counter()
    for event in life.events:
        if isinstance(event.data, ClockStarted):
            runs[event.data.clock] += 1
        if isinstance(event.data, ClockAlarmed):
            rung[event.data.clock, runs[event.data.clock], event.data.alarm] += 1
    assert all(times == 1 for times in rung.values())
    for clock in life.case.clocks.values():
        assert clock.status != "running" or all(at > life.now for at in clock.alarms.values())
    replayed: CaseState | None = None
    for event in life.events:
        replayed = evolve(replayed, CaseEvent.model_validate_json(event.model_dump_json()))
    assert replayed == life.case


# ── what staff reads ─────────────────────────────────────────────────────────────────────────────


def test_the_history_says_who_was_told_and_that_the_calendar_moved_a_limit() -> None:
    life = at_the_unit(with_clock("unit_response", limit={"working_days": 6}, escalate=[{"to": "pimpinan"}]))
    life.book = closed_on(life.book, JOINT_LEAVE)
    command = clocks.recount_command(life.case, life.book.calendar, life.now)
    assert command is not None
    life.applies(command)
    life.now = life.case.clocks["unit_response"].due_at
    catches_up(life)
    told = [line.text for line in staff_lines(life.book, life.events, translator("id"))]
    assert "Tanggapan unit: lewat tenggat → Pimpinan" in told
    assert "Tanggapan unit: tenggat menjadi 2 Des 2026 15.30 WIB karena kalender kerja berubah" in told


def test_what_is_left_of_service_time_is_told_as_such() -> None:
    clock, now = at_the_unit(LADDERS).case.clocks["unit_response"], MONDAY
    t = translator("id")
    left = [
        time_left("unit_response", clock.due_at, now + timedelta(hours=n), LADDERS, t) for n in (0, 4, 20)
    ]
    assert left == ["Sisa 8 jam waktu layanan", "Sisa 4 jam waktu layanan", "Sisa 1 jam waktu layanan"]
