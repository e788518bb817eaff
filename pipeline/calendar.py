"""Working time: which days count, and when a number of working days is over.

Every moment that comes in has a time zone; every moment that goes out is in UTC. Days are local days of the
profile's time zone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import holidays

from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.profile.schema_time import Calendar, Weekday

Span = tuple[time, time]
"""From the first to the second local time; the second is outside."""

WEEKDAYS: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Year:
    """The working days of one year, in order, and the same days with the moment their service ends (UTC)."""

    days: tuple[date, ...]
    ends: Mapping[date, datetime]


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Service days and hours of one profile. Build it with `work_calendar`.

    A year is worked out when it is first asked for and kept; what a method returns depends on nothing else.
    """

    zone: ZoneInfo
    hours: tuple[tuple[Span, ...], ...]
    """Service spans by weekday, Monday first; a weekday without any is no working day."""
    country: str | None
    joint_leave: bool
    extra: frozenset[date]
    worked: frozenset[date]
    _years: dict[int, _Year] = field(default_factory=dict, init=False, repr=False, compare=False)

    def local(self, at: datetime) -> datetime:
        """The same moment on the office's wall clock."""
        return at.astimezone(self.zone)

    def is_working_day(self, day: date) -> bool:
        return day in self._year(day.year).ends

    def is_open(self, at: datetime) -> bool:
        """Whether the office serves at this moment: a working day, inside its hours, not in a break."""
        local = self.local(at)
        day, clock = local.date(), local.time()
        return self.is_working_day(day) and any(start <= clock < end for start, end in self.spans(day))

    def opens_after(self, at: datetime) -> datetime | None:
        """When the office serves again; None where it serves at this moment."""
        local = self.local(at)
        day, clock = local.date(), local.time()
        if self.is_working_day(day):
            for start, end in self.spans(day):
                if start <= clock < end:
                    return None
                if clock < start:
                    return datetime.combine(day, start, self.zone).astimezone(UTC)
        following = self.nth_working_day(day, 1)
        return datetime.combine(following, self.spans(following)[0][0], self.zone).astimezone(UTC)

    def spans(self, day: date) -> tuple[Span, ...]:
        """Service hours of a day, if it is worked; a weekend day worked after all has the week's first."""
        return self.hours[day.weekday()] or next(spans for spans in self.hours if spans)

    def end_of_day(self, day: date) -> datetime:
        """When the last service span of the day ends; on a day off, when it would."""
        known = self._year(day.year).ends.get(day)
        return known if known is not None else self._end(day)

    def add_working_days(self, start: datetime, days: int) -> datetime:
        """The end of service of the last of `days` working days; the first is the day after the start."""
        if days < 1:
            raise ValueError(f"a number of working days is at least 1, not {days}")
        return self.end_of_day(self.nth_working_day(self.local(start).date(), days))

    def working_days_between(self, start: datetime, end: datetime) -> int:
        """Working days after the start's date up to and with the end's; 0 if the end is not later."""
        return max(0, self.count_working_days(self.local(start).date(), self.local(end).date()))

    def closed_until(self, at: datetime) -> date:
        """The last date whose service is over at this moment: today after hours, else yesterday."""
        today = self.local(at).date()
        return today if self.end_of_day(today) <= at else today - _DAY

    def nth_working_day(self, after: date, n: int) -> date:
        """The n-th working day later than `after`; 0 is the last one not later, -1 the one before that."""
        year = after.year
        index = bisect_right(self._year(year).days, after) + n - 1
        while index >= len(self._year(year).days):
            index -= len(self._year(year).days)
            year += 1
        while index < 0:
            year -= 1
            index += len(self._year(year).days)
        return self._year(year).days[index]

    def count_working_days(self, after: date, until: date) -> int:
        """Working days d with after < d <= until; negative if `until` is the earlier one."""
        if until < after:
            return -self.count_working_days(until, after)
        whole_years = sum(len(self._year(year).days) for year in range(after.year, until.year))
        return whole_years + self._rank(until) - self._rank(after)

    def _rank(self, day: date) -> int:
        return bisect_right(self._year(day.year).days, day)

    def _year(self, year: int) -> _Year:
        known = self._years.get(year)
        return known if known is not None else self._years.setdefault(year, self._work_out(year))

    def _work_out(self, year: int) -> _Year:
        off = public_holidays(self.country, self.joint_leave, year) | self.extra
        first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
        days = tuple(
            day
            for day in map(date.fromordinal, range(first, last + 1))
            if day in self.worked or (self.hours[day.weekday()] and day not in off)
        )
        return _Year(days, {day: self._end(day) for day in days})

    def _end(self, day: date) -> datetime:
        last = max(end for _, end in self.spans(day))
        return datetime.combine(day, last, self.zone).astimezone(UTC)


def work_calendar(calendar: Calendar, time_zone: str) -> WorkCalendar:
    """The calendar of a profile, ready to count with."""
    if not any(calendar.hours.values()):
        raise Misconfigured("calendar.hours has no service hours on any day. Give at least one day a span.")
    return WorkCalendar(
        zone=ZoneInfo(time_zone),
        hours=tuple(tuple((h.start, h.end) for h in calendar.hours.get(day, ())) for day in WEEKDAYS),
        country=calendar.holidays,
        joint_leave=calendar.joint_leave,
        extra=frozenset(calendar.extra),
        worked=frozenset(calendar.worked),
    )


@lru_cache(maxsize=256)
def public_holidays(country: str | None, joint_leave: bool, year: int) -> frozenset[date]:
    """National holidays of a country in a year; with joint leave, the days its government adds to them.

    Holidays that follow the moon are computed for years to come; joint leave is known once it is decreed.
    """
    if country is None:
        return frozenset()
    wanted = {"public", "government"} if joint_leave else {"public"}
    supported = holidays.country_holidays(country).supported_categories
    found = holidays.country_holidays(country, years=year, categories=tuple(wanted & set(supported)))
    return frozenset(day for day in found if day.year == year)


def supported_countries() -> frozenset[str]:
    """Countries whose holidays are known, as two capital letters."""
    return frozenset(holidays.list_supported_countries(include_aliases=False))
