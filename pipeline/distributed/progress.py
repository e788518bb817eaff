"""How far each stage is: for `/readyz` and metrics, and for the watchdog that ends a worker which stands still.

A stage that waits for a server it cannot reach says so, and is left alone. One that has work and neither gets on
nor says what it waits for is stuck in a way nobody foresaw: the process ends, and what started it starts it anew.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

STUCK = 3
"""Exit status of a worker that its watchdog ended."""

logger = structlog.get_logger(__name__)


@dataclass(slots=True)
class Progress:
    """One stage. Times are of the monotonic clock, in seconds."""

    name: str
    handled: int = 0
    waiting_for: str | None = None
    lag: int = 0
    """Records that are on the brokers and not acknowledged, as of the last look."""
    moved_at: float = field(default_factory=time.monotonic)

    def move(self, records: int) -> None:
        """So many records were handled and acknowledged."""
        self.handled += records
        self.waiting_for = None
        self.moved_at = time.monotonic()

    def wait(self, reason: str, pause: float = 0.0) -> None:
        """The stage waits for this, and knows it; it will not try before `pause` seconds are over."""
        self.waiting_for = reason
        self.moved_at = time.monotonic() + pause

    def idle(self) -> None:
        """There is nothing to do."""
        self.lag = 0
        self.moved_at = time.monotonic()

    @property
    def health(self) -> str:
        return "ok" if self.waiting_for is None else f"waiting: {self.waiting_for}"


class Watchdog:
    """A thread of its own, so that it also notices an event loop that stands still.

    `end` is called with the reason when a stage has a lag and has not moved for `patience` seconds.
    """

    def __init__(
        self,
        stages: list[Progress],
        patience: float = 120.0,
        end: Callable[[str], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stages = stages
        self._patience = patience
        self._end = end or _exit
        self._clock = clock
        self._stopped = threading.Event()
        self._heard_at = clock()

    def heartbeat(self) -> None:
        """The event loop lives."""
        self._heard_at = self._clock()

    def start(self) -> None:
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def stuck(self) -> str | None:
        """What stands still, or None."""
        now = self._clock()
        if now - self._heard_at > self._patience:
            return f"the event loop has stood still for {now - self._heard_at:.0f} s"
        for stage in self._stages:
            if stage.lag > 0 and now - stage.moved_at > self._patience:
                return f"{stage.name}: {stage.lag} records wait, none was handled for {now - stage.moved_at:.0f} s"
        return None

    def _run(self) -> None:
        while not self._stopped.wait(min(5.0, self._patience / 4)):
            if (reason := self.stuck()) is not None:
                self._end(reason)
                return


def _exit(reason: str) -> None:
    logger.critical("the worker stands still and ends itself", reason=reason)
    os._exit(STUCK)
