"""A running hub: the port that web, API and command line speak to, over either engine."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from laporhub.hub.confiding import Confiding
from laporhub.hub.handing_over import HandingOver
from laporhub.hub.replaying import Replaying
from laporhub.hub.telling import Telling


class Hub(Confiding, Replaying, Telling, HandingOver):
    """Implements `HubPort`. Made by `compose.open_hub`, which also runs its parts."""

    async def write(self, job: Callable[[Connection], object]) -> None:
        """Writes rows beside the cases; durable when it returns."""
        await self.engine.submit(job=job)
