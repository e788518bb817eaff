"""`laporhub inbox`: what a unit sees of its own topic, from its side, with its own user, on a real broker."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer
from hypothesis import given
from hypothesis import strategies as st
from servers.secure_kafka import SecureKafka
from support import ADMIN, MONDAY, unit_admin, whatsapp
from test_case_life import BOOK, Life
from typer.testing import CliRunner

from laporhub.hub.cli import app
from laporhub.hub.commands_inbox import in_words
from laporhub.hub.inbox import Once, follow
from laporhub.hub.kafka_admin import KafkaAdmin
from laporhub.hub.kafka_plan import Plan, rights_of
from laporhub.hub.set_up import renew_password
from laporhub.hub.settings import Settings, load_settings
from laporhub.pipeline.errors import Conflict, LaporHubError, NotFound, RetryLater, Unparsable
from laporhub.pipeline.fanout import forwarded
from laporhub.pipeline.streams import read_unit_event
from laporhub.pipeline.topics import Record, topics, unit_commands_topic, unit_topic
from laporhub.pipeline.unit_commands import refusal
from laporhub.pipeline.unit_events import UnitEvent

UNIT, OTHER = list(BOOK.units)[:2]
pytestmark = pytest.mark.servers


def story() -> Life:
    """Given to one unit, returned, given to another, and answered."""
    life = Life()
    life.says("whatsapp", whatsapp(1, "Lampu jalan mati di Desa Contoh, hubungi 0800 0000 1234"))
    life.does(ADMIN, "dispose", unit=UNIT, note="Mohon dicek")
    life.says("whatsapp", whatsapp(1, "Sekarang dua lampu", "SM2"))
    life.does(unit_admin(UNIT), "return", reason="Bukan kewenangan kami")
    life.does(ADMIN, "dispose", unit=OTHER)
    life.does(unit_admin(OTHER), "respond", response="Sudah diganti.")
    life.does(ADMIN, "approve")
    life.delivered("response", "sent")
    return life


LIFE = story()


@pytest.fixture
def settings(kafka: str, tmp_path: Path) -> Settings:
    """An installation of its own on the shared broker, with the topics of two units."""
    made = load_settings(kafka_servers=kafka, topic_prefix=f"t{uuid4().hex[:10]}.", data=tmp_path)
    prepare(made)
    return made


def prepare(made: Settings) -> None:
    names = {unit_topic(BOOK.name, unit, made.topic_prefix) for unit in (UNIT, OTHER)}
    admin = KafkaAdmin(made)
    admin.create_topics([t for t in topics([BOOK], made.topic_prefix) if t.name in names])
    assert any(admin.found(list(names)).topics.keys() == names for _ in range(100))


async def publish(login: dict[str, Any], records: Sequence[Record]) -> None:
    producer = AIOKafkaProducer(**login)
    try:
        await producer.start()
        for record in records:
            await producer.send_and_wait(record.topic, record.value, key=record.key)
    finally:
        await producer.stop()


def sent(settings: Settings, records: Sequence[Record] | None = None) -> list[Record]:
    """The story's records, published."""
    made = forwarded(LIFE.events, None, BOOK, settings.topic_prefix) if records is None else list(records)
    asyncio.run(publish({"bootstrap_servers": settings.kafka_servers}, made))
    return made


