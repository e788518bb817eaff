"""Reads for people: lists, search and counts of cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from laporhub.pipeline.case_state import CaseState


@dataclass(frozen=True, slots=True)
class Query:
    """What a reader of the tracking store asks for. Empty collections mean "any"."""

    profiles: tuple[str, ...]
    statuses: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    text: str = ""
    overdue: bool | None = None
    private: bool | None = None
    attention: bool | None = None
    """The reporter wrote again and nobody has looked, or a reply could not be delivered."""
    undelivered: bool | None = None
    """A reply, the newest of its purpose, could not be delivered."""
    helping: tuple[str, ...] = ()
    """One of these units is asked for its part."""
    tickets: tuple[str, ...] = ()
    opened_from: datetime | None = None
    opened_to: datetime | None = None
    order: str = "urgency"
    """"urgency" (most urgent, then due first), "newest" or "oldest"."""
    cursor: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Page:
    """A page of cases, and where the next begins."""

    cases: Sequence[CaseState]
    cursor: str | None
    total: int | None = None


class Tracking(Protocol):
    """Reads for people: lists, search, counts. The SQLite and the Elasticsearch store keep the same contract."""

    def find(self, query: Query, now: datetime) -> Page: ...

    def count(self, query: Query, by: str, now: datetime) -> Mapping[str, int]:
        """Cases by "status", "unit", "channel" or "urgency"."""
        ...

    def settle(self, case_id: str, sequence: int) -> None:
        """Read-your-own-write: returns when `find` and `count` know the case as of `sequence`. Blocking."""
        ...
