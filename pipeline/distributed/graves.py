"""Where a record goes that cannot be handled: sealed into the dead letters, and told on the topic of that name."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy import Engine

from laporhub.pipeline.distributed.records import Given, Taken
from laporhub.pipeline.redact import redact
from laporhub.pipeline.store import dead_letters
from laporhub.pipeline.store.database import writer
from laporhub.pipeline.store.dead_letters import DeadLetter
from laporhub.pipeline.store.keys import KeyRing, save_keys
from laporhub.pipeline.streams import DeadLetterRecord, write_record
from laporhub.pipeline.topics import DEADLETTER

logger = structlog.get_logger(__name__)


class Graves:
    """Blocking: call from a thread. The same record twice is one dead letter."""

    def __init__(self, database: Engine, ring: KeyRing, prefix: str, now: Callable[[], datetime]) -> None:
        self._database = writer(database)
        self._ring = ring
        self._prefix = prefix
        self._now = now

    def bury(self, record: Taken, stage: str, reason: str, profile: str = "", channel: str = "") -> Given:
        """Durable when it returns. The record for the topic of dead letters."""
        reason, now = redact(reason), self._now()
        digest = hashlib.sha256(b"\0".join((record.topic.encode(), record.key or b"", record.value or b"")))
        name = f"x_{digest.hexdigest()[:26]}"
        kept = {"topic": record.topic, "key": _text(record.key), "value": _text(record.value)}
        sealed = self._ring.seal(f"dead letter {name}", json.dumps(kept), now)
        letter = DeadLetter(name, now, profile, channel or record.topic, stage, reason, sealed)
        key = self._ring.pending(f"dead letter {name}")
        with self._database.begin() as connection:
            save_keys(connection, [key] if key else [])
            dead_letters.bury(connection, letter)
        if key is not None:
            self._ring.stored(key)
        logger.warning("dead letter", id=name, stage=stage, topic=record.topic, reason=reason)
        told = DeadLetterRecord(
            id=name,
            at=now,
            profile=profile or None,
            channel=channel or None,
            stage=stage,
            reason=reason,
            stream=record.topic,
            partition=record.partition,
            offset=record.offset,
            sealed=sealed,
        )
        return Given(self._prefix + DEADLETTER, name.encode(), write_record(told))


def dug_up(plain: str) -> Given | None:
    """The record in an opened dead letter, to be written again; None if it held a payload from outside."""
    kept = json.loads(plain)
    if "topic" not in kept:
        return None
    return Given(kept["topic"], _bytes(kept["key"]), _bytes(kept["value"]))


def _text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _bytes(value: str | None) -> bytes | None:
    return None if value is None else base64.b64decode(value)
