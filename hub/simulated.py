"""Which platforms can be played: one line each. The demo plays all that its profile has channels on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, TypeAlias

import typer

from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.simulators.hotline import HotlineSimulator
from laporhub.simulators.platform import Platform

Maker: TypeAlias = Callable[[Rulebook, str, Callable[[], datetime]], Platform]
"""From the profile whose accounts it has, the hub's own address, and the clock it lives by."""

SIMULATORS: Final[Mapping[str, Maker]] = {
    "hotline": lambda _, url, now: HotlineSimulator(url, now),
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
