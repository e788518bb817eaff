"""What is published of the streams is true: an AsyncAPI 3 document, and schemas that fit real records only."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, ValidationError
from pydantic import ValidationError as Misfit
from support import ADMIN, MONDAY, unit_admin, whatsapp
from test_case_life import BOOK, DOOR, Life

from laporhub.hub.commands_setup import described
from laporhub.pipeline import streams
from laporhub.pipeline.asyncapi import document, schemas
from laporhub.pipeline.commands import Act, Command, OpenCase, Tick, Words
from laporhub.pipeline.errors import Unparsable
from laporhub.pipeline.events import CaseEvent
from laporhub.pipeline.fanout import forwarded, work
from laporhub.pipeline.topics import STREAMS

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # about the names of its own fields
    from asyncapi3.models import AsyncAPI3

DOCS = Path(__file__).parents[1] / "docs"
SCHEMAS = schemas()
UNIT = next(iter(BOOK.units))


def lived() -> Life:
    """A complaint, answered; with a message too many, a note to the unit, and a failed reply."""
    life = Life()
    life.says("whatsapp", whatsapp(1, attachments=({"url": "https://files.example/1", "name": "foto.jpg"},)))
    life.does(ADMIN, "dispose", unit=UNIT, note="Segera")
    life.says("whatsapp", whatsapp(1, "Masih berlubang", "SM2", location={"lat": -7.0, "lon": 110.4}))
    life.does(unit_admin(UNIT), "respond", response="Sudah ditambal.")
    life.does(ADMIN, "approve")
    life.delivered("response", "sent")
    life.delivered("response", "failed", "window_closed")
    return life


LIFE = lived()


def commands() -> Iterator[Command]:
    message = DOOR.admit(BOOK, "whatsapp", whatsapp(1), MONDAY)
    about = {"profile": BOOK.name, "case_id": "c_1", "at": MONDAY}
    yield OpenCase(id="d_1", message=message, **about)
    yield Act(id="d_2", transition="respond", fields={"response": Words(text="Sudah")}, actor=ADMIN, **about)
    yield Tick(id="d_3", clock="first_response", alarm="warn", due_at=MONDAY, **about)


def records() -> Iterator[tuple[str, bytes]]:
    """(payload, value) of real records of every stream."""
    yield "message", streams.write_message(DOOR.admit(BOOK, "whatsapp", whatsapp(1), MONDAY))
    yield from (("command", streams.write_command(each)) for each in commands())
    yield from (("case-event", streams.write_event(each)) for each in LIFE.events)
    yield from (("unit-event", each.value or b"") for each in forwarded(LIFE.events, None, BOOK))
    yield from (("work", each.value or b"") for each in work(LIFE.case, BOOK))
    wake = {"reply_id": "r_1", "case_id": "c_1", "profile": BOOK.name, "channel": "x", "account": "@contoh"}
    yield "outbox", streams.write_record(streams.OutboxRecord.model_validate(wake))
    letter = {
        "id": "x_1",
        "at": MONDAY,
        "stage": "intake",
        "reason": "empty",
        "stream": "messages",
        "offset": 7,
    }
    yield "dead-letter", streams.write_record(streams.DeadLetterRecord.model_validate(letter))
    yield "unit-command", b'{"id":"1","case_id":"c_1","transition":"accept"}'


# ── the document ─────────────────────────────────────────────────────────────────────────────────


def test_what_is_in_docs_is_what_the_models_say() -> None:
    """Else: laporhub streams docs"""
    made = described()
    assert {name: (DOCS / name).read_bytes() for name in made} == made
    assert {path.name for path in (DOCS / "schemas").iterdir()} == SCHEMAS.keys()


def test_it_is_an_asyncapi_3_document() -> None:
    AsyncAPI3.model_validate(document())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda made: made.update(asyncapi="2.6.0"),
        lambda made: made.pop("info"),
        lambda made: made["operations"]["sendEvents"].update(action="publish"),
        lambda made: made["channels"]["events"].update(adress="laporhub.events"),
        lambda made: made["channels"]["events"]["bindings"]["kafka"].update(partitions="six"),
        lambda made: made["components"]["securitySchemes"]["scram"].update(type="password"),
    ],
)
def test_whatever_checks_it_would_notice(spoil: Callable[[Any], None]) -> None:
    made = deepcopy(document())
    spoil(made)
    with pytest.raises(Misfit):
        AsyncAPI3.model_validate(made)


def test_every_reference_leads_somewhere() -> None:
    made = document()

    def walk(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for value in node.values():
                yield from walk(value)
        elif isinstance(node, list):
            for value in node:
                yield from walk(value)

    for reference in walk(made):
        found: Any = made
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        assert found


def test_every_stream_is_described_with_its_name_key_and_parameters() -> None:
    made = document(prefix="prov.", partitions=12)
    addresses = {channel["address"]: channel for channel in made["channels"].values()}
    assert addresses.keys() == {f"prov.{stream.name}" for stream in STREAMS}
    assert addresses["prov.messages"]["bindings"]["kafka"]["partitions"] == 12
    assert addresses["prov.unit.{profile}.{unit}"]["parameters"].keys() == {"profile", "unit"}
    assert all("key" in message["bindings"]["kafka"] for message in made["components"]["messages"].values())


def test_a_units_system_finds_what_it_may_send_and_what_it_gets() -> None:
    operations = document()["operations"]
    assert {name for name in operations if "nit" in name} == {"sendUnit", "receiveUnitCommands"}


# ── the schemas ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", SCHEMAS)
def test_each_schema_is_one_and_says_its_version(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["$id"] == f"urn:laporhub:{name.removesuffix('.v1.json')}:1"


def test_real_records_of_every_stream_fit_their_schema() -> None:
    seen = set()
    for payload, value in records():
        Draft202012Validator(SCHEMAS[f"{payload}.v1.json"]).validate(json.loads(value))
        seen.add(payload)
    assert seen == {stream.payload for stream in STREAMS}
    assert len({event.data.kind for event in LIFE.events}) >= 9


def test_an_event_names_the_schema_that_it_fits() -> None:
    assert {event.dataschema for event in LIFE.events} == {SCHEMAS["case-event.v1.json"]["$id"]}
    told = [streams.read_unit_event(each.value) for each in forwarded(LIFE.events, None, BOOK)]
    assert {event.dataschema for event in told} == {SCHEMAS["unit-event.v1.json"]["$id"]}


@pytest.mark.parametrize("payload", sorted({payload for payload, _ in records()}))
def test_a_record_with_something_unknown_in_it_fits_no_schema(payload: str) -> None:
    record = json.loads(next(value for name, value in records() if name == payload)) | {"surprise": 1}
    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMAS[f"{payload}.v1.json"]).validate(record)


# ── reading ──────────────────────────────────────────────────────────────────────────────────────

READERS: dict[str, Callable[[bytes | None], Any]] = {
    "message": streams.read_message,
    "command": streams.read_command,
    "case-event": streams.read_event,
    "outbox": streams.read_outbox,
    "unit-event": streams.read_unit_event,
    "unit-command": streams.read_unit_command,
    "work": streams.read_work,
}
each_reader = pytest.mark.parametrize("payload", READERS)


def one(payload: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(next(value for name, value in records() if name == payload))
    return found


def test_what_is_written_is_read_back() -> None:
    for event in LIFE.events:
        assert streams.read_event(streams.write_event(event)) == event
    for command in commands():
        assert streams.read_command(streams.write_command(command)) == command
    message = DOOR.admit(BOOK, "whatsapp", whatsapp(1), MONDAY)
    assert streams.read_message(streams.write_message(message)) == message


def test_an_event_is_the_same_bytes_wherever_it_is_written() -> None:
    event: CaseEvent = LIFE.events[0]
    assert streams.write_event(event) == event.model_dump_json(exclude_none=True).encode()


@each_reader
@pytest.mark.parametrize("version", [2, 0, -1, "new", None, 10**12])
def test_a_version_that_is_not_known_is_refused_as_such(payload: str, version: object) -> None:
    """Also where the new version has new fields: the version explains more than a misfit."""
    record = one(payload)
    if "dataschema" in record:
        record["dataschema"] = record["dataschema"].removesuffix("1") + str(version)
    else:
        record["schema_version"] = version
    for more in ({}, {"brand_new": True}):
        with pytest.raises(Unparsable, match="schema version") as refused:
            READERS[payload](json.dumps(record | more).encode())
        assert refused.value.code == "unknown_version"


@pytest.mark.parametrize("payload", ["message", "command", "outbox", "unit-command", "work"])
def test_a_record_that_names_no_version_is_of_the_first(payload: str) -> None:
    record = one(payload)
    record.pop("schema_version", None)
    assert READERS[payload](json.dumps(record).encode())


@each_reader
@given(
    value=st.one_of(st.binary(max_size=200), st.sampled_from([b"", b"{}", b"[]", b"null", b"NaN", b'{"a":']))
)
def test_garbage_is_unparsable_and_nothing_else(payload: str, value: bytes) -> None:
    with pytest.raises(Unparsable):
        READERS[payload](value)


def test_no_value_is_unparsable_but_in_a_queue_where_it_means_done() -> None:
    assert streams.read_work(None) is None
    for payload in READERS.keys() - {"work"}:
        with pytest.raises(Unparsable, match="empty"):
            READERS[payload](None)


@each_reader
def test_the_reason_names_the_field_and_quotes_nothing(payload: str) -> None:
    record = one(payload)
    name = "case_id" if "case_id" in record else "profile" if "profile" in record else "command"
    record[name] = {"rahasia": "0800 0000 1234"}
    with pytest.raises(Unparsable, match=name) as refused:
        READERS[payload](json.dumps(record).encode())
    assert "1234" not in str(refused.value)
