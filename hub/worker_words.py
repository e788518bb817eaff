"""What is asked before a worker starts: whether its words are known and its topics are there.

Little is imported for it: the supervisor of workers asks, and needs none of what they need.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from laporhub.hub.kafka_clients import aiokafka_options
from laporhub.hub.settings import Settings
from laporhub.pipeline.errors import Misconfigured, RetryLater
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.topics import topics

STAGES: Final = ("cases", "sink", "outbox", "units", "clocks")
"""What a worker does: decide, index, send replies, take what units' systems send, ring alarms."""


def check_words(only: Iterable[str], channels: Iterable[str], books: Iterable[Rulebook]) -> None:
    """Raises `Misconfigured` for a stage or a channel that there is not."""
    for kind, named, known in (
        ("stage", only, STAGES),
        ("channel", channels, [name for book in books for name in book.profile.channels]),
    ):
        if unknown := set(named) - set(known):
            raise Misconfigured(
                f"There is no {kind} {', '.join(sorted(unknown))}: choose of {', '.join(dict.fromkeys(known))}"
            )


async def check_topics(settings: Settings, books: Iterable[Rulebook]) -> None:
    """Raises `Misconfigured` when a topic is missing, `RetryLater` when no broker answers."""
    client = AIOKafkaClient(**aiokafka_options(settings))
    try:
        await client.bootstrap()
        there = (await client.fetch_all_metadata()).topics()
    except KafkaError as error:
        raise RetryLater(f"Kafka does not answer at LAPORHUB_KAFKA_SERVERS: {error}") from error
    finally:
        await client.close()
    wanted = topics(books, settings.topic_prefix, settings.partitions, settings.replication)
    if missing := [topic.name for topic in wanted if topic.name not in there]:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise Misconfigured(f"The topic {missing[0]}{more} is missing: run laporhub setup")
