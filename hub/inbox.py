"""A unit's topic, followed from the unit's side with its own credentials: each record is shown, then acknowledged."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from laporhub.hub.settings import Settings
from laporhub.pipeline.errors import Unparsable
from laporhub.pipeline.streams import read_unit_event
from laporhub.pipeline.topics import unit_topic
from laporhub.pipeline.unit_events import UnitEvent

_REMEMBERED = 100_000
"""Records told from their repeats: a repeat follows soon."""
_WAIT_MS = 1000

Show = Callable[[UnitEvent, bytes], None]
"""Shows one record, as it was understood and as it came; it is acknowledged after that."""


@dataclass
class Once:
    """Tells repeats: by case and sequence, or by id where the record has no place in a case's history."""

    _seen: OrderedDict[tuple[str, int] | str, None] = field(default_factory=OrderedDict)

    def is_new(self, event: UnitEvent) -> bool:
        name = (event.subject, event.sequence) if event.sequence else event.id
        if name in self._seen:
            return False
        self._seen[name] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return True


async def follow(
    settings: Settings, profile: str, unit: str, show: Show, *, from_beginning: bool = False, on: bool = False
) -> None:
    """Shows what this unit's group has not had yet, or all `from_beginning`; with `on`, also what comes then.

    Raises `Misconfigured` or `NotFound` where it may not be read, `RetryLater` where no broker answers, and
    `Unparsable` at a record that this version cannot read: it is not acknowledged, so nothing is passed over.
    """
    from laporhub.hub.kafka_consumer import KafkaError, consumer_of, explained, partition_of

    topic = unit_topic(profile, unit, settings.topic_prefix)
    consumer = consumer_of(settings, group=f"{topic}.inbox")
    try:
        await consumer.start()
        partition = await partition_of(consumer, topic)
        end = (await consumer.end_offsets([partition]))[partition]
        if from_beginning:
            await consumer.seek_to_beginning(partition)
        once = Once()
        while on or await consumer.position(partition) < end:
            for records in (await consumer.getmany(timeout_ms=_WAIT_MS)).values():
                shown = records[0].offset
                try:
                    for record in records:
                        _show(record.value, once, show, f"{topic}, offset {record.offset}")
                        shown = record.offset + 1
                finally:
                    await consumer.commit({partition: shown})
    except KafkaError as error:
        raise explained(error, settings, topic) from error
    finally:
        await consumer.stop()


def _show(value: bytes | None, once: Once, show: Show, where: str) -> None:
    try:
        event = read_unit_event(value)
    except Unparsable as error:
        raise Unparsable(f"{where}: {error}") from error
    if once.is_new(event):
        show(event, value or b"")
