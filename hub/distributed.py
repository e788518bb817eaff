"""The composition root of the distributed engine: the hub that web and command line use, and the worker's app."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, ParamSpec

from elasticsearch import AsyncElasticsearch, Elasticsearch
from sqlalchemy import text

from laporhub.hub.blobs import open_blobs
from laporhub.hub.compose import (
    forget,
    governments,
    keep,
    mailer,
    mend,
    office,
    open_connectors,
    poll,
    post,
    speaking,
    utc_now,
)
from laporhub.hub.ground import Ground, hold_to_rules, lay_ground
from laporhub.hub.hub import Hub
from laporhub.hub.kafka_clients import aiokafka_options, faust_credentials
from laporhub.hub.keeping import Store
from laporhub.hub.routing import keep_current, routers
from laporhub.hub.settings import Settings, load_settings
from laporhub.hub.worker_words import STAGES, check_words
from laporhub.pipeline.distributed.app import Brokers, Stage, make_app
from laporhub.pipeline.distributed.cases import CaseStage
from laporhub.pipeline.distributed.clockwork import Clockwork
from laporhub.pipeline.distributed.engine import DistributedEngine
from laporhub.pipeline.distributed.graves import Graves
from laporhub.pipeline.distributed.producer import Producer
from laporhub.pipeline.distributed.progress import Progress
from laporhub.pipeline.distributed.rebuild import histories
from laporhub.pipeline.distributed.records import Given, Taken
from laporhub.pipeline.distributed.search import SinkStage
from laporhub.pipeline.distributed.units import UnitIntake
from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.publisher import Publisher
from laporhub.pipeline.store.database import is_transient
from laporhub.pipeline.topics import COMMANDS, EVENTS, MESSAGES, OUTBOX, unit_commands_topic
from laporhub.sinks.elasticsearch_rebuild import Rebuilt, rebuild
from laporhub.sinks.elasticsearch_sink import ElasticsearchSink
from laporhub.sinks.elasticsearch_templates import Indices, delete_all, install, prepared
from laporhub.sinks.elasticsearch_tracking import ElasticsearchTracking

_P = ParamSpec("_P")
_EVENTS_AT_ONCE = 2500
"""Events that the sink takes at once: those of a full batch of complaints. Elasticsearch likes few, large requests."""
_LEAVES_WITHIN = 5.0
"""Seconds for what a worker was connected to, once it has stopped."""


@asynccontextmanager
async def open_distributed_hub(
    settings: Settings,
    now: Callable[[], datetime] = utc_now,
    entropy: Callable[[int], bytes] = os.urandom,
    background: bool = True,
) -> AsyncIterator[Hub]:
    """The hub where workers do the work. Any number may run at once. `background` False leaves polling to others.

    Raises `Misconfigured`.
    """
    async with AsyncExitStack() as stack:
        ground = _ground(settings, entropy)
        hold_to_rules(ground)
        stack.callback(ground.database.dispose)
        engine = DistributedEngine(
            ground.database, Producer(aiokafka_options(settings)), settings.topic_prefix, now
        )
        stack.push_async_callback(engine.close)
        connectors = await open_connectors(stack, settings, ground.rulebooks, now)
        client = Elasticsearch(**_elasticsearch(settings))
        stack.callback(client.close)
        hub = Hub(
            ground=ground,
            engine=engine,
            publisher=Publisher(
                ground.database,
                engine,
                speaking(ground.rulebooks, connectors),
                ground.ring,
                now,
                ground.rulebooks,
            ),
            tracking=ElasticsearchTracking(client, ground.database, Indices(settings.index_prefix)),
            sink=None,
            connectors=connectors,
            store=Store(open_blobs(settings), ground.ring),
            now=now,
        )
        if background:
            poll(stack, hub, connectors)
            keep(stack, hub, connectors)
            post(stack, hub, mailer(settings, ground.rulebooks, connectors))
            forget(stack, hub)
            mend(stack, hub)
        yield hub


@dataclass(frozen=True)
class Worker:
    """A worker's app, how far its stages are, and what it must be able to reach."""

    app: Any
    stages: Sequence[Progress]
    ground: Ground
    sink: ElasticsearchSink
    search: AsyncElasticsearch
    producer: Producer
    settings: Settings

    def database(self) -> str:
        """ "ok", or that the database cannot be reached. Blocking."""
        try:
            with self.ground.database.connect() as connection:
                connection.execute(text("SELECT 1"))
        except Exception as error:
            if not is_transient(error):
                raise
            return "cannot be reached"
        return "ok"

    async def ready(self) -> dict[str, str]:
        """Part → "ok" or what it waits for."""
        return {each.name: each.health for each in self.stages} | {
            "search": self.sink.health,
            "indices": await prepared(self.search, Indices(self.settings.index_prefix)),
            "kafka": self.producer.health,
            "database": await asyncio.to_thread(self.database),
        }

    async def close(self) -> None:
        """When its app has stopped: what it was connected to is left in order."""
        with suppress(TimeoutError):  # brokers that are away hold nobody up: nothing is under way any more
            async with asyncio.timeout(_LEAVES_WITHIN):
                await self.producer.stop()
        await self.search.close()


