"""Stops a server when whoever wanted it is gone, however that one ended: `python guard.py LIFELINE RECORD`.

Whoever wants the server holds a lock on the file LIFELINE; the system gives it up when that process ends.
RECORD says which process is the server. Needs nothing but the standard library.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path

GRACE_S = 20.0
"""How long a server may take to stop before it is killed."""


def hold(lifeline: Path, wait: bool = True) -> int:
    """Takes the lock. It lasts until the descriptor is closed or this process ends.

    BlockingIOError: somebody else has it, and waiting is not wanted.
    """
    descriptor = os.open(lifeline, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(descriptor)
        raise
    return descriptor


def record(path: Path, pid: int, stop_signal: signal.Signals) -> None:
    """Writes down whom to stop: the process, told apart from a later one of the same number by its start."""
    path.write_text(json.dumps({"pid": pid, "began": began(pid), "signal": int(stop_signal)}))


def stop_recorded(path: Path) -> None:
    """Stops the process group that the record names, if it is still that one. Twice does no harm."""
    try:
        known = json.loads(path.read_text())
    except FileNotFoundError:
        return
    pid = int(known["pid"])
    for sent in (known["signal"], signal.SIGKILL):
        deadline = time.monotonic() + GRACE_S
        if began(pid) == known["began"]:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, sent)
        while began(pid) == known["began"] and time.monotonic() < deadline:
            time.sleep(0.05)
    path.unlink(missing_ok=True)


def began(pid: int) -> str | None:
    """A mark of when a process began; None for one that has ended."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if words[0] in "ZX" else words[19]  # "zombie" and "dead"; field 22 of the file
    except OSError:
        return _began_elsewhere(pid)


def _began_elsewhere(pid: int) -> str | None:
    """Where there is no /proc a process is known by its number alone."""
    if Path("/proc/self/stat").exists():
        return None
    try:
        os.kill(pid, 0)
    except OSError:
        return None
    return "running"


if __name__ == "__main__":
    hold(Path(sys.argv[1]))
    stop_recorded(Path(sys.argv[2]))
