"""The clocks of a random history, watched by somebody who counts minutes on the fingers: see `slow_time`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from slow_time import MINUTE, SlowOffice, slow_rings, unit_of
from test_clocks import thresholds

from laporhub.pipeline.calendar import work_calendar
from laporhub.pipeline.case_state import CaseState, Clock
from laporhub.pipeline.clocks import recount
from laporhub.pipeline.events import (
    CaseEvent,
    ClockAlarmed,
    ClockMoved,
    ClockPaused,
    ClockResumed,
    ClockStarted,
    ClockStopped,
    Opened,
    Transitioned,
)
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_time import Calendar, ClockRule
from laporhub.pipeline.profile.schema_workflow import OPENED


def with_days_off(book: Rulebook, days: Sequence[date]) -> Rulebook:
    """The same office, closed on more days, by each version of its rules."""

    def closed(rules: Rulebook) -> Rulebook:
        known = rules.profile.calendar
        calendar = known.model_copy(update={"extra": {**known.extra, **dict.fromkeys(days, "libur")}})
        profile = rules.profile.model_copy(update={"calendar": calendar})
        return replace(rules, profile=profile, calendar=work_calendar(calendar, profile.time_zone))

    return replace(closed(book), editions={day: closed(each) for day, each in book.editions.items()})


@dataclass
class Run:
    """One run of one clock of a case, as a bystander notes it down."""

    rule: ClockRule
    book: Rulebook
    start: datetime
    pauses: list[tuple[datetime, datetime]] = field(default_factory=list)
    stands_since: datetime | None = None
    rung: set[str] = field(default_factory=set)


@lru_cache(maxsize=8)
def _office(rules: str, time_zone: str) -> SlowOffice:
    return SlowOffice(Calendar.model_validate_json(rules), ZoneInfo(time_zone))


@lru_cache(maxsize=10_000)
def _walked(
    calendar: str,
    zone: str,
    rungs: tuple[tuple[str, int], ...],
    unit: str,
    start: datetime,
    pauses: tuple[tuple[datetime, datetime], ...],
) -> dict[str, datetime]:
    if unit != "minute":
        return slow_rings(_office(calendar, zone), dict(rungs), unit, start, pauses)
    found = {}
    for name, minutes in rungs:
        at = start + minutes * MINUTE
        for first, last in pauses:
            at += last - first if at > first else timedelta()
        found[name] = at
    return found


def slowly(run: Run, book: Rulebook) -> dict[str, datetime]:
    """When each rung of the run is due by this book's calendar, counted minute by minute."""
    unit, per = unit_of(run.rule)
    rungs = tuple(thresholds(run.rule, per).items())
    profile = book.profile
    calendar = profile.calendar.model_dump_json(by_alias=True)
    found = _walked(calendar, profile.time_zone, rungs, unit, run.start, tuple(run.pauses))
    return {**found, "limit": found["due"]}


@dataclass
class Watch:
    """Looks at each event of a clock. `rules` are those of the case, under the calendar of the day."""

    runs: dict[tuple[str, str], Run] = field(default_factory=dict)
    walked: int = 0
    """How often it was counted slowly."""

    def check(self, rules: Rulebook, before: CaseState | None, event: CaseEvent) -> None:
        data = event.data
        if not isinstance(
            data, ClockStarted | ClockPaused | ClockResumed | ClockMoved | ClockStopped | ClockAlarmed
        ):
            return
        assert before is not None
        key = event.case_id, data.clock
        clock = before.clocks.get(data.clock)
        if isinstance(data, ClockStarted):
            run = self.runs[key] = Run(rules.profile.clocks[data.clock], rules, event.time)
            self._check_times(run, rules, {"due": data.due_at, **data.alarms}, event.time)
            assert set(data.alarms) | {"due", "limit"} == {*slowly(run, rules)}
            return
        run = self.runs[key]
        assert clock is not None and clock.status != "stopped"
        match data:
            case ClockPaused():
                run.stands_since = event.time
            case ClockResumed():
                assert run.stands_since is not None
                run.pauses.append((run.stands_since, event.time))
                if run.book is rules:  # else it was counted by two calendars
                    self._check_times(run, rules, {"due": data.due_at, **data.alarms}, run.stands_since)
                run.stands_since = None
            case ClockMoved():
                self._check_moved(run, rules, clock, data, event.time)
            case ClockAlarmed():
                assert clock.status == "running"
                assert clock.alarms[data.alarm] <= event.time, "not before its time"
                assert recount(clock, rules.calendar, event.time) is None, "by the calendar of the day"
                assert data.alarm not in run.rung, "each rung once"
                over = event.time >= clock.due_at and not data.alarm.startswith("warn")
                assert data.late == (over and _promises(run.rule))
                run.rung.add(data.alarm)
            case ClockStopped():
                at = run.stands_since or event.time
                assert data.late or at <= clock.due_at or not _promises(run.rule)
                assert not data.late or clock.late or at >= clock.due_at

    def check_all(self, rules: Rulebook, state: CaseState, events: Sequence[CaseEvent]) -> None:
        """Those run that should after one command, and no others."""
        steps = [event.data for event in events if isinstance(event.data, Opened | Transitioned)]
        triggers = set[str]()
        if steps and isinstance(step := steps[-1], Transitioned):
            triggers = {step.transition, step.target}
        elif steps:
            triggers = {OPENED, state.status}
        for name, rule in rules.profile.clocks.items():
            clock, is_here = state.clocks.get(name), rule.channels is None or state.channel in rule.channels
            goes = clock is not None and clock.status != "stopped"
            assert is_here or clock is None
            if clock is not None and goes:
                assert (clock.status == "paused") == (state.status in rule.pause)
            if triggers.intersection(rule.start):
                assert goes or not is_here or rule.stop_on_sent, f"{name} should run"
            elif triggers.intersection(rule.stop):
                assert not goes, f"{name} should have stopped"

    def _check_times(self, run: Run, rules: Rulebook, times: dict[str, datetime], since: datetime) -> None:
        """What is still to come at `since` comes when a walk minute by minute says."""
        expected = slowly(run, rules)
        self.walked += 1
        ahead = {name: at for name, at in expected.items() if at > since and name in times}
        assert {name: times[name] for name in ahead} == ahead

    def _check_moved(self, run: Run, rules: Rulebook, clock: Clock, data: ClockMoved, now: datetime) -> None:
        was, times = {"due": clock.due_at, **clock.alarms}, {"due": data.due_at, **data.alarms}
        assert was.keys() == times.keys(), "none is lost"
        expected = slowly(run, rules) if not run.pauses else {}
        for name, at in times.items():
            assert at == was[name] or at > now, "nothing is over by surprise"
            # what would have to have rung already keeps its time, and what comes after it is not before it
            kept = [each for each in was.values() if each <= at]
            assert not expected or at in (expected[name], was[name]) or at in kept
        run.book = rules


def _promises(rule: ClockRule) -> bool:
    """Whether somebody is to blame when it is over: not where the case just goes on by itself, and nobody is told."""
    return rule.then is None or bool(rule.escalate)
