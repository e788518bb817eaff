"""The composition root: the one place that knows every part, and puts them together."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from filelock import FileLock, Timeout

from laporhub.connectors.registry import CONNECTORS, connect
from laporhub.connectors.sms_gateway import gateway_name
from laporhub.hub.blobs import open_blobs
from laporhub.hub.channel_health import Checker
from laporhub.hub.confiding import keep_telling
from laporhub.hub.erasing import sweep_daily
from laporhub.hub.ground import hold_to_rules, lay_ground
from laporhub.hub.hub import Hub
from laporhub.hub.joining import sweep
from laporhub.hub.keeping import Keeper, Store
from laporhub.hub.polling import Poller, polled_accounts
from laporhub.hub.posting import Mailer, Poster
from laporhub.hub.routing import Router, keep_current, keep_learning, routers
from laporhub.hub.settings import Settings
from laporhub.pipeline.connector import Connector
from laporhub.pipeline.connector_abilities import Clocked, speaks_for
from laporhub.pipeline.embedded.engine import EmbeddedEngine
from laporhub.pipeline.embedded.rebuild import catch_up
from laporhub.pipeline.embedded.ticker import Ticker
from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.notices import Office
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema import is_address
from laporhub.pipeline.publisher import Publisher
from laporhub.pipeline.store.writes import Government
from laporhub.sinks.sqlite_tracking import SqliteTracking


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
    """A running hub, on the engine that the settings name: embedded, or distributed where there is Kafka.

    `background` False leaves sending and clocks to the caller. `exclusive` False opens it beside another one: for
    reading, and for accounts; on the embedded engine messages and commands are then refused.
    Raises `Misconfigured` when a setting or profile is wrong, or another hub runs on the same folder.
    """
    if settings.kafka_servers:
        from laporhub.hub.distributed import open_distributed_hub

        async with open_distributed_hub(settings, now, entropy, background) as hub:
            yield hub
        return
    if settings.database_url:
        raise Misconfigured(
            "LAPORHUB_DATABASE_URL is for the distributed engine: set LAPORHUB_KAFKA_SERVERS too"
        )
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        if exclusive:
            stack.enter_context(only_one(settings))
        ground = lay_ground(settings, entropy)
        database, rulebooks = ground.database, ground.rulebooks
        stack.callback(database.dispose)
        if exclusive:
            hold_to_rules(ground)
        tracking = SqliteTracking(database)
        routes = routers(rulebooks, settings)
        engine = EmbeddedEngine(database, governments(rulebooks, routes, office(settings)), [tracking])
        if exclusive:
            catch_up(database, tracking)
            engine.start()
            stack.callback(engine.stop)
        connectors = await open_connectors(stack, settings, rulebooks, now)
        publisher = Publisher(database, engine, speaking(rulebooks, connectors), ground.ring, now, rulebooks)
        engine.on_replies = _waker(publisher)
        if exclusive:
            await publisher.recover()
        if exclusive and background:
            ticker = Ticker(database, engine, tuple(rulebooks), now)
            beside = (
                ticker.run(),
                ticker.follow_calendars(rulebooks),
                keep_current(routes),
                keep_learning(settings),
            )
            for task in (publisher.run(), *beside):
                stack.push_async_callback(_cancelled, asyncio.create_task(task))
        hub = Hub(
            ground=ground,
            engine=engine,
            publisher=publisher,
            tracking=tracking,
            sink=tracking,
            connectors=connectors,
            store=Store(open_blobs(settings), ground.ring),
            now=now,
        )
        if exclusive and background:
            poll(stack, hub, connectors)
            keep(stack, hub, connectors)
            post(stack, hub, mailer(settings, rulebooks, connectors))
            forget(stack, hub)
            mend(stack, hub)
        yield hub


def keep(stack: AsyncExitStack, hub: Hub, connectors: Mapping[str, Connector]) -> None:
    """Fetches and keeps the files that come with messages, until the stack is left."""
    stack.push_async_callback(_cancelled, asyncio.create_task(keeper(hub, connectors).run()))


def forget(stack: AsyncExitStack, hub: Hub) -> None:
    """Erases what the profiles' time limits no longer allow to be kept, until the stack is left."""
    stack.push_async_callback(_cancelled, asyncio.create_task(sweep_daily(hub.eraser)))


def mend(stack: AsyncExitStack, hub: Hub) -> None:
    """Tells of confidential words that a crash left untold, until the stack is left."""
    stack.push_async_callback(_cancelled, asyncio.create_task(keep_telling(hub)))


def keeper(hub: Hub, connectors: Mapping[str, Connector]) -> Keeper:
    return Keeper(hub.database, hub.engine, hub.files_store, hub.ring, hub.rulebooks, connectors, hub.now)


