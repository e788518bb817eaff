"""Staff accounts, their sessions and API tokens. Secrets are kept only as hashes."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from argon2.low_level import ARGON2_VERSION
from sqlalchemy import Engine, Row, delete, select, update

from laporhub.pipeline.errors import NotFound, Refused
from laporhub.pipeline.staff import Account, Post
from laporhub.pipeline.store.database import writer
from laporhub.pipeline.store.prepared import insert_into
from laporhub.pipeline.store.tables import accounts, sessions

SESSION_LASTS = timedelta(hours=12)
TOKEN_LASTS = timedelta(days=365)
PASSWORD_AT_LEAST = 10

_hasher = PasswordHasher()


class AccountStore:
    """Implements `staff.Accounts`, and what the operator needs to manage them. Blocking."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writer = writer(engine)

    def save(self, account: Account, password: str) -> None:
        """Adds an account, or changes it and its password."""
        if len(password) < PASSWORD_AT_LEAST:
            raise Refused(f"The password needs at least {PASSWORD_AT_LEAST} characters", code="weak_password")
        row = {
            "username": account.username,
            "password": _hasher.hash(password),
            "profiles": ",".join(account.profiles),
            "role": account.role,
            "unit": account.unit,
            "language": account.language,
            "active": 1,
            "email": account.email,
            "posts": json.dumps({name: asdict(post) for name, post in account.posts.items()}),
        }
        with self._writer.begin() as connection:
            changed = {name: value for name, value in row.items() if name != "username"}
            statement = insert_into(connection, accounts).values(row)
            connection.execute(statement.on_conflict_do_update(index_elements=["username"], set_=changed))
            connection.execute(delete(sessions).where(sessions.c.username == account.username))

    def deactivate(self, username: str) -> None:
        """The account may no longer sign in; its sessions and tokens end at once."""
        with self._writer.begin() as connection:
            done = connection.execute(
                update(accounts).where(accounts.c.username == username).values(active=0)
            )
            connection.execute(delete(sessions).where(sessions.c.username == username))
        if done.rowcount == 0:
            raise NotFound(f"There is no account {username!r}")

    def all(self) -> list[Account]:
        with self._engine.connect() as connection:
            rows = connection.execute(
                select(accounts).where(accounts.c.active == 1).order_by(accounts.c.username)
            )
            return [_account(row) for row in rows]

    def sign_in(self, username: str, password: str, now: datetime) -> str | None:
        with self._engine.connect() as connection:
            row = connection.execute(
                select(accounts).where(accounts.c.username == username, accounts.c.active == 1)
            ).first()
        try:
            _hasher.verify(row.password if row else _nobodys_password(), password)
        except VerificationError:
            return None
        return self._issue(username, "session", now + SESSION_LASTS) if row else None

    def issue_token(self, username: str, now: datetime) -> str:
        """A bearer token for the API; shown once. Raises `NotFound`."""
        if username not in {account.username for account in self.all()}:
            raise NotFound(f"There is no account {username!r}")
        return self._issue(username, "token", now + TOKEN_LASTS)

    def session(self, secret: str, now: datetime) -> Account | None:
        return self._holder(secret, "session", now)

    def bearer(self, token: str, now: datetime) -> Account | None:
        return self._holder(token, "token", now)

    def sign_out(self, secret: str) -> None:
        with self._writer.begin() as connection:
            connection.execute(delete(sessions).where(sessions.c.secret_hash == _hash(secret)))

    def _issue(self, username: str, kind: str, expires_at: datetime) -> str:
        secret = secrets.token_urlsafe(32)
        row = {"secret_hash": _hash(secret), "username": username, "kind": kind, "expires_at": expires_at}
        with self._writer.begin() as connection:
            connection.execute(sessions.insert(), row)
        return secret

    def _holder(self, secret: str, kind: str, now: datetime) -> Account | None:
        holder = (
            select(accounts)
            .join(sessions, sessions.c.username == accounts.c.username)
            .where(
                sessions.c.secret_hash == _hash(secret),
                sessions.c.kind == kind,
                sessions.c.expires_at > now,
                accounts.c.active == 1,
            )
        )
        with self._engine.connect() as connection:
            row = connection.execute(holder).first()
        return None if row is None else _account(row)


def _nobodys_password() -> str:
    """Checked when the name is unknown, so that the time taken tells nothing: it costs what a real one does, and
    no password fits.
    """
    salt, digest = (
        base64.b64encode(bytes(length)).decode().rstrip("=")
        for length in (_hasher.salt_len, _hasher.hash_len)
    )
    costs = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
    return f"$argon2{_hasher.type.name.lower()}$v={ARGON2_VERSION}${costs}${salt}${digest}"


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _account(row: Row[Any]) -> Account:
    return Account(
        username=row.username,
        profiles=tuple(row.profiles.split(",")),
        role=row.role,
        unit=row.unit,
        language=row.language,
        email=row.email,
        posts={name: Post(**post) for name, post in json.loads(row.posts or "{}").items()},
    )
