"""Working time: which days and hours count, and when a number of working days or of service hours is over.

Every moment that comes in has a time zone; every moment that goes out is in UTC. Days are local days of the
profile's time zone.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from hashlib import sha256
from importlib.metadata import version
from typing import Final
from zoneinfo import ZoneInfo

import holidays
from holidays.registry import EntityLoader

from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.profile.schema_time import MIDNIGHT, Calendar, Hours, Weekday

Span = tuple[time, time]
"""From the first to the second local time; the second is outside. `MIDNIGHT` as the second is the day's end."""
Week = tuple[tuple[Span, ...], ...]
"""Service spans by weekday, Monday first."""

WEEKDAYS: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Season:
    """Other service hours from `first` to `last`, both included (the fasting month, say)."""

    first: date
    last: date
    week: Week


@dataclass(frozen=True, slots=True)
class _Year:
    """The working days of one year in order, with the moment the service of each ends; and its service spans.

    `served_on` are the days with service, be they working days or not, `opens` the moments at which a span begins,
    `served` how long the office served in this year up to its end.
    """

    days: tuple[date, ...]
    ends: Mapping[date, datetime]
    served_on: frozenset[date]
    opens: tuple[datetime, ...]
    served: tuple[timedelta, ...]

    @property
    def total(self) -> timedelta:
        return self.served[-1] if self.served else timedelta()

    def until(self, at: datetime) -> timedelta:
        """How long the office served in this year until then."""
        span = bisect_right(self.opens, at) - 1
        if span < 0:
            return timedelta()
        before = self.served[span - 1] if span else timedelta()
        return min(before + (at - self.opens[span]), self.served[span])

    def when(self, target: timedelta) -> datetime:
        """The first moment by which it served that long: more than nothing, at most `total`."""
        span = bisect_left(self.served, target)
        before = self.served[span - 1] if span else timedelta()
        return self.opens[span] + (target - before)


