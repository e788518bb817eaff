"""The clocks of a case, moved by a step."""

from __future__ import annotations

from laporhub.pipeline import clocks
from laporhub.pipeline.base_model import trusted
from laporhub.pipeline.commands import SYSTEM
from laporhub.pipeline.events import ClockMoved, ClockPaused, ClockResumed, ClockStarted, ClockStopped
from laporhub.pipeline.turn import Turn

_clock_started, _clock_stopped = trusted(ClockStarted), trusted(ClockStopped)


def move_clocks(turn: Turn, triggers: set[str]) -> None:
    """Stops, starts, pauses and resumes what the step's name and its target state call for."""
    for name, dropped in turn.state.clocks.items():
        if name not in turn.profile.clocks and dropped.status != "stopped":
            turn.emit(_clock_stopped(clock=name, late=dropped.late), SYSTEM)
    channel, known = turn.state.channel, turn.state.clocks  # what moves one leaves the others as they are
    for name, rule in turn.profile.clocks.items():
        if rule.channels is not None and channel not in rule.channels:
            continue
        clock = known.get(name)
        ticking = clock is not None and clock.status != "stopped"
        if ticking and not triggers.isdisjoint(rule.stop):
            _stop(turn, name)
            ticking = False
        if not ticking and not triggers.isdisjoint(rule.start):
            at = clocks.schedule(rule, turn.rules.calendar, turn.now)
            started = _clock_started(clock=name, due_at=at.due_at, alarms=at.alarms, counted=at.counted)
            turn.emit(started, SYSTEM)
            ticking = True
        if ticking:
            _pause_or_resume(turn, name)


def stop_clocks(turn: Turn, triggers: set[str]) -> None:
    """The part of `move_clocks` that stops: before the case goes to another unit, which has not had that time."""
    for name, clock in turn.state.clocks.items():
        rule = turn.profile.clocks.get(name)
        if rule and clock.status != "stopped" and not triggers.isdisjoint(rule.stop):
            _stop(turn, name)


def stop_when_sent(turn: Turn, purpose: str) -> None:
    """Stops the clocks that wait for this reply to be sent."""
    for name, clock in turn.state.clocks.items():
        rule = turn.profile.clocks.get(name)
        if rule and purpose in rule.stop_on_sent and clock.status != "stopped":
            _stop(turn, name)


def follow_calendar(turn: Turn, name: str) -> None:
    """What is still to ring is counted anew, if the calendar has changed since."""
    moved = clocks.recount(turn.state.clocks[name], turn.rules.calendar, turn.now)
    if moved:
        turn.emit(ClockMoved(clock=name, due_at=moved.due_at, alarms=moved.alarms), SYSTEM)


def _stop(turn: Turn, name: str) -> None:
    if clocks.is_over(turn.state.clocks[name], turn.now):
        follow_calendar(turn, name)  # its last day may have become a holiday
    late = clocks.is_late(turn.state.clocks[name], turn.profile.clocks[name], turn.now)
    turn.emit(_clock_stopped(clock=name, late=late), SYSTEM)


def _pause_or_resume(turn: Turn, name: str) -> None:
    rule, rests = turn.profile.clocks[name], turn.state.status in turn.profile.clocks[name].pause
    if rests and turn.state.clocks[name].status == "running":
        follow_calendar(turn, name)
        clock = turn.state.clocks[name]
        remaining = clocks.pause(clock, rule, turn.rules.calendar, turn.now)
        turn.emit(ClockPaused(clock=name, measure=clocks.measure(clock, rule), remaining=remaining), SYSTEM)
    elif not rests and turn.state.clocks[name].status == "paused":
        clock = turn.state.clocks[name]
        at = clocks.resume(clock.remaining, clock.measure, turn.rules.calendar, turn.now)
        resumed = ClockResumed(clock=name, due_at=at.due_at, alarms=at.alarms, counted=at.counted)
        turn.emit(resumed, SYSTEM)
