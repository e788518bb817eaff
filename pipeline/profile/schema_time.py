"""The profile's clocks and working days."""

from __future__ import annotations

import re
from datetime import date, time
from functools import cached_property
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from laporhub.pipeline.events import Measure
from laporhub.pipeline.profile.section import Name, Section, Text

Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Limit(Section):
    """A span of time: exactly one of minutes, hours, days (of 24 hours), working minutes, working hours, working days.

    Working minutes and hours count only while the office is open. Working days count from the day after the start
    and end with the service hours of the last day. Ten years at most.
    """

    minutes: int | None = Field(None, ge=1, le=10 * 366 * 24 * 60)
    hours: int | None = Field(None, ge=1, le=10 * 366 * 24)
    days: int | None = Field(None, ge=1, le=10 * 366)
    working_minutes: int | None = Field(None, ge=1, le=10 * 366 * 24 * 60)
    working_hours: int | None = Field(None, ge=1, le=10 * 366 * 24)
    working_days: int | None = Field(None, ge=1, le=10 * 366)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(getattr(self, name) is not None for name in type(self).model_fields) != 1:
            raise ValueError(f"give exactly one of {', '.join(type(self).model_fields)}")
        return self

    @cached_property
    def measure(self) -> Measure:
        """What it counts in."""
        if self.working_days is not None:
            return "working_days"
        in_service = self.working_minutes is not None or self.working_hours is not None
        return "working_seconds" if in_service else "seconds"

    @cached_property
    def amount(self) -> int:
        """How many of its measure: seconds, or working days."""
        if self.working_days is not None:
            return self.working_days
        hours = (self.days or 0) * 24 + (self.hours or 0) + (self.working_hours or 0)
        return (hours * 60 + (self.minutes or 0) + (self.working_minutes or 0)) * 60


class Notice(Section):
    """A warning before the limit: after which span from the start, and to whom; by default to whose turn it is."""

    after: Limit
    to: Name | None = None


class Escalation(Section):
    """Who hears of it when the limit (plus `after`) has passed."""

    to: Name
    after: Limit | None = None


class ClockRule(Section):
    """A time limit of the standard.

    `start` and `stop` name states (on entering them), transitions (on taking them) or `opened` (once, when the
    case opens). Started while it runs it just runs on; stopped and started again it begins anew. It stands still
    in the states `pause`. `warn` is the span from the start after which it warns, or a list of such warnings;
    `escalate` are the steps after the limit. Each of them rings once in a run of the clock.
    `then` is a transition the system takes when the limit is reached (closing after silence), `at_warning` one that it
    takes when it warns (reminding the reporter). It also stops once one of the replies `stop_on_sent` has been sent.
    """

    title: Text
    start: tuple[Name, ...] = Field(min_length=1)
    stop: tuple[Name, ...] = Field(min_length=1)
    stop_on_sent: tuple[Name, ...] = ()
    pause: tuple[Name, ...] = ()
    limit: Limit
    warn: Limit | tuple[Notice, ...] | None = None
    escalate: tuple[Escalation, ...] = ()
    then: Name | None = None
    at_warning: Name | None = None
    channels: tuple[Name, ...] | None = None
    """Only for cases of these channels; for all when left out."""
    source: str | None = None

    @model_validator(mode="after")
    def _same_measure(self) -> Self:
        spans = [notice.after for notice in self.warnings]
        spans += [step.after for step in self.escalate if step.after is not None]
        if any(span.measure != self.limit.measure for span in spans):
            raise ValueError(
                "limit, warn and escalation of a clock are all in minutes, hours or days, all in working minutes "
                "or hours, or all in working days"
            )
        return self

    @cached_property
    def warnings(self) -> tuple[Notice, ...]:
        """Its warnings, however they are written."""
        if isinstance(self.warn, Limit):
            return (Notice(after=self.warn),)
        return self.warn or ()


MIDNIGHT: Final = time.max
"""The end of a day, written 24:00."""


class Hours(Section):
    """Service hours of one day in local time; `to` may be 24:00."""

    start: time = Field(alias="from")
    end: Annotated[time, BeforeValidator(lambda at: MIDNIGHT if at == "24:00" else at)] = Field(alias="to")

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.end <= self.start:
            raise ValueError("'to' is not after 'from'")
        return self


def _written_day(given: object) -> object:
    """Only a day as people read it: numbers would be taken for seconds since 1970."""
    if isinstance(given, str):
        try:
            if re.fullmatch(r"20\d\d-\d\d-\d\d", given) and date.fromisoformat(given):
                return given
        except ValueError:
            pass
    elif isinstance(given, date):
        return given
    raise ValueError(f"“{given}” is no day: write one that exists, as 2026-04-01")


Day: TypeAlias = Annotated[date, BeforeValidator(_written_day)]


class Season(Section):
    """Other service hours for a while, as in the fasting month: from the first day to the last, both included."""

    start: Day = Field(alias="from")
    end: Day = Field(alias="to")
    title: str
    hours: dict[Weekday, tuple[Hours, ...]] = Field(min_length=1)

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.end < self.start:
            raise ValueError("'to' is before 'from'")
        return self


class LocalDays(Section):
    """`days.yaml`: what is particular about the days of this office, renewed each year.

    `extra` are local days off, `worked` days worked after all, `seasons` times with other service hours.
    """

    extra: dict[Day, str] = {}
    worked: dict[Day, str] = {}
    seasons: tuple[Season, ...] = ()


class Calendar(LocalDays):
    """Working days: weekday → spans of service hours (several spans make breaks).

    `holidays` is the country whose national holidays do not count, `joint_leave` whether its government's
    joint leave days (cuti bersama) do not count either. What `days.yaml` says is added to it.
    `working_days` are the weekdays that limits in working days count, by default all with hours. `open_on_holidays`:
    the hours hold on days off too, which are no working days all the same.
    """

    hours: dict[Weekday, tuple[Hours, ...]] = Field(min_length=1)
    working_days: tuple[Weekday, ...] | None = Field(None, min_length=1)
    open_on_holidays: bool = False
    holidays: str | None = "ID"
    joint_leave: bool = True
