"""Clocks of the service standard: when one is due, what is left when it stands still, when it runs again.

All pure. A clock in minutes, hours or days runs through nights and weekends; one in working minutes or hours only
while the office is open; one in working days is due when the service of its last working day ends.

Standing still and running on:

- In minutes, hours or days the clock moves by as long as it stood still, in working minutes or hours by as long as
  the office was open meanwhile; in whole seconds, never to the reporter's or the unit's loss: it is never due earlier
  than before, and less than a second later when paused and resumed in the same instant (exactly the same if its time
  was on a whole second).
- In working days it moves by as many working days as ended while it stood still: an evening's pause costs
  nothing and gains nothing.
- An overdue clock stays overdue by as much: what is left is 0 or less.
- Only alarms still to ring are carried along, so none rings twice.

When the calendar changes, what is still to ring moves with it (`recount`), but nothing becomes due by surprise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from laporhub.pipeline import ids
from laporhub.pipeline.base_model import trusted
from laporhub.pipeline.calendar import WorkCalendar
from laporhub.pipeline.case_state import CaseState, Clock
from laporhub.pipeline.commands import Recount, Tick
from laporhub.pipeline.events import Counted, Measure
from laporhub.pipeline.evolve import next_alarm
from laporhub.pipeline.profile.schema_time import ClockRule, Limit

WARN: Final = "warn"
THEN: Final = "then"
LIMIT: Final = "limit"
"""The alarm at a limit where the standard tells nobody: that it is over is a fact all the same."""
DUE: Final = "due"
"""Key of the due time itself among what remains; no alarm has this name."""
_SECOND: Final = timedelta(seconds=1)

_counted = trusted(Counted)


@dataclass(frozen=True, slots=True)
class Times:
    """When a clock is due and its alarms ring, in UTC; `counted` where the calendar was asked for it."""

    due_at: datetime
    alarms: dict[str, datetime]
    counted: Counted | None = None


def schedule(rule: ClockRule, calendar: WorkCalendar, start: datetime) -> Times:
    """The times of a clock that starts now.

    Alarms: "warn", "warn1", … for the warnings, "0", "1", … for the steps of escalation (limit and `after` together),
    and at the limit "then" if the system takes a transition there, or "limit" if nothing else rings.
    """
    limit = rule.limit.amount
    spans = {warning(number): notice.after.amount for number, notice in enumerate(rule.warnings)}
    for number, step in enumerate(rule.escalate):
        spans[str(number)] = limit + (step.after.amount if step.after else 0)
    if rule.then:
        spans[THEN] = limit
    elif limit not in spans.values():
        spans[LIMIT] = limit
    spans[DUE] = limit
    at = start.astimezone(UTC)
    if rule.limit.measure == "seconds":
        return _times({name: at + span * _SECOND for name, span in spans.items()})
    if rule.limit.measure == "working_seconds":
        return _by_calendar(_counted(left=spans, moment=at), calendar)
    return _by_calendar(_counted(left=spans, day=calendar.local(start).date()), calendar)


def pause(clock: Clock, rule: ClockRule, calendar: WorkCalendar, now: datetime) -> dict[str, int]:
    """What remains, at `now`, for each alarm still to ring and for "due".

    In seconds or seconds of service; for limits in working days, how many working days still end by then, today
    included until its service is over. Not more than 0 for what has passed already.
    """
    times = {**clock.alarms, DUE: clock.due_at}
    counts_in = measure(clock, rule)
    left = {name: _left(at, counts_in, calendar, now) for name, at in times.items()}
    # Where the calendar changed under it, what is still to come stays so.
    return {name: 1 if times[name] > now and amount < 1 else amount for name, amount in left.items()}


def _left(at: datetime, counts_in: Measure, calendar: WorkCalendar, now: datetime) -> int:
    second = now.replace(microsecond=0)
    if counts_in == "seconds":
        return -((second - at) // _SECOND)  # rounded up
    if counts_in == "working_seconds":
        return -(calendar.service_time_between(at, second) // _SECOND)
    return calendar.count_working_days(calendar.closed_until(now), calendar.closed_until(at))


def resume(remaining: Mapping[str, int], counts_in: Measure, calendar: WorkCalendar, now: datetime) -> Times:
    """The times of a clock that stood still with so much remaining, if it runs again from `now`."""
    second = now.astimezone(UTC).replace(microsecond=0)
    if counts_in == "seconds":
        return _times({name: second + left * _SECOND for name, left in remaining.items()})
    if counts_in == "working_seconds":
        return _by_calendar(_counted(left=remaining, moment=second), calendar)
    return _by_calendar(_counted(left=remaining, day=calendar.closed_until(now)), calendar)


def recount(clock: Clock, calendar: WorkCalendar, now: datetime) -> Times | None:
    """The times of a running clock by the calendar as it is now; None if they are what they were.

    Only what is still to ring moves, later or earlier. Nothing is over by surprise: what would have to have rung
    already rings when it was to ring. What is late stays late. The order of the alarms stays.
    """
    if clock.status != "running" or clock.counted is None:
        return None
    before = dict(clock.alarms) if clock.late else {**clock.alarms, DUE: clock.due_at}
    left = {name: amount for name, amount in clock.counted.left.items() if name in before}
    wanted = _moments(clock.counted.but({"left": left}), calendar)
    after: dict[str, datetime] = {}
    latest = None
    for name in sorted(left, key=left.__getitem__):
        at = wanted[name] if wanted[name] > now else before[name]
        after[name] = latest = at if latest is None else max(at, latest)
    if after == before:
        return None
    times = {DUE: clock.due_at, **before, **after}
    return Times(times.pop(DUE), times, clock.counted)


def measure(clock: Clock, rule: ClockRule) -> Measure:
    """What a running clock counts in: as it was started, whatever the rule says by now."""
    if clock.counted is None:
        return rule.limit.measure
    return "working_seconds" if clock.counted.day is None else "working_days"


def is_promise(rule: ClockRule) -> bool:
    """Whether being over the limit is somebody's fault. It is nobody's where the system just takes a step then (closing
    after silence) and the standard tells nobody: such a clock is never late.
    """
    return rule.then is None or bool(rule.escalate)


def is_late(clock: Clock, rule: ClockRule, now: datetime) -> bool:
    """Whether the clock is late, be it running or standing still: once late, it stays so."""
    return is_promise(rule) and (clock.late or is_over(clock, now))


def is_over(clock: Clock, now: datetime) -> bool:
    """Whether the clock is over its limit, be it running or standing still."""
    if clock.status != "paused":
        return (clock.stopped_at or now) > clock.due_at
    return clock.remaining[DUE] < (0 if clock.measure == "seconds" else 1)


# ── alarms ───────────────────────────────────────────────────────────────────────────────────────


def warning(number: int) -> str:
    """The name of a warning's alarm, by its place in the ladder."""
    return f"{WARN}{number}" if number else WARN


