"""Which platforms can be played: one line each. The demo plays all that its profile has channels on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, TypeAlias

import typer

from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.simulators.platform import Platform
from laporhub.simulators.sms import SmsPlatform
from laporhub.simulators.x import XSimulator

Maker: TypeAlias = Callable[[Rulebook, str, Callable[[], datetime]], Platform]
"""From the profile whose accounts it has, the hub's own address, and the clock it lives by."""


def account_of(book: Rulebook, provider: str) -> str:
    """Our account on a platform, as the profile names it. Raises `Misconfigured` where it has none."""
    for name, channel in book.profile.channels.items():
        if (channel.provider or name) == provider:
            return channel.account
    raise Misconfigured(f"profile {book.name} has no channel on {provider}")


SIMULATORS: Final[Mapping[str, Maker]] = {
    "sms": SmsPlatform,
    "x": lambda book, hub, now: XSimulator(account_of(book, "x"), f"{hub}/hooks/x", now),
}
"""Provider → its simulator."""


async def run_platform(
    name: str, book: Rulebook, hub_url: str, port: int, host: str, now: Callable[[], datetime]
) -> None:
    """One simulated platform by itself, until interrupted; says what to tell the hub."""
    platform = SIMULATORS[name](book, hub_url, now)
    async with platform.running(port, host) as (address, settings):
        told = " ".join(f"LAPORHUB_{name.upper()}_{key.upper()}={value}" for key, value in settings.items())
        typer.echo(f"{name}: {address}\nexport {told}")
        await asyncio.Event().wait()
