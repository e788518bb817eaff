"""Makes reports from the events in the database, and remembers a few, so that their forms show the same numbers."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Engine

from laporhub.pipeline.counting import make_report
from laporhub.pipeline.errors import NotFound
from laporhub.pipeline.figures import Report
from laporhub.pipeline.periods import Period
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.store.past import histories

FRESH: Final = timedelta(minutes=2)
"""How long the report of a period that is not over is good for; and of one that just ended, while its last events may
still be on their way to the database."""
_TIMES: Final = 20
"""What took long is good for longer: for so many times as long as counting it took."""
_KEPT: Final = 50

Key = tuple[str, str | None, str]


@dataclass(frozen=True, slots=True)
class _Kept:
    report: Report
    good_until: datetime


class Reporter:
    """See the module. Any thread may ask; one counts at a time."""

    def __init__(
        self, database: Engine, rulebooks: Mapping[str, Rulebook], now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._rulebooks = rulebooks
        self._now = now
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._counting = threading.Lock()

    def report(self, profile: str, period: Period, unit: str | None = None) -> Report:
        """Of the profile, or of one of its units. Raises `NotFound` for a unit that there is not. Blocking."""
        rulebook = self._rulebooks[profile]
        if unit is not None and unit not in rulebook.units:
            raise NotFound(f"There is no unit {unit!r} in {profile}")
        key, now = (profile, unit, period.name), self._now()
        with self._counting:
            known = self._kept.get(key)
            if known is None or known.good_until <= now:
                past = histories(self._database, profile, period.before.start, period.end)
                known = self._kept[key] = self._noted(make_report(past, rulebook, period, unit, now), now)
            self._kept.move_to_end(key)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return known.report

    def _noted(self, report: Report, began: datetime) -> _Kept:
        ended = self._now()
        if began > report.end + FRESH:
            return _Kept(report, datetime.max.replace(tzinfo=UTC))
        return _Kept(report, ended + max(FRESH, _TIMES * (ended - began)))
