"""Which platforms can be played: one line each. The demo plays all that its profile has channels on.

A simulator is imported when it plays: most commands need none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeAlias

import typer
from pydantic import SecretStr

from laporhub.hub.settings import Settings
from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.profile.rulebook import Rulebook

if TYPE_CHECKING:
    from laporhub.simulators.platform import Platform

Clock: TypeAlias = Callable[[], datetime]
Maker: TypeAlias = "Callable[[Rulebook, str, Clock], Platform]"
"""From the profile whose accounts it has, the hub's own address, and the clock it lives by."""


def account_of(book: Rulebook, provider: str) -> str:
    """Our account on a platform, as the profile names it. Raises `Misconfigured` where it has none."""
    for account in _accounts(book, provider):
        return account
    raise Misconfigured(f"profile {book.name} has no channel on {provider}")


def _accounts(book: Rulebook, provider: str) -> list[str]:
    channels = book.profile.channels.items()
    return [channel.account for name, channel in channels if (channel.provider or name) == provider]


def _twilio(book: Rulebook, hub_url: str, now: Clock, *account: tuple[str, str]) -> Platform:
    from laporhub.simulators.twilio_platform import TwilioPlatform

    return TwilioPlatform(book, hub_url, now, *account)


def _sms(book: Rulebook, hub_url: str, now: Clock) -> Platform:
    from laporhub.simulators.sms import SmsPlatform

    return SmsPlatform(book, hub_url, now)


def _hotline(_: Rulebook, hub_url: str, now: Clock) -> Platform:
    from laporhub.simulators.hotline import HotlineSimulator

    return HotlineSimulator(hub_url, now)


def _meta(book: Rulebook, hub_url: str, now: Clock) -> Platform:
    from laporhub.simulators import meta

    return meta.playing(_accounts(book, "meta"), hub_url, now)


def _x(book: Rulebook, hub_url: str, now: Clock) -> Platform:
    from laporhub.simulators.x import XSimulator

    return XSimulator(account_of(book, "x"), f"{hub_url}/hooks/x", now)


def _email(book: Rulebook, _: str, now: Clock) -> Platform:
    from laporhub.simulators.mail import MailSimulator

    return MailSimulator(account_of(book, "email"), now)


SIMULATORS: Final[Mapping[str, Maker]] = {
    "twilio": _twilio,
    "sms": _sms,
    "hotline": _hotline,
    "meta": _meta,
    "x": _x,
    "email": _email,
}
"""Provider → its simulator."""


def platforms_of(book: Rulebook, hub_url: str, now: Callable[[], datetime]) -> Sequence[Platform]:
    """All platforms of a profile that can be played."""
    used = {channel.provider or name for name, channel in book.profile.channels.items()}
    return [make(book, hub_url, now) for name, make in SIMULATORS.items() if name in used]


def with_platform(settings: Settings, provider: str, told: Mapping[str, str]) -> Settings:
    """The settings of a hub that speaks to this simulated platform."""
    if provider != "twilio":
        return settings.model_copy(update={"connectors": settings.connectors | {provider: dict(told)}})
    named = {f"twilio_{name}": value for name, value in told.items()}
    token = {"twilio_auth_token": SecretStr(told["auth_token"])}
    return settings.model_copy(update=named | token)


async def run_platform(
    name: str,
    book: Rulebook,
    hub_url: str,
    port: int,
    host: str,
    now: Callable[[], datetime],
    account: tuple[str, str] | None = None,
) -> None:
    """One simulated platform by itself, until interrupted; says what to tell the hub, unless it plays the very
    Twilio `account` that the settings name.
    """
    platform = _twilio(book, hub_url, now, account) if account else SIMULATORS[name](book, hub_url, now)
    async with platform.running(port, host) as (address, settings):
        told = " ".join(f"LAPORHUB_{name.upper()}_{key.upper()}={value}" for key, value in settings.items())
        typer.echo(f"{name}: {address}")
        if account is None:
            typer.echo(f"export {told}")
        await asyncio.Event().wait()
