"""Clocks: due when the standard says, fair to both sides when they stand still, and as a slow walk says they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from slow_time import MINUTE, Pauses, SlowOffice, minutes_near, offices, slow_rings, unit_of

from laporhub.pipeline import clocks
from laporhub.pipeline.calendar import WEEKDAYS, WorkCalendar, work_calendar
from laporhub.pipeline.case_state import Clock
from laporhub.pipeline.profile.schema_time import Calendar, ClockRule, Limit

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


def started(rule: ClockRule, start: datetime, calendar: WorkCalendar = CALENDAR) -> Clock:
    at = clocks.schedule(rule, calendar, start)
    return Clock(status="running", started_at=start, due_at=at.due_at, alarms=at.alarms, counted=at.counted)


def jakarta(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment in November 2026, when the 23rd is a Monday; no holidays."""
    return datetime(2026, 11, day, hour, minute, tzinfo=JAKARTA)


def standing(clock: Clock, rule: ClockRule, pause: datetime, calendar: WorkCalendar = CALENDAR) -> Clock:
    """The clock once it has been paused."""
    left = clocks.pause(clock, rule, calendar, pause)
    return clock.but(
        {
            "status": "paused",
            "remaining": left,
            "measure": clocks.measure(clock, rule),
            "counted": None,
        }
    )


def moved(
    clock: Clock, rule: ClockRule, pause: datetime, resume: datetime, calendar: WorkCalendar = CALENDAR
) -> Clock:
    paused = standing(clock, rule, pause, calendar)
    at = clocks.resume(paused.remaining, paused.measure, calendar, resume)
    return clock.but({"due_at": at.due_at, "alarms": at.alarms, "counted": at.counted})


def set_for(clock: Clock) -> tuple[datetime, object]:
    return clock.due_at, clock.alarms


# ── as the standard says ─────────────────────────────────────────────────────────────────────────


def test_twelve_hours_run_through_the_night() -> None:
    clock = started(FIRST_RESPONSE, jakarta(21, 20))
    assert clock.due_at == jakarta(22, 8)
    assert clock.alarms == {"warn": jakarta(22, 5), "0": jakarta(22, 8)}


def test_six_working_days_end_with_the_sixth_day_s_service() -> None:
    clock = started(HANDLING, jakarta(20, 10))  # a Friday
    assert clock.due_at == jakarta(30, 15, 30)
    assert clock.alarms["warn"] == jakarta(26, 15, 30)
    assert clock.alarms["0"] == clock.due_at
    assert clock.alarms["1"] == datetime(2026, 12, 2, 15, 30, tzinfo=JAKARTA)


def test_a_step_the_hub_takes_is_an_alarm_at_the_limit() -> None:
    clock = started(rule(limit={"days": 10}, then="close"), jakarta(20, 10))
    assert clock.due_at == jakarta(30, 10)
    assert clock.alarms == {"then": clock.due_at}


def test_a_limit_where_nobody_is_told_is_over_all_the_same() -> None:
    clock = started(rule(limit={"hours": 3}), jakarta(20, 10))
    assert clock.alarms == {"limit": clock.due_at}
    told_later = started(
        rule(limit={"hours": 3}, escalate=[{"to": "x", "after": {"hours": 1}}]), jakarta(20, 10)
    )
    assert told_later.alarms == {"limit": jakarta(20, 13), "0": jakarta(20, 14)}


def test_ladders_have_several_warnings_and_several_escalations() -> None:
    ladder = rule(
        limit={"working_hours": 8},
        warn=[{"after": {"working_hours": 4}}, {"after": {"working_hours": 6}, "to": "kepala"}],
        escalate=[{"to": "kepala"}, {"to": "kantor", "after": {"working_minutes": 90}}],
    )
    clock = started(ladder, jakarta(23, 14))  # a Monday; the office closes at 15.30 and opens at 07.00
    assert clock.alarms == {
        "warn": jakarta(24, 9, 30),
        "warn1": jakarta(24, 11, 30),
        "0": jakarta(24, 13, 30),
        "1": jakarta(24, 15),
    }
    told = [clocks.receiver(ladder, alarm) for alarm in ("warn", "warn1", "0", "1", "2", "then")]
    assert told == [None, "kepala", "kepala", "kantor", None, None]


