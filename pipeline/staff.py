"""Staff accounts, as the web asks for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Post:
    """What somebody is in one profile."""

    role: str
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """A member of staff who is signed in."""

    username: str
    profiles: tuple[str, ...]
    role: str
    unit: str | None = None
    language: str = "id"
    email: str | None = None
    """Where reports for the role are sent."""
    posts: Mapping[str, Post] = field(default_factory=dict)
    """By profile, for all of them, where they are not the same; `role` and `unit` are then those of the first."""

    def at(self, profile: str) -> Account:
        """The same account with what it is in a profile."""
        post = self.posts.get(profile)
        return self if post is None else replace(self, role=post.role, unit=post.unit)


class Accounts(Protocol):
    """Staff accounts, sessions and API tokens. Blocking: call from a thread."""

    def sign_in(self, username: str, password: str, now: datetime) -> str | None:
        """A new session's secret, or None if name and password do not match."""
        ...

    def session(self, secret: str, now: datetime) -> Account | None: ...

    def sign_out(self, secret: str) -> None: ...

    def bearer(self, token: str, now: datetime) -> Account | None: ...
