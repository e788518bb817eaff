"""What Kafka should have, what it has, and the steps from the one to the other. Pure.

A unit's user is named like its topic, and so are its consumer groups, with a dot behind: names on Kafka have no
dot of their own, so no unit's rights reach another's, and installations with other prefixes are left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.topics import Topic, unit_commands_topic, unit_topic


@dataclass(frozen=True, slots=True, order=True)
class Right:
    """What a user may do: one allowing ACL. Names are Kafka's, in small letters."""

    user: str
    operation: str
    resource: str
    name: str
    pattern: str = "literal"
    host: str = "*"

    def __str__(self) -> str:
        beginning = "…" if self.pattern == "prefixed" else ""
        place = "" if self.host == "*" else f" from {self.host}"
        return f"{self.operation} {self.resource} {self.name}{beginning}{place}"


@dataclass(frozen=True, slots=True)
class FoundTopic:
    """A topic as the brokers have it."""

    partitions: int
    replication: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Found:
    """What is on the brokers. `users` and `rights` are None where everybody may come in."""

    topics: Mapping[str, FoundTopic]
    users: frozenset[str] | None = None
    rights: frozenset[Right] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps, in the order in which they are taken; `by_hand` is what no program should do."""

    create: tuple[Topic, ...] = ()
    alter: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    remove_rights: tuple[Right, ...] = ()
    remove_users: tuple[str, ...] = ()
    add_users: tuple[str, ...] = ()
    add_rights: tuple[Right, ...] = ()
    by_hand: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[str]:
        """Each step in words."""
        for topic in self.create:
            yield f"topic {topic.name}: make it, {topic.partitions} partition(s)"
        for name, settings in self.alter.items():
            yield f"topic {name}: set {', '.join(f'{key}={value}' for key, value in settings.items())}"
        yield from (f"right to take away: {right.user} may {right}" for right in self.remove_rights)
        yield from (f"user {name}: delete, there is no such unit any more" for name in self.remove_users)
        yield from (f"user {name}: make it" for name in self.add_users)
        for user, rights in groupby(self.add_rights, key=lambda right: right.user):
            yield f"user {user}: may {', '.join(map(str, rights))}"


def rights_of(profile: str, unit: str, prefix: str) -> list[Right]:
    """All that a unit's system may do: read its topic in groups of its own, and write its commands."""
    user, commands = unit_topic(profile, unit, prefix), unit_commands_topic(profile, unit, prefix)
    return [
        Right(user, "read", "topic", user),
        Right(user, "describe", "topic", user),
        Right(user, "read", "group", f"{user}.", "prefixed"),
        Right(user, "write", "topic", commands),
        Right(user, "describe", "topic", commands),
    ]


def rights_of_hub(user: str, prefix: str) -> list[Right]:
    """All that the hub's own processes may do: read and write the topics of this installation, make and change none."""
    topics = (prefix, "prefixed") if prefix else ("*", "literal")
    return [
        *(Right(user, operation, "topic", *topics) for operation in ("read", "write", "describe")),
        Right(user, "read", "group", f"{prefix}hub", "prefixed"),
    ]


def plan(
    wanted: Iterable[Topic],
    rulebooks: Iterable[Rulebook],
    found: Found,
    prefix: str,
    hub: str | None = None,
) -> Plan:
    """The steps that are missing. Users and rights of units of other profiles are left alone, as are all others but
    `hub`, the user of the hub's own processes, if it is to have one.
    """
    wanted, books = list(wanted), list(rulebooks)
    have = {topic.name: found.topics[topic.name] for topic in wanted if topic.name in found.topics}
    made = Plan(
        create=tuple(topic for topic in wanted if topic.name not in have),
        alter={
            topic.name: changed
            for topic in wanted
            if topic.name in have and (changed := _changed(topic, have[topic.name]))
        },
        by_hand=tuple(
            line for topic in wanted if topic.name in have for line in _fixed(topic, have[topic.name])
        ),
    )
    if found.users is None or found.rights is None:
        return made
    should = {right for book in books for unit in book.units for right in rights_of(book.name, unit, prefix)}
    users = {unit_topic(book.name, unit, prefix) for book in books for unit in book.units}
    ours = tuple(unit_topic(book.name, "", prefix) for book in books)
    rights = {right for right in found.rights if right.user.startswith(ours) or right.user == hub}
    gone = {name for name in found.users if name.startswith(ours)} - users
    if hub is not None:
        should.update(rights_of_hub(hub, prefix))
        users.add(hub)
    return Plan(
        create=made.create,
        alter=made.alter,
        by_hand=made.by_hand,
        remove_rights=tuple(sorted(rights - should)),
        remove_users=tuple(sorted(gone)),
        add_users=tuple(sorted(users - found.users)),
        add_rights=tuple(sorted(should - rights)),
    )


def _changed(topic: Topic, found: FoundTopic) -> dict[str, str]:
    return {name: value for name, value in topic.config.items() if found.config.get(name) != value}


def _fixed(topic: Topic, found: FoundTopic) -> Iterator[str]:
    if found.partitions != topic.partitions:
        yield (
            f"topic {topic.name} has {found.partitions} partition(s), not {topic.partitions}: another number sends "
            "the same key elsewhere while records wait. Set LAPORHUB_PARTITIONS to what is there, or let the workers "
            "finish, stop all, and change it with Kafka's own tools"
        )
    if found.replication < topic.replication:
        yield (
            f"topic {topic.name} has {found.replication} copies, not {topic.replication}: "
            "reassign its partitions with Kafka's own tools"
        )
