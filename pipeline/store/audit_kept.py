"""The last known head of the audit log, in a file outside the database: a log that was emptied or begun anew lacks it.

The file may be behind the log, as after a crash between the two; it is never ahead. Processes may share it, or have
one each: each is then as far as its own last record.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from laporhub.pipeline.errors import Misconfigured


class KeptHead:
    """See the module. `secret` seals what is in the file; its folder must be there. Blocking."""

    def __init__(self, path: Path, secret: bytes) -> None:
        self._path = path
        self._secret = hmac.digest(secret, b"laporhub audit kept head", "sha256")

    def read(self) -> str | None:
        """A head, `number:mark`; None where none was kept yet. Raises `Misconfigured` where somebody else wrote it."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            text = ""
        head, _, seal = text.strip().partition(" ")
        if not hmac.compare_digest(self._seal(head).encode(), seal.encode()):
            raise Misconfigured(f"{self._path} was changed by somebody else: laporhub audit verify")
        return head

    def advance(self, head: str, holds: Callable[[str], bool]) -> bool:
        """Keeps a later head, if the log still `holds` the one kept so far; whether it does. Raises as `read`, and
        `OSError`.
        """
        with self._alone():
            kept = self.read()
            if kept is not None and not holds(kept):
                return False
            if kept is None or _number(head) > _number(kept):
                self._write(head)
            return True

    def replace(self, head: str) -> None:
        """Whatever was kept before: it is given up. Raises `OSError`."""
        with self._alone():
            self._write(head)

    def _write(self, head: str) -> None:
        """Whole or not at all, and durable."""
        draft = self._path.with_suffix(".draft")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(f"{head} {self._seal(head)}\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Other processes wait: of two that read and write, the slower one would put back the older head."""
        handle = os.open(self._path.parent, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _seal(self, head: str) -> str:
        return hmac.new(self._secret, head.encode(), hashlib.sha256).hexdigest()


def _number(head: str) -> int:
    return int(head.partition(":")[0])
