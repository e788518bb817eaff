"""From events to the figures of a report. Pure: it reads histories once, one case at a time.

Only what happened before the period's end is looked at, so a period that is over has the same figures whenever they
are counted. What happened in it is counted by the time of the event, as on the leaders' dashboard; what is said of
cases (topic, unit, status) is as it was at its end.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import fmean, median

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.classifier import Suggestion
from laporhub.pipeline.commands import Words
from laporhub.pipeline.events import (
    Assigned,
    CaseEvent,
    ClockAlarmed,
    ClockStopped,
    EventData,
    Opened,
    Rated,
    Transitioned,
)
from laporhub.pipeline.evolve import evolve
from laporhub.pipeline.figures import (
    ClockFigures,
    Counts,
    Figures,
    Report,
    RoutingFigures,
    UnitFigures,
)
from laporhub.pipeline.periods import Period
from laporhub.pipeline.profile.rulebook import Rulebook

History = Sequence[CaseEvent]
"""All events of one case, oldest first."""


def make_report(
    histories: Iterable[History], rulebook: Rulebook, period: Period, unit: str | None, now: datetime
) -> Report:
    """The report of the profile, or of one unit. `histories` are of the cases that `concerns` names; others change
    nothing.
    """
    current, earlier = _Tally(rulebook, period, unit, now), _Tally(rulebook, period.before, unit, now)
    for history in histories:
        walked = _walked(history, period.end)
        current.add(walked)
        earlier.add(walked)
    return Report(
        profile=rulebook.name,
        unit=unit,
        period=period.name,
        kind=period.kind,
        first=period.first,
        last=period.last,
        start=period.start,
        end=period.end,
        at=min(period.end, now),
        period_before=period.before.name,
        figures=current.figures(),
        before=earlier.figures(),
    )


def figures(
    histories: Iterable[History], rulebook: Rulebook, period: Period, unit: str | None, now: datetime
) -> Figures:
    """The figures of one period alone."""
    tally = _Tally(rulebook, period, unit, now)
    for history in histories:
        tally.add(_walked(history, period.end))
    return tally.figures()


_Walked = Sequence[tuple[CaseEvent, CaseState]]
"""Each event of a case, and the case once it has happened."""


def _walked(history: History, end: datetime) -> _Walked:
    state: CaseState | None = None
    steps = []
    for event in history:
        if event.time >= end:
            break
        state = evolve(state, event)
        steps.append((event, state))
    return steps


@dataclass
class _Clock:
    in_time: int = 0
    late: int = 0
    running: int = 0
    overdue: int = 0
    hours: list[float] = field(default_factory=list)


class _Tally:
    """Adds up one period."""

    def __init__(self, rulebook: Rulebook, period: Period, unit: str | None, now: datetime) -> None:
        self.rulebook, self.period, self.only = rulebook, period, unit
        self.start, self.end = period.start, period.end
        self.at = min(period.end, now)
        self.counts: Counter[str] = Counter()
        self.by: dict[str, Counter[str]] = {}
        self.routing: Counter[str] = Counter()
        self.clocks: dict[str, _Clock] = {}
        self.units: dict[str, Counter[str]] = {}
        self.opened_on, self.closed_on = (dict.fromkeys(period.parts, 0) for _ in range(2))
        self.closing_hours: list[float] = []

    def add(self, walked: _Walked) -> None:
        """One case."""
        case = _Case()
        last: CaseState | None = None
        for event, state in walked:
            if event.time >= self.end:
                break
            if state.closed_at is not None and (last is None or last.closed_at is None):
                self._ended(event, state, case)
            last = state
            if event.time >= self.start:
                self._happened(event, state, case)
        if last is not None:
            self._stands(last, case)

    # ── what happened ────────────────────────────────────────────────────────────────────────────

    def _happened(self, event: CaseEvent, state: CaseState, case: _Case) -> None:
        data, ours = event.data, self.only is None or event.unit == self.only
        match data:
            case Opened() if self.only is None:
                case.arrived = event.time
            case Assigned():
                self._assigned(data, event, case)
            case ClockStopped() if ours:
                self._stopped(data, event, state)
            case ClockAlarmed(late=True) if ours:
                case.late.add(event.unit)
            case Rated() if ours:
                self._count("ratings", str(data.rating))
                self._unit(event.unit, "ratings")
                self._unit(event.unit, "stars", data.rating)
            case _:
                pass

    def _assigned(self, data: Assigned, event: CaseEvent, case: _Case) -> None:
        if data.unit is None and data.previous is not None:
            if self.only in (None, data.previous):
                self.counts["returned"] += 1
            self._unit(data.previous, "returned")
        elif data.unit is not None:
            case.given.add(data.unit)
            if data.unit == self.only and case.arrived is None:
                case.arrived = event.time

    def _ended(self, event: CaseEvent, state: CaseState, case: _Case) -> None:
        """It was open until now; a step from one end to another, as a rating, ends nothing.

        A case is rejected once, however often it is said again, with the first reason.
        """
        reason = _refusal(self.rulebook.of(state), event.data)
        again, case.rejected = case.rejected, case.rejected or reason is not None
        if event.time < self.start or self.only not in (None, event.unit):
            return
        case.ended.add(event.unit)
        case.outcome, case.closed = state.status, event.time
        case.hours = _hours(state.opened_at, event.time)
        if reason is not None and not again:
            self.counts["rejected"] += 1
            self._count("reason", reason)

    def _stopped(self, data: ClockStopped, event: CaseEvent, state: CaseState) -> None:
        clock = self.clocks.setdefault(data.clock, _Clock())
        if data.late:
            clock.late += 1
        else:
            clock.in_time += 1
        clock.hours.append(_hours(state.clocks[data.clock].started_at, event.time))
        if data.clock in self.rulebook.standard_clocks:
            self._unit(event.unit, "late" if data.late else "in_time")

    # ── how things stand ─────────────────────────────────────────────────────────────────────────

    def _stands(self, state: CaseState, case: _Case) -> None:
        """The case at the end of the period."""
        if case.arrived is not None:
            self._arrived(state, case.arrived)
        for unit in case.given:
            self._unit(unit, "received")
            if unit == state.unit and _is_judged(state):
                self._unit(unit, "judged")
                self._unit(unit, "first_right", int(_first_suggested(state) == unit))
        for holder in case.ended:
            self._unit(holder, "closed")
        for holder in case.late:
            self._unit(holder, "late_cases")
        self.counts["late_cases"] += bool(case.late)
        if case.closed is not None:
            self.counts["closed"] += 1
            self._count("outcome", case.outcome)
            self.closed_on[self.period.part_of(case.closed)] += 1
            self.closing_hours.append(case.hours)
        if state.closed_at is None and self.only in (None, state.unit):
            self._open(state)

    def _arrived(self, state: CaseState, arrived: datetime) -> None:
        suggestion = state.suggestion or Suggestion()
        self.counts["cases"] += 1
        self.opened_on[self.period.part_of(arrived)] += 1
        for name, value in (
            ("channel", state.channel),
            ("status", state.status),
            ("unit", state.unit),
            ("topic", suggestion.topic),
            ("urgency", suggestion.urgency),
            ("place", suggestion.place and suggestion.place.region),
        ):
            self._count(name, value or "")
        self.routing.update(automatic=bool(state.automatic), automatic_returned=state.automatic == "returned")
        if state.unit and _is_judged(state):
            self._judge(suggestion, state.unit)

    def _judge(self, suggestion: Suggestion, unit: str) -> None:
        right = suggestion.units[0].unit == unit
        self.routing["judged"] += 1
        self.routing["first_right"] += right
        self.routing["in_top3"] += any(guess.unit == unit for guess in suggestion.units[:3])
        self.routing["sure"] += suggestion.sure
        self.routing["sure_right"] += suggestion.sure and right

    def _open(self, state: CaseState) -> None:
        self.counts["open"] += 1
        self._unit(state.unit, "open")
        late = False
        for name, running in state.clocks.items():
            if running.status == "running":
                clock = self.clocks.setdefault(name, _Clock())
                overdue = running.due_at < self.at
                late = late or overdue
                clock.overdue += overdue
                clock.running += not overdue
        if late:
            self.counts["overdue"] += 1
            self._unit(state.unit, "overdue")

    # ── the sums ─────────────────────────────────────────────────────────────────────────────────

    def _count(self, name: str, value: str) -> None:
        self.by.setdefault(name, Counter())[value] += 1

    def _unit(self, unit: str | None, what: str, number: int = 1) -> None:
        if unit is not None and self.only in (None, unit):
            self.units.setdefault(unit, Counter())[what] += number

    def _by(self, name: str) -> Counts:
        found = self.by.get(name, Counter())
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))

    def figures(self) -> Figures:
        """All that was added."""
        return Figures(
            **self.counts,
            by_channel=self._by("channel"),
            by_status=self._by("status"),
            by_unit=self._by("unit"),
            by_topic=self._by("topic"),
            by_urgency=self._by("urgency"),
            by_place=self._by("place"),
            by_outcome=self._by("outcome"),
            by_reason=self._by("reason"),
            ratings=dict(sorted(self.by.get("ratings", {}).items())),
            mean_hours=_rounded(fmean(self.closing_hours)) if self.closing_hours else None,
            median_hours=_rounded(median(self.closing_hours)) if self.closing_hours else None,
            clocks=dict(sorted((name, _clock_figures(clock)) for name, clock in self.clocks.items())),
            routing=RoutingFigures(**self.routing),
            units={name: UnitFigures(**counts) for name, counts in sorted(self.units.items())},
            opened_on=self.opened_on,
            closed_on=self.closed_on,
        )


@dataclass
class _Case:
    """What one case did in the period. Units are those that had it then; None is nobody."""

    arrived: datetime | None = None
    given: set[str] = field(default_factory=set)
    ended: set[str | None] = field(default_factory=set)
    late: set[str | None] = field(default_factory=set)
    rejected: bool = False
    """Ever, be it before the period."""
    outcome: str = ""
    closed: datetime | None = None
    """When it ended last, and"""
    hours: float = 0.0
    """how long that took."""


def _is_judged(state: CaseState) -> bool:
    return state.unit is not None and _first_suggested(state) is not None and state.automatic != "given"


def _first_suggested(state: CaseState) -> str | None:
    return state.suggestion.units[0].unit if state.suggestion and state.suggestion.units else None


def _refusal(rulebook: Rulebook, step: EventData) -> str | None:
    """The reason of a step that rejects, "" where none of the profile's choices was given; None for any other."""
    if not isinstance(step, Transitioned):
        return None
    rule = rulebook.profile.transitions.get(step.transition)
    if rule is None or not rule.danger:
        return None
    for name, form in rule.fields.items():
        given: Words | str | int | None = step.fields.get(name)
        if form.options and isinstance(given, str) and given in form.options:
            return given
    return ""


def _clock_figures(clock: _Clock) -> ClockFigures:
    hours = sorted(clock.hours)
    return ClockFigures(
        in_time=clock.in_time,
        late=clock.late,
        running=clock.running,
        overdue=clock.overdue,
        median_hours=_rounded(median(hours)) if hours else None,
        most_hours=_rounded(hours[math.ceil(0.9 * len(hours)) - 1]) if hours else None,
    )


def _hours(start: datetime, end: datetime) -> float:
    return (end - start) / timedelta(hours=1)


def _rounded(hours: float) -> float:
    return round(hours, 3)