def test_thirty_working_minutes_wait_for_the_morning_and_over_the_break() -> None:
    hours = [{"from": "08:00", "to": "12:00"}, {"from": "12:30", "to": "15:45"}]
    office = work_calendar(
        Calendar.model_validate(
            {"hours": dict.fromkeys(WEEKDAYS[:4], hours) | {"fri": [{"from": "08:00", "to": "11:00"}]}}
        ),
        "Asia/Jakarta",
    )
    half_an_hour = rule(limit={"working_minutes": 30})
    for start, due in [
        (jakarta(23, 7), jakarta(23, 8, 30)),
        (jakarta(23, 11, 45), jakarta(23, 12, 45)),
        (jakarta(23, 15, 15), jakarta(23, 15, 45)),
        (jakarta(23, 15, 20), jakarta(24, 8, 5)),
        (jakarta(27, 10, 40), jakarta(30, 8, 10)),
        (jakarta(28, 3), jakarta(30, 8, 30)),
    ]:
        assert started(half_an_hour, start, office).due_at == due


def test_an_office_that_serves_every_day_may_count_other_days_as_working_days() -> None:
    """Service from 8 to 21 each day, holidays too; fourteen working days from Monday to Friday."""
    office = work_calendar(
        Calendar.model_validate(
            {
                "hours": {day: [{"from": "08:00", "to": "21:00"}] for day in WEEKDAYS},
                "working_days": WEEKDAYS[:5],
                "open_on_holidays": True,
            }
        ),
        "Asia/Jakarta",
    )
    half_an_hour, two_weeks = rule(limit={"working_minutes": 30}), rule(limit={"working_days": 14})
    christmas = datetime(2026, 12, 25, 20, 45, tzinfo=JAKARTA)
    assert started(half_an_hour, christmas, office).due_at == datetime(2026, 12, 26, 8, 15, tzinfo=JAKARTA)
    # a Friday evening; 24 and 25 December do not count
    assert started(two_weeks, datetime(2026, 12, 4, 22, tzinfo=JAKARTA), office).due_at == datetime(
        2026, 12, 28, 21, tzinfo=JAKARTA
    )


@pytest.mark.parametrize(
    "span", ["minutes", "hours", "days", "working_minutes", "working_hours", "working_days"]
)
@pytest.mark.parametrize("amount", [0, -1, 10**9])
def test_no_limit_is_nothing_or_without_end(span: str, amount: int) -> None:
    with pytest.raises(ValidationError):
        Limit.model_validate({span: amount})


def test_working_hours_do_not_mix_with_others_in_one_clock() -> None:
    with pytest.raises(ValidationError, match="all in working"):
        rule(limit={"working_hours": 8}, warn={"hours": 4})


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
    assert set_for(moved(clock, HANDLING, jakarta(23, 16), resume)) == set_for(clock)


def test_a_weekend_s_pause_moves_no_working_day() -> None:
    clock = started(HANDLING, jakarta(20, 10))
    assert set_for(moved(clock, HANDLING, jakarta(20, 17), jakarta(23, 7))) == set_for(clock)


def test_a_night_s_pause_costs_no_working_minute() -> None:
    in_hours = rule(limit={"working_hours": 8}, escalate=[{"to": "kepala"}])
    clock = started(in_hours, jakarta(23, 10))
    assert set_for(moved(clock, in_hours, jakarta(23, 15, 30), jakarta(24, 7))) == set_for(clock)
    assert moved(clock, in_hours, jakarta(23, 15), jakarta(24, 7, 30)).due_at == clock.due_at + timedelta(
        hours=1
    )


def test_due_while_it_stands_still_it_does_not_ring_and_has_its_time_afterwards() -> None:
    clock = started(FIRST_RESPONSE, jakarta(23, 8))
    paused = standing(clock, FIRST_RESPONSE, jakarta(23, 19, 59))
    assert not clocks.is_over(paused, jakarta(25, 12))
    assert moved(clock, FIRST_RESPONSE, jakarta(23, 19, 59), jakarta(25, 12)).due_at == jakarta(25, 12, 1)


