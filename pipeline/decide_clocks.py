"""A clock rings."""

from __future__ import annotations

from laporhub.pipeline import clocks
from laporhub.pipeline.base_model import trusted
from laporhub.pipeline.commands import SYSTEM, Tick
from laporhub.pipeline.events import ClockAlarmed, ClockStopped
from laporhub.pipeline.turn import Turn
from laporhub.pipeline.turn_steps import follow

_clock_stopped = trusted(ClockStopped)


def ring(turn: Turn, command: Tick) -> None:
    """An alarm, and the transitions that follow from it; nothing if the clock is not there, or goes otherwise now."""
    clock, rule = turn.state.clocks.get(command.clock), turn.profile.clocks.get(command.clock)
    if clock is None or clock.status != "running":
        return
    if clock.alarms.get(command.alarm) != command.due_at or turn.now < command.due_at:
        return
    if rule is None:  # the profile no longer has this clock: it must not ring for ever
        turn.emit(_clock_stopped(clock=command.clock, late=clock.late), SYSTEM)
        return
    step = int(command.alarm) if command.alarm.isdigit() else -1
    receiver = rule.escalate[step].to if 0 <= step < len(rule.escalate) else None
    late = turn.now >= clock.due_at and command.alarm != clocks.WARN
    turn.emit(ClockAlarmed(clock=command.clock, alarm=command.alarm, late=late, escalate_to=receiver), SYSTEM)
    if command.alarm == clocks.THEN:
        follow(turn, rule.then)
    elif command.alarm == clocks.WARN:
        follow(turn, rule.at_warning)
