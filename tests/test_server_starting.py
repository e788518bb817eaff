"""Servers for tests are shared, end with whoever wanted them, and say why they could not start."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import pytest
from filelock import FileLock
from servers import downloads, guard, machine
from servers.machine import CannotStart
from servers.running import RunningServer
from servers.shared import OwnRun, Run, clear_what_killed_runs_left

HOLDS_A_LOCK = """
import fcntl, signal
held = open("held", "w")
fcntl.flock(held, fcntl.LOCK_EX)
print("ready", flush=True)
signal.pause()
"""
WANTS_A_SERVER = """
import signal, sys
from pathlib import Path
from test_server_starting import made_up
folder, *lifeline = map(Path, sys.argv[1:])
server = made_up(folder, *lifeline)
print("started", flush=True)
signal.pause()
"""


def made_up(folder: Path, lifeline: Path | None = None) -> RunningServer:
    """A server that does nothing but hold a lock on the file `held`."""
    folder.mkdir(exist_ok=True)
    return RunningServer(
        name="made up",
        url=f"made-up:{folder.name}",
        folder=folder,
        command=[sys.executable, "-c", HOLDS_A_LOCK],
        is_ready=lambda server: "ready" in server.log(),
        lifeline=lifeline,
    ).start()


def ends(folder: Path) -> bool:
    """Waits until the made-up server of that folder is gone."""
    with FileLock(folder / "held", timeout=60):
        return True


def start_and_be_killed(*arguments: Path) -> None:
    """Another process starts a made-up server, and is killed."""
    known = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    command = [sys.executable, "-c", WANTS_A_SERVER, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=known) as wants:
        assert wants.stdout is not None
        assert wants.stdout.readline() == b"started\n"
        wants.kill()


def test_a_server_ends_with_whoever_wanted_it_even_if_that_is_killed(tmp_path: Path) -> None:
    start_and_be_killed(tmp_path)
    assert ends(tmp_path)


def test_a_server_of_the_run_outlives_a_killed_worker_and_ends_with_the_run() -> None:
    run = OwnRun.begin()
    start_and_be_killed(run.folder / "server", run.lifeline)
    known = json.loads((run.folder / "server" / "server.pid").read_text())
    assert guard.began(known["pid"]) == known["began"]
    run.end()
    assert guard.began(known["pid"]) is None
    assert not run.folder.exists()


def test_all_workers_of_a_run_share_one_server() -> None:
    began: list[RunningServer] = []

    def start(folder: Path, lifeline: Path) -> RunningServer:
        began.append(made_up(folder, lifeline))
        return began[-1]

    run = OwnRun.begin()
    found = [Run(run.folder).shared("server", start) for _worker in range(3)]
    (server,) = began
    server.close()
    run.end()
    assert found == [{"url": "made-up:server", "folder": str(run.folder / "server")}] * 3


def test_what_a_killed_run_left_is_cleared_and_a_live_run_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    dead, live = OwnRun.begin(), OwnRun.begin()
    with made_up(dead.folder / "server", live.lifeline) as server:
        os.close(dead.held)
        clear_what_killed_runs_left()
        assert server.process is not None
        assert server.process.wait(60) == -signal.SIGTERM
    assert not dead.folder.exists()
    assert live.folder.exists()
    live.end()


def test_a_server_that_cannot_start_is_tried_once_a_run() -> None:
    tried: list[Path] = []

    def start(folder: Path, lifeline: Path) -> RunningServer:
        tried.append(folder)
        raise CannotStart("install it")

    run = OwnRun.begin()
    for _worker in range(2):
        with pytest.raises(CannotStart, match="install it"):
            Run(run.folder).shared("server", start)
    run.end()
    assert len(tried) == 1


def test_a_server_that_ends_at_once_says_why(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('the disk is full')"]
    server = RunningServer(
        name="Made up", url="", folder=tmp_path, command=command, is_ready=lambda _server: False
    )
    with pytest.raises(CannotStart, match="Made up ended at once: the disk is full"):
        server.start()


def test_a_later_process_with_the_number_of_a_server_is_left_alone(tmp_path: Path) -> None:
    record = tmp_path / "server.pid"
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, start_new_session=True
    ) as later:
        record.write_text(json.dumps({"pid": later.pid, "began": "long ago", "signal": int(signal.SIGTERM)}))
        guard.stop_recorded(record)
        later.communicate(b"\n")
    assert later.returncode == 0


def install_maven(folder: Path, script: str) -> None:
    """A stand-in: finds the folder to fill in `$out`."""
    program = folder / "mvn"
    program.write_text(
        f"#!/bin/sh\nfor word; do out=${{word#-DoutputDirectory=}}; done\n{textwrap.dedent(script)}"
    )
    program.chmod(0o755)


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (None, "no Maven here to fetch kafka: install maven"),
        ("echo '[ERROR] Network is unreachable'; exit 1", "is there a network.*Network is unreachable"),
        (
            "/bin/mkdir -p $out; echo tampered >$out/kafka_2.13-4.1.1.jar",
            r"not what kafka.sha256 says: .*kafka_2\.13",
        ),
    ],
)
def test_why_a_server_could_not_be_fetched_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, reason: str
) -> None:
    monkeypatch.setenv("LAPORHUB_TEST_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    if script is not None:
        install_maven(tmp_path, script)
    with pytest.raises(CannotStart, match=reason):
        downloads.fetched("kafka")


def test_a_java_that_is_too_old_will_not_do() -> None:
    with pytest.raises(CannotStart, match="no Java 99 or newer here"):
        machine.java_home(99)


@pytest.mark.parametrize(("complete", "status"), [("0", 0), ("1", 1)])
def test_what_a_missing_server_kept_from_running_is_listed_and_fails_where_all_must_run(
    tmp_path: Path, complete: str, status: int
) -> None:
    test = "tests/test_servers.py::test_a_message_is_read_back"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", test],
        cwd=Path(__file__).parents[1],
        env={"PATH": "", "LAPORHUB_TEST_CACHE": str(tmp_path), "LAPORHUB_TESTS_COMPLETE": complete},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "install" in done.stdout
    assert status or re.search(f"not run: 1.*\n{test}: .*there is no", done.stdout)
