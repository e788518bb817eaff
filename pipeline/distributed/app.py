"""The Faust app: which agent reads which topics, and how it is kept from losing anything.

Each agent takes raw records in batches, hands them to its stage, publishes what comes of them, and only then
acknowledges. What cannot be done now is tried again; anything else crashes the worker, and whoever started it starts
it anew: nothing was acknowledged, so all of it is delivered again. The settings are those that lost nothing when
agents raised, workers were killed and partitions moved; the comments say which setting guards against what.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterable, Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import faust
import structlog
from faust.types import EventT
from mode.supervisors import CrashingSupervisor

from laporhub.pipeline.distributed.consumer import hand_on_in_chunks, in_batches
from laporhub.pipeline.distributed.producer import Producer
from laporhub.pipeline.distributed.progress import Progress, Watchdog
from laporhub.pipeline.distributed.records import Given, Taken
from laporhub.pipeline.errors import RetryLater

BATCH = 500
_GATHER_SECONDS = 0.02
"""What is published together arrives together; more comes while a batch is handled."""
_LONGEST_PAUSE = 15.0
_LOOK_SECONDS = 5.0

logger = structlog.get_logger(__name__)

Handle = Callable[[Sequence[Taken]], Awaitable[list[Given]]]
"""A stage: what its records lead to. Raises `RetryLater` to be given the same ones again."""


async def _nothing(_: list[Given]) -> list[Given]:
    return []


@dataclass(frozen=True, slots=True)
class Stage:
    """An agent to be: its name, the topics it reads, and what it does with a batch."""

    name: str
    topics: tuple[str, ...]
    handle: Handle
    health: Callable[[], str] = lambda: "ok"
    """What it waits for while it handles a batch, where it tries again by itself."""
    batch: int = BATCH
    """Records that it takes at once, at most."""
    published: Callable[[list[Given]], Awaitable[list[Given]]] = _nothing
    """Given back what the batch led to when it is published; returns what is to be published after it."""


@dataclass(frozen=True, slots=True)
class Brokers:
    """How Faust reaches Kafka."""

    servers: str
    """host:port, separated by commas."""
    credentials: Any = None
    """One of `faust`'s credentials; None without sign-in."""


def make_app(
    group: str,
    brokers: Brokers,
    stages: Sequence[Stage],
    producer: Producer,
    *,
    member: str | None = None,
    watchdog_seconds: float = 120.0,
    background: Sequence[Callable[[], Awaitable[None]]] = (),
    chunked: bool = True,
    folder: Path | None = None,
) -> tuple[faust.App, list[Progress]]:
    """An app whose agents run the stages, and how far each is.

    `group` names the consumer group; `member` is this worker's fixed name in it, which lets it come back within its
    session without a rebalance. `background` runs beside the agents until the worker stops. `chunked`: see `consumer`.
    """
    app = faust.App(
        group,
        broker=[f"aiokafka://{server.strip()}" for server in brokers.servers.split(",")],
        broker_credentials=brokers.credentials,
        agent_supervisor=CrashingSupervisor,  # the default restarts an agent past what it had not handled
        broker_max_poll_interval=86_400.0,  # a stage may wait for a server for hours; the watchdog knows the difference
        broker_session_timeout=20.0,
        broker_heartbeat_interval=3.0,
        broker_commit_interval=0.5,
        consumer_auto_offset_reset="earliest",  # a new group begins with what is there already
        consumer_group_instance_id=member,
        stream_buffer_maxsize=32_768,  # with less, full buffers make the consumer sleep for a second
        stream_wait_empty=True,  # without it, batches in flight were lost on SIGTERM
        topic_allow_declare=False,  # `laporhub setup` makes them, with their settings
        topic_disable_leader=True,
        web_enabled=False,  # it would listen on every address
        worker_redirect_stdouts=False,
        store="memory://",
        datadir=folder,  # Faust makes it, and leaves it empty: without tables there is nothing to keep
    )
    chunked = chunked and hand_on_in_chunks(app)
    progress = [Progress(stage.name) for stage in stages]
    watchdog = Watchdog(progress, watchdog_seconds)
    for stage, moved in zip(stages, progress, strict=True):
        _add_agent(app, stage, producer, moved, chunked)

    async def watch() -> None:
        await producer.start_patiently()
        watchdog.start()
        while not app.should_stop:
            watchdog.heartbeat()
            _measure(app, stages, progress)
            await producer.look()
            await app.sleep(min(_LOOK_SECONDS, watchdog_seconds / 4))

    app.task(watch)
    for work in background:
        _add_background(app, work)

    return app, progress


