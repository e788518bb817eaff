"""Every stream by name: nobody's topic is another's, and each keeps its records as long as its readers need them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import laporgub

from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.profile.load import load
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.streams import SCHEMAS
from laporhub.pipeline.topics import (
    COMMANDS,
    EVENTS,
    LARGEST_RECORD,
    MESSAGES,
    STREAMS,
    Topic,
    queue_topic,
    queues,
    topics,
    unit_commands_topic,
    unit_topic,
    writer_of,
)

BOOK = laporgub()
STREAM = {stream.name: stream for stream in STREAMS}
names = st.from_regex(r"[a-z][a-z0-9_-]{0,59}", fullmatch=True)
prefixes = st.from_regex(r"[a-z0-9._-]{0,20}", fullmatch=True)


def renamed(book: Rulebook, name: str, *units: str) -> Rulebook:
    """The same government under another name, with these units."""
    any_unit = next(iter(book.units.values()))
    return replace(
        book, profile=book.profile.model_copy(update={"name": name}), units=dict.fromkeys(units, any_unit)
    )


def made(*books: Rulebook, **how: int) -> dict[str, Topic]:
    return {topic.name: topic for topic in topics(books or (BOOK,), **how)}


def test_every_unit_and_every_channel_with_admins_has_its_topics() -> None:
    found = made()
    assert {unit_topic(BOOK.name, unit) for unit in BOOK.units} <= found.keys()
    assert {unit_commands_topic(BOOK.name, unit) for unit in BOOK.units} <= found.keys()
    assert {
        queue_topic(BOOK.name, channel) for channel in ("web", "x", "hotline", "whatsapp")
    } <= found.keys()
    assert len(found) == 5 + 2 * len(BOOK.units) + len(BOOK.profile.channels)


def test_a_channel_without_admins_of_its_own_has_no_queue() -> None:
    city = load(str(Path(__file__).parent / "profiles" / "surabaya"))
    assert queues(city) == []
    assert not any("queue" in name for name in made(city))


def test_one_agent_can_read_what_was_said_and_what_is_wanted_of_the_same_conversation() -> None:
    found = made(partitions=9)
    assert found[f"laporhub.{MESSAGES}"].partitions == found[f"laporhub.{COMMANDS}"].partitions == 9
    assert STREAM[MESSAGES].key == STREAM[COMMANDS].key == "conversation"


def test_what_a_unit_or_an_admin_reads_stays_in_order() -> None:
    assert {topic.partitions for name, topic in made().items() if ".unit" in name or ".queue" in name} == {1}


def test_events_are_kept_for_ever_and_queues_keep_what_is_still_to_be_done() -> None:
    found = made()
    assert found[f"laporhub.{EVENTS}"].config["retention.ms"] == "-1"
    assert found[f"laporhub.{EVENTS}"].config["cleanup.policy"] == "delete"
    assert found["laporhub.queue.laporgub-jateng.x"].config["cleanup.policy"] == "compact"
    assert "retention.ms" not in found["laporhub.queue.laporgub-jateng.x"].config


def test_a_unit_that_was_away_longer_than_its_clock_runs_has_missed_nothing() -> None:
    days = int(made()["laporhub.unit.laporgub-jateng.dinas-pupr"].config["retention.ms"]) / 86_400_000
    longest = max(rule.limit.working_days or 0 for rule in BOOK.profile.clocks.values())
    assert days > 4 * longest


def test_the_longest_message_fits() -> None:
    assert {topic.config["max.message.bytes"] for topic in made().values()} == {str(LARGEST_RECORD)}
    assert LARGEST_RECORD > 100_000 * 4 * (1 + 4 / 3) * 2


@pytest.mark.parametrize(("copies", "needed"), [(1, "1"), (2, "1"), (3, "2"), (5, "2")])
def test_with_three_copies_a_record_counts_when_two_have_it(copies: int, needed: str) -> None:
    assert {topic.config["min.insync.replicas"] for topic in made(replication=copies).values()} == {needed}


def test_every_stream_has_a_schema_writers_and_readers() -> None:
    assert {stream.payload for stream in STREAMS} == SCHEMAS.keys()
    assert all(stream.writers and stream.readers and stream.about for stream in STREAMS)


@given(names, names, prefixes)
def test_the_writer_of_a_units_commands_is_told_by_the_topic(profile: str, unit: str, prefix: str) -> None:
    assert writer_of(unit_commands_topic(profile, unit, prefix), prefix) == (profile, unit)
    assert writer_of(unit_topic(profile, unit, prefix), prefix) is None
    assert writer_of(queue_topic(profile, unit, prefix), prefix) is None


@pytest.mark.parametrize(
    "topic",
    [
        "laporhub.unit-commands.a",
        "laporhub.unit-commands.a.",
        "laporhub.unit-commands.a.b.c",
        "other.unit-commands.a.b",
        "unit-commands.a.b",
        "",
    ],
)
def test_no_other_topic_has_a_writer(topic: str) -> None:
    assert writer_of(topic) is None


@given(names, names, names, names)
def test_no_two_units_share_a_topic_or_the_beginning_of_one(a: str, b: str, c: str, d: str) -> None:
    """The beginning, with its dot, is what a unit's consumer groups are allowed by."""
    if (a, b) != (c, d):
        assert unit_topic(a, b) != unit_topic(c, d)
        assert not unit_topic(a, b).startswith(f"{unit_topic(c, d)}.")


def test_two_governments_in_one_hub_do_not_meet() -> None:
    found = made(renamed(BOOK, "kota-a", "dinas"), renamed(BOOK, "kota-b", "dinas"))
    assert {"laporhub.unit.kota-a.dinas", "laporhub.unit.kota-b.dinas"} <= found.keys()


def test_names_that_kafka_would_mix_up_are_refused() -> None:
    with pytest.raises(Misconfigured, match="rename a unit"):
        made(renamed(BOOK, "kota_a", "b"), renamed(BOOK, "kota", "a_b"))


def test_a_prefix_that_kafka_does_not_take_is_refused() -> None:
    with pytest.raises(Misconfigured, match="cannot be a topic"):
        topics([BOOK], prefix="lapor hub.")
