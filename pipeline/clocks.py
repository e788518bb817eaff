"""Clocks of the service standard: when one is due, what is left when it stands still, when it runs again.

All pure. A clock in minutes, hours or days runs through nights and weekends; one in working days is due when
the service of its last working day ends.

Standing still and running on:

- In minutes, hours or days the clock moves by as long as it stood still, in whole seconds, never to the
  reporter's or the unit's loss: it is never due earlier than before, and less than a second later when paused
  and resumed in the same instant (exactly the same if its time was on a whole second).
- In working days it moves by as many working days as ended while it stood still: an evening's pause costs
  nothing and gains nothing.
- An overdue clock stays overdue by as much: what is left is negative in seconds, 0 or less in working days.
- Only alarms still to ring are carried along, so none rings twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from laporhub.pipeline import ids
from laporhub.pipeline.calendar import WorkCalendar
from laporhub.pipeline.case_state import CaseState, Clock
from laporhub.pipeline.commands import Tick
from laporhub.pipeline.events import Measure
from laporhub.pipeline.evolve import next_alarm
from laporhub.pipeline.profile.schema_time import ClockRule, Limit

WARN: Final = "warn"
THEN: Final = "then"
DUE: Final = "due"
"""Key of the due time itself among what remains; no alarm has this name."""
_SECOND: Final = timedelta(seconds=1)


def schedule(
    rule: ClockRule, calendar: WorkCalendar, start: datetime
) -> tuple[datetime, dict[str, datetime]]:
    """When a clock started now is due, and its alarms.

    Alarms: "warn", then "0", "1", … for the steps of escalation (limit and `after` together), and "then" at
    the limit if the system takes a transition there.
    """
    due_at = after(calendar, start, rule.limit)
    alarms = {WARN: after(calendar, start, rule.warn)} if rule.warn else {}
    for number, step in enumerate(rule.escalate):
        alarms[str(number)] = after(calendar, start, *(span for span in (rule.limit, step.after) if span))
    if rule.then:
        alarms[THEN] = due_at
    return due_at, alarms


def pause(clock: Clock, rule: ClockRule, calendar: WorkCalendar, now: datetime) -> dict[str, int]:
    """What remains, at `now`, for each alarm still to ring and for "due".

    In seconds; for limits in working days, how many working days still end by then, today included until
    its service is over. Not more than 0 for what has passed already.
    """
    times = {**clock.alarms, DUE: clock.due_at}
    if rule.limit.working_days is None:
        second = now.replace(microsecond=0)
        return {name: -((second - at) // _SECOND) for name, at in times.items()}  # rounded up
    today = calendar.closed_until(now)
    return {name: calendar.count_working_days(today, calendar.closed_until(at)) for name, at in times.items()}


def resume(
    remaining: Mapping[str, int], rule: ClockRule, calendar: WorkCalendar, now: datetime
) -> tuple[datetime, dict[str, datetime]]:
    """When a clock that stood still is due if it runs again from `now`, and the alarms still to ring."""
    if rule.limit.working_days is None:
        second = now.astimezone(UTC).replace(microsecond=0)
        times = {name: second + left * _SECOND for name, left in remaining.items()}
    else:
        today = calendar.closed_until(now)
        times = {
            name: calendar.end_of_day(calendar.nth_working_day(today, left))
            for name, left in remaining.items()
        }
    return times[DUE], {name: at for name, at in times.items() if name != DUE}


def measure(rule: ClockRule) -> Measure:
    """What the rule counts in while it stands still."""
    return "seconds" if rule.limit.working_days is None else "working_days"


def is_late(clock: Clock, rule: ClockRule, now: datetime) -> bool:
    """Whether the clock is over its limit, be it running or standing still."""
    if clock.status != "paused":
        return (clock.stopped_at or now) > clock.due_at
    return clock.remaining[DUE] < (0 if rule.limit.working_days is None else 1)


def after(calendar: WorkCalendar, start: datetime, *spans: Limit) -> datetime:
    """The end of one or more spans, counted on from `start`; all in working days, or none."""
    working_days, at = 0, start.astimezone(UTC)
    for span in spans:
        working_days += span.working_days or 0
        at += elapsed(span)
    return calendar.add_working_days(start, working_days) if working_days else at


def elapsed(span: Limit) -> timedelta:
    """Length of a span in minutes, hours or days."""
    return timedelta(minutes=span.minutes or 0, hours=span.hours or 0, days=span.days or 0)


def tick(state: CaseState, now: datetime) -> Tick | None:
    """The command for the case's next alarm; None if it has none. The same alarm is always the same command."""
    alarm = next_alarm(state)
    if alarm is None:
        return None
    clock, name = alarm
    due_at = state.clocks[clock].alarms[name]
    return Tick(
        id=ids.derive("d", "tick", state.id, clock, name, due_at.isoformat()),
        profile=state.profile,
        case_id=state.id,
        at=now,
        clock=clock,
        alarm=name,
        due_at=due_at,
    )
