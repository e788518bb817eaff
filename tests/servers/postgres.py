"""A PostgreSQL server of this machine's own package, on the loopback address.

with start_postgres(folder) as server:
    engine = create_engine(server.url)
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from psycopg import sql
from servers.machine import CannotStart, free_port, other_user
from servers.running import RunningServer, admin_password, as_user, give

OLDEST = 14
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""Survives that its clients, or it, are killed; not that the machine goes down."""


def programs() -> Path:
    """The folder of the newest PostgreSQL server here."""
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    folders += [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    found = {folder: version for folder in folders if (version := _version(folder)) >= OLDEST}
    if not found:
        raise CannotStart(f"there is no PostgreSQL server {OLDEST} or newer here: install postgresql")
    return max(found, key=lambda folder: (found[folder], folder))


def _version(folder: Path) -> int:
    said = subprocess.run(
        [folder / "postgres", "--version"], capture_output=True, text=True, check=False
    ).stdout
    number = re.search(r"(\d+)", said)
    return int(number[1]) if number else 0


def start_postgres(
    folder: Path,
    port: int | None = None,
    *,
    durable: bool = False,
    settings: Mapping[str, str] | None = None,
    lifeline: Path | None = None,
) -> RunningServer:
    """An empty cluster in that folder, or the one that is there. `url` is SQLAlchemy's, of database `postgres`.

    Another user runs it if this is root, so every folder above must let others pass. `durable` writes through to
    the disk, as in production; without it tests are faster.
    """
    where, user, port = programs(), other_user(), port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    secret = admin_password(folder)
    if not (folder / "data" / "PG_VERSION").exists():
        _make_cluster(where, folder, user)
    chosen = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "200",
        **({} if durable else FAST),
        **(settings or {}),
    }
    options = [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]
    return RunningServer(
        name="PostgreSQL",
        url=f"postgresql+psycopg://postgres:{secret}@127.0.0.1:{port}/postgres",
        folder=folder,
        command=[where / "postgres", "-D", folder / "data", *options],
        is_ready=_answers,
        environment={"HOME": str(folder), "LC_ALL": "C.UTF-8"},
        user=user,
        stop_signal=signal.SIGINT,  # "fast": does not wait for clients to go
        lifeline=lifeline,
    ).start()


def _make_cluster(where: Path, folder: Path, user: str | None) -> None:
    give(folder, user)
    made = subprocess.run(
        [
            where / "initdb",
            *(
                "-D",
                folder / "data",
                "-U",
                "postgres",
                f"--pwfile={folder / 'password'}",
                "--auth=scram-sha-256",
            ),
            *("--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
        ],
        cwd=folder,
        env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
        **as_user(user),
    )
    if made.returncode:
        raise CannotStart(f"initdb failed: {(made.stderr or made.stdout).strip()[-500:]}")


def _answers(server: RunningServer) -> bool:
    try:
        psycopg.connect(native(server.url), connect_timeout=5).close()
    except psycopg.OperationalError:
        return False
    return True


def native(url: str) -> str:
    """SQLAlchemy's URL as PostgreSQL's own clients want it."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


@contextmanager
def fresh_database(server_url: str, prefix: str = "test") -> Iterator[str]:
    """SQLAlchemy's URL of an empty database, which goes with everything in it, whoever is still connected."""
    name = f"{prefix}_{uuid4().hex}"
    with psycopg.connect(native(server_url), autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
    finally:
        with psycopg.connect(native(server_url), autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
