"""Every stream of the hub as data: its name, key, partitions, how long it is kept, who writes and who reads it.

A topic is a stream on Kafka. Names are `<prefix><stream>`; fan-outs have the profile in their name too
(`laporhub.unit.<profile>.<unit>`), so that governments sharing a hub do not meet. Profiles, units and channels
have no dot in their names, so a topic is read in one way only. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, NamedTuple, TypeAlias

from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_workflow import Role

DEFAULT_PREFIX: Final = "laporhub."
PARTITIONS: Final = 6
"""Of each wide stream, unless told otherwise: divides evenly among one, two, three or six workers."""
LARGEST_RECORD: Final = 4 * 2**20
"""Bytes. A text of 100,000 characters, once redacted and once sealed, stays well below."""

_LEGAL: Final = re.compile(r"[a-zA-Z0-9._-]{1,249}")
_DAY: Final = timedelta(days=1)

Key: TypeAlias = Literal["conversation", "case", "record"]
Payload: TypeAlias = Literal[
    "message", "command", "case-event", "outbox", "dead-letter", "unit-event", "unit-command", "work"
]


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream. Its name may hold {profile}, {unit} or {channel}: then there is one of it for each.

    `wide` streams have as many partitions as the installation wants, the others one, which keeps their order.
    `kept` is how long records stay, None for ever. `compact` keeps the newest record of each key, and None
    instead of a value takes the key away. `payload` names the schema of its records.
    """

    name: str
    payload: Payload
    key: Key
    about: str
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    wide: bool = True
    kept: timedelta | None = None
    compact: bool = False

    def config(self, replication: int) -> dict[str, str]:
        """The topic's settings, as Kafka names and writes them."""
        common = {
            "cleanup.policy": "compact" if self.compact else "delete",
            "max.message.bytes": str(LARGEST_RECORD),
            "min.insync.replicas": "2" if replication >= 3 else "1",
        }
        if self.compact:  # a reader that was away for less than a week sees what was taken away
            return common | {
                "delete.retention.ms": _milliseconds(7 * _DAY),
                "max.compaction.lag.ms": _milliseconds(_DAY),
                "segment.ms": _milliseconds(_DAY),
            }
        stay = "-1" if self.kept is None else _milliseconds(self.kept)
        # Kafka's own clock tells the age: a writer from outside must not make its records immortal, or die at once.
        return common | {"retention.ms": stay, "message.timestamp.type": "LogAppendTime"}


MESSAGES: Final = "messages"
COMMANDS: Final = "commands"
EVENTS: Final = "events"
OUTBOX: Final = "outbox"
DEADLETTER: Final = "deadletter"
"""Names without prefix. The fan-outs' are made by the functions below."""

STREAMS: Final[tuple[Stream, ...]] = (
    Stream(
        MESSAGES,
        "message",
        "conversation",
        "What reporters said: sealed, redacted, once for each message of a platform.",
        writers=("connectors", "web"),
        readers=("cases",),
        kept=14 * _DAY,
    ),
    Stream(
        COMMANDS,
        "command",
        "conversation",
        "What staff, clocks and platforms want done with a case. As many partitions as `messages`, and the same "
        "key: so one agent reads both, and a conversation's cases have one writer.",
        writers=("web", "clocks", "connectors", "units' intake"),
        readers=("cases",),
        kept=14 * _DAY,
    ),
    Stream(
        EVENTS,
        "case-event",
        "case",
        "All that happened to every case, for ever: every index is rebuilt from it.",
        writers=("cases",),
        readers=("sink", "rebuild"),
    ),
    Stream(
        OUTBOX,
        "outbox",
        "conversation",
        "Wakes the sender: a reply waits. What is to be said stands in the table `outbox`.",
        writers=("cases",),
        readers=("sender",),
        kept=7 * _DAY,
    ),
    Stream(
        DEADLETTER,
        "dead-letter",
        "record",
        "What could not be understood, until a person has looked.",
        writers=("connectors", "cases", "sink", "units' intake"),
        readers=("operator",),
        wide=False,
        kept=90 * _DAY,
    ),
    Stream(
        "unit.{profile}.{unit}",
        "unit-event",
        "case",
        "What a unit must know of its cases, without the reporter's identity. Only this unit can read it.",
        writers=("cases", "units' intake"),
        readers=("unit",),
        wide=False,
        kept=90 * _DAY,
    ),
    Stream(
        "unit-commands.{profile}.{unit}",
        "unit-command",
        "case",
        "What a unit's own system wants done. Only this unit can write it, and who acts is told by the topic alone.",
        writers=("unit",),
        readers=("units' intake",),
        wide=False,
        kept=14 * _DAY,
    ),
    Stream(
        "queue.{profile}.{channel}",
        "work",
        "case",
        "What the admins of a channel must do: one record a case, gone when nothing is to be done any more.",
        writers=("cases",),
        readers=("channel admins",),
        wide=False,
        compact=True,
    ),
)


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it should be on the brokers."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


