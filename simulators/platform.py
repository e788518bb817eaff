"""What every simulated platform offers to the demo and to `laporhub simulate`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from laporhub.simulators.citizens import DemoComplaint


class Platform(Protocol):
    """A platform that is played: it speaks the wire format, and keeps the rules of the real one."""

    provider: str
    """The connector that it is for."""

    def running(
        self, port: int = 0, host: str = "127.0.0.1"
    ) -> AbstractAsyncContextManager[tuple[str, Mapping[str, str]]]:
        """Serves until it is left. Yields its own address, and what the connector must be told (its settings)."""
        ...

    async def citizen_writes(self, channel: str, person: DemoComplaint) -> None:
        """A made-up citizen writes to our account on that channel of the profile; delivered to the hub's hook, or
        there to be polled.
        """
        ...
