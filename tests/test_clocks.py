"""Clocks: due when the standard says, fair to both sides when they stand still."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from laporhub.pipeline import clocks
from laporhub.pipeline.calendar import WEEKDAYS, work_calendar
from laporhub.pipeline.case_state import Clock
from laporhub.pipeline.profile.schema_time import Calendar, ClockRule

steady = settings(deadline=None)
JAKARTA = ZoneInfo("Asia/Jakarta")
CALENDAR = work_calendar(
    Calendar.model_validate({"hours": {day: [{"from": "07:00", "to": "15:30"}] for day in WEEKDAYS[:5]}}),
    "Asia/Jakarta",
)
SECOND = timedelta(seconds=1)


def rule(**parts: object) -> ClockRule:
    return ClockRule.model_validate({"title": "Jam", "start": ["opened"], "stop": ["done"], **parts})


FIRST_RESPONSE = rule(limit={"hours": 12}, warn={"hours": 9}, escalate=[{"to": "kepala"}])
HANDLING = rule(
    limit={"working_days": 6},
    warn={"working_days": 4},
    escalate=[{"to": "kantor"}, {"to": "kepala", "after": {"working_days": 2}}],
)


def started(rule: ClockRule, start: datetime) -> Clock:
    due_at, alarms = clocks.schedule(rule, CALENDAR, start)
    return Clock(status="running", started_at=start, due_at=due_at, alarms=alarms)


def jakarta(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment in November 2026, when the 23rd is a Monday; no holidays."""
    return datetime(2026, 11, day, hour, minute, tzinfo=JAKARTA)


def moved(clock: Clock, rule: ClockRule, pause: datetime, resume: datetime) -> Clock:
    remaining = clocks.pause(clock, rule, CALENDAR, pause)
    due_at, alarms = clocks.resume(remaining, rule, CALENDAR, resume)
    return clock.model_copy(update={"due_at": due_at, "alarms": alarms})


# ── as the standard says ─────────────────────────────────────────────────────────────────────────


def test_twelve_hours_run_through_the_night() -> None:
    due_at, alarms = clocks.schedule(FIRST_RESPONSE, CALENDAR, jakarta(21, 20))
    assert due_at == jakarta(22, 8)
    assert alarms == {"warn": jakarta(22, 5), "0": jakarta(22, 8)}


def test_six_working_days_end_with_the_sixth_day_s_service() -> None:
    due_at, alarms = clocks.schedule(HANDLING, CALENDAR, jakarta(20, 10))  # a Friday
    assert due_at == jakarta(30, 15, 30)
    assert alarms["warn"] == jakarta(26, 15, 30)
    assert alarms["0"] == due_at
    assert alarms["1"] == datetime(2026, 12, 2, 15, 30, tzinfo=JAKARTA)


def test_a_step_the_hub_takes_is_an_alarm_at_the_limit() -> None:
    due_at, alarms = clocks.schedule(rule(limit={"days": 10}, then="close"), CALENDAR, jakarta(20, 10))
    assert due_at == jakarta(30, 10)
    assert alarms == {"then": due_at}


def test_waiting_for_the_reporter_does_not_cost_the_office() -> None:
    clock = moved(started(FIRST_RESPONSE, jakarta(23, 8)), FIRST_RESPONSE, jakarta(23, 10), jakarta(25, 14))
    assert clock.due_at == jakarta(26, 0)  # 10 hours were left
    assert clock.alarms["warn"] == jakarta(25, 21)


def test_working_days_that_pass_meanwhile_are_added() -> None:
    clock = started(HANDLING, jakarta(20, 10))
    assert moved(clock, HANDLING, jakarta(23, 10), jakarta(25, 10)).due_at == datetime(
        2026, 12, 2, 15, 30, tzinfo=JAKARTA
    )


@pytest.mark.parametrize("resume", [jakarta(23, 20), jakarta(24, 6), jakarta(24, 15)])
def test_an_evening_s_pause_moves_no_working_day(resume: datetime) -> None:
    clock = started(HANDLING, jakarta(20, 10))
    assert moved(clock, HANDLING, jakarta(23, 16), resume) == clock


def test_a_weekend_s_pause_moves_no_working_day() -> None:
    clock = started(HANDLING, jakarta(20, 10))
    assert moved(clock, HANDLING, jakarta(20, 17), jakarta(23, 7)) == clock


def test_a_clock_in_time_when_it_stopped_is_in_time_when_it_runs_again() -> None:
    clock = started(HANDLING, jakarta(20, 10))
    on_the_last_day, much_later = jakarta(30, 15), datetime(2026, 12, 8, 20, tzinfo=JAKARTA)
    assert moved(clock, HANDLING, on_the_last_day, much_later).due_at > much_later


