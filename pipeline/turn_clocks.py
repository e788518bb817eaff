"""The clocks of a case, moved by a step."""

from __future__ import annotations

from laporhub.pipeline import clocks
from laporhub.pipeline.base_model import trusted
from laporhub.pipeline.commands import SYSTEM
from laporhub.pipeline.events import ClockPaused, ClockResumed, ClockStarted, ClockStopped
from laporhub.pipeline.turn import Turn

_clock_started, _clock_stopped = trusted(ClockStarted), trusted(ClockStopped)


def move_clocks(turn: Turn, triggers: set[str]) -> None:
    """Stops, starts, pauses and resumes what the step's name and its target state call for."""
    for name, dropped in turn.state.clocks.items():
        if name not in turn.profile.clocks and dropped.status != "stopped":
            turn.emit(_clock_stopped(clock=name, late=dropped.late), SYSTEM)
    for name, rule in turn.profile.clocks.items():
        if rule.channels is not None and turn.state.channel not in rule.channels:
            continue
        clock = turn.state.clocks.get(name)
        ticking = clock is not None and clock.status != "stopped"
        if clock and ticking and triggers.intersection(rule.stop):
            late = clocks.is_late(clock, rule, turn.now)
            turn.emit(_clock_stopped(clock=name, late=clock.late or late), SYSTEM)
            ticking = False
        elif not ticking and triggers.intersection(rule.start):
            due_at, alarms = clocks.schedule(rule, turn.rules.calendar, turn.now)
            turn.emit(_clock_started(clock=name, due_at=due_at, alarms=alarms), SYSTEM)
            ticking = True
        if ticking:
            _pause_or_resume(turn, name)


def stop_when_sent(turn: Turn, purpose: str) -> None:
    """Stops the clocks that wait for this reply to be sent."""
    for name, rule in turn.profile.clocks.items():
        clock = turn.state.clocks.get(name)
        if purpose in rule.stop_on_sent and clock is not None and clock.status != "stopped":
            late = clock.late or clocks.is_late(clock, rule, turn.now)
            turn.emit(_clock_stopped(clock=name, late=late), SYSTEM)


def _pause_or_resume(turn: Turn, name: str) -> None:
    rule, clock = turn.profile.clocks[name], turn.state.clocks[name]
    rests = turn.state.status in rule.pause
    if rests and clock.status == "running":
        remaining = clocks.pause(clock, rule, turn.rules.calendar, turn.now)
        turn.emit(ClockPaused(clock=name, measure=clocks.measure(rule), remaining=remaining), SYSTEM)
    elif not rests and clock.status == "paused":
        if clock.measure == clocks.measure(rule):
            due_at, alarms = clocks.resume(clock.remaining, rule, turn.rules.calendar, turn.now)
        else:  # the profile measures otherwise than when it stopped: seconds are no working days
            due_at, alarms = clocks.schedule(rule, turn.rules.calendar, turn.now)
        turn.emit(ClockResumed(clock=name, due_at=due_at, alarms=alarms), SYSTEM)
