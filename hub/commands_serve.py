"""Commands that run: serve, demo, simulate."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Annotated

import typer

from laporhub.hub.console import DataOption, ProfileOption, configure_logging, settings_for
from laporhub.hub.settings import Settings
from laporhub.hub.simulated import SIMULATORS, run_platform
from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.profile.load import load

_LOOPBACK = ("127.0.0.1", "localhost", "::1")

HostOption = Annotated[str | None, typer.Option(help="The address to listen on.")]
PortOption = Annotated[int | None, typer.Option(min=1, max=65535, help="The port to listen on.")]


def serve(
    profile: ProfileOption = None, data: DataOption = None, host: HostOption = None, port: PortOption = None
) -> None:
    """Run the hub: web, API, hooks and the whole pipeline, in one process."""
    settings = settings_for(profile, data, host=host, port=port)
    configure_logging(settings)
    if (settings.data / "demo").exists():
        raise Misconfigured(
            f"{settings.data} is a demo's folder, with known passwords: choose another --data"
        )
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    from laporhub.hub.compose import open_hub
    from laporhub.hub.web import listening, web_server

    listener = listening(settings.host, settings.port)
    async with AsyncExitStack() as stack:
        stack.callback(listener.close)
        hub = await stack.enter_async_context(open_hub(settings))
        server = web_server(hub, settings)
        typer.echo(f"LaporHub: {settings.base_url}", err=True)
        await server.serve(sockets=[listener])


def demo(
    profile: ProfileOption = None, data: DataOption = None, host: HostOption = None, port: PortOption = None
) -> None:
    """Run the hub with simulated platforms, made-up citizens and staff, and a day of traffic."""
    settings = settings_for(profile, data, host=host, port=port)
    if settings.host not in _LOOPBACK:
        raise Misconfigured("The demo has known passwords: it listens on 127.0.0.1 only")
    configure_logging(settings, quiet=True)
    from laporhub.hub.demo import run_demo

    asyncio.run(run_demo(settings))


def simulate(
    platform: Annotated[str, typer.Argument(help=", ".join(SIMULATORS))],
    hub: Annotated[str, typer.Option(help="The hub's address.")] = "http://127.0.0.1:8080",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")] = 8081,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    profile: ProfileOption = None,
) -> None:
    """Run a simulated platform by itself, for a hub that is told its address."""
    if platform not in SIMULATORS:
        known = ", ".join(SIMULATORS)
        raise typer.BadParameter(f"there is no simulator of {platform!r}; there is: {known}")
    settings = settings_for(profile, None)
    configure_logging(settings)
    from laporhub.hub.compose import utc_now

    sid, token = settings.twilio_account_sid, settings.twilio_auth_token
    account = (sid, token.get_secret_value()) if platform == "twilio" and sid and token else None
    book = load(settings.profiles[0])
    asyncio.run(run_platform(platform, book, hub, port, host, utc_now, account))


def register(app: typer.Typer) -> None:
    app.command()(serve)
    app.command()(demo)
    app.command()(simulate)
