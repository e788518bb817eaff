"""One folder a test run: the servers that its processes share are in it, and all are stopped when the run ends."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock
from servers import guard
from servers.machine import CannotStart
from servers.running import LIFELINE, RunningServer

PREFIX = "laporhub-servers-"
Start = Callable[[Path, Path], RunningServer]
"""Starts a server in the folder (first) for as long as the lifeline (second) is held."""


@dataclass
class Run:
    """A server is started by the first process that wants it, and outlives that process."""

    folder: Path
    _kept: list[RunningServer] = field(default_factory=list)

    @property
    def lifeline(self) -> Path:
        return self.folder / LIFELINE

    def shared(self, name: str, start: Start) -> dict[str, str]:
        """`url` and `folder` of the server of that name. A failure is remembered, and not tried by each process."""
        known = self.folder / f"{name}.json"
        with FileLock(self.folder / f"{name}.lock"):
            if not known.exists():
                known.write_text(json.dumps(self._started(name, start)))
        found: dict[str, str] = json.loads(known.read_text())
        if "reason" in found:
            raise CannotStart(found["reason"])
        return found

    def _started(self, name: str, start: Start) -> dict[str, str]:
        try:
            server = start(self.folder / name, self.lifeline)
        except CannotStart as missing:
            return {"reason": str(missing)}
        self._kept.append(server)
        return {"url": server.url, "folder": str(server.folder)}

    def private(self, name: str, start: Start) -> RunningServer:
        """A server for one test, which must close it."""
        return start(Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder)), self.lifeline)


@dataclass
class OwnRun(Run):
    """The run as the process sees it that began it, and ends it."""

    held: int = -1

    @classmethod
    def begin(cls) -> OwnRun:
        """The folder gets its name when the lock is held: without a lock, it is what a killed run left."""
        made = Path(tempfile.mkdtemp())
        made.chmod(0o711)  # a server that another user runs must get to its own folder
        held = guard.hold(made / LIFELINE)
        return cls(made.rename(made.with_name(f"{PREFIX}{made.name}")), held=held)

    def end(self) -> None:
        clear(self.folder)
        os.close(self.held)


def clear(folder: Path) -> None:
    """Stops all servers of a run, and removes what it wrote."""
    for record in folder.glob("*/server.pid"):
        guard.stop_recorded(record)
    shutil.rmtree(folder, ignore_errors=True)


def clear_what_killed_runs_left() -> None:
    for lifeline in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LIFELINE}"):
        with contextlib.suppress(OSError):  # somebody holds it, or it is another user's
            os.close(guard.hold(lifeline, wait=False))
            clear(lifeline.parent)
