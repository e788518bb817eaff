"""Users of a broker and what each may do: signed in by SCRAM, allowed by ACLs."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.admin import CreateAclsRequest
from servers.downloads import fetched
from servers.kafka import ADMIN, MECHANISM, OLDEST_JAVA, QUICK_START, java
from servers.machine import java_home
from servers.running import admin_password

TOPIC, GROUP, CLUSTER = 2, 3, 4
OPERATIONS = {"all": 2, "read": 3, "write": 4, "create": 5, "delete": 6, "describe": 8}
"""Numbers of the protocol, for kinds of resources and for operations."""
LITERAL, PREFIXED = 3, 4
ALLOW = 3


@dataclass(frozen=True)
class SecureKafka:
    """A broker where everybody signs in. `admin` may do all; others what they are allowed."""

    url: str
    folder: Path

    def client(self, user: str = ADMIN, password: str | None = None) -> dict[str, str]:
        """Arguments for every client of aiokafka, signed in as that user."""
        return {
            "bootstrap_servers": self.url,
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_mechanism": MECHANISM,
            "sasl_plain_username": user,
            "sasl_plain_password": password or admin_password(self.folder),
        }

    def add_user(self, user: str, password: str) -> None:
        """By Kafka's own command; it takes two seconds or three."""
        login = self.client()
        module = "org.apache.kafka.common.security.scram.ScramLoginModule"
        name, secret = json.dumps(ADMIN), json.dumps(login["sasl_plain_password"])
        options = self.folder / f"client-{uuid4().hex}.properties"
        options.write_text(
            f"security.protocol=SASL_PLAINTEXT\nsasl.mechanism={MECHANISM}\n"
            f"sasl.jaas.config={module} required username={name} password={secret};\n"
        )
        command = [*java(self.folder, java_home(OLDEST_JAVA), fetched("kafka"), *QUICK_START.split())]
        command += ["kafka.admin.ConfigCommand", "--bootstrap-server", self.url, "--command-config", options]
        command += ["--alter", "--entity-type", "users", "--entity-name", user]
        command += ["--add-config", f"{MECHANISM}=[iterations=4096,password={password}]"]
        try:
            subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=True)
        finally:
            options.unlink()

    async def allow(
        self,
        user: str,
        operation: str,
        name: str,
        *,
        kind: int = TOPIC,
        pattern: int = LITERAL,
        host: str = "*",
    ) -> None:
        """Adds an ACL. `kind` is TOPIC, GROUP or CLUSTER; with PREFIXED the name is the beginning of names."""
        rule = CreateAclsRequest(kind, name, pattern, f"User:{user}", host, OPERATIONS[operation], ALLOW)
        client = AIOKafkaClient(**self.client())
        await client.bootstrap()
        try:
            (node, *_) = client.cluster.brokers()
            answer = await client.send(node.nodeId, rule)
        finally:
            await client.close()
        failed = [message for code, message in answer.creation_responses if code]
        if failed:
            raise RuntimeError(f"the ACL was not made: {failed}")