def make_worker(
    settings: Settings,
    *,
    member: str | None = None,
    now: Callable[[], datetime] = utc_now,
    entropy: Callable[[int], bytes] = os.urandom,
    watchdog_seconds: float = 120.0,
    only: Sequence[str] = (),
    channels: Sequence[str] = (),
    chunked: bool = True,
) -> Worker:
    """A worker with all stages, or only those named (see `STAGES`). Raises `Misconfigured`.

    Workers with the same stages share the work; those with others are a consumer group of their own. `channels` are
    those whose replies it sends; all of them if none is named.
    """
    wanted = [name for name in STAGES if not only or name in only]
    ground = _ground(settings, entropy)
    hold_to_rules(ground)
    database, prefix, books = ground.database, settings.topic_prefix, ground.rulebooks
    producer = Producer(aiokafka_options(settings))
    graves = Graves(database, ground.ring, prefix, now)
    search = AsyncElasticsearch(**_elasticsearch(settings))
    sink = ElasticsearchSink(search, Indices(settings.index_prefix))
    routes = routers(books, settings)
    case_stage = CaseStage(database, governments(books, routes, office(settings)), graves, prefix, now)
    intake = UnitIntake(database, books, ground.door, ground.ring, graves, prefix, now)
    check_words(only, channels, books.values())
    sender = _Sender(settings, ground, producer, now, channels)
    stages = [
        Stage(
            "cases",
            (prefix + MESSAGES, prefix + COMMANDS),
            _threaded(case_stage.process),
            published=_threaded(case_stage.published),
        ),
        Stage(
            "sink",
            (prefix + EVENTS,),
            SinkStage(database, sink, graves).process,
            lambda: sink.health,
            batch=_EVENTS_AT_ONCE,
        ),
        Stage("outbox", (prefix + OUTBOX,), sender.wake),
        Stage(
            "units",
            tuple(
                unit_commands_topic(book.name, unit, prefix) for book in books.values() for unit in book.units
            ),
            _threaded(intake.process),
        ),
    ]
    stages = [stage for stage in stages if stage.name in wanted]
    clockwork = Clockwork(database, producer, tuple(books), prefix, now)

    async def clocks() -> None:
        await clockwork.follow_calendars(books)
        await clockwork.run()

    beside: dict[str, Callable[[], Awaitable[None]]] = {
        "cases": partial(keep_current, routes),
        "outbox": sender.run,
        "clocks": clocks,
    }
    app, progress = make_app(
        ".".join((f"{prefix}hub", *(wanted if only else ()), *sorted(channels))),
        Brokers(settings.kafka_servers, faust_credentials(settings)),
        stages,
        producer,
        member=member,
        watchdog_seconds=watchdog_seconds,
        chunked=chunked,
        folder=settings.data / "worker",
        background=[work for name, work in beside.items() if name in wanted],
    )
    return Worker(app, progress, ground, sink, search, producer, settings)


