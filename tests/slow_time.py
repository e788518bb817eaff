"""Time as slowly and as plainly as it can be told: minute by minute. What the clocks are held against.

Only for zones that never change their clocks, as Indonesia's, and for times on whole minutes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from laporhub.pipeline.calendar import WEEKDAYS, public_holidays
from laporhub.pipeline.profile.schema_time import MIDNIGHT, Calendar, ClockRule

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
ZONES = ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura")
Pauses = Sequence[tuple[datetime, datetime]]


@dataclass
class SlowOffice:
    """An office that is asked each minute whether it is open."""

    calendar: Calendar
    zone: ZoneInfo
    _open: dict[date, frozenset[int]] = field(default_factory=dict)

    def opening_minutes(self, day: date) -> frozenset[int]:
        """The minutes of the day in which it serves."""
        if day not in self._open:
            self._open[day] = frozenset(self._worked_out(day))
        return self._open[day]

    def _worked_out(self, day: date) -> set[int]:
        weeks = [s.hours for s in self.calendar.seasons if s.start <= day <= s.end] + [self.calendar.hours]
        hours = weeks[0].get(WEEKDAYS[day.weekday()], ())
        if day in self.calendar.worked:
            hours = hours or next(
                spans for week in weeks for name in WEEKDAYS if (spans := week.get(name, ()))
            )
        elif self.is_off(day) and not self.calendar.open_on_holidays:
            return set()
        return {
            minute
            for span in hours
            for minute in range(_minute(span.start), 24 * 60 if span.end == MIDNIGHT else _minute(span.end))
        }

    def is_off(self, day: date) -> bool:
        holidays = public_holidays(self.calendar.holidays, self.calendar.joint_leave, day.year)
        return day in holidays or day in self.calendar.extra

    def is_working_day(self, day: date) -> bool:
        """One that limits in working days count: others may have service as well."""
        if day in self.calendar.worked:
            return True
        counts = WEEKDAYS[day.weekday()] in (self.calendar.working_days or WEEKDAYS)
        return counts and not self.is_off(day) and bool(self.opening_minutes(day))

    def is_open(self, local: datetime) -> bool:
        """In the minute that begins then, on the wall clock."""
        return _minute(local.time()) in self.opening_minutes(local.date())

    def ends_a_day(self, local: datetime) -> bool:
        """Whether the last minute of a working day's service has just passed."""
        before = local - MINUTE
        served, minute = self.opening_minutes(before.date()), _minute(before.time())
        is_last = minute in served and minute + 1 not in served and minute == max(served)
        return is_last and self.is_working_day(before.date())

    def wall(self, at: datetime) -> datetime:
        return at.astimezone(self.zone).replace(tzinfo=None)

    def utc(self, local: datetime) -> datetime:
        return local.replace(tzinfo=self.zone).astimezone(UTC)


def _minute(clock: time) -> int:
    return clock.hour * 60 + clock.minute


def slow_rings(
    office: SlowOffice, thresholds: Mapping[str, int], unit: str, start: datetime, pauses: Pauses = ()
) -> dict[str, datetime]:
    """When each alarm rings: the moment by which the clock has counted that many of its units.

    `unit` is "minute" (each counts), "service" (those in which the office is open) or "day" (days whose service ends).
    """
    now, rests = office.wall(start), [(office.wall(a), office.wall(b)) for a, b in pauses]
    counted, rung = 0, dict[str, datetime]()
    if unit == "day" and _ends_later_today(office, now):
        counted = -1  # the day of the start does not count
    while len(rung) < len(thresholds):
        now += MINUTE
        if unit == "day":
            counts = office.ends_a_day(now) and not any(a < now <= b for a, b in rests)
        else:
            minute = now - MINUTE
            counts = not any(a <= minute < b for a, b in rests) and (
                unit == "minute" or office.is_open(minute)
            )
        counted += counts
        if counts:
            rung |= {
                name: office.utc(now)
                for name, needed in thresholds.items()
                if name not in rung and counted >= needed
            }
    return rung


def _ends_later_today(office: SlowOffice, now: datetime) -> bool:
    minutes = office.opening_minutes(now.date())
    return office.is_working_day(now.date()) and max(minutes) >= _minute(now.time())


def slow_service(office: SlowOffice, start: datetime, end: datetime) -> timedelta:
    """How long the office is open between two moments."""
    now, counted = office.wall(start), 0
    while now < office.wall(end):
        counted += office.is_open(now)
        now += MINUTE
    return counted * MINUTE


def unit_of(rule: ClockRule) -> tuple[str, int]:
    """What `slow_rings` counts for a rule, and how many of the rule's own units are one of these."""
    units = {"seconds": ("minute", 60), "working_seconds": ("service", 60), "working_days": ("day", 1)}
    return units[rule.limit.measure]


# ── made-up offices and moments ──────────────────────────────────────────────────────────────────

FIRST, LAST = date(2025, 11, 1), date(2026, 12, 31)
days_near = st.dates(FIRST, LAST)
minutes_near = st.integers(0, 400 * 24 * 60).map(lambda n: datetime(2025, 11, 15, tzinfo=UTC) + n * MINUTE)


@st.composite
def weeks(draw: st.DrawFn) -> dict[str, list[dict[str, str]]]:
    """Days with one to three spans of service, some round the clock, at least one day a week."""
    return {
        day: draw(_spans)
        for day in draw(st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=7, unique=True))
    }


_quarters = st.lists(st.integers(0, 96), min_size=2, max_size=6, unique=True).map(sorted)
_spans = _quarters.map(
    lambda marks: [
        {"from": _clock(a), "to": _clock(b)} for a, b in zip(marks[::2], marks[1::2], strict=False)
    ]
)


def _clock(quarter: int) -> str:
    return f"{quarter // 4:02}:{quarter % 4 * 15:02}"


@st.composite
def offices(draw: st.DrawFn) -> SlowOffice:
    """Offices in all three zones, with holidays, local days, other hours for a while, weeks of closure."""
    off, worked = draw(st.sets(days_near, max_size=4)), draw(st.sets(days_near, max_size=4))
    closed_from, closed_for = draw(days_near), draw(st.sampled_from([0, 0, 20, 45]))
    off |= {closed_from + n * DAY for n in range(closed_for)}
    seasons = []
    if draw(st.booleans()):
        first = draw(days_near)
        seasons = [{"from": first, "to": first + 29 * DAY, "title": "Ramadan", "hours": draw(weeks())}]
    hours = draw(weeks())
    working = draw(st.none() | st.lists(st.sampled_from(sorted(hours)), min_size=1, unique=True))
    calendar = Calendar.model_validate(
        {
            "hours": hours,
            "holidays": draw(st.sampled_from(["ID", "ID", None])),
            "joint_leave": draw(st.booleans()),
            "open_on_holidays": draw(st.sampled_from([False, False, True])),
            "working_days": working,
            "extra": {day.isoformat(): "libur" for day in off},
            "worked": {day.isoformat(): "masuk" for day in worked - off},
            "seasons": seasons,
        }
    )
    return SlowOffice(calendar, ZoneInfo(draw(st.sampled_from(ZONES))))
