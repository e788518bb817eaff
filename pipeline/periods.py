"""The spans of time that reports are about: a month, a quarter, a year, or any days. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from laporhub.pipeline.errors import Refused

Kind: TypeAlias = Literal["month", "quarter", "year", "days"]
Every: TypeAlias = Literal["month", "quarter", "year"]

MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
LONGEST: Final = timedelta(days=3 * 366)
"""Of days that somebody chooses."""
_DAY: Final = timedelta(days=1)
_EARLIEST, _LATEST = 2000, 2999
_BY_DAY: Final = 62
"""Up to so many days a period is drawn day by day, a longer one month by month."""
_CALENDAR = re.compile(r"(\d{4})(?:-(?:Q([1-4])|(0[1-9]|1[0-2])))?", re.ASCII)
_DAYS = re.compile(r"(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Period:
    """From the day `first` through the day `last`, local days of `zone`.

    `name` is how it is written: 2026-10, 2026-Q4, 2026 or 2026-10-05..2026-10-20.
    """

    kind: Kind
    first: date
    last: date
    zone: ZoneInfo

    @property
    def name(self) -> str:
        match self.kind:
            case "month":
                return f"{self.first:%Y-%m}"
            case "quarter":
                return f"{self.first:%Y}-Q{(self.first.month + 2) // 3}"
            case "year":
                return f"{self.first:%Y}"
            case "days":
                return f"{self.first}..{self.last}"

    @property
    def start(self) -> datetime:
        """Its first moment, in UTC."""
        return _midnight(self.first, self.zone)

    @property
    def end(self) -> datetime:
        """The first moment after it, in UTC."""
        return _midnight(self.last + _DAY, self.zone)

    @property
    def before(self) -> Period:
        """The one just before: of the same kind, or as many days."""
        if self.kind == "days":
            length = self.last - self.first + _DAY
            return Period("days", self.first - length, self.first - _DAY, self.zone)
        return _calendar(self.kind, _months_on(self.first, -MONTHS[self.kind]), self.zone)

    def part_of(self, at: datetime) -> str:
        """The day or, where the period is long, the month of a moment: 2026-10-05, 2026-10."""
        day = at.astimezone(self.zone).date()
        return f"{day:%Y-%m}" if self._is_long else day.isoformat()

    @property
    def parts(self) -> tuple[str, ...]:
        """All days or, where it is long, all months of it, in order."""
        return tuple(dict.fromkeys(f"{day:%Y-%m}" if self._is_long else str(day) for day in self._days()))

    @property
    def _is_long(self) -> bool:
        return (self.last - self.first).days >= _BY_DAY

    def _days(self) -> Iterator[date]:
        return (self.first + timedelta(days=number) for number in range((self.last - self.first).days + 1))


def parse_period(written: str, zone: ZoneInfo) -> Period:
    """The period that is written so (see `Period`). Raises `Refused` with what is wrong with it."""
    if found := _CALENDAR.fullmatch(written):
        year, quarter, month = int(found[1]), found[2], found[3]
        if not _EARLIEST <= year <= _LATEST:
            raise _bad(written, f"years are from {_EARLIEST} to {_LATEST}")
        if month:
            return _calendar("month", date(year, int(month), 1), zone)
        if quarter:
            return _calendar("quarter", date(year, 3 * int(quarter) - 2, 1), zone)
        return _calendar("year", date(year, 1, 1), zone)
    if found := _DAYS.fullmatch(written):
        try:
            first, last = date.fromisoformat(found[1]), date.fromisoformat(found[2])
        except ValueError:
            raise _bad(written, "there is no such day") from None
        if not (first.year >= _EARLIEST and last.year <= _LATEST):
            raise _bad(written, f"years are from {_EARLIEST} to {_LATEST}")
        if last < first:
            raise _bad(written, "it ends before it begins")
        if last - first >= LONGEST:
            raise _bad(written, f"it is longer than {LONGEST.days} days")
        return Period("days", first, last, zone)
    raise _bad(written, "write 2026-10, 2026-Q4, 2026 or 2026-10-05..2026-10-20")


def latest(every: Every, now: datetime, zone: ZoneInfo) -> Period:
    """The newest one that is over by `now`."""
    today = now.astimezone(zone).date()
    months = MONTHS[every]
    current = date(today.year, (today.month - 1) // months * months + 1, 1)
    return _calendar(every, _months_on(current, -months), zone)


def _calendar(kind: Kind, first: date, zone: ZoneInfo) -> Period:
    return Period(kind, first, _months_on(first, MONTHS[kind]) - _DAY, zone)


def _months_on(day: date, months: int) -> date:
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _bad(written: str, why: str) -> Refused:
    return Refused(f"{written[:60]!r} is no period: {why}", code="bad_period", field="period")
