"""The composition root: the one place that knows every part, and puts them together."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from filelock import FileLock, Timeout

from laporhub.classifiers.cold_start import ColdStartClassifier
from laporhub.connectors.registry import CONNECTORS, connect
from laporhub.hub.hub import Hub
from laporhub.hub.secrets import load_secrets
from laporhub.hub.settings import Settings
from laporhub.pipeline.door import Door
from laporhub.pipeline.embedded.engine import EmbeddedEngine
from laporhub.pipeline.embedded.publisher import Publisher
from laporhub.pipeline.embedded.rebuild import catch_up
from laporhub.pipeline.embedded.ticker import Ticker
from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.ports import Connector
from laporhub.pipeline.profile.load import load
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.store.batch import Government
from laporhub.pipeline.store.database import open_database
from laporhub.pipeline.store.keys import KeyRing
from laporhub.pipeline.vault import Sealer
from laporhub.sinks.sqlite_tracking import SqliteTracking

_PAGES = ("web", "app")
"""Connectors whose answers need no platform."""


def utc_now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def open_hub(
    settings: Settings,
    *,
    now: Callable[[], datetime] = utc_now,
    entropy: Callable[[int], bytes] = os.urandom,
    background: bool = True,
    exclusive: bool = True,
) -> AsyncIterator[Hub]:
    """A running hub on `settings.data`; `background` False leaves sending and clocks to the caller.

    `exclusive` False opens it beside another one: for reading, and for accounts. Messages and commands are
    then refused. Raises `Misconfigured` when a setting or profile is wrong, or another hub runs on the same folder.
    """
    # Values of frozen models make no cycles: at the usual 700 the collector takes a fifth of the time for nothing.
    gc.set_threshold(50_000, 20, 50)
    rulebooks = {book.name: book for book in (load(name) for name in settings.profiles)}
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        if exclusive:
            stack.enter_context(_only_one(settings))
        secrets = load_secrets(settings.data / "keys", settings.master_key)
        database = open_database(settings.data / "hub.db")
        stack.callback(database.dispose)
        ring = KeyRing(database, Sealer(secrets.master, entropy))
        tracking = SqliteTracking(database)
        engine = EmbeddedEngine(database, _governments(rulebooks), [tracking])
        if exclusive:
            catch_up(database, tracking)
            engine.start()
            stack.callback(engine.stop)
        connectors = _connectors(settings, rulebooks)
        for connector in connectors.values():
            if hasattr(connector, "aclose"):
                stack.push_async_callback(connector.aclose)
        publisher = Publisher(database, engine, _speaking(settings, rulebooks, connectors), ring, now)
        engine.on_replies = _waker(publisher)
        if exclusive:
            await publisher.recover()
        if exclusive and background:
            for task in (publisher.run(), Ticker(database, engine, tuple(rulebooks), now).run()):
                stack.push_async_callback(_cancelled, asyncio.create_task(task))
        yield Hub(
            rulebooks=rulebooks,
            database=database,
            engine=engine,
            publisher=publisher,
            tracking=tracking,
            sink=tracking,
            ring=ring,
            door=Door(ring, secrets.pepper),
            connectors=connectors,
            web_secret=secrets.web,
            now=now,
        )


def _only_one(settings: Settings) -> FileLock:
    lock = FileLock(settings.data / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Misconfigured(
            f"Another laporhub works on {settings.data}: stop it first, or give this one another --data"
        ) from None
    return lock


def _governments(rulebooks: Mapping[str, Rulebook]) -> dict[str, Government]:
    return {
        name: Government(
            book,
            ColdStartClassifier(
                book.units,
                sure_from=book.profile.routing.sure_from,
                suggest_from=book.profile.routing.suggest_from,
            ),
        )
        for name, book in rulebooks.items()
    }


def _connectors(settings: Settings, rulebooks: Mapping[str, Rulebook]) -> dict[str, Connector]:
    """A connector for each provider that the profiles name and this installation has."""
    wanted = {
        channel.provider or name
        for book in rulebooks.values()
        for name, channel in book.profile.channels.items()
    }
    return {name: connect(name, _options(settings, name)) for name in sorted(wanted & set(CONNECTORS))}


def _options(settings: Settings, provider: str) -> dict[str, Any]:
    if provider != "twilio" or not settings.twilio_account_sid:
        return {}
    if settings.twilio_auth_token is None:
        raise Misconfigured("LAPORHUB_TWILIO_ACCOUNT_SID is set: set LAPORHUB_TWILIO_AUTH_TOKEN too")
    return {
        "account_sid": settings.twilio_account_sid,
        "auth_token": settings.twilio_auth_token.get_secret_value(),
        "api_base_url": settings.twilio_api_url,
        "status_callback_url": f"{settings.base_url}/hooks/twilio/status",
    }


def _speaking(
    settings: Settings, rulebooks: Mapping[str, Rulebook], connectors: Mapping[str, Connector]
) -> dict[tuple[str, str], Connector]:
    """The channels we can answer on. Replies on the others wait in the outbox until they are configured."""
    able = {name for name in connectors if _options(settings, name) or name in _PAGES}
    return {
        (book.name, channel): connectors[rules.provider or channel]
        for book in rulebooks.values()
        for channel, rules in book.profile.channels.items()
        if (rules.provider or channel) in able
    }


def _waker(publisher: Publisher) -> Callable[[], None]:
    loop = asyncio.get_running_loop()

    def wake() -> None:
        with suppress(RuntimeError):  # the loop is closing: nobody is left to wake
            loop.call_soon_threadsafe(publisher.wake)

    return wake


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
