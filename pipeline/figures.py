"""What a report holds: counts, and nothing of what anybody said or who they are.

`counting` makes them. Keys are names of the profile (channels, states, units …); "" stands for none.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from pydantic import Field

from laporhub.pipeline.base_model import Model
from laporhub.pipeline.periods import Kind

Counts = Mapping[str, int]
"""Name → how many, the most frequent first."""


class ClockFigures(Model):
    """How one limit was kept: runs that ended in the period, and those that go on at its end."""

    in_time: int = 0
    late: int = 0
    running: int = 0
    overdue: int = 0
    """Of open cases; `running` are those still in time."""
    median_hours: float | None = None
    """From start to stop on the clock on the wall, half of the runs took no longer; and"""
    most_hours: float | None = None
    """nine of ten."""


class RoutingFigures(Model):
    """The classifier's last word against the unit that people gave the case to, or let it keep, over the period's cases
    that have both.
    """

    judged: int = 0
    first_right: int = 0
    in_top3: int = 0
    sure: int = 0
    """How often it was sure, and"""
    sure_right: int = 0
    """right then."""
    automatic: int = 0
    """Cases that the system disposed by itself, judged or not yet, and"""
    automatic_returned: int = 0
    """those of them that a person gave back or to another unit."""


class UnitFigures(Model):
    """One unit's part."""

    received: int = 0
    """Cases given to it in the period."""
    closed: int = 0
    returned: int = 0
    """How often it gave a case back."""
    in_time: int = 0
    """Of the standard's limits that ended while it had the case, and"""
    late: int = 0
    late_cases: int = 0
    """Cases for which a limit passed while it had them."""
    ratings: int = 0
    stars: int = 0
    """Sum of the ratings."""
    open: int = 0
    overdue: int = 0
    judged: int = 0
    """Of those received, how many it has that were suggested, too, and that people decided; and"""
    first_right: int = 0
    """how often it was suggested first."""


class Figures(Model):
    """Of one period: what happened in it, and how things stood at its end."""

    cases: int = 0
    """Opened in the period; for one unit, given to it in the period. `by_…` divide these, as they are at its end."""
    by_channel: Counts = Field(default_factory=dict)
    by_status: Counts = Field(default_factory=dict)
    by_unit: Counts = Field(default_factory=dict)
    by_topic: Counts = Field(default_factory=dict)
    by_urgency: Counts = Field(default_factory=dict)
    by_place: Counts = Field(default_factory=dict)
    """Official region codes."""
    closed: int = 0
    """Cases that ended in the period, whenever they were opened."""
    by_outcome: Counts = Field(default_factory=dict)
    """The states they ended in."""
    mean_hours: float | None = None
    """From opening to the end, of the cases closed; and"""
    median_hours: float | None = None
    rejected: int = 0
    by_reason: Counts = Field(default_factory=dict)
    """Why cases were rejected: the choices of the profile."""
    returned: int = 0
    """How often a unit gave a case back."""
    late_cases: int = 0
    """Cases for which a limit passed in the period."""
    ratings: Counts = Field(default_factory=dict)
    """"1" (bad) to "5" (good) → how often it was given."""
    clocks: Mapping[str, ClockFigures] = Field(default_factory=dict)
    routing: RoutingFigures = RoutingFigures()
    units: Mapping[str, UnitFigures] = Field(default_factory=dict)
    """Of those that had anything to do with it."""
    open: int = 0
    """Cases not ended at the end of the period, whenever they were opened; and"""
    overdue: int = 0
    """those of them past a limit."""
    opened_on: Counts = Field(default_factory=dict)
    """Day or month → cases, in order; and"""
    closed_on: Counts = Field(default_factory=dict)

    @property
    def rating(self) -> float | None:
        """The mean, 1 to 5; None where nobody rated."""
        given = sum(self.ratings.values())
        return sum(int(stars) * number for stars, number in self.ratings.items()) / given if given else None

    @property
    def is_empty(self) -> bool:
        """Nothing happened and nothing was left to do."""
        return self == Figures(opened_on=self.opened_on, closed_on=self.closed_on)


class Report(Model):
    """The evaluation report of one profile, or of one of its units, for one period, beside the period before."""

    profile: str
    unit: str | None = None
    period: str
    kind: Kind
    first: date
    last: date
    start: datetime
    end: datetime
    at: datetime
    """Up to when it counts: the period's end, or when it was made if the period was not over by then."""
    period_before: str
    figures: Figures
    before: Figures

    @property
    def is_final(self) -> bool:
        """The period is over: made again, it is the same."""
        return self.at == self.end

    def as_json(self) -> dict[str, object]:
        """For machines: the figures beside the names, and those of the period before under `before`."""
        whole = self.model_dump(mode="json")
        figures: dict[str, object] = whole.pop("figures")
        before = whole.pop("before")
        return {**whole, "is_final": self.is_final, **figures, "before": before}
