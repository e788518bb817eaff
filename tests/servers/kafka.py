"""Apache Kafka, one node that is broker and controller (KRaft), on the loopback address.

    with start_kafka(folder) as server:
        AIOKafkaProducer(bootstrap_servers=server.url)

With `secure` clients sign in by SCRAM, and may do only what an ACL allows (StandardAuthorizer): see
SecureKafka in the module beside this one.
"""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import uuid4

from servers.downloads import fetched
from servers.machine import CannotStart, free_port, java_home
from servers.running import RunningServer, admin_password

OLDEST_JAVA = 17
QUICK_START = "-Xmx512m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Up sooner, and slower in the long run: say `-Xmx1g` where you measure."""
MECHANISM = "SCRAM-SHA-512"
ADMIN = "admin"
LOGGING = """\
status=error
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d %p %c{1}: %m%n
rootLogger.level=warn
rootLogger.appenderRef.console.ref=console
logger.server.name=kafka.server.KafkaRaftServer
logger.server.level=info
"""
STARTED = "Kafka Server started"


def start_kafka(
    folder: Path,
    port: int | None = None,
    secure: bool = False,
    *,
    settings: Mapping[str, str] | None = None,
    java_options: str = QUICK_START,
    lifeline: Path | None = None,
) -> RunningServer:
    """A broker without topics in that folder, or the one that is there. `url` is its bootstrap address.

    It makes no topic by itself (`auto.create.topics.enable`): `settings` may change that, or any other setting.
    """
    home, jars, port = java_home(OLDEST_JAVA), fetched("kafka"), port or free_port()
    folder.mkdir(parents=True, exist_ok=True)
    secret = admin_password(folder)
    chosen = {**_settings(folder, port), **(_secured(secret) if secure else {}), **(settings or {})}
    lines = [f"{name}={value}\n" for name, value in chosen.items()]
    (folder / "server.properties").write_text("".join(lines))
    (folder / "log4j2.properties").write_text(LOGGING)
    if not (folder / "data").exists():
        scram = f"SCRAM-SHA-512=[name={ADMIN},password={secret}]"
        _format(folder, home, jars, ["--add-scram", scram] if secure else [])
    return RunningServer(
        name="Kafka",
        url=f"127.0.0.1:{port}",
        folder=folder,
        command=[*java(folder, home, jars, *java_options.split()), "kafka.Kafka", "server.properties"],
        is_ready=lambda server: STARTED in server.log(),
        lifeline=lifeline,
    ).start()


def java(folder: Path, home: Path, jars: Path, *options: str) -> list[str | Path]:
    """The start of a command line that runs one of Kafka's own programs."""
    logging = f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}"
    return [home / "bin" / "java", *options, logging, "-cp", f"{jars}/*"]


def _settings(folder: Path, port: int) -> dict[str, str]:
    controller = free_port()
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listeners": f"CLIENTS://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"CLIENTS://127.0.0.1:{port}",
        "listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "CLIENTS",
        "log.dirs": str(folder / "data"),
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "500",
        "broker.heartbeat.interval.ms": "500",
        "broker.session.timeout.ms": "3000",  # after a kill the node has to wait so long for its own old session
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
    }


def _secured(secret: str) -> dict[str, str]:
    """Clients come in by SCRAM; the node reaches its own controller by a password, as SCRAM is not there yet then."""
    login = f'required username="{ADMIN}" password="{secret}"'
    security = "org.apache.kafka.common.security"
    return {
        "listener.security.protocol.map": "CLIENTS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
        "sasl.enabled.mechanisms": MECHANISM,
        "sasl.mechanism.inter.broker.protocol": MECHANISM,
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.clients.sasl.enabled.mechanisms": MECHANISM,
        "listener.name.clients.scram-sha-512.sasl.jaas.config": f"{security}.scram.ScramLoginModule {login};",
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": (
            f'{security}.plain.PlainLoginModule {login} user_{ADMIN}="{secret}";'
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{ADMIN}",
        "allow.everyone.if.no.acl.found": "false",
    }


def _format(folder: Path, home: Path, jars: Path, more: Sequence[str]) -> None:
    cluster = base64.urlsafe_b64encode(uuid4().bytes).decode().rstrip("=")
    command = [*java(folder, home, jars, *QUICK_START.split()), "kafka.tools.StorageTool", "format"]
    command += ["-t", f"k{cluster[1:]}", "-c", "server.properties", *more]  # a leading "-" would be an option
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotStart(f"Kafka's storage was not formatted: {(done.stderr or done.stdout).strip()[-500:]}")