def poll(stack: AsyncExitStack, hub: Hub, connectors: Mapping[str, Connector]) -> None:
    """Until the stack is left: asks the platforms that are polled, and how our accounts stand; gives up waiting for
    pieces of messages.
    """
    stack.push_async_callback(_cancelled, asyncio.create_task(sweep(hub.join_overdue)))
    checker = Checker(hub, hub.rulebooks, connectors, hub.now)
    stack.push_async_callback(_cancelled, asyncio.create_task(checker.run()))
    accounts = polled_accounts(hub.rulebooks, connectors)
    if accounts:
        poller = Poller(hub.database, hub, accounts, hub.now)
        stack.push_async_callback(_cancelled, asyncio.create_task(poller.run()))


def post(stack: AsyncExitStack, hub: Hub, by: Mailer | None) -> None:
    """Sends reports when their period is over, until the stack is left; where there is no mailbox, none."""
    if by is not None:
        stack.push_async_callback(_cancelled, asyncio.create_task(Poster(hub, by, hub.now).run()))


def mailer(
    settings: Settings, rulebooks: Mapping[str, Rulebook], connectors: Mapping[str, Connector]
) -> Mailer | None:
    """The mailbox that reports are sent from, whether or not it is a channel too; None where none is set up.

    Our address is the profile's e-mail channel, or else the name that we sign in with at the mail server.
    """
    told = settings.connectors.get("email", {})
    connector = connectors.get("email") or (connect("email", told) if told else None)
    if connector is None or not connector.able:
        return None
    senders = {}
    for name, book in rulebooks.items():
        accounts = [
            each.account for own, each in book.profile.channels.items() if (each.provider or own) == "email"
        ]
        if address := next(filter(is_address, (*accounts, told.get("username", ""))), None):
            senders[name] = address
    return Mailer(connector, senders) if senders else None


def only_one(settings: Settings) -> FileLock:
    """The lock that a hub on this folder holds. Raises `Misconfigured` when another one has it."""
    lock = FileLock(settings.data / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise Misconfigured(
            f"Another laporhub works on {settings.data}: stop it first, or give this one another --data"
        ) from None
    return lock


def office(settings: Settings) -> Office:
    """Where staff's pages are, and the mailbox from which staff is told where mail is no channel."""
    return Office(settings.base_url, str(settings.connectors.get("email", {}).get("username", "")))


def governments(
    rulebooks: Mapping[str, Rulebook], routers: Mapping[str, Router], where: Office
) -> dict[str, Government]:
    return {name: Government(book, routers[name], where) for name, book in rulebooks.items()}


async def open_connectors(
    stack: AsyncExitStack,
    settings: Settings,
    rulebooks: Mapping[str, Rulebook],
    now: Callable[[], datetime] = utc_now,
) -> dict[str, Connector]:
    """A connector for each provider that the profiles name and this installation has; closed with the stack."""
    wanted = {
        channel.provider or name
        for book in rulebooks.values()
        for name, channel in book.profile.channels.items()
    }
    if settings.connectors.get("email"):
        wanted.add("email")  # staff is told by it
    connectors = {name: connect(name, _options(settings, name)) for name in sorted(wanted & set(CONNECTORS))}
    for connector in connectors.values():
        if isinstance(connector, Clocked):
            connector.now = now
        if hasattr(connector, "aclose"):
            stack.push_async_callback(connector.aclose)
    return connectors


def _options(settings: Settings, provider: str) -> dict[str, Any]:
    if provider == "sms":
        return _sms_options(settings)
    if provider != "twilio":
        return dict(settings.connectors.get(provider, {}))
    if not settings.twilio_account_sid:
        return {}
    if settings.twilio_auth_token is None:
        raise Misconfigured("LAPORHUB_TWILIO_ACCOUNT_SID is set: set LAPORHUB_TWILIO_AUTH_TOKEN too")
    return {
        "account_sid": settings.twilio_account_sid,
        "auth_token": settings.twilio_auth_token.get_secret_value(),
        "api_base_url": settings.twilio_api_url,
        "status_callback_url": f"{settings.base_url}/hooks/twilio/status",
        "sweep_days": settings.twilio_sweep_days,
    }


def _sms_options(settings: Settings) -> dict[str, Any]:
    """The gateway's; where none is set, SMS go by the Twilio account, if there is one."""
    told = dict(settings.connectors.get("sms", {}))
    named = told.get("gateway") or ("" if told else "twilio")
    if named == "twilio":
        account = _options(settings, "twilio")
        return {"gateway": "twilio"} | account if account else dict(told)
    return {"hook_url": f"{settings.base_url}/hooks/sms/{gateway_name(named)}"} | told


def speaking(
    rulebooks: Mapping[str, Rulebook], connectors: Mapping[str, Connector]
) -> dict[tuple[str, str], Connector]:
    """The channels we can answer on. Replies on the others wait in the outbox until they are configured.

    Where mail is none of a profile's channels, staff is told by it all the same.
    """
    mail = {(name, "email"): each for name in rulebooks if (each := connectors.get("email")) and each.able}
    return mail | {
        (book.name, channel): connector
        for book in rulebooks.values()
        for channel, rules in book.profile.channels.items()
        if (connector := connectors.get(rules.provider or channel)) and speaks_for(connector, rules.account)
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