def faust_app() -> Any:
    """For `faust -A laporhub.pipeline.distributed.main`: a worker's app by the settings of the environment."""
    return make_worker(load_settings()).app


async def rebuild_search(
    settings: Settings, progressed: Callable[[int], None], *, in_place: bool = False
) -> Rebuilt:
    """Every index anew from the events on Kafka alone; durable when it returns. The workers may go on meanwhile.

    The indices are deleted first, so lists fill up again while it runs; `in_place` writes over what is there, and
    leaves documents that should not be there. A unit's index comes with its first document, or by `laporhub setup`.
    """
    indices = Indices(settings.index_prefix)
    if not in_place:
        with Elasticsearch(**_elasticsearch(settings)) as admin:
            delete_all(admin, indices)
            install(admin, indices)
    client = AsyncElasticsearch(**_elasticsearch(settings))
    try:
        topic = settings.topic_prefix + EVENTS
        async with histories(topic, aiokafka_options(settings), progressed) as cases:
            return await rebuild(client, indices, cases)
    finally:
        await client.close()


class _Sender:
    """Sends replies. Records of `outbox` only wake it: what is to be said stands in the database."""

    def __init__(
        self,
        settings: Settings,
        ground: Ground,
        producer: Producer,
        now: Callable[[], datetime],
        channels: Sequence[str],
    ) -> None:
        self._settings = settings
        self._channels = channels
        self._ground = ground
        self._now = now
        # A platform has taken the reply: better to wait for Kafka than to look it up there later.
        self._engine = DistributedEngine(ground.database, producer, settings.topic_prefix, now, 60.0)
        self._publisher: Publisher | None = None

    async def wake(self, records: Sequence[Taken]) -> list[Given]:  # noqa: ARG002
        if self._publisher is not None:
            self._publisher.wake()
        return []

    async def run(self) -> None:
        async with AsyncExitStack() as stack:
            ground = self._ground
            connectors = await open_connectors(stack, self._settings, ground.rulebooks, self._now)
            able = {
                (profile, channel): connector
                for (profile, channel), connector in speaking(ground.rulebooks, connectors).items()
                if not self._channels or channel in self._channels
            }
            self._publisher = Publisher(
                ground.database, self._engine, able, ground.ring, self._now, ground.rulebooks
            )
            await self._publisher.run()


def _threaded(work: Callable[_P, list[Given]]) -> Callable[_P, Awaitable[list[Given]]]:
    async def handle(*args: _P.args, **more: _P.kwargs) -> list[Given]:
        return await asyncio.to_thread(work, *args, **more)

    return handle


def _ground(settings: Settings, entropy: Callable[[int], bytes]) -> Ground:
    if settings.database_url is None:
        raise Misconfigured("The distributed engine keeps its state in PostgreSQL: set LAPORHUB_DATABASE_URL")
    return lay_ground(settings, entropy)


def _elasticsearch(settings: Settings) -> dict[str, Any]:
    if not settings.elasticsearch_url:
        raise Misconfigured(
            "The distributed engine searches in Elasticsearch: set LAPORHUB_ELASTICSEARCH_URL"
        )
    options: dict[str, Any] = {
        "hosts": [host.strip() for host in settings.elasticsearch_url.split(",") if host.strip()]
    }
    if settings.elasticsearch_username and settings.elasticsearch_password:
        options["basic_auth"] = (
            settings.elasticsearch_username,
            settings.elasticsearch_password.get_secret_value(),
        )
    if settings.elasticsearch_ca_file:
        options["ca_certs"] = str(settings.elasticsearch_ca_file)
    return options
