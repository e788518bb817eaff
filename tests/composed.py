"""The compose file as Compose reads it; its servers and services as processes of this machine, without containers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from servers.downloads import fetched
from servers.kafka import LOGGING, OLDEST_JAVA, QUICK_START, STARTED, java
from servers.machine import free_port, java_home
from servers.running import RunningServer

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docker-compose.yml"
PARTS = ROOT / "compose"
SECRETS = "/run/secrets"

Service = Mapping[str, Any]


def interpolated(value: Any, given: Mapping[str, str]) -> Any:
    """With `${NAME:-default}` replaced, and `$$` made one."""
    if isinstance(value, dict):
        return {name: interpolated(inner, given) for name, inner in value.items()}
    if isinstance(value, list):
        return [interpolated(inner, given) for inner in value]
    if not isinstance(value, str):
        return value
    return re.sub(
        r"\$\$|\$\{(\w+):-([^}]*)\}",
        lambda found: "$" if found[0] == "$$" else given.get(found[1]) or found[2],
        value,
    )


def composed(given: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The file, with these variables where `make up` is called."""
    read: dict[str, Any] = interpolated(YAML(typ="safe").load(FILE.read_text()), given or {})
    for service in read["services"].values():
        passed = {**service.get("environment", {})}
        for name in [name for name, value in passed.items() if value is None]:
            del passed[name]  # only its name: as it is where Compose is called, if it is
            if given and name in given:
                passed[name] = given[name]
        service["environment"] = passed
    return read


def ours(file: Mapping[str, Any]) -> dict[str, Service]:
    """The services that are commands of the hub."""
    return {name: each for name, each in file["services"].items() if "build" in each}


def draw_secrets(folder: Path) -> None:
    subprocess.run(["sh", PARTS / "secrets.sh", folder], check=True, capture_output=True)


@dataclass
class Machine:
    """A folder that stands for the machine of the containers; `moved` is where things are here: text → text."""

    folder: Path
    moved: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        draw_secrets(self.secrets)
        self.moved = {SECRETS: str(self.secrets), "/data": str(self.folder / "data"), "0.0.0.0": "127.0.0.1"}

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets"

    def secret(self, name: str) -> str:
        return (self.secrets / name).read_text().strip()

    def here(self, text: str) -> str:
        """The longest names first, whole, and nothing twice."""
        names = "|".join(re.escape(name) for name in sorted(self.moved, key=len, reverse=True))
        return re.sub(rf"(?:{names})(?!\w)", lambda found: self.moved[found[0]], text)

    # ── servers ──

    def kafka(self, service: Service) -> RunningServer:
        """What `compose/kafka.sh` starts, with Kafka's own programs."""
        hub, units, controller = free_port(), free_port(), free_port()
        home, data = self.folder / "kafka", self.folder / "kafka-data"
        (home / "bin").mkdir(parents=True)
        run = [*java(home, java_home(OLDEST_JAVA), fetched("kafka"), *QUICK_START.split())]
        start = " ".join(f"'{word}'" for word in run)
        for name, program in (
            ("kafka-storage.sh", "kafka.tools.StorageTool"),
            ("kafka-server-start.sh", "kafka.Kafka"),
        ):
            (home / "bin" / name).write_text(f'#!/bin/sh\nexec {start} {program} "$@"\n')
            (home / "bin" / name).chmod(0o755)
        (home / "log4j2.properties").write_text(LOGGING)
        self.moved |= {
            "0.0.0.0:9092": f"127.0.0.1:{hub}",
            "kafka:9092": f"127.0.0.1:{hub}",
            "0.0.0.0:9094": f"127.0.0.1:{units}",
            "127.0.0.1:9094": f"127.0.0.1:{units}",
            "127.0.0.1:9093": f"127.0.0.1:{controller}",
            "/var/lib/kafka/data": str(data),
        }
        settings = home / "kafka.properties"
        settings.write_text(self.here((PARTS / "kafka.properties").read_text()))
        return RunningServer(
            name="Kafka",
            url=f"127.0.0.1:{hub}",
            folder=home,
            command=["bash", PARTS / "kafka.sh", settings],
            environment={
                "KAFKA_HOME": str(home),
                "SECRETS": str(self.secrets),
                "CLUSTER_ID": service["environment"]["CLUSTER_ID"],
            },
            is_ready=lambda server: STARTED in server.log(),
        )

    def users_of_elasticsearch(self, folder: Path, java: Path) -> None:
        """What `compose/elasticsearch.sh` does before the server starts, to one that runs: it reads its files again."""
        (home,) = folder.glob("elasticsearch-*")
        shutil.copyfile(PARTS / "elasticsearch-roles.yml", home / "config" / "roles.yml")
        subprocess.run(
            ["bash", PARTS / "elasticsearch.sh", "true"],
            env={
                "PATH": os.environ["PATH"],
                "ES_JAVA_HOME": str(java),
                "ES_HOME": str(home),
                "SECRETS": str(self.secrets),
            },
            check=True,
            capture_output=True,
            timeout=300,
        )

    def database(self, url: str, psql: Path) -> None:
        """What `compose/postgres.sh` does once, in the server that SQLAlchemy's `url` names; the hub's own URL."""
        found = re.fullmatch(r"postgresql\+psycopg://(\w+):(\w+)@([\d.]+):(\d+)/\w+", url)
        assert found is not None
        user, password, host, port = found.groups()
        subprocess.run(
            ["sh", PARTS / "postgres.sh"],
            env={
                "PATH": f"{psql}:{os.environ['PATH']}",
                "PGHOST": host,
                "PGPORT": port,
                "PGPASSWORD": password,
                "POSTGRES_USER": user,
                "SECRETS": str(self.secrets),
            },
            check=True,
        )
        kept = self.secrets / "database_url"
        kept.write_text(kept.read_text().replace("@postgres:5432", f"@{host}:{port}"))

    # ── services ──

    def call(self, service: Service, *words: str) -> tuple[list[str], dict[str, str]]:
        """Argv and environment of the service, or of another command in its container."""
        argv = [self.here(str(word)) for word in words or service["command"]]
        known = {name: value for name, value in os.environ.items() if not name.startswith("LAPORHUB_")}
        given = {name: self.here(str(value)) for name, value in service["environment"].items()}
        return [sys.executable, "-m", "laporhub.hub.cli", *argv], known | given

    def run(self, service: Service, *words: str) -> str:
        """To its end; what it printed."""
        argv, environment = self.call(service, *words)
        done = subprocess.run(
            argv, env=environment, cwd=self.folder, capture_output=True, text=True, timeout=400
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def runs(self, name: str, service: Service) -> Iterator[None]:
        """While the block runs, the service does; it begins when the service's health check, if it has one, agrees."""
        argv, environment = self.call(service)
        log = self.folder / f"{name}.log"
        with (
            log.open("ab") as said,
            subprocess.Popen(argv, env=environment, cwd=self.folder, stdout=said, stderr=said) as process,
        ):
            try:
                for _ in range(400):
                    if self.is_healthy(service):
                        break
                    assert process.poll() is None, log.read_text()
                    time.sleep(0.3)  # a check is a process: it would take a core from who is starting
                else:
                    raise AssertionError(f"{name} did not become healthy: {log.read_text()}")
                yield
            finally:
                process.terminate()
                process.wait(60)

    def is_healthy(self, service: Service) -> bool:
        if "healthcheck" not in service:
            return True
        kind, program, *words = service["healthcheck"]["test"]
        assert (kind, program) == ("CMD", "python")
        asked = [sys.executable, *(self.here(word) for word in words)]
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0
