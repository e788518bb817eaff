"""A clock rings, or the calendar has changed."""

from __future__ import annotations

from laporhub.pipeline import clocks
from laporhub.pipeline.base_model import trusted
from laporhub.pipeline.commands import SYSTEM, Tick
from laporhub.pipeline.events import ClockAlarmed, ClockStopped
from laporhub.pipeline.turn import Turn
from laporhub.pipeline.turn_clocks import follow_calendar
from laporhub.pipeline.turn_steps import follow

_clock_stopped = trusted(ClockStopped)


def ring(turn: Turn, command: Tick) -> None:
    """An alarm, and the transitions that follow from it; nothing if the clock is not there, or goes otherwise now."""
    if command.clock not in turn.state.clocks:
        return
    follow_calendar(turn, command.clock)
    clock, rule = turn.state.clocks[command.clock], turn.profile.clocks.get(command.clock)
    if clock.status != "running":
        return
    if clock.alarms.get(command.alarm) != command.due_at or turn.now < command.due_at:
        return
    if rule is None:  # the profile no longer has this clock: it must not ring for ever
        turn.emit(_clock_stopped(clock=command.clock, late=clock.late), SYSTEM)
        return
    warns = command.alarm.startswith(clocks.WARN)
    silent = clocks.is_overtaken(clock, rule, command.alarm, turn.now)
    turn.emit(
        ClockAlarmed(
            clock=command.clock,
            alarm=command.alarm,
            late=turn.now >= clock.due_at and not warns and clocks.is_promise(rule),
            escalate_to=clocks.receiver(rule, command.alarm),
            due_at=clock.due_at,
            silent=silent,
        ),
        SYSTEM,
    )
    if command.alarm == clocks.THEN:
        follow(turn, rule.then)
    elif warns and not silent:
        follow(turn, rule.at_warning)


def recount_clocks(turn: Turn) -> None:
    """All clocks of the case, by the calendar as it is now."""
    for name in turn.state.clocks:
        follow_calendar(turn, name)