def test_a_clock_in_time_when_it_stopped_is_in_time_when_it_runs_again() -> None:
    clock = started(HANDLING, jakarta(20, 10))
    on_the_last_day, much_later = jakarta(30, 15), datetime(2026, 12, 8, 20, tzinfo=JAKARTA)
    assert moved(clock, HANDLING, on_the_last_day, much_later).due_at > much_later


# ── as the slow walk says ────────────────────────────────────────────────────────────────────────

moments = st.datetimes(datetime(2024, 1, 1), datetime(2028, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
elapsed_spans = st.one_of(
    st.integers(1, 600).map(lambda n: {"minutes": n}),
    st.integers(1, 200).map(lambda n: {"hours": n}),
    st.integers(1, 60).map(lambda n: {"days": n}),
)
service_spans = st.one_of(
    st.integers(1, 2000).map(lambda n: {"working_minutes": n}),
    st.integers(1, 40).map(lambda n: {"working_hours": n}),
)
working_spans = st.integers(1, 60).map(lambda n: {"working_days": n})
short_spans = {
    "elapsed": st.integers(1, 4000).map(lambda n: {"minutes": n}),
    "service": st.integers(1, 900).map(lambda n: {"working_minutes": n}),
    "days": st.integers(1, 9).map(lambda n: {"working_days": n}),
}


def ladder(draw: st.DrawFn, spans: st.SearchStrategy[dict[str, int]]) -> ClockRule:
    """A rule with any number of rungs, in the right order."""
    amounts = sorted(
        {Limit.model_validate(draw(spans)) for _ in range(draw(st.integers(1, 4)))}, key=lambda s: s.amount
    )
    rising = list({span.amount: span for span in amounts}.values())
    after = draw(st.lists(st.none() | spans, max_size=3))
    return rule(
        limit=rising[-1],
        warn=[{"after": span} for span in rising[:-1]],
        escalate=[{"to": "kepala", "after": each} for each in after],
        then=draw(st.sampled_from([None, "close"])),
    )


@st.composite
def short_rules(draw: st.DrawFn) -> ClockRule:
    return ladder(draw, short_spans[draw(st.sampled_from(sorted(short_spans)))])


@st.composite
def rests(draw: st.DrawFn, start: datetime) -> Pauses:
    """Pauses after the start, in order, at most touching."""
    at, found = start, []
    for _ in range(draw(st.integers(0, 3))):
        first = at + draw(st.integers(0, 5000)) * MINUTE
        at = first + draw(st.integers(0, 5000)) * MINUTE
        found.append((first, at))
    return found


def thresholds(rule: ClockRule, per: int) -> dict[str, int]:
    """After how many units each alarm rings: the rule read aloud."""
    limit = rule.limit.amount // per
    rungs = {f"warn{n}" if n else "warn": each.after.amount // per for n, each in enumerate(rule.warnings)}
    rungs |= {
        str(n): limit + (step.after.amount // per if step.after else 0)
        for n, step in enumerate(rule.escalate)
    }
    if rule.then:
        rungs["then"] = limit
    return rungs | {"due": limit}


def rings(rule: ClockRule, office: SlowOffice, start: datetime, pauses: Pauses) -> dict[str, datetime]:
    """When each alarm rings in the hub, and when the clock is due."""
    calendar = work_calendar(office.calendar, office.zone.key)
    clock, rung = started(rule, start, calendar), dict[str, datetime]()
    for first, last in pauses:
        ringing = {name: at for name, at in clock.alarms.items() if at <= first}
        rung |= ringing
        if clock.due_at <= first:
            rung.setdefault("due", clock.due_at)
        left = {name: at for name, at in clock.alarms.items() if name not in ringing}
        clock = moved(clock.but({"alarms": left}), rule, first, last, calendar)
    rung.setdefault("due", clock.due_at)
    return {**rung, **clock.alarms}


@settings(max_examples=60)
@given(st.data(), offices(), short_rules(), minutes_near)
def test_every_alarm_rings_when_a_walk_minute_by_minute_says(
    data: st.DataObject, office: SlowOffice, rule: ClockRule, start: datetime
) -> None:
    """Over holidays, breaks, weekends, midnights, weeks of closure; with any pauses."""
    pauses = data.draw(rests(start))
    unit, per = unit_of(rule)
    said = rings(rule, office, start, pauses)
    said.pop("limit", None)
    assert said == slow_rings(office, thresholds(rule, per), unit, start, pauses)


@settings(max_examples=60)
@given(offices(), short_rules(), minutes_near, st.integers(0, 20_000))
def test_what_remains_is_what_the_walk_has_not_counted_yet(
    office: SlowOffice, rule: ClockRule, start: datetime, minutes: int
) -> None:
    calendar, now = work_calendar(office.calendar, office.zone.key), start + minutes * MINUTE
    left = clocks.pause(started(rule, start, calendar), rule, calendar, now)
    unit, per = unit_of(rule)
    whole = rule.limit.amount // per
    if unit == "day":
        ends = [slow_rings(office, {"x": n}, unit, start)["x"] for n in range(1, whole + 1)]
        started_today = _start_day_still_ends(office, start, now)
        assert max(0, left["due"]) == sum(end > now for end in ends) + started_today
    else:
        due = slow_rings(office, {"due": whole}, unit, start)["due"]
        assert left["due"] > 0 or due <= now
        counted = slow_rings(office, {"x": left["due"] // per}, unit, now)["x"] if left["due"] > 0 else due
        assert counted == due


def _start_day_still_ends(office: SlowOffice, start: datetime, now: datetime) -> bool:
    """The day of the start is not one of the limit's, but it ends before them: paused over its end, one is added."""
    day = office.wall(start).date()
    minutes = office.opening_minutes(day)
    if not office.is_working_day(day) or office.wall(now).date() != day:
        return False
    local = office.wall(now)
    return max(minutes) >= local.hour * 60 + local.minute


# ── always ───────────────────────────────────────────────────────────────────────────────────────


@st.composite
def rules(draw: st.DrawFn) -> ClockRule:
    return ladder(draw, draw(st.sampled_from([elapsed_spans, service_spans, working_spans])))


@st.composite
def pauses(draw: st.DrawFn) -> tuple[datetime, datetime, datetime]:
    """Start, pause and resume, in this order."""
    start = draw(moments)
    first = start + draw(st.timedeltas(timedelta(), timedelta(days=120)))
    return start, first, first + draw(st.timedeltas(timedelta(), timedelta(days=120)))


@given(rules(), moments)
def test_never_due_before_it_warns_nor_escalated_before_it_is_due(rule: ClockRule, start: datetime) -> None:
    at = clocks.schedule(rule, CALENDAR, start)
    assert at.due_at > start
    assert all((when < at.due_at) == name.startswith("warn") for name, when in at.alarms.items())
    assert at.due_at.tzinfo is UTC and all(when.tzinfo is UTC for when in at.alarms.values())


@given(rules(), pauses())
def test_paused_and_resumed_at_once_is_as_before(
    rule: ClockRule, times: tuple[datetime, datetime, datetime]
) -> None:
    start, now, _ = (at.replace(microsecond=0) for at in times)
    clock = started(rule, start)
    assert set_for(moved(clock, rule, now, now)) == set_for(clock)


@given(rules(), pauses())
def test_parts_of_a_second_cost_less_than_a_second_once_and_nothing_after(
    rule: ClockRule, times: tuple[datetime, datetime, datetime]
) -> None:
    start, now, _ = times
    clock = started(rule, start)
    once = moved(clock, rule, now, now)
    assert timedelta() <= once.due_at - clock.due_at < SECOND
    assert set_for(moved(once, rule, now, now)) == set_for(once)


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
    assert all(at <= after.due_at for name, at in after.alarms.items() if name.startswith("warn"))
    assert all(at >= after.due_at for name, at in after.alarms.items() if not name.startswith("warn"))


@given(rules(), pauses())
def test_late_stays_late_and_in_time_stays_in_time(
    rule: ClockRule, times: tuple[datetime, datetime, datetime]
) -> None:
    start, pause, resume = (at.replace(microsecond=0) for at in times)
    clock = started(rule, start)
    assume(clock.due_at != pause)
    late = clocks.is_over(clock, pause)
    assert clocks.is_over(standing(clock, rule, pause), resume) is late
    assert clocks.is_over(moved(clock, rule, pause, resume), resume) is late


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
