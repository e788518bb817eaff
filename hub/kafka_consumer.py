"""A consumer that reads given topics on its own, and its errors in our words."""

from __future__ import annotations

from typing import Any

from laporhub.hub.kafka_clients import aiokafka_options
from laporhub.hub.settings import Settings
from laporhub.pipeline.errors import LaporHubError, Misconfigured, NotFound, RetryLater
from laporhub.pipeline.topics import LARGEST_RECORD

try:
    from aiokafka import AIOKafkaConsumer, TopicPartition
    from aiokafka.errors import (
        GroupAuthorizationFailedError,
        KafkaConnectionError,
        KafkaError,
        TopicAuthorizationFailedError,
    )
except ImportError as error:
    raise Misconfigured(
        "The distributed engine is not installed: pip install 'laporhub[distributed]'"
    ) from error

__all__ = ["KafkaError", "consumer_of", "explained", "partition_of"]


def consumer_of(settings: Settings, group: str) -> AIOKafkaConsumer:
    """A consumer that begins where its group stands, at first with the oldest record, and acknowledges when told."""
    options: dict[str, Any] = aiokafka_options(settings)
    return AIOKafkaConsumer(
        **options,
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=LARGEST_RECORD,
    )


async def partition_of(consumer: AIOKafkaConsumer, topic: str) -> TopicPartition:
    """Assigns the topic's one partition. Raises `NotFound` where it is not there for this user, and `Misconfigured`."""
    if topic not in await consumer.topics():
        raise NotFound(
            f"There is no topic {topic} for these credentials: is the unit's name right, are they the unit's, "
            "and has laporhub setup been run?"
        )
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    await consumer.position(partition)
    if (number := len(consumer.partitions_for_topic(topic) or ())) > 1:
        raise Misconfigured(f"{topic} has {number} partitions, so its order is lost: make it anew with one")
    return partition


def explained(error: KafkaError, settings: Settings, topic: str) -> LaporHubError:
    """What to do about it."""
    if isinstance(error, TopicAuthorizationFailedError | GroupAuthorizationFailedError):
        return Misconfigured(f"These credentials may not read {topic}")
    if isinstance(error, KafkaConnectionError):
        return RetryLater(
            f"No broker lets us in at {settings.kafka_servers}: is it up, are LAPORHUB_KAFKA_SECURITY, user and "
            "password right?"
        )
    return LaporHubError(f"Kafka: {type(error).__name__} {error}")
