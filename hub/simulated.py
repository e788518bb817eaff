"""Which platforms can be played: one line each. The demo plays all that its profile has channels on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, TypeAlias

import typer

from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.simulators import meta
from laporhub.simulators.hotline import HotlineSimulator
from laporhub.simulators.platform import Platform
from laporhub.simulators.x import XSimulator

Maker: TypeAlias = Callable[[Rulebook, str, Callable[[], datetime]], Platform]
"""From the profile whose accounts it has, the hub's own address, and the clock it lives by."""


def account_of(book: Rulebook, provider: str) -> str:
    """Our account on a platform, as the profile names it. Raises `Misconfigured` where it has none."""
    for account in _accounts(book, provider):
        return account
    raise Misconfigured(f"profile {book.name} has no channel on {provider}")


SIMULATORS: Final[Mapping[str, Maker]] = {
    "hotline": lambda _, url, now: HotlineSimulator(url, now),
    "meta": lambda book, url, now: meta.playing(_accounts(book, "meta"), url, now),
    "x": lambda book, url, now: XSimulator(account_of(book, "x"), f"{url}/hooks/x", now),
}
"""Provider → its simulator."""


def _accounts(book: Rulebook, provider: str) -> list[str]:
    channels = book.profile.channels.items()
    return [channel.account for name, channel in channels if (channel.provider or name) == provider]


async def run_platform(
    name: str, book: Rulebook, hub_url: str, port: int, host: str, now: Callable[[], datetime]
) -> None:
    """One simulated platform by itself, until interrupted; says what to tell the hub."""
    platform = SIMULATORS[name](book, hub_url, now)
    async with platform.running(port, host) as (address, settings):
        told = " ".join(f"LAPORHUB_{name.upper()}_{key.upper()}={value}" for key, value in settings.items())
        typer.echo(f"{name}: {address}\nexport {told}")
        await asyncio.Event().wait()
