"""Elasticsearch, one node, on the loopback address: the real server without most of its modules.

    with start_elasticsearch(folder) as server:
        Elasticsearch(server.url)

It lacks painless, the analyzers of languages, ingest pipelines, reindex, delete by query, data streams and `GET /`.
With `secure` clients sign in as users of a file, with the roles of a file: see SecureElasticsearch.
"""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
from servers.downloads import fetched, version
from servers.machine import free_port, java_home, other_user
from servers.running import RunningServer, admin_password, give
from servers.secure_elasticsearch import ADMIN, SUPERUSER, SecureElasticsearch

OLDEST_JAVA = 21
QUICK_START = "-Xms512m -Xmx1g -XX:TieredStopAtLevel=1 -XX:-UseG1GC -XX:+UseSerialGC"
"""Up in half the time, and slower in the long run: say `-Xms1g -Xmx1g` where you measure."""


def start_elasticsearch(
    folder: Path,
    port: int | None = None,
    secure: bool = False,
    *,
    settings: Mapping[str, Any] | None = None,
    java_options: str = QUICK_START,
    lifeline: Path | None = None,
) -> RunningServer:
    """A node without indices in that folder, or the one that is there.

    Another user runs it if this is root, so every folder above must let others pass.
    """
    java, user, port = java_home(OLDEST_JAVA), other_user(), port or free_port()
    home = _unpacked(folder)
    chosen = {**_settings(port, secure), **(settings or {})}
    (home / "config" / "elasticsearch.yml").write_text(json.dumps(chosen))  # JSON is YAML
    url = f"http://127.0.0.1:{port}"
    signed_in = _first_user(url, folder) if secure else None
    give(folder, user)
    return RunningServer(
        name="Elasticsearch",
        url=url,
        folder=folder,
        command=[home / "bin" / "elasticsearch"],
        is_ready=lambda server: _answers(server.url, signed_in),
        environment={
            "ES_JAVA_HOME": str(java),
            "ES_JAVA_OPTS": java_options,
            "ES_TMPDIR": str(folder / "tmp"),
            "HOME": str(folder),
        },
        user=user,
        lifeline=lifeline,
    ).start()


def _unpacked(folder: Path) -> Path:
    """A copy for each server: it writes into its configuration, and its user may not see the cache folder."""
    home = folder / f"elasticsearch-{version('elasticsearch')}"
    if not home.exists():
        (folder / "tmp").mkdir(parents=True, exist_ok=True)
        (archive,) = fetched("elasticsearch").glob("*.zip")
        part = folder / "part"
        shutil.rmtree(part, ignore_errors=True)
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(part)
        for program in (part / home.name / "bin").iterdir():
            program.chmod(0o755)
        (part / home.name).rename(home)
        part.rmdir()
    return home


def _settings(port: int, secure: bool) -> dict[str, Any]:
    return {
        "cluster.name": "laporhub-tests",
        "discovery.type": "single-node",
        "network.host": "127.0.0.1",
        "http.port": port,
        "transport.port": free_port(),
        "cluster.routing.allocation.disk.threshold_enabled": False,
        "resource.reload.interval.high": "500ms",  # how often it looks at the files of users and roles
        "xpack.security.enabled": secure,
        "xpack.security.autoconfiguration.enabled": False,
        "xpack.security.http.ssl.enabled": False,
    }


def _first_user(url: str, folder: Path) -> tuple[str, str]:
    known = (folder / "password").exists()
    secret = admin_password(folder)
    if not known:
        SecureElasticsearch(url, folder).write_user(ADMIN, secret, [SUPERUSER])
    return ADMIN, secret


def _answers(url: str, signed_in: tuple[str, str] | None) -> bool:
    try:
        answer = httpx.get(f"{url}/_cluster/health", auth=signed_in, timeout=10, trust_env=False)
    except httpx.TransportError:
        return False
    return answer.status_code == 200 and answer.json()["status"] in ("green", "yellow")
