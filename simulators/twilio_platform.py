"""Twilio as the demo and `laporhub simulate` play it (see `platform.Platform`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.simulators.citizens import DemoComplaint
from laporhub.simulators.serving import serving
from laporhub.simulators.twilio import TwilioSimulator

ACCOUNT: Final = ("AC00000000000000000000000000000000", "demo")
"""Account and token of the simulation."""


class TwilioPlatform:
    """The profile's WhatsApp senders, and its SMS numbers for a hub that sends SMS through Twilio, too. The profile's
    templates count as approved.
    """

    provider = "twilio"

    def __init__(
        self,
        book: Rulebook,
        hub_url: str,
        now: Callable[[], datetime],
        account: tuple[str, str] = ACCOUNT,
    ) -> None:
        channels = {
            name: channel
            for name, channel in book.profile.channels.items()
            if (channel.provider or name) in (self.provider, "sms")
        }
        hook = f"{hub_url.rstrip('/')}/hooks/twilio"
        numbers = [channel.account for channel in channels.values()]
        self._account, self._accounts = account, {name: each.account for name, each in channels.items()}
        self.simulator = TwilioSimulator(*account, numbers, hook, f"{hook}/status", now, automatic=True)
        self.simulator.network.templates |= {
            template.content: " ".join(f"{{{{{n}}}}}" for n, _ in enumerate(template.variables, 1)) or purpose
            for channel in channels.values()
            for purpose, template in channel.templates.items()
        }

    @asynccontextmanager
    async def running(
        self, port: int = 0, host: str = "127.0.0.1"
    ) -> AsyncIterator[tuple[str, Mapping[str, str]]]:
        sid, token = self._account
        async with serving(self.simulator, port, host) as url:
            try:
                yield url, {"account_sid": sid, "auth_token": token, "api_url": url}
            finally:
                await self.simulator.aclose()

    async def citizen_writes(self, channel: str, person: DemoComplaint) -> None:
        place, prefix = (
            person.location,
            "whatsapp:" if self._accounts[channel].startswith("whatsapp:") else "",
        )
        pin = (place.lat, place.lon) if place and place.lat is not None and place.lon is not None else None
        if person.phone:
            await self.simulator.citizen_says(
                f"{prefix}{person.phone}", person.text, location=pin, name=person.name
            )
