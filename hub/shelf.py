"""The models of a profile, version by version, in the data folder: `models/<profile>/0001`, and which is in use."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from laporhub.pipeline.errors import Misconfigured, NotFound, Refused

_IN_USE: Final = "in-use.json"
_PROGRESS: Final = "progress.json"
_TRIED: Final = "tried.json"
_NEWEST: Final = 5
"""Versions that stay though nobody uses them."""
SYSTEM: Final = "system"
"""Who promotes by itself."""
COLD_START: Final = "cold-start"
"""What is named instead of a version where the units' description alone is in use."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """What is in use is one small file, replaced as a whole."""

    folder: Path

    def versions(self) -> list[str]:
        """Complete ones, oldest first."""
        return sorted(each.parent.name for each in self.folder.glob("[0-9]*/model.json"))

    def new(self) -> tuple[str, Path]:
        """A version of the next number, and the folder made for it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        taken = [int(each.name) for each in self.folder.glob("[0-9]*") if each.name.isdigit()]
        version = f"{max(taken, default=0) + 1:04d}"
        (self.folder / version).mkdir(mode=0o700)
        return version, self.folder / version

    def path(self, version: str) -> Path:
        """Raises `NotFound`."""
        if version not in self.versions():
            raise NotFound(f"there is no model {version!r}: laporhub model list")
        return self.folder / version

    def history(self) -> list[dict[str, str]]:
        """What was in use, with since when and by whom; the last one is now. Raises `Misconfigured`."""
        try:
            told = json.loads((self.folder / _IN_USE).read_text(encoding="utf-8"))
            return [{name: str(each[name]) for name in ("version", "at", "by")} for each in told]
        except FileNotFoundError:
            return []
        except (ValueError, TypeError, KeyError):
            raise Misconfigured(
                f"{self.folder / _IN_USE} cannot be read: laporhub model use VERSION writes it anew"
            ) from None

    def in_use(self) -> str:
        history = self.history()
        return history[-1]["version"] if history else COLD_START

    def use(self, version: str, by: str, at: datetime, *, anew: bool = False) -> None:
        """From now on. `anew` forgets what was in use before, where that cannot be read. Raises `NotFound`."""
        if version != COLD_START:
            self.path(version)
        history = [] if anew else self.history()
        self._write(_IN_USE, [*history, {"version": version, "at": at.isoformat(), "by": by}])

    def before(self) -> str:
        """What was in use before the present one."""
        history = [each["version"] for each in self.history()]
        earlier = [version for version in history if version != history[-1]]
        return earlier[-1] if earlier else COLD_START

    def prune(self) -> list[str]:
        """Removes old versions, and says which: not the newest, not what is in use or was before it, and none that a
        person ever chose. Also what a training that was broken off left.
        """
        try:
            chosen = {each["version"] for each in self.history() if each["by"] != SYSTEM}
            wanted = {*self.versions()[-_NEWEST:], *chosen, self.in_use(), self.before()}
        except Misconfigured:
            return []  # nobody knows any more which were chosen
        old = [each for each in self.versions() if each not in wanted]
        for version in old:
            (self.folder / version / "model.json").unlink()  # first: half a version is none
        whole = self.versions()
        for folder in self.folder.glob("[0-9]*"):
            if folder.name not in whole:
                shutil.rmtree(folder)
        return old

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Whoever learns. Raises `Refused` while another process does."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(self.folder / "lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise Refused(
                "Another process learns from the same cases: laporhub model list says how far it is",
                code="learning",
            ) from None
        try:
            yield
        finally:
            lock.release()

    def try_through(self, at: datetime) -> None:
        """Remembers that all that was decided until then was tried, whatever comes of it."""
        self._write(_TRIED, {"until": at.isoformat()})

    def tried(self) -> datetime | None:
        """Through when decided cases were in the last try."""
        try:
            told = json.loads((self.folder / _TRIED).read_text(encoding="utf-8"))
            return datetime.fromisoformat(told["until"])
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None

    def progressed(self, done: str, share: float, at: datetime) -> None:
        self._write(_PROGRESS, {"done": done, "share": round(share, 2), "at": at.isoformat()})

    def progress(self) -> Mapping[str, Any] | None:
        """How far training is, or was when it last ended."""
        try:
            told: Mapping[str, Any] = json.loads((self.folder / _PROGRESS).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return told

    def _write(self, name: str, value: object) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = self.folder / f"{name}.{os.getpid()}"
        unfinished.write_text(json.dumps(value), encoding="utf-8")
        unfinished.replace(self.folder / name)


def shelf_of(data: Path, profile: str) -> Shelf:
    return Shelf(data / "models" / profile)