# ── always ───────────────────────────────────────────────────────────────────────────────────────

moments = st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
elapsed_spans = st.one_of(
    st.integers(1, 600).map(lambda n: {"minutes": n}),
    st.integers(1, 200).map(lambda n: {"hours": n}),
    st.integers(1, 60).map(lambda n: {"days": n}),
)
working_spans = st.integers(1, 60).map(lambda n: {"working_days": n})


@st.composite
def rules(draw: st.DrawFn) -> ClockRule:
    spans = draw(st.sampled_from([elapsed_spans, working_spans]))
    steps = draw(st.lists(st.none() | spans, max_size=3))
    made = rule(
        limit=draw(spans),
        warn=draw(st.none() | spans),
        escalate=[{"to": "kepala", "after": after} for after in steps],
        then=draw(st.sampled_from([None, "close"])),
    )
    start = datetime(2026, 11, 23, tzinfo=UTC)
    if made.warn:
        assume(clocks.after(CALENDAR, start, made.warn) < clocks.after(CALENDAR, start, made.limit))
    return made


@st.composite
def pauses(draw: st.DrawFn) -> tuple[datetime, datetime, datetime]:
    """Start, pause and resume, in this order."""
    start = draw(moments)
    first = start + draw(st.timedeltas(timedelta(), timedelta(days=120)))
    return start, first, first + draw(st.timedeltas(timedelta(), timedelta(days=120)))


@steady
@given(rules(), moments)
def test_never_due_before_it_warns_nor_escalated_before_it_is_due(rule: ClockRule, start: datetime) -> None:
    due_at, alarms = clocks.schedule(rule, CALENDAR, start)
    assert due_at > start
    assert alarms.get("warn", start) <= due_at
    assert all(at >= due_at for name, at in alarms.items() if name != "warn")
    assert due_at.tzinfo is UTC and all(at.tzinfo is UTC for at in alarms.values())


@steady
@given(rules(), pauses())
def test_paused_and_resumed_at_once_is_as_before(
    rule: ClockRule, times: tuple[datetime, datetime, datetime]
) -> None:
    start, now, _ = (at.replace(microsecond=0) for at in times)
    clock = started(rule, start)
    assert moved(clock, rule, now, now) == clock


@steady
@given(rules(), pauses())
def test_parts_of_a_second_cost_less_than_a_second_once_and_nothing_after(
    rule: ClockRule, times: tuple[datetime, datetime, datetime]
) -> None:
    start, now, _ = times
    clock = started(rule, start)
    once = moved(clock, rule, now, now)
    assert timedelta() <= once.due_at - clock.due_at < SECOND
    assert moved(once, rule, now, now) == once


@steady
@given(rules(), pauses())
def test_a_pause_never_makes_it_earlier_and_keeps_the_order(
    rule: ClockRule, times: tuple[datetime, datetime, datetime]
) -> None:
    start, pause, resume = times
    before = started(rule, start)
    after = moved(before, rule, pause, resume)
    assert after.due_at >= before.due_at
    assert after.alarms.keys() == before.alarms.keys()
    assert all(after.alarms[name] >= before.alarms[name] for name in before.alarms)
    assert after.alarms.get("warn", after.due_at) <= after.due_at
    assert all(at >= after.due_at for name, at in after.alarms.items() if name != "warn")


@steady
@given(rules(), pauses())
def test_late_stays_late_and_in_time_stays_in_time(
    rule: ClockRule, times: tuple[datetime, datetime, datetime]
) -> None:
    start, pause, resume = (at.replace(microsecond=0) for at in times)
    clock = started(rule, start)
    assume(clock.due_at != pause)
    late = clocks.is_late(clock, rule, pause)
    standing = clock.model_copy(
        update={"status": "paused", "remaining": clocks.pause(clock, rule, CALENDAR, pause)}
    )
    assert clocks.is_late(standing, rule, resume) is late
    assert clocks.is_late(moved(clock, rule, pause, resume), rule, resume) is late


@steady
@given(rules(), pauses())
def test_an_alarm_that_has_rung_does_not_come_back(
    rule: ClockRule, times: tuple[datetime, datetime, datetime]
) -> None:
    start, pause, resume = times
    clock = started(rule, start)
    pending = {name: at for name, at in clock.alarms.items() if at > pause}
    assert (
        moved(clock.model_copy(update={"alarms": pending}), rule, pause, resume).alarms.keys()
        == pending.keys()
    )
