"""The days of an office: what `profile.yaml` and `days.yaml` say of them together, and what cannot be so. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import Final

from laporhub.pipeline.calendar import WorkCalendar, supported_countries
from laporhub.pipeline.profile.schema import Profile
from laporhub.pipeline.profile.schema_time import Calendar, Hours, Limit, LocalDays, Weekday
from laporhub.pipeline.profile.source import DAYS, PROFILE, Finding, Trail

_YEARS: Final = 10
"""No limit is longer, by the office's own calendar."""


def together(calendar: Calendar, days: LocalDays | None) -> Calendar:
    """The calendar with what `days.yaml` adds to it."""
    if days is None:
        return calendar
    return calendar.model_copy(
        update={
            "extra": {**calendar.extra, **days.extra},
            "worked": {**calendar.worked, **days.worked},
            "seasons": (*calendar.seasons, *days.seasons),
        }
    )


def problems(profile: Profile, days: LocalDays | None) -> Iterator[Finding]:
    """What is wrong with the days of a profile whose files each keep the schema."""
    calendar = profile.calendar
    if calendar.holidays is not None and calendar.holidays not in supported_countries():
        message = f"there are no holidays for the country “{calendar.holidays}”"
        yield Finding(PROFILE, ("calendar", "holidays"), message, "Write two capital letters, as ID.")
    if not any(calendar.hours.values()):
        remedy = "Give at least one day some."
        yield Finding(PROFILE, ("calendar", "hours"), "no day has service hours", remedy)
    for number, day in enumerate(calendar.working_days or ()):
        if not calendar.hours.get(day):
            message, remedy = f"{day} counts as a working day, but has no service hours", "Give it some."
            yield Finding(PROFILE, ("calendar", "working_days", number), message, remedy)
    yield from _hours(PROFILE, ("calendar", "hours"), calendar.hours)
    places: list[tuple[str, Trail, LocalDays]] = [(PROFILE, ("calendar",), calendar)]
    if days is not None:
        places.append((DAYS, (), days))
    yield from _dates(places)
    yield from _seasons(places)


def _hours(file: str, at: Trail, hours: Mapping[Weekday, tuple[Hours, ...]]) -> Iterator[Finding]:
    for day, spans in hours.items():
        end = time.min
        for number, span in enumerate(spans):
            if span.start < end:
                message = f"the hours of {day} overlap or are out of order"
                yield Finding(file, (*at, day, number), message, "Write them from early to late.")
            end = span.end


def _dates(places: list[tuple[str, Trail, LocalDays]]) -> Iterator[Finding]:
    """Each day is said once, as off or as worked."""
    said: dict[date, str] = {}
    for file, at, days in places:
        for key, dates in (("extra", days.extra), ("worked", days.worked)):
            for day in dates:
                path = (*at, key, day.isoformat())
                if said.setdefault(day, key) != key:
                    message = f"{day} is a day off and worked"
                    yield Finding(file, path, message, "Delete it from “extra” or “worked”.")
                elif file == DAYS and day in getattr(places[0][2], key):
                    yield Finding(file, path, f"{day} stands in {PROFILE} already", "Delete one of them.")


def _seasons(places: list[tuple[str, Trail, LocalDays]]) -> Iterator[Finding]:
    before: list[tuple[date, date, str]] = []
    for file, at, days in places:
        for number, season in enumerate(days.seasons):
            path: Trail = (*at, "seasons", number)
            yield from _hours(file, (*path, "hours"), season.hours)
            for first, last, title in before:
                if season.start <= last and first <= season.end:
                    remedy = "Let one end before the other begins."
                    yield Finding(file, path, f"“{season.title}” overlaps with “{title}”", remedy)
            before.append((season.start, season.end, season.title))


def endless(profile: Profile, calendar: WorkCalendar) -> Iterator[Finding]:
    """Limits that this calendar does not reach in a lifetime of the rules."""
    first = calendar.end_of_day(date(profile.version.year, 1, 1))
    last = calendar.end_of_day(date(profile.version.year + 1, 1, 1))
    a_year = {
        "working_days": calendar.working_days_between(first, last),
        "working_seconds": int(calendar.service_time_between(first, last).total_seconds()),
    }
    for path, limit in _limits(profile):
        if limit.measure != "seconds" and limit.amount > _YEARS * a_year[limit.measure]:
            message = f"with these service days and hours it takes more than {_YEARS} years"
            yield Finding(PROFILE, path, message, "Make it shorter, or give the calendar more hours.")


def _limits(profile: Profile) -> Iterator[tuple[Trail, Limit]]:
    for name, rule in profile.clocks.items():
        yield ("clocks", name, "limit"), rule.limit
        yield from (
            (("clocks", name, "escalate", number, "after"), step.after)
            for number, step in enumerate(rule.escalate)
            if step.after is not None
        )
    for name, step in profile.transitions.items():
        if step.within is not None:
            yield ("transitions", name, "within"), step.within
    if profile.intake.follow_up is not None:
        yield ("intake", "follow_up"), profile.intake.follow_up
