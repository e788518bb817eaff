"""Files that came with a case's messages, and how far each got."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

FileStatus: TypeAlias = Literal["waiting", "kept", "refused", "dropped"]
"""A dropped one is nobody's any more: its row stays only until its bytes are deleted. So it is with a refused one that
is due.
"""


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A file that came with a message, and how far it got.

    `digest` is the SHA-256 of its bytes; `media_type` what it is by its bytes once it is kept, until then what its
    sender called it; `reason` a word that staff's pages explain. What a picture said of itself: `width`, `height`
    (pixels), `taken_at`, `lat`, `lon` (WGS 84).
    """

    id: str
    message_id: str
    position: int
    case_id: str
    profile: str
    channel: str
    reporter: str
    url: str
    media_type: str | None = None
    name: str | None = None
    status: FileStatus = "waiting"
    attempts: int = 0
    next_at: datetime | None = None
    reason: str | None = None
    digest: str | None = None
    size: int | None = None
    width: int | None = None
    height: int | None = None
    taken_at: datetime | None = None
    lat: float | None = None
    lon: float | None = None
    fingerprint: str | None = None
    """What a picture looks like: see `media.fingerprint`."""
    field: str | None = None
    """Of a photo that came with a step, the field of its form; None for what the reporter sent."""
