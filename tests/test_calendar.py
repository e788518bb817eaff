"""Working days: against the plain day-by-day way of counting them, and against the days people know."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slow_time import MINUTE, SlowOffice, minutes_near, offices, slow_service

from laporhub.pipeline.calendar import WEEKDAYS, WorkCalendar, public_holidays, work_calendar
from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.profile.schema_time import Calendar

JAKARTA = ZoneInfo("Asia/Jakarta")
ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")
OFFICE = {day: [{"from": "07:00", "to": "15:30"}] for day in WEEKDAYS[:4]} | {
    "fri": [{"from": "07:00", "to": "14:00"}]
}


def office(time_zone: str = "Asia/Jakarta", **more: object) -> WorkCalendar:
    return work_calendar(Calendar.model_validate({"hours": OFFICE, **more}), time_zone)


def jakarta(*when: int) -> datetime:
    return datetime(*when, tzinfo=JAKARTA)  # type: ignore[misc, arg-type]


# ── the slow and obvious way ─────────────────────────────────────────────────────────────────────


def slow_is_working_day(calendar: WorkCalendar, day: date) -> bool:
    if day in calendar.worked:
        return True
    off = public_holidays(calendar.country, calendar.joint_leave, day.year) | calendar.extra
    return bool(calendar.hours[day.weekday()]) and day not in off


def slow_add(calendar: WorkCalendar, start: datetime, days: int) -> date:
    day = start.astimezone(calendar.zone).date()
    while days:
        day += timedelta(days=1)
        days -= slow_is_working_day(calendar, day)
    return day


def slow_between(calendar: WorkCalendar, start: datetime, end: datetime) -> int:
    first, last = start.astimezone(calendar.zone).date(), end.astimezone(calendar.zone).date()
    return sum(
        slow_is_working_day(calendar, first + timedelta(days=n)) for n in range(1, (last - first).days + 1)
    )


moments = st.datetimes(datetime(2023, 1, 1), datetime(2029, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
days_near = st.dates(date(2025, 1, 1), date(2027, 12, 31))


@st.composite
def calendars(draw: st.DrawFn) -> WorkCalendar:
    working = draw(st.sets(st.sampled_from(WEEKDAYS), min_size=1))
    extra, worked = draw(st.sets(days_near, max_size=5)), draw(st.sets(days_near, max_size=5))
    calendar = Calendar.model_validate(
        {
            "hours": {
                day: [{"from": "08:00", "to": "12:00"}, {"from": "13:00", "to": "16:00"}] for day in working
            },
            "holidays": draw(st.sampled_from(["ID", None])),
            "joint_leave": draw(st.booleans()),
            "extra": {day.isoformat(): "libur" for day in extra},
            "worked": {day.isoformat(): "masuk" for day in worked - extra},
        }
    )
    return work_calendar(calendar, draw(st.sampled_from(ZONES)))


@given(calendars(), moments, st.integers(1, 70))
def test_adding_is_counting_day_by_day(calendar: WorkCalendar, start: datetime, days: int) -> None:
    due = calendar.add_working_days(start, days)
    assert calendar.local(due).date() == slow_add(calendar, start, days)
    assert calendar.local(due).time() == time(16) and due.tzinfo is UTC


@given(calendars(), moments, moments)
def test_between_is_counting_day_by_day(calendar: WorkCalendar, start: datetime, end: datetime) -> None:
    assert calendar.working_days_between(start, end) == slow_between(calendar, start, end)


@given(calendars(), moments, st.integers(1, 70))
def test_as_many_days_as_were_added_lie_between(calendar: WorkCalendar, start: datetime, days: int) -> None:
    assert calendar.working_days_between(start, calendar.add_working_days(start, days)) == days


@given(calendars(), st.dates(date(2023, 1, 1), date(2029, 12, 31)), st.integers(-70, 70))
def test_the_nth_day_and_the_count_agree_in_both_directions(
    calendar: WorkCalendar, day: date, n: int
) -> None:
    found = calendar.nth_working_day(day, n)
    assert calendar.is_working_day(found)
    assert calendar.count_working_days(day, found) == n


@given(calendars(), moments, moments, st.integers(1, 40))
def test_who_starts_later_is_not_due_earlier(
    calendar: WorkCalendar, one: datetime, other: datetime, days: int
) -> None:
    first, second = sorted((one, other))
    assert calendar.add_working_days(first, days) <= calendar.add_working_days(second, days)
    assert calendar.add_working_days(first, days) < calendar.add_working_days(first, days + 1)


@given(calendars(), moments)
def test_the_last_day_closed_is_over_and_the_next_is_not(calendar: WorkCalendar, now: datetime) -> None:
    day = calendar.closed_until(now)
    assert calendar.end_of_day(day) <= now < calendar.end_of_day(day + timedelta(days=1))


# ── hours ────────────────────────────────────────────────────────────────────────────────────────


@settings(max_examples=50)
@given(offices(), minutes_near, st.integers(0, 20_000))
def test_service_time_is_counting_minute_by_minute(office: SlowOffice, start: datetime, minutes: int) -> None:
    calendar = work_calendar(office.calendar, office.zone.key)
    end = start + minutes * MINUTE
    served = slow_service(office, start, end)
    assert calendar.service_time_between(start, end) == served
    assert calendar.service_time_between(end, start) == -served
    assert calendar.is_open(start) == office.is_open(office.wall(start))


lengths = st.timedeltas(timedelta(microseconds=1), timedelta(hours=900))


@given(offices(), moments, lengths, lengths)
def test_service_time_adds_up(office: SlowOffice, start: datetime, one: timedelta, other: timedelta) -> None:
    calendar = work_calendar(office.calendar, office.zone.key)
    due = calendar.add_service_time(start, one)
    assert due > start and due.tzinfo is UTC
    assert calendar.service_time_between(start, due) == one
    assert calendar.add_service_time(due, other) == calendar.add_service_time(start, one + other)
    assert calendar.is_open(due - timedelta(microseconds=1)), "it ends while the office is open"
    back = calendar.add_service_time(due, -other)
    assert back <= due and calendar.service_time_between(back, due) == other


def test_a_season_has_hours_of_its_own() -> None:
    calendar = office(
        seasons=[
            {
                "from": "2026-02-18",
                "to": "2026-03-19",
                "title": "Ramadan",
                "hours": {"wed": [{"from": "08:00", "to": "12:00"}]},
            }
        ]
    )
    assert calendar.end_of_day(date(2026, 2, 25)) == jakarta(2026, 2, 25, 12)
    assert not calendar.is_working_day(date(2026, 2, 26)), "it names no Thursday"
    assert calendar.end_of_day(date(2026, 4, 1)) == jakarta(2026, 4, 1, 15, 30)


def test_a_day_may_be_served_until_midnight() -> None:
    around_the_clock = {day: [{"from": "00:00", "to": "24:00"}] for day in WEEKDAYS}
    calendar = work_calendar(
        Calendar.model_validate({"hours": around_the_clock, "holidays": None}), "Asia/Jayapura"
    )
    start = datetime(2026, 11, 23, 14, 59, 59, tzinfo=UTC)
    assert calendar.is_open(start)
    assert calendar.add_service_time(start, timedelta(days=3)) == start + timedelta(days=3)


def test_nothing_is_counted_while_the_office_is_closed_for_weeks() -> None:
    closed = {(date(2026, 12, 1) + timedelta(days=n)).isoformat(): "libur" for n in range(60)}
    calendar = office(extra=closed)
    start = jakarta(2026, 11, 30, 15)
    assert calendar.add_service_time(start, timedelta(minutes=31)) == jakarta(2027, 2, 1, 7, 1)
    assert calendar.add_working_days(start, 1) == jakarta(2027, 2, 1, 15, 30)
    assert calendar.closed_until(jakarta(2026, 12, 24, 12)) == date(2026, 12, 23)


def test_another_calendar_has_another_fingerprint_and_the_same_has_the_same() -> None:
    known = {
        office().fingerprint,
        office("Asia/Makassar").fingerprint,
        office(joint_leave=False).fingerprint,
        office(extra={"2026-04-01": "hari jadi"}).fingerprint,
        office(worked={"2026-04-01": "masuk"}).fingerprint,
    }
    assert len(known) == 5
    assert office(extra={"2026-04-01": "apa pun"}).fingerprint in known


# ── the days people know ─────────────────────────────────────────────────────────────────────────


def test_six_working_days_over_christmas_and_new_year() -> None:
    # Tuesday 22 December 2026; 24 (joint leave) and 25 December and 1 January do not count, nor weekends
    due = office().add_working_days(jakarta(2026, 12, 22, 10), 6)
    assert due == jakarta(2027, 1, 4, 15, 30)


def test_without_joint_leave_the_day_before_christmas_counts() -> None:
    assert office(joint_leave=False).is_working_day(date(2026, 12, 24))
    assert not office().is_working_day(date(2026, 12, 24))
    assert not office(joint_leave=False).is_working_day(date(2026, 12, 25))


def test_a_friday_ends_when_friday_ends() -> None:
    assert office().add_working_days(jakarta(2026, 11, 26, 23, 59), 1) == jakarta(2026, 11, 27, 14)


def test_the_day_is_the_office_s_day_not_utc_s() -> None:
    late_monday_utc = datetime(2026, 11, 23, 18, tzinfo=UTC)  # Tuesday 01.00 in Jakarta, 03.00 in Jayapura
    assert office().add_working_days(late_monday_utc, 1) == jakarta(2026, 11, 25, 15, 30)
    due = office("Asia/Jayapura").add_working_days(late_monday_utc, 1)
    assert due == datetime(2026, 11, 25, 15, 30, tzinfo=ZoneInfo("Asia/Jayapura"))


def test_local_days_off_and_days_worked_after_all() -> None:
    calendar = office(
        extra={"2026-04-01": "hari jadi"}, worked={"2026-04-04": "pengganti", "2026-12-25": "piket"}
    )
    assert not calendar.is_working_day(date(2026, 4, 1))
    assert calendar.is_working_day(date(2026, 12, 25))
    # a Saturday has no hours of its own: it is worked like the week's first day
    assert calendar.end_of_day(date(2026, 4, 4)) == jakarta(2026, 4, 4, 15, 30)


@pytest.mark.parametrize(
    ("at", "is_open"),
    [
        (jakarta(2026, 11, 23, 6, 59), False),
        (jakarta(2026, 11, 23, 7), True),
        (jakarta(2026, 11, 23, 12), False),
        (jakarta(2026, 11, 23, 13), True),
        (jakarta(2026, 11, 23, 15, 30), False),
        (jakarta(2026, 11, 22, 9), False),
        (datetime(2026, 11, 23, 1, tzinfo=UTC), True),
    ],
)
def test_open_within_hours_and_not_in_the_break(at: datetime, is_open: bool) -> None:
    hours = [{"from": "07:00", "to": "12:00"}, {"from": "13:00", "to": "15:30"}]
    calendar = work_calendar(Calendar.model_validate({"hours": {"mon": hours}}), "Asia/Jakarta")
    assert calendar.is_open(at) is is_open


def test_no_holidays_of_a_country_when_none_is_named() -> None:
    assert office(holidays=None).is_working_day(date(2026, 12, 25))


def test_a_country_without_joint_leave_days_has_its_public_ones() -> None:
    assert date(2026, 1, 1) in public_holidays("SG", True, 2026)


def test_no_hours_at_all_is_said_when_it_is_loaded() -> None:
    with pytest.raises(Misconfigured, match="at least one day"):
        work_calendar(Calendar.model_validate({"hours": {"mon": []}}), "Asia/Jakarta")


def test_no_working_days_is_no_number_of_working_days() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        office().add_working_days(jakarta(2026, 11, 23), 0)
