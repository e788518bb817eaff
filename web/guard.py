"""Small locks: tokens of forms, the reporter's secret, too many wrong passwords. All but the classes pure."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit

from laporhub.pipeline.errors import Refused, RetryLater

P = ParamSpec("P")
T = TypeVar("T")


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
    """Sign-ins that did not succeed, by username and address: after `limit` within `window`, one waits.

    All of an address together may be `by_address`, so that trying many names does not help. Kept in memory;
    the oldest are dropped beyond `most` entries.
    """

    def __init__(
        self,
        limit: int = 5,
        window: timedelta = timedelta(minutes=5),
        most: int = 10_000,
        by_address: int = 50,
    ) -> None:
        self.limit, self.window, self.most, self.by_address = limit, window, most, by_address
        self._failed: dict[tuple[str, ...], list[datetime]] = {}

    def blocked(self, username: str, address: str, now: datetime) -> bool:
        return (
            len(self._recent((username.lower(), address), now)) >= self.limit
            or len(self._recent((address,), now)) >= self.by_address
        )

    def failed(self, username: str, address: str, now: datetime) -> None:
        """Counts an attempt: before its password is looked at, or many at once would all get their try."""
        for key in ((username.lower(), address), (address,)):
            recent = [*self._recent(key, now), now]
            self._failed.pop(key, None)
            self._failed[key] = recent
        while len(self._failed) > self.most:
            del self._failed[next(iter(self._failed))]

    def succeeded(self, username: str, address: str) -> None:
        """Forgives the name its attempts, and the address this one: an account of one's own resets nothing."""
        self._failed.pop((username.lower(), address), None)
        if self._failed.get((address,)):
            self._failed[(address,)].pop()

    def _recent(self, key: tuple[str, ...], now: datetime) -> list[datetime]:
        return [at for at in self._failed.get(key, []) if now - at < self.window]


class Line:
    """A few threads for slow work that nobody else shall wait behind, and a short line in front of them.

    Looking at one password takes 64 MiB and most of a processor for a moment.
    """

    def __init__(self, threads: int = 2, most: int = 20) -> None:
        """`most`: how many may be at work or waiting."""
        self.most = most
        self._inside = 0
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="sign-in")

    @property
    def full(self) -> bool:
        return self._inside >= self.most

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` gives. Raises `RetryLater` at once when the line is full."""
        if self.full:
            raise RetryLater("Too many are signing in at once", after=5)
        self._inside += 1
        try:
            return await asyncio.wrap_future(self._threads.submit(work, *args, **kwargs))
        finally:
            self._inside -= 1
