"""The profile's clocks and working days."""

from __future__ import annotations

from datetime import date, time
from typing import Literal, Self, TypeAlias

from pydantic import Field, model_validator

from laporhub.pipeline.profile.section import Name, Section, Text

Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Limit(Section):
    """A span of time: exactly one of minutes, hours, days (of 24 hours) or working days.

    Working days count from the day after the start and end with the service hours of the last day.
    """

    minutes: int | None = Field(None, ge=1)
    hours: int | None = Field(None, ge=1)
    days: int | None = Field(None, ge=1)
    working_days: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [v for v in (self.minutes, self.hours, self.days, self.working_days) if v is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of minutes, hours, days, working_days")
        return self


class Escalation(Section):
    """Who hears of it when the limit (plus `after`) has passed."""

    to: Name
    after: Limit | None = None


class ClockRule(Section):
    """A time limit of the standard.

    `start` and `stop` name states (on entering them), transitions (on taking them) or `opened` (once, when the
    case opens). Started while it runs it just runs on; stopped and started again it begins anew. It stands still
    in the states `pause`. `warn` is the span from the start after which it warns.
    `then` is a transition the system takes when the limit is reached (closing after silence), `at_warning` one that it
    takes when it warns (reminding the reporter). It also stops once one of the replies `stop_on_sent` has been sent.
    """

    title: Text
    start: tuple[Name, ...] = Field(min_length=1)
    stop: tuple[Name, ...] = Field(min_length=1)
    stop_on_sent: tuple[Name, ...] = ()
    pause: tuple[Name, ...] = ()
    limit: Limit
    warn: Limit | None = None
    escalate: tuple[Escalation, ...] = ()
    then: Name | None = None
    at_warning: Name | None = None
    channels: tuple[Name, ...] | None = None
    """Only for cases of these channels; for all when left out."""
    source: str | None = None

    @model_validator(mode="after")
    def _same_measure(self) -> Self:
        for span in (self.warn, *(step.after for step in self.escalate)):
            if span is not None and (span.working_days is None) != (self.limit.working_days is None):
                raise ValueError("limit, warn and escalation of a clock are all in working days or all not")
        return self


class Hours(Section):
    """Service hours of one day in local time."""

    start: time = Field(alias="from")
    end: time = Field(alias="to")

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.end <= self.start:
            raise ValueError("'to' is not after 'from'")
        return self


class Calendar(Section):
    """Working days: weekday → spans of service hours (several spans make breaks).

    `holidays` is the country whose national holidays do not count, `joint_leave` whether its government's
    joint leave days (cuti bersama) do not count either, `extra` local days off, `worked` days worked after all.
    """

    hours: dict[Weekday, tuple[Hours, ...]] = Field(min_length=1)
    holidays: str | None = "ID"
    joint_leave: bool = True
    extra: dict[date, str] = {}
    worked: dict[date, str] = {}
