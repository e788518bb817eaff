"""Where a record goes that cannot be handled: sealed into the dead letters, and told on the topic of that name."""

from __future__ import annotations

import base64
import hashlib
import json
import traceback
from collections import Counter
from collections.abc import Callable
from datetime import datetime

import structlog
from sqlalchemy import Engine

from laporhub.pipeline.distributed.records import AWAITED, Given, Taken
from laporhub.pipeline.errors import LaporHubError, Misconfigured, RetryLater
from laporhub.pipeline.redact import redact
from laporhub.pipeline.store import dead_letters
from laporhub.pipeline.store.database import is_transient, writer
from laporhub.pipeline.store.dead_letters import DeadLetter
from laporhub.pipeline.store.keys import KeyRing, save_keys
from laporhub.pipeline.streams import DeadLetterRecord, write_record
from laporhub.pipeline.topics import DEADLETTER, LARGEST_RECORD

_TOLD_AT_MOST = LARGEST_RECORD // 2
"""Characters of a sealed record that the topic carries; a larger one is only in the database."""
_GIVEN_UP_AT_MOST = 50
"""Unforeseen errors in a row after which a person must look: a bad deploy must not bury what citizens send."""

logger = structlog.get_logger(__name__)


class Graves:
    """Blocking: call from a thread. The same record twice is one dead letter."""

    def __init__(self, database: Engine, ring: KeyRing, prefix: str, now: Callable[[], datetime]) -> None:
        self._database = writer(database)
        self._ring = ring
        self._prefix = prefix
        self._now = now
        self._given_up: Counter[str] = Counter()

    def went_well(self, stage: str) -> None:
        """The stage handled something: its unforeseen errors are single ones."""
        self._given_up[stage] = 0

    def give_up(self, record: Taken, stage: str, error: Exception, profile: str = "") -> Given:
        """Buries a record on which the stage failed in a way nobody foresaw.

        Raises `Misconfigured` when one after the other does: a person must look. And `RetryLater`.
        """
        self._given_up[stage] += 1
        if self._given_up[stage] >= _GIVEN_UP_AT_MOST:
            raise Misconfigured(
                f"{self._given_up[stage]} records in a row failed unforeseen: the worker stops, see the log"
            ) from error
        where = traceback.extract_tb(error.__traceback__)[-1]
        logger.error("a record could not be handled", exc_info=error)
        said = str(error) if isinstance(error, LaporHubError) else type(error).__name__
        return self.bury(record, stage, f"{said} in {where.name}, line {where.lineno}", profile)

    def bury(self, record: Taken, stage: str, reason: str, profile: str = "", channel: str = "") -> Given:
        """Durable when it returns. The record for the topic of dead letters. Raises `RetryLater`."""
        try:
            return self._bury(record, stage, reason, profile, channel)
        except Exception as error:
            if is_transient(error) and not isinstance(error, RetryLater):
                raise RetryLater(f"The dead letter could not be stored: {type(error).__name__}") from error
            raise

    def _bury(self, record: Taken, stage: str, reason: str, profile: str, channel: str) -> Given:
        reason, now = redact(reason), self._now()
        digest = hashlib.sha256(b"\0".join((record.topic.encode(), record.key or b"", record.value or b"")))
        name = f"x_{digest.hexdigest()[:26]}"
        # Who asked is answered after a replay too; nobody waits by then.
        headers = [(each, _text(value)) for each, value in record.headers if each != AWAITED]
        kept = {
            "topic": record.topic,
            "key": _text(record.key),
            "value": _text(record.value),
            "headers": headers,
        }
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
            sealed=sealed if len(sealed) <= _TOLD_AT_MOST else None,
        )
        return Given(self._prefix + DEADLETTER, name.encode(), write_record(told))


def dug_up(plain: str) -> Given | None:
    """The record in an opened dead letter, to be written again; None if it held a payload from outside."""
    kept = json.loads(plain)
    if "topic" not in kept:
        return None
    headers = tuple((name, _bytes(value) or b"") for name, value in kept.get("headers", ()))
    return Given(kept["topic"], _bytes(kept["key"]), _bytes(kept["value"]), headers)


def _text(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode()


def _bytes(value: str | None) -> bytes | None:
    return None if value is None else base64.b64decode(value)