class Record(NamedTuple):
    """One record for a topic; a `value` of None takes the key away."""

    topic: str
    key: bytes
    value: bytes | None


def unit_topic(profile: str, unit: str, prefix: str = DEFAULT_PREFIX) -> str:
    """Where a unit reads. It is also the unit's user name on Kafka, and begins, with a dot, its consumer groups."""
    return f"{prefix}unit.{profile}.{unit}"


def unit_commands_topic(profile: str, unit: str, prefix: str = DEFAULT_PREFIX) -> str:
    """Where a unit's own system writes."""
    return f"{prefix}unit-commands.{profile}.{unit}"


def queue_topic(profile: str, channel: str, prefix: str = DEFAULT_PREFIX) -> str:
    """Where the admins of a channel find their work."""
    return f"{prefix}queue.{profile}.{channel}"


def writer_of(topic: str, prefix: str = DEFAULT_PREFIX) -> tuple[str, str] | None:
    """(profile, unit) of a topic for units' commands; None for any other topic."""
    name = topic.removeprefix(prefix) if topic.startswith(prefix) else ""
    kind, _, rest = name.partition(".")
    profile, dot, unit = rest.partition(".")
    return (profile, unit) if kind == "unit-commands" and dot and unit and "." not in unit else None


def channel_roles(rulebook: Rulebook, channel: str) -> dict[str, Role]:
    """The admins of a channel: the roles whose scope names it."""
    known: dict[str, Role] | None = rulebook.worked_out.get(("admins", channel))
    if known is None:
        roles = rulebook.profile.roles.items()
        known = {name: role for name, role in roles if role.scope == "channels" and channel in role.channels}
        rulebook.worked_out["admins", channel] = known
    return known


def queues(rulebook: Rulebook) -> list[str]:
    """The channels that have admins of their own."""
    return [channel for channel in rulebook.profile.channels if channel_roles(rulebook, channel)]


def topics(
    rulebooks: Iterable[Rulebook],
    prefix: str = DEFAULT_PREFIX,
    partitions: int = PARTITIONS,
    replication: int = 1,
) -> list[Topic]:
    """All topics of an installation that serves these profiles.

    Raises `Misconfigured` where Kafka would not have the names, or could not tell two of them apart.
    """
    made = [
        Topic(prefix + name, partitions if stream.wide else 1, replication, stream.config(replication))
        for stream in STREAMS
        for name in _names(stream, list(rulebooks))
    ]
    for topic in made:
        if not _LEGAL.fullmatch(topic.name):
            raise Misconfigured(
                f"{topic.name!r} cannot be a topic: letters, digits, '.', '_' and '-', at most 249"
            )
    # Kafka's metrics write a dot as an underscore, so it refuses names that differ in nothing else.
    alike = Counter(topic.name.replace(".", "_") for topic in made)
    if clash := [topic.name for topic in made if alike[topic.name.replace(".", "_")] > 1]:
        raise Misconfigured(f"Kafka cannot tell these topics apart, rename a unit: {', '.join(clash)}")
    return made


def _names(stream: Stream, rulebooks: list[Rulebook]) -> Iterator[str]:
    if "{" not in stream.name:
        yield stream.name
    for book in rulebooks if "{" in stream.name else ():
        fillings = (
            [{"unit": unit} for unit in book.units]
            if "{unit}" in stream.name
            else [{"channel": channel} for channel in queues(book)]
        )
        yield from (stream.name.format(profile=book.name, **filling) for filling in fillings)


def _milliseconds(span: timedelta) -> str:
    return str(span // timedelta(milliseconds=1))
