"""Users and roles of an Elasticsearch node, in its files: the server reads them anew when they change."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from filelock import FileLock
from servers.running import admin_password

ADMIN = "admin"
SUPERUSER = "superuser"
ROUNDS = 1000
"""Few, as every request is signed in anew. These passwords guard nothing."""
PATIENCE_S = 120.0
AGAIN_S = 15.0
"""After which the files are touched again: a busy server may have missed that they changed."""


@dataclass(frozen=True)
class SecureElasticsearch:
    """A node where everybody signs in. `admin` may do all; others what their roles say."""

    url: str
    folder: Path

    def client(self, user: str = ADMIN, password: str | None = None) -> dict[str, Any]:
        """Arguments for `Elasticsearch` and `AsyncElasticsearch`, signed in as that user."""
        return {"hosts": self.url, "basic_auth": (user, password or admin_password(self.folder))}

    def add_role(self, name: str, role: Mapping[str, Any]) -> None:
        """As the roles API takes it: `{"cluster": […], "indices": [{"names": […], "privileges": […]}]}`.

        Add roles before the users who have them. A role cannot be changed.
        """
        line = json.dumps({name: dict(role)})[1:-1]  # one role a line: JSON is YAML
        if any(kept.startswith(f"{json.dumps(name)}:") for kept in _lines(self._file("roles.yml"))):
            raise ValueError(f"there is a role {name}")
        self._append("roles.yml", [line])

    def add_user(self, user: str, password: str, roles: Sequence[str]) -> None:
        """Returns when the user can sign in and has all that these roles of the file allow."""
        self.write_user(user, password, roles)
        wanted = self._allowed_by(roles)
        deadline, again = time.monotonic() + PATIENCE_S, time.monotonic() + AGAIN_S
        while not wanted <= self._has(user, password):
            if time.monotonic() > again:
                for name in ("roles.yml", "users_roles", "users"):
                    self._append(name, ["# look again"])
                again += AGAIN_S
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"Elasticsearch did not take the user {user}: see {self.folder}/server.log"
                )
            time.sleep(0.1)

    def write_user(self, user: str, password: str, roles: Sequence[str]) -> None:
        """Into the files only: the server may not run yet."""
        self._append("users_roles", [f"{role}:{user}" for role in roles])
        self._append("users", [f"{user}:{hashed(password)}"])

    def _file(self, name: str) -> Path:
        (found,) = self.folder.glob(f"elasticsearch-*/config/{name}")
        return found

    def _append(self, name: str, lines: Sequence[str]) -> None:
        """In one write, as the server may read at any moment; in place, as the file is its user's."""
        path = self._file(name)
        with FileLock(self.folder / "people.lock"):
            ended = "" if (text := path.read_text()).endswith("\n") or not text else "\n"
            with path.open("ab", buffering=0) as file:
                file.write((ended + "".join(f"{line}\n" for line in lines)).encode())

    def _allowed_by(self, roles: Sequence[str]) -> set[str]:
        """The names of indices and privileges of the cluster in those roles of the file; and that one can sign in."""
        defined: dict[str, Any] = {}
        for line in _lines(self._file("roles.yml")):
            defined |= json.loads(f"{{{line}}}")
        found = {"*"}
        for role in (defined[name] for name in roles if name in defined):
            found |= {*role.get("cluster", [])} | {
                name for part in role.get("indices", []) for name in part["names"]
            }
        return found

    def _has(self, user: str, password: str) -> set[str]:
        """The same, as the server sees it."""
        asked = f"{self.url}/_security/user/_privileges"
        answer = httpx.get(asked, auth=(user, password), timeout=10, trust_env=False)
        if answer.status_code != 200:
            return set()
        said = answer.json()
        return {"*", *said["cluster"], *(name for part in said["indices"] for name in part["names"])}


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line.startswith('"')]


def hashed(password: str) -> str:
    """As the file of users wants it."""
    salt = os.urandom(32)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS, 32)
    return f"{{PBKDF2}}{ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