def _add_background(app: faust.App, work: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await work()

    run.__name__ = getattr(work, "__name__", "background")
    app.task(run)


def _add_agent(app: faust.App, stage: Stage, producer: Producer, progress: Progress, chunked: bool) -> None:
    # Raw bytes: a serializer that fails before the agent sees the record loses the one before it.
    topic = app.topic(*stage.topics, key_serializer="raw", value_serializer="raw")

    async def run(stream: Any) -> None:
        # noack_take acknowledges nothing by itself; `take` does, even when the agent raises.
        batches = (
            in_batches(stream, stage.batch, _GATHER_SECONDS)
            if chunked
            else stream.noack().noack_take(stage.batch, within=_GATHER_SECONDS)
        )
        await work_through(batches, stage, producer, progress)

    run.__name__ = stage.name
    # One at a time: a second task of an agent commits past what the first has not finished.
    app.agent(topic, name=stage.name, concurrency=1)(run)


async def work_through(
    batches: AsyncIterable[Sequence[EventT[Any]]], stage: Stage, producer: Producer, progress: Progress
) -> None:
    """Batch by batch: handled, published, acknowledged. Handling the next meanwhile was tried, and gained nothing:
    both want the processor.
    """
    async for events in batches:
        records = [_taken(event) for event in events]
        given = await _patiently(stage.name, progress, partial(stage.handle, records))
        await _publish(stage, given, producer, progress)
        for event in events:
            event.ack()
        progress.move(len(events))


async def _publish(stage: Stage, given: list[Given], producer: Producer, progress: Progress) -> None:
    """All that a batch led to, and what is to follow it."""

    async def once() -> list[Given]:
        await producer.send(given)
        return await stage.published(given)

    while given:
        given = await _patiently(stage.name, progress, once)


async def _patiently(
    name: str, progress: Progress, work: Callable[[], Awaitable[list[Given]]]
) -> list[Given]:
    """Until it is done: what may pass is tried again with growing, random pauses."""
    attempt = 0
    while True:
        try:
            return await work()
        except RetryLater as error:
            attempt += 1
            pause = error.after or random.uniform(0.05, min(2.0**attempt * 0.1, _LONGEST_PAUSE))
            progress.wait(str(error), pause)
            if attempt in (1, 5) or attempt % 20 == 0:
                logger.warning("waiting", stage=name, reason=str(error), attempt=attempt)
            await asyncio.sleep(pause)


def _taken(event: EventT[Any]) -> Taken:
    message: Any = event.message
    headers: Any = message.headers or ()
    pairs = headers.items() if isinstance(headers, dict) else headers
    return Taken(message.topic, message.partition, message.offset, message.key, message.value, tuple(pairs))


def _measure(app: faust.App, stages: Sequence[Stage], progress: Sequence[Progress]) -> None:
    """The lag of each stage on the partitions that this worker has."""
    consumer: Any = app.consumer
    lags = dict.fromkeys((stage.name for stage in stages), 0)
    owner = {topic: stage.name for stage in stages for topic in stage.topics}
    for tp in consumer.assignment():
        if (name := owner.get(tp.topic)) is None:
            continue
        try:
            newest = consumer.highwater(tp)
        except (AssertionError, AttributeError):
            continue  # the consumer lives on another thread, and lost the partition since it was asked for all
        done = consumer._committed_offset.get(tp)
        if done is None:  # nothing was ever committed: count what was read
            lags[name] += sum(message.tp == tp for message in list(consumer.unacked))
        elif newest is not None:
            lags[name] += max(0, newest - done)
    for stage, each in zip(stages, progress, strict=True):
        each.lag = lags[each.name]
        if each.lag == 0:
            each.idle()
        elif (trouble := stage.health()) != "ok":
            each.wait(trouble)