def receiver(rule: ClockRule, alarm: str) -> str | None:
    """The role or group that an alarm tells; None: nobody in particular, or the profile has dropped it."""
    if alarm.isdigit():
        return rule.escalate[int(alarm)].to if int(alarm) < len(rule.escalate) else None
    named = {warning(number): notice.to for number, notice in enumerate(rule.warnings)}
    return named.get(alarm)


def is_overtaken(clock: Clock, rule: ClockRule, alarm: str, now: datetime) -> bool:
    """Whether it rings so late (the hub was away) that a later alarm, due by now as well, tells the same and more."""
    if alarm.startswith(WARN) and clock.due_at <= now:
        return True
    if not alarm.isdigit() and not alarm.startswith(WARN):
        return False
    told = receiver(rule, alarm)
    return any(
        clock.alarms[alarm] < at <= now
        and other.isdigit() == alarm.isdigit()
        and receiver(rule, other) == told
        for other, at in clock.alarms.items()
        if other not in (THEN, LIMIT)
    )


def tick(state: CaseState, now: datetime) -> Tick | None:
    """The command for the case's next alarm; None if it has none. The same alarm is always the same command."""
    alarm = next_alarm(state)
    if alarm is None:
        return None
    clock, name = alarm
    due_at, counted = state.clocks[clock].alarms[name], state.clocks[clock].counted
    run = [] if counted is None else [str(counted.day or counted.moment)]
    return Tick(
        id=ids.derive("d", "tick", state.id, clock, name, due_at.isoformat(), *run),
        profile=state.profile,
        case_id=state.id,
        at=now,
        clock=clock,
        alarm=name,
        due_at=due_at,
    )


def recount_command(state: CaseState, calendar: WorkCalendar, now: datetime) -> Recount | None:
    """The command for a case whose clocks the calendar moves; None if it moves none."""
    if not any(recount(clock, calendar, now) for clock in state.clocks.values()):
        return None
    return Recount(
        id=ids.derive("d", "recount", state.id, str(state.seq), calendar.fingerprint),
        profile=state.profile,
        case_id=state.id,
        at=now,
    )


# ── counting ─────────────────────────────────────────────────────────────────────────────────────


def after(calendar: WorkCalendar, start: datetime, span: Limit) -> datetime:
    """The end of a span, counted on from `start`."""
    if span.measure == "working_days":
        return calendar.add_working_days(start, span.amount)
    if span.measure == "working_seconds":
        return calendar.add_service_time(start, span.amount * _SECOND)
    return start.astimezone(UTC) + span.amount * _SECOND


def _by_calendar(counted: Counted, calendar: WorkCalendar) -> Times:
    return _times(_moments(counted, calendar), counted)


def _times(moments: dict[str, datetime], counted: Counted | None = None) -> Times:
    return Times(moments.pop(DUE), moments, counted)


def _moments(counted: Counted, calendar: WorkCalendar) -> dict[str, datetime]:
    if counted.day is not None:
        nth, after_day = calendar.nth_working_day, counted.day
        return {name: calendar.end_of_day(nth(after_day, left)) for name, left in counted.left.items()}
    if counted.moment is None:
        raise ValueError("a clock is counted from a day or from a moment")
    add, since = calendar.add_service_time, counted.moment
    return {name: add(since, left * _SECOND) for name, left in counted.left.items()}
