"""A server process: started and ready, stopped, killed, started again on the same port with the same data."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from servers import guard
from servers.machine import CannotStart

READY_S = 300.0
"""How long a server may take until it answers. Generous: the machine may be busy with other tests."""
LIFELINE = "alive"


@dataclass(kw_only=True)
class RunningServer:
    """`url` is what clients are told. Use it in a `with`, or call close(): that also ends its guard."""

    name: str
    url: str
    folder: Path
    """Holds its data, its configuration and its log, `server.log`."""
    command: Sequence[str | Path]
    is_ready: Callable[[RunningServer], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    lifeline: Path | None = None
    """A file that is locked by whoever wants the server to run; by this process if none is named."""
    process: subprocess.Popen[bytes] | None = None
    _guard: subprocess.Popen[bytes] | None = None
    _held: int | None = None
    _log_before: int = 0

    @property
    def pid(self) -> int:
        """Of the process, and of the group of its children."""
        if self.process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self.process.pid

    @property
    def record(self) -> Path:
        return self.folder / "server.pid"

    def start(self) -> Self:
        """Returns when it answers. Does nothing if it runs."""
        if self.process is not None and self.process.poll() is None:
            return self
        log = self.folder / "server.log"
        self._log_before = log.stat().st_size if log.exists() else 0
        try:
            self.process = self._spawn(log)
        except OSError as refused:
            raise CannotStart(
                f"{self.name} could not be started as {self.user or 'this user'}: {refused}"
            ) from None
        guard.record(self.record, self.pid, self.stop_signal)
        self._watch()
        self._wait()
        return self

    def stop(self) -> None:
        """Asks it to end, and waits until it did."""
        self._end(self.stop_signal)

    def kill(self) -> None:
        """SIGKILL, to it and all its children: as if the power went."""
        self._end(signal.SIGKILL)

    def restart(self) -> Self:
        """Stops it and starts it on the same port with the same data."""
        self.stop()
        return self.start()

    def close(self) -> None:
        """Stops it for good. Its folder stays."""
        self.stop()
        if self._guard is not None:
            self._guard.terminate()
            self._guard.wait()
            self._guard = None
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *failure: object) -> None:
        self.close()

    def log(self) -> str:
        """What it wrote since it was last started."""
        with (self.folder / "server.log").open("rb") as written:
            written.seek(self._log_before)
            return written.read().decode(errors="replace")

    def _spawn(self, log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as written:
            return subprocess.Popen(
                [str(word) for word in self.command],
                cwd=self.folder,
                env={"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8", **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # an interrupt from the keyboard is for the tests, not for the server
                **as_user(self.user),
            )

    def _watch(self) -> None:
        """Once: sees to it that the server does not outlive who wants it."""
        if self._guard is not None:
            return
        if self.lifeline is None:
            self.lifeline = self.folder / LIFELINE
            self._held = guard.hold(self.lifeline)
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__, self.lifeline, self.record],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _wait(self) -> None:
        deadline = time.monotonic() + READY_S
        while not self.is_ready(self):
            ended = self.process is not None and self.process.poll() is not None
            if ended or time.monotonic() > deadline:
                said = self.log().strip()[-2000:]
                self.close()
                what = "ended at once" if ended else f"did not answer in {READY_S:.0f} seconds"
                raise CannotStart(f"{self.name} {what}: {said or 'it said nothing'}")
            time.sleep(0.05)

    def _end(self, sent: signal.Signals) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            os.killpg(self.process.pid, sent)
            try:
                self.process.wait(guard.GRACE_S)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.record.unlink(missing_ok=True)


def admin_password(folder: Path) -> str:
    """Of the server in that folder, drawn once: others on this machine can reach its port too."""
    path = folder / "password"
    if not path.exists():
        path.write_text(secrets.token_hex(16))
        path.chmod(0o600)
    return path.read_text()


def as_user(user: str | None) -> dict[str, Any]:
    """Arguments for subprocess that make it run as that user, with that user's main group only."""
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def give(folder: Path, user: str | None) -> None:
    """Makes a folder, with all in it, another user's."""
    if user is not None:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, user)
