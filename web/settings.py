"""What the web needs to be told; the composition root reads it from the environment."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _new_key() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class WebSettings:
    """`public_url` is the address that citizens and platforms use, without a slash at the end.

    `secret_key` signs form tokens. `cookie_secure` is off only for a hub that is tried out over plain HTTP.
    `max_body_bytes` has room for the longest text allowed, 100,000 characters, when each takes twelve bytes: an
    emoji in escaped JSON or in a form. `now` and `new_key` are the only clock and the only source of chance that
    the web uses.
    """

    secret_key: str
    public_url: str
    cookie_secure: bool = True
    max_body_bytes: int = 1536 * 1024
    max_upload_bytes: int = 34 * 1024 * 1024
    """Of a form with files: three of 10 MB and the words."""
    demo: bool = False
    now: Callable[[], datetime] = _utc_now
    new_key: Callable[[], str] = _new_key
