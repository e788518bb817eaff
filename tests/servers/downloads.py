"""Servers as Maven artifacts: fetched once, compared with the sums written here, kept in the cache folder.

`NAME.pom.xml` says what to fetch. `NAME.sha256` has the sum of every file, as `sha256sum` writes it.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from filelock import FileLock
from servers.machine import CannotStart, cache

HERE = Path(__file__).parent
PATIENCE_S = 900.0


def version(name: str) -> str:
    """The one that the POM names."""
    found = ElementTree.parse(HERE / f"{name}.pom.xml").findtext("{*}version")
    if found is None:
        raise ValueError(f"{name}.pom.xml names no version")
    return found


def fetched(name: str) -> Path:
    """The folder with the files of that POM; one process at a time downloads them."""
    sums = (HERE / f"{name}.sha256").read_text()
    folder = cache() / f"{name}-{version(name)}-{hashlib.sha256(sums.encode()).hexdigest()[:8]}"
    with FileLock(folder.with_name(f"{folder.name}.lock")):
        if not folder.exists():
            _download(name, _sums(sums), folder)
    return folder


def _download(name: str, sums: dict[str, str], folder: Path) -> None:
    """Into a folder beside it first, so that a download that was broken off is never taken for a whole one."""
    if shutil.which("mvn") is None:
        raise CannotStart(f"there is no Maven here to fetch {name}: install maven")
    with tempfile.TemporaryDirectory(dir=folder.parent) as part:
        _run_maven(name, Path(part) / "files")
        got = {path.name: _sum(path) for path in (Path(part) / "files").iterdir()}
        wrong = sorted(file for file in got.keys() | sums.keys() if got.get(file) != sums.get(file))
        if wrong:
            raise CannotStart(f"{name}: not what {name}.sha256 says: {', '.join(wrong)}")
        (Path(part) / "files").rename(folder)


def _run_maven(name: str, folder: Path) -> None:
    # -U: a failed attempt is not remembered. Maven's own check would refuse a mirror that keeps no sums; ours follows.
    command = ["mvn", "-q", "-B", "-U", "-f", str(HERE / f"{name}.pom.xml")]
    command += ["dependency:copy-dependencies", f"-DoutputDirectory={folder}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        raise CannotStart(f"Maven took more than {PATIENCE_S:.0f} seconds to fetch {name}") from None
    if done.returncode:
        said = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
        raise CannotStart(
            f"Maven could not fetch {name} (is there a network?): {said[0] if said else done.stderr}"
        )


def _sums(text: str) -> dict[str, str]:
    """The sum of each file."""
    return {file: known for known, file in (line.split() for line in text.splitlines())}


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