def inbox(settings: Settings, *words: str, unit: str = UNIT) -> str:
    given = {"LAPORHUB_KAFKA_SERVERS": settings.kafka_servers, "LAPORHUB_TOPIC_PREFIX": settings.topic_prefix}
    done = CliRunner().invoke(app, ["inbox", "--unit", unit, *words], env=given)
    if isinstance(done.exception, LaporHubError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def lines(settings: Settings, *words: str, unit: str = UNIT) -> list[UnitEvent]:
    return [read_unit_event(line.encode()) for line in inbox(settings, *words, unit=unit).splitlines()]


def test_a_unit_sees_what_concerns_it_and_each_thing_once(settings: Settings) -> None:
    sent(settings)
    kinds = [event.data.kind for event in lines(settings)]
    assert kinds[0] == "case"
    assert kinds[-1] == "taken_away"
    assert "message_added" in kinds
    assert [e.data.kind for e in lines(settings, unit=OTHER)][0] == "case"
    assert lines(settings) == [], "it was shown, and acknowledged"


def test_each_line_is_the_record_as_it_came(settings: Settings) -> None:
    wanted = [
        r.value for r in sent(settings) if r.topic == unit_topic(BOOK.name, UNIT, settings.topic_prefix)
    ]
    assert [line.encode() for line in inbox(settings).splitlines()] == wanted


def test_what_comes_later_is_shown_the_next_time(settings: Settings) -> None:
    records = sent(settings, [])
    assert lines(settings) == []
    records = forwarded(LIFE.events, None, BOOK, settings.topic_prefix)
    sent(settings, records[:2])
    assert len(lines(settings)) == 2
    sent(settings, records[2:4])
    assert [event.sequence for event in lines(settings)] == [
        read_unit_event(record.value).sequence for record in records[2:4]
    ]


def test_all_can_be_shown_again_from_the_beginning(settings: Settings) -> None:
    sent(settings)
    first = inbox(settings)
    assert inbox(settings, "--from-beginning") == first != ""
    assert inbox(settings) == ""


def test_what_was_published_twice_is_shown_once(settings: Settings) -> None:
    records = forwarded(LIFE.events, None, BOOK, settings.topic_prefix)
    once = {read_unit_event(each.value).id for each in records if each.topic.endswith(f".{UNIT}")}
    sent(settings, [*records[:5], *records])
    shown = [event.id for event in lines(settings)]
    assert len(shown) == len(set(shown))
    assert set(shown) == once


def test_the_refusal_of_a_command_is_shown_too(settings: Settings) -> None:
    commands = unit_commands_topic(BOOK.name, UNIT, settings.topic_prefix)
    asked = json.dumps({"id": "surat-17", "case_id": "c_1", "transition": "accept"}).encode()
    answer = refusal(commands, asked, Conflict("no", code="wrong_state"), MONDAY, settings.topic_prefix)
    assert answer
    sent(settings, [answer, answer])
    (event,) = lines(settings)
    assert event.data.kind == "refused"


def test_words_for_people(settings: Settings) -> None:
    sent(settings)
    text = inbox(settings, "--format", "text")
    assert f"2026-11-23 02:00 UTC  {LIFE.case.ticket}  aduan untuk Anda [normal]: Lampu jalan mati" in text
    assert "(catatan: Mohon dicek)" in text
    assert "pelapor menulis: Sekarang dua lampu" in text
    assert "aduan tidak lagi di unit Anda" in text
    assert "0800" not in text


async def test_following_goes_on_with_what_comes(settings: Settings) -> None:
    """Two records, then a third while it watches."""
    records = [
        r for r in forwarded(LIFE.events, None, BOOK, settings.topic_prefix) if r.topic.endswith(f".{UNIT}")
    ]
    login = {"bootstrap_servers": settings.kafka_servers}
    await publish(login, records[:2])
    seen: asyncio.Queue[UnitEvent] = asyncio.Queue()
    watching = asyncio.create_task(
        follow(settings, BOOK.name, UNIT, lambda event, _: seen.put_nowait(event), on=True)
    )
    assert [(await seen.get()).id, (await seen.get()).id] == [
        read_unit_event(r.value).id for r in records[:2]
    ]
    await publish(login, records[2:3])
    assert (await seen.get()).id == read_unit_event(records[2].value).id
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching


# ── what can be wrong ────────────────────────────────────────────────────────────────────────────


def test_what_this_version_cannot_read_stays_unread(settings: Settings) -> None:
    topic = unit_topic(BOOK.name, UNIT, settings.topic_prefix)
    (good, *_) = forwarded(LIFE.events, None, BOOK, settings.topic_prefix)
    later = json.loads(good.value or b"") | {"dataschema": "urn:laporhub:unit-event:2", "mood": "new"}
    sent(settings, [good, Record(topic, b"c_1", json.dumps(later).encode())])
    with pytest.raises(Unparsable, match=r"offset 1: schema version 2"):
        inbox(settings)
    with pytest.raises(Unparsable, match=r"offset 1: schema version 2"):
        inbox(settings)


def test_a_unit_without_a_topic_is_told_what_to_look_at(settings: Settings) -> None:
    with pytest.raises(NotFound, match="laporhub setup"):
        inbox(settings, unit="tidak-ada")


def test_a_broker_that_is_away_is_said_to_be(settings: Settings) -> None:
    with pytest.raises(RetryLater, match=r"127\.0\.0\.1:1"):
        inbox(settings.model_copy(update={"kafka_servers": "127.0.0.1:1"}))


def test_with_its_own_file_a_unit_reads_its_own_inbox_and_no_other(
    secure_kafka: SecureKafka, tmp_path: Path
) -> None:
    login = secure_kafka.client()
    office = load_settings(
        kafka_servers=secure_kafka.url,
        kafka_security="SASL_PLAINTEXT",
        kafka_username=login["sasl_plain_username"],
        kafka_password=login["sasl_plain_password"],
        topic_prefix=f"t{uuid4().hex[:10]}.",
        data=tmp_path,
    )
    prepare(office)
    (file,) = renew_password(office, [BOOK], UNIT)
    rights = tuple(rights_of(BOOK.name, UNIT, office.topic_prefix))
    KafkaAdmin(office).apply(Plan(add_rights=rights), {})
    assert any(set(rights) <= (KafkaAdmin(office).found([]).rights or set()) for _ in range(100))
    asyncio.run(publish(login, forwarded(LIFE.events, None, BOOK, office.topic_prefix)))
    told = {"LAPORHUB_SETTINGS": file}
    mine = CliRunner().invoke(app, ["inbox", "--unit", UNIT], env=told)
    assert mine.exit_code == 0
    assert "Sekarang dua lampu" in mine.output
    others = CliRunner().invoke(app, ["inbox", "--unit", OTHER], env=told)
    assert isinstance(others.exception, NotFound)
    assert others.output == ""


# ── telling repeats ──────────────────────────────────────────────────────────────────────────────


@given(st.lists(st.integers(0, 30)))
def test_only_the_first_of_each_is_new(places: list[int]) -> None:
    events = [read_unit_event(each.value) for each in forwarded(LIFE.events, None, BOOK)]
    shown = [events[place % len(events)] for place in places]
    once = Once()
    new = [(event.subject, event.sequence) for event in shown if once.is_new(event)]
    assert new == list(dict.fromkeys((event.subject, event.sequence) for event in shown))


def test_every_kind_has_words() -> None:
    for record in forwarded(LIFE.events, None, BOOK):
        assert len(in_words(read_unit_event(record.value)).splitlines()) == 1
