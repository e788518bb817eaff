"""The streams for others to read: an AsyncAPI 3.0 document and JSON Schemas, made from the models and `topics`. Pure.

`laporhub streams FOLDER` writes them; a test sees to it that `docs/` has what is made here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from pydantic.json_schema import models_json_schema

from laporhub.pipeline.base_model import SCHEMA_VERSION
from laporhub.pipeline.streams import SCHEMAS
from laporhub.pipeline.topics import DEFAULT_PREFIX, PARTITIONS, STREAMS, Stream

ASYNCAPI: Final = "3.0.0"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_KAFKA: Final = "0.5.0"
"""Version of AsyncAPI's Kafka bindings."""
_COMPONENTS: Final = "#/components/schemas/{model}"

Json: TypeAlias = dict[str, Any]

_PARAMETERS: Final[dict[str, Json]] = {
    "profile": {"description": "The government: the `name` of its profile.", "examples": ["laporgub-jateng"]},
    "unit": {"description": "A unit's `id` in the profile's `units.yaml`.", "examples": ["dinas-pupr"]},
    "channel": {"description": "A channel of the profile that has admins of its own.", "examples": ["x"]},
}
_KEYS: Final = {
    "conversation": "The conversation: one reporter on one account.",
    "case": "The case.",
    "record": "The dead letter.",
}
_OUTSIDE: Final = frozenset({"unit", "channel admins", "operator"})
"""Who is no part of the hub: what they write it only receives, what they read it only sends."""


def schema_name(payload: str) -> str:
    """File name of a payload's schema."""
    return f"{payload}.v{SCHEMA_VERSION}.json"


def schemas() -> dict[str, Json]:
    """File name → JSON Schema (draft 2020-12) of the records of a stream."""
    return {
        schema_name(payload): {
            "$schema": DIALECT,
            "$id": f"urn:laporhub:{payload}:{SCHEMA_VERSION}",
            **_plain(model.model_json_schema()),
        }
        for payload, model in SCHEMAS.items()
    }


def document(prefix: str = DEFAULT_PREFIX, partitions: int = PARTITIONS) -> Json:
    """The AsyncAPI document of an installation with these settings; that of the defaults is in `docs/`."""
    return {
        "asyncapi": ASYNCAPI,
        "info": {
            "title": "LaporHub streams",
            "version": f"{SCHEMA_VERSION}.0.0",
            "description": "What travels between the parts of the hub, to units and to channel admins. Values are JSON "
            "in UTF-8, keys the plain id in UTF-8. Any record may come again: its id tells. No record of the hub "
            "carries identity in the clear, and what leaves it (`unit`, `queue`) not even sealed.",
            "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "kafka.example:9092",
                "protocol": "kafka-secure",
                "description": "Apache Kafka. A unit signs in with the name of its topic.",
                "security": [{"$ref": "#/components/securitySchemes/scram"}],
            }
        },
        "channels": {_id(stream): _channel(stream, prefix, partitions) for stream in STREAMS},
        "operations": {name: operation for stream in STREAMS for name, operation in _operations(stream)},
        "components": {
            "messages": {_camel(stream.payload): _message(stream) for stream in STREAMS},
            "schemas": _components(),
            "parameters": _PARAMETERS,
            "securitySchemes": {"scram": {"type": "scramSha512", "description": "SASL SCRAM-SHA-512."}},
        },
    }


def _channel(stream: Stream, prefix: str, partitions: int) -> Json:
    config = stream.config(1)
    kept: Json = {"cleanup.policy": [config["cleanup.policy"]]}
    for setting in ("retention.ms", "delete.retention.ms", "max.message.bytes"):
        if setting in config:
            kept[setting] = int(config[setting])
    made: Json = {
        "address": prefix + stream.name,
        "title": stream.name,
        "description": f"{stream.about} Written by: {', '.join(stream.writers)}. Read by: {', '.join(stream.readers)}.",
        "messages": {_camel(stream.payload): {"$ref": f"#/components/messages/{_camel(stream.payload)}"}},
        "bindings": {
            "kafka": {
                "partitions": partitions if stream.wide else 1,
                "topicConfiguration": kept,
                "bindingVersion": _KAFKA,
            }
        },
    }
    if names := re.findall(r"{(\w+)}", stream.name):
        made["parameters"] = {name: {"$ref": f"#/components/parameters/{name}"} for name in names}
    return made


def _operations(stream: Stream) -> Iterator[tuple[str, Json]]:
    """What the hub does with the stream, by its parts."""
    for action, others in (("send", stream.writers), ("receive", stream.readers)):
        parts = [other for other in others if other not in _OUTSIDE]
        if parts:
            channel = f"#/channels/{_id(stream)}"
            yield (
                _camel(f"{action}-{_id(stream)}"),
                {
                    "action": action,
                    "channel": {"$ref": channel},
                    "summary": f"By: {', '.join(parts)}.",
                    "messages": [{"$ref": f"{channel}/messages/{_camel(stream.payload)}"}],
                },
            )


def _message(stream: Stream) -> Json:
    model = SCHEMAS[stream.payload]
    return {
        "name": stream.payload,
        "title": _title(model.__doc__),
        "contentType": "application/cloudevents+json"
        if stream.payload.endswith("event")
        else "application/json",
        "payload": {"$ref": _COMPONENTS.format(model=model.__name__)},
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": _KEYS[stream.key]},
                "bindingVersion": _KAFKA,
            }
        },
    }


def _components() -> Json:
    _, made = models_json_schema(
        [(model, "validation") for model in SCHEMAS.values()], ref_template=_COMPONENTS
    )
    found: Json = _plain(made)["$defs"]
    return found


def _plain(schema: Any) -> Any:
    """Without OpenAPI's `discriminator`, which JSON Schema does not know and AsyncAPI writes otherwise."""
    if isinstance(schema, dict):
        return {
            name: _plain(value)
            for name, value in schema.items()
            if not (name == "discriminator" and isinstance(value, dict) and "propertyName" in value)
        }
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    return schema


def _title(docstring: str | None) -> str:
    return (docstring or "").strip().partition("\n")[0].rstrip(".").replace("`", "")


def _id(stream: Stream) -> str:
    """The stream's name without its placeholders: `unit.{profile}.{unit}` → `unit`."""
    return stream.name.partition(".")[0]


def _camel(words: str) -> str:
    first, *others = re.split(r"[-.]", words)
    return first + "".join(word.capitalize() for word in others)
