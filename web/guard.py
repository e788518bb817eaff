"""Small locks: tokens of forms, the reporter's secret, too many wrong passwords. All but `Attempts` pure."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from laporhub.pipeline.errors import Refused


class CsrfMismatch(Refused):
    """A staff form came without its session's token."""

    code = "csrf"


def csrf_token(secret_key: str, session: str) -> str:
    """The token that every form of this session carries."""
    return hmac.new(secret_key.encode(), b"csrf:" + session.encode(), hashlib.sha256).hexdigest()


def same(given: str | None, expected: str) -> bool:
    """Whether a secret matches, in a time that tells nothing about it."""
    return given is not None and hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def local_path(target: str | None, default: str) -> str:
    """`target` if it is a page of this site, so that a link cannot send a signed-in person elsewhere."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or "\\" in target:
        return default
    parts = urlsplit(target)
    return default if parts.scheme or parts.netloc or any(c < " " for c in target) else target


class Attempts:
    """Failed sign-ins by username and address: after `limit` within `window`, one waits.

    Kept in memory; the oldest are dropped beyond `most` entries.
    """

    def __init__(self, limit: int = 5, window: timedelta = timedelta(minutes=5), most: int = 10_000) -> None:
        self.limit, self.window, self.most = limit, window, most
        self._failed: dict[tuple[str, str], list[datetime]] = {}

    def blocked(self, username: str, address: str, now: datetime) -> bool:
        return len(self._recent((username.lower(), address), now)) >= self.limit

    def failed(self, username: str, address: str, now: datetime) -> None:
        key = (username.lower(), address)
        recent = [*self._recent(key, now), now]
        self._failed.pop(key, None)
        self._failed[key] = recent
        while len(self._failed) > self.most:
            del self._failed[next(iter(self._failed))]

    def succeeded(self, username: str, address: str) -> None:
        self._failed.pop((username.lower(), address), None)

    def _recent(self, key: tuple[str, str], now: datetime) -> list[datetime]:
        return [at for at in self._failed.get(key, []) if now - at < self.window]
