"""What a stage takes and gives, and the headers of our records. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Headers = Sequence[tuple[str, bytes]]

AWAITED = "awaited"
"""Header of a record for which a client waits: what came of it is written down."""
ASKED_BY = "asked-by"
"""Header of a command that a unit's own system sent: the topic it came from,"""
ASKED = "asked"
"""and the record as it was there, to be answered to if it is refused."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A record as it was read; `topic` is its name on the brokers."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()

    def header(self, name: str) -> bytes | None:
        return next((value for known, value in self.headers if known == name), None)


@dataclass(frozen=True, slots=True)
class Given:
    """A record to be written; a `value` of None takes the key away from a compacted topic."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