@dataclass(frozen=True)
class WorkCalendar:
    """Service days and hours of one profile. Build it with `work_calendar`.

    A year is worked out when it is first asked for and kept; what a method returns depends on nothing else.
    """

    zone: ZoneInfo
    hours: Week
    """On a weekday without any span the office is closed."""
    country: str | None
    joint_leave: bool
    extra: frozenset[date]
    worked: frozenset[date]
    seasons: tuple[Season, ...] = ()
    weekdays: frozenset[int] = frozenset(range(7))
    """Those that may be working days, 0 for Monday: if they have hours."""
    open_on_holidays: bool = False
    _years: dict[int, _Year] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def fingerprint(self) -> str:
        """Another one when the calendar may count otherwise: its own days and hours, or the library of holidays."""
        library = version("holidays") if self.country else None
        days = sorted(self.extra), sorted(self.worked), sorted(self.weekdays), self.open_on_holidays
        said = repr((self.zone.key, self.hours, self.country, self.joint_leave, days, self.seasons, library))
        return sha256(said.encode()).hexdigest()[:16]

    def local(self, at: datetime) -> datetime:
        """The same moment on the office's wall clock."""
        return at.astimezone(self.zone)

    # ── days ─────────────────────────────────────────────────────────────────────────────────────

    def is_working_day(self, day: date) -> bool:
        return day in self._year(day.year).ends

    def is_open(self, at: datetime) -> bool:
        """Whether the office serves at this moment: inside its hours, not in a break or on a day off."""
        local = self.local(at)
        day, clock = local.date(), local.time()
        return day in self._year(day.year).served_on and any(
            start <= clock and (clock < end or end == MIDNIGHT) for start, end in self.spans(day)
        )

    def opens_after(self, at: datetime) -> datetime | None:
        """When the office serves again; None where it serves at this moment."""
        moment = timedelta(microseconds=1)
        return None if self.is_open(at) else self.add_service_time(at, moment) - moment

    def spans(self, day: date) -> tuple[Span, ...]:
        """Service hours of a day, if it is worked; a weekend day worked after all has the week's first."""
        week = self._week(day)
        return week[day.weekday()] or next(spans for spans in (*week, *self.hours) if spans)

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

    # ── hours ────────────────────────────────────────────────────────────────────────────────────

    def add_service_time(self, at: datetime, length: timedelta) -> datetime:
        """The first moment by which the office has served so much longer than at `at`; negative goes back.

        A length that is used up at closing time ends there, not when the office opens again.
        """
        year = self.local(at).year
        target = self._year(year).until(at) + length
        while target > self._year(year).total:
            target -= self._year(year).total
            year += 1
        while target <= timedelta():
            year -= 1
            target += self._year(year).total
        return self._year(year).when(target)

    def service_time_between(self, start: datetime, end: datetime) -> timedelta:
        """How long the office serves from one moment to the other; negative if `end` is the earlier one."""
        if end < start:
            return -self.service_time_between(end, start)
        first, last = self.local(start).year, self.local(end).year
        whole_years = sum((self._year(year).total for year in range(first, last)), timedelta())
        return whole_years + self._year(last).until(end) - self._year(first).until(start)

    # ── a year ───────────────────────────────────────────────────────────────────────────────────

    def _rank(self, day: date) -> int:
        return bisect_right(self._year(day.year).days, day)

    def _week(self, day: date) -> Week:
        return next((each.week for each in self.seasons if each.first <= day <= each.last), self.hours)

    def _year(self, year: int) -> _Year:
        known = self._years.get(year)
        return known if known is not None else self._years.setdefault(year, self._work_out(year))

    def _work_out(self, year: int) -> _Year:
        off = public_holidays(self.country, self.joint_leave, year) | self.extra
        first, last = date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal()
        usual = [
            day for day in map(date.fromordinal, range(first, last + 1)) if self._week(day)[day.weekday()]
        ]
        worked = {day for day in self.worked if day.year == year}
        days = sorted(worked | {day for day in usual if day not in off and day.weekday() in self.weekdays})
        served_on = worked | {day for day in usual if self.open_on_holidays or day not in off}
        opens, served, total = [], [], timedelta()
        for start, end in self._moments(sorted(served_on)):
            total += end - start
            opens.append(start)
            served.append(total)
        ends = {day: self._end(day) for day in days}
        return _Year(tuple(days), ends, frozenset(served_on), tuple(opens), tuple(served))

    def _moments(self, days: Iterable[date]) -> Iterator[tuple[datetime, datetime]]:
        for day in days:
            for start, end in self.spans(day):
                yield self._moment(day, start), self._moment(day, end)

    def _end(self, day: date) -> datetime:
        return self._moment(day, max(end for _, end in self.spans(day)))

    def _moment(self, day: date, clock: time) -> datetime:
        if clock == MIDNIGHT:
            day, clock = day + _DAY, time.min
        return datetime.combine(day, clock, self.zone).astimezone(UTC)


def work_calendar(calendar: Calendar, time_zone: str) -> WorkCalendar:
    """The calendar of a profile, ready to count with."""
    if not any(calendar.hours.get(day) for day in calendar.working_days or WEEKDAYS):
        raise Misconfigured("calendar.hours has no service hours on any day. Give at least one day a span.")
    return WorkCalendar(
        zone=ZoneInfo(time_zone),
        hours=_week(calendar.hours),
        country=calendar.holidays,
        joint_leave=calendar.joint_leave,
        extra=frozenset(calendar.extra),
        worked=frozenset(calendar.worked),
        weekdays=frozenset(map(WEEKDAYS.index, calendar.working_days or WEEKDAYS)),
        open_on_holidays=calendar.open_on_holidays,
        seasons=tuple(Season(each.start, each.end, _week(each.hours)) for each in calendar.seasons),
    )


def _week(hours: Mapping[Weekday, tuple[Hours, ...]]) -> Week:
    return tuple(tuple((h.start, h.end) for h in hours.get(day, ())) for day in WEEKDAYS)


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
    return frozenset(EntityLoader.get_country_codes(include_aliases=False))  # without importing each
