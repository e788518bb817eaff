"""What the machine must have for the servers: Java, Maven, a user that is not root, room for downloads."""

from __future__ import annotations

import os
import re
import shutil
import socket
from pathlib import Path
from random import SystemRandom

JAVA_FOLDERS = ("/usr/lib/jvm", "/Library/Java/JavaVirtualMachines", "/opt/java", "/opt")
PORTS = range(20_000, 32_000)
"""Below those that the system gives to clients. There, a client that tries and tries while its server is down
can be given the server's own port, is then connected to itself, and the server cannot come back."""


class CannotStart(Exception):
    """This machine cannot run the server. The message says what is missing and what to do."""


def cache() -> Path:
    """Where downloads are kept: LAPORHUB_TEST_CACHE, else in the user's cache folder."""
    folder = os.environ.get("LAPORHUB_TEST_CACHE") or Path.home() / ".cache" / "laporhub-tests"
    path = Path(folder).expanduser().absolute()
    path.mkdir(parents=True, exist_ok=True)
    return path


def java_home(at_least: int) -> Path:
    """The oldest Java of this machine that is new enough: it is the best tried with the servers."""
    found = {home: version for home in _java_homes() if (version := _java_version(home)) >= at_least}
    if not found:
        raise CannotStart(f"there is no Java {at_least} or newer here: install one, or set JAVA_HOME")
    return min(found, key=lambda home: (found[home], home))


def _java_homes() -> list[Path]:
    named = [Path(home) for name in ("ES_JAVA_HOME", "JAVA_HOME") if (home := os.environ.get(name))]
    on_path = [Path(java).resolve().parents[1]] if (java := shutil.which("java")) else []
    installed = [path for folder in JAVA_FOLDERS for path in sorted(Path(folder).glob("*"))]
    homes = [*named, *on_path, *installed, *(path / "Contents" / "Home" for path in installed)]
    return [home for home in homes if os.access(home / "bin" / "java", os.X_OK)]


def _java_version(home: Path) -> int:
    """The feature release, by the file that every Java home has; 0 where it does not say."""
    try:
        found = re.search(r'^JAVA_VERSION="(\d+)', (home / "release").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) if found else 0


def other_user() -> str | None:
    """Who runs a server that refuses to run as root; None where nobody else is needed."""
    return "nobody" if os.geteuid() == 0 else None


def free_port() -> int:
    """A port of the loopback address that nobody listens on now."""
    for port in SystemRandom().sample(PORTS, 50):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise CannotStart("no free port was found on 127.0.0.1")
