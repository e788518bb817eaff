"""Leaves a platform alone that does not work: after some failures in a row nothing is sent, then one reply tries. Pure.

Open circuits close with the first thing that goes well; each time it does not, the pause is twice as long.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

OPENS_AFTER: Final = 5
"""Transient failures in a row, whichever replies they were."""
_FIRST_PAUSE: Final = timedelta(seconds=10)
_FIRST_PAUSE_OF_DEAD: Final = timedelta(minutes=5)
_LONGEST_PAUSE: Final = timedelta(hours=1)


@dataclass
class Circuit:
    """Of one account. `dead`: the platform refuses the account itself, which a person must mend."""

    failures: int = 0
    until: datetime | None = None
    why: str = ""
    dead: bool = False
    _pauses: int = 0

    def holds(self, now: datetime) -> bool:
        """Whether nothing is to be sent now."""
        return self.until is not None and now < self.until

    @property
    def is_open(self) -> bool:
        """Whether it failed so often, or is dead: then one try at a time, when it no longer holds."""
        return self.until is not None

    def went_well(self) -> bool:
        """Whether this closed it."""
        closed = self.is_open
        self.failures, self.until, self.why, self.dead, self._pauses = 0, None, "", False, 0
        return closed

    def failed(self, now: datetime, why: str, hint: timedelta | None = None) -> bool:
        """It may work later. `hint` is the platform's own. Whether this opened it, or kept it open."""
        self.failures += 1
        if self.holds(now) or (not self.is_open and self.failures < OPENS_AFTER):
            return False  # one of those that were under way already tells nothing new
        self._pause(now, why, _FIRST_PAUSE, hint)
        return True

    def died(self, now: datetime, why: str) -> bool:
        """The account is refused. Whether this is news."""
        if self.dead and self.holds(now):
            return False
        if not self.dead:
            self._pauses = 0
        self.dead = True
        self._pause(now, why, _FIRST_PAUSE_OF_DEAD, None)
        return True

    def _pause(self, now: datetime, why: str, first: timedelta, hint: timedelta | None) -> None:
        span = min(first * 2 ** min(self._pauses, 12), _LONGEST_PAUSE)
        self._pauses += 1
        self.until, self.why = now + max(span, hint or timedelta()), why
