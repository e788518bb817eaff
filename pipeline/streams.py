"""How records look on the streams, and how they are read: checked, or refused with the reason. Pure.

A reader knows this version of every schema and those before. What has a newer one, or none that it knows, is
`Unparsable`, with a reason that quotes nothing of what was in it: it belongs in the dead letter.
"""

from __future__ import annotations

from typing import Any, Final, Literal, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from laporhub.pipeline.base_model import SCHEMA_VERSION, Model, Utc
from laporhub.pipeline.commands import Command
from laporhub.pipeline.errors import Unparsable
from laporhub.pipeline.events import CaseEvent
from laporhub.pipeline.messages import Message
from laporhub.pipeline.redact import redact
from laporhub.pipeline.unit_events import UNIT_EVENT_SCHEMA, UnitCommand, UnitEvent, Work

CASE_EVENT_SCHEMA: Final = "urn:laporhub:case-event:"
_NAMED_AT_MOST: Final = 80

M = TypeVar("M", bound=BaseModel)


class CommandRecord(Model):
    """The record of `commands`: one command, with the version of its schema."""

    schema_version: Literal[1] = 1
    command: Command


class OutboxRecord(Model):
    """The record of `outbox`: this reply waits in the table of that name."""

    schema_version: Literal[1] = 1
    reply_id: str
    case_id: str
    profile: str
    channel: str
    account: str


class DeadLetterRecord(Model):
    """The record of `deadletter`: what could not be handled, and why.

    `stage` says where: "parse", "admit", "intake", "cases", "sink", "unit". `stream` and its partition and
    offset are where it was read; None for a payload that never became a record. `sealed` is the payload under a
    key of its own. Raw payloads may hold identity, and are never here in the clear.
    """

    schema_version: Literal[1] = 1
    id: str
    at: Utc
    profile: str | None = None
    channel: str | None = None
    stage: str
    reason: str
    stream: str | None = None
    partition: int | None = None
    offset: int | None = None
    sealed: str | None = None


SCHEMAS: Final[dict[str, type[Model]]] = {
    "message": Message,
    "command": CommandRecord,
    "case-event": CaseEvent,
    "outbox": OutboxRecord,
    "dead-letter": DeadLetterRecord,
    "unit-event": UnitEvent,
    "unit-command": UnitCommand,
    "work": Work,
}
"""Payload of a stream (see `topics`) → the model of its records."""


# ── writing ──────────────────────────────────────────────────────────────────────────────────────


def write_event(event: CaseEvent) -> bytes:
    """The event's canonical JSON: the same bytes on both engines."""
    return event.model_dump_json(exclude_none=True).encode()


def write_message(message: Message) -> bytes:
    return message.model_dump_json(exclude_none=True).encode()


def write_command(command: Command) -> bytes:
    return CommandRecord(command=command).model_dump_json(exclude_none=True).encode()


def write_record(record: Model) -> bytes:
    """Any other record."""
    return record.model_dump_json(exclude_none=True).encode()


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


def read_event(value: bytes | None) -> CaseEvent:
    """Raises `Unparsable`."""
    event = _read(CaseEvent, value)
    _check_version(_version_of(event.dataschema, CASE_EVENT_SCHEMA))
    return event


def read_message(value: bytes | None) -> Message:
    """Raises `Unparsable`."""
    message = _read(Message, value)
    _check_version(message.schema_version)
    return message


def read_command(value: bytes | None) -> Command:
    """Raises `Unparsable`."""
    return _read(CommandRecord, value).command


def read_outbox(value: bytes | None) -> OutboxRecord:
    """Raises `Unparsable`."""
    return _read(OutboxRecord, value)


def read_unit_event(value: bytes | None) -> UnitEvent:
    """Raises `Unparsable`."""
    event = _read(UnitEvent, value)
    _check_version(_version_of(event.dataschema, UNIT_EVENT_SCHEMA))
    return event


def read_unit_command(value: bytes | None) -> UnitCommand:
    """Raises `Unparsable`."""
    return _read(UnitCommand, value)


def read_work(value: bytes | None) -> Work | None:
    """None where the case needs nothing any more. Raises `Unparsable`."""
    return None if value is None else _read(Work, value)


def _read(model: type[M], value: bytes | None) -> M:
    if value is None:
        raise Unparsable("the record is empty")
    try:
        return model.model_validate_json(value)
    except ValidationError as error:
        _check_version(_version_in(value))
        raise Unparsable(_explained(error)) from None


def _version_in(value: bytes) -> object:
    """What the record says its version is: another version explains a misfit better than the misfit does."""
    try:
        found: Any = orjson.loads(value)
    except orjson.JSONDecodeError:
        return SCHEMA_VERSION
    if not isinstance(found, dict):
        return SCHEMA_VERSION
    if "dataschema" not in found:
        return found.get("schema_version", SCHEMA_VERSION)
    schema = str(found["dataschema"])
    return _version_of(
        schema, UNIT_EVENT_SCHEMA if schema.startswith(UNIT_EVENT_SCHEMA) else CASE_EVENT_SCHEMA
    )


def _version_of(schema: str, known: str) -> object:
    number = schema.removeprefix(known)
    return int(number) if schema.startswith(known) and number.isdecimal() and len(number) < 10 else schema


def _check_version(version: object) -> None:
    if type(version) is not int or not 1 <= version <= SCHEMA_VERSION:
        named = redact(str(version)[:_NAMED_AT_MOST])
        raise Unparsable(
            f"schema version {named} is not known here, only 1 to {SCHEMA_VERSION}: "
            "it was written by a newer hub, update this one",
            code="unknown_version",
        )


def _explained(error: ValidationError) -> str:
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])[:_NAMED_AT_MOST]
    more = f", and {error.error_count() - 1} more" if error.error_count() > 1 else ""
    return redact(f"{where or 'the record'}: {first['type']}{more}")
