"""Periods as people write them, on the clock of the office."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laporhub.pipeline.errors import Refused
from laporhub.pipeline.periods import MONTHS, latest, parse_period

WIB = ZoneInfo("Asia/Jakarta")


@pytest.mark.parametrize(
    ("written", "first", "last", "before"),
    [
        ("2026-10", date(2026, 10, 1), date(2026, 10, 31), "2026-09"),
        ("2026-01", date(2026, 1, 1), date(2026, 1, 31), "2025-12"),
        ("2028-02", date(2028, 2, 1), date(2028, 2, 29), "2028-01"),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31), "2026-Q3"),
        ("2026-Q1", date(2026, 1, 1), date(2026, 3, 31), "2025-Q4"),
        ("2026", date(2026, 1, 1), date(2026, 12, 31), "2025"),
        ("2026-10-05..2026-10-20", date(2026, 10, 5), date(2026, 10, 20), "2026-09-19..2026-10-04"),
        ("2026-10-05..2026-10-05", date(2026, 10, 5), date(2026, 10, 5), "2026-10-04..2026-10-04"),
    ],
)
def test_a_period_has_its_days_and_one_before(written: str, first: date, last: date, before: str) -> None:
    period = parse_period(written, WIB)
    assert (period.first, period.last, period.name, period.before.name) == (first, last, written, before)
    assert period.start == datetime(first.year, first.month, first.day, tzinfo=WIB)
    assert period.end - period.start == timedelta(days=(last - first).days + 1)
    assert period.before.end == period.start


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("2026-13", "write 2026-10"),
        ("2026-Q5", "write 2026-10"),
        ("0000", "years are from"),
        ("9999-12", "years are from"),
        ("kemarin", "write 2026-10"),
        ("", "write 2026-10"),
        ("2026-02-30..2026-03-01", "no such day"),
        ("2026-03-02..2026-03-01", "ends before it begins"),
        ("2020-01-01..2026-01-01", "longer than"),
        ("1999-01-01..1999-01-02", "years are from"),
        ("２０２６-10", "write 2026-10"),
    ],
)
def test_what_is_no_period_is_refused_with_what_to_write(written: str, why: str) -> None:
    with pytest.raises(Refused, match=why) as refused:
        parse_period(written, WIB)
    assert refused.value.field == "period"


BEGINNING = datetime(2001, 1, 1, tzinfo=UTC)
moments = st.integers(0, 900 * 365 * 86_400).map(lambda seconds: BEGINNING + timedelta(seconds=seconds))


@given(st.sampled_from(list(MONTHS)), moments)
def test_the_newest_that_is_over_ends_before_now_and_the_next_does_not(every: str, now: datetime) -> None:
    found = latest(every, now, WIB)  # type: ignore[arg-type]
    assert found.kind == every
    assert found.end <= now < found.end + timedelta(days=31 * MONTHS[every])
    assert parse_period(found.name, WIB) == found


@given(st.sampled_from(["2026-10", "2026-Q4", "2026", "2026-10-05..2027-03-20"]), st.integers(0, 10**9))
def test_each_moment_of_a_period_is_in_one_of_its_parts(written: str, seconds: int) -> None:
    period = parse_period(written, WIB)
    at = period.start + timedelta(seconds=seconds % int((period.end - period.start).total_seconds()))
    assert period.parts.count(period.part_of(at)) == 1
