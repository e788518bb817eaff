"""What some connectors can do besides: to be asked with `isinstance`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, runtime_checkable

from laporhub.pipeline.connector import Connector, Raw


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a platform reads when it calls a hook."""

    body: str
    content_type: str = "text/plain"


@runtime_checkable
class Acknowledges(Protocol):
    """A platform that wants to read something particular when its post was taken."""

    def acknowledge(self, raw: Raw) -> Greeting: ...


@runtime_checkable
class Greets(Protocol):
    """A platform that checks a hook by a GET before it posts to it."""

    def greet(self, query: Mapping[str, str]) -> Greeting:
        """The answer it wants to read. Raises `Forged` for somebody else's question."""
        ...


@runtime_checkable
class HasAccounts(Protocol):
    """A connector that is set up for some accounts, and speaks for no other: several profiles may name several."""

    def has(self, account: str) -> bool: ...


def speaks_for(connector: Connector | None, account: str) -> bool:
    """Whether it can answer as this account of ours."""
    if connector is None or not connector.able:
        return False
    return not isinstance(connector, HasAccounts) or connector.has(account)


@runtime_checkable
class Clocked(Protocol):
    """A connector that goes by the time: the hub gives it its own clock."""

    now: Callable[[], datetime]


@runtime_checkable
class TakesGet(Protocol):
    """A platform that delivers by GET. The query is then the payload: `Raw.body`, as a form."""

    @property
    def takes_get(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Polled:
    """What a platform had to say: payloads for `parse`, and where to go on once these are stored.

    `cursor` None leaves the old one in place. `more`: there is more now; otherwise it is asked again after a while.
    """

    payloads: Sequence[Raw]
    cursor: str | None
    more: bool = False


@runtime_checkable
class Polls(Protocol):
    """A platform that is asked for what came in: instead of a hook, or as the sweep for what a hook missed.

    The cursor is durable: it is kept once all payloads before it are. A payload may come again, by hook and by poll.
    """

    @property
    def poll_every(self) -> float:
        """Seconds between two questions."""
        ...

    async def poll(self, account: str, cursor: str | None) -> Polled:
        """From the beginning of what the platform keeps where `cursor` is None. Raises `RetryLater`, `StopChannel`."""
        ...


@dataclass(frozen=True, slots=True)
class Health:
    """How an account on a platform stands."""

    ok: bool
    reason: str = ""
    """What is wrong and what to do, where it is not."""
    expires_at: datetime | None = None
    """When the token ends, where it does."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What else the platform tells, in words: money left, how much of a limit is used."""
    left: Mapping[str, float] = field(default_factory=dict)
    """Limit → the share of it that is left, from 0 to 1."""
    credits: Mapping[str, float] = field(default_factory=dict)
    """Currency → how much of it the account still has."""


@runtime_checkable
class Checks(Protocol):
    """A connector that can ask the platform how our account stands, without changing anything."""

    async def check(self, account: str) -> Health:
        """Raises `RetryLater` where the platform does not answer."""
        ...


@runtime_checkable
class Public(Protocol):
    """A platform on which some answers can be read by everybody: those get the redacted words only."""

    def is_public(self, reply_to: str | None) -> bool: ...


@runtime_checkable
class AnswersPrivately(Protocol):
    """A platform that takes a private message in answer to what was said in public: one, of one part."""

    def privately(self, reply_to: str | None, said_at: datetime, at: datetime) -> str | None:
        """Where it would belong at `at`, as a `reply_to`; None where the platform takes none, or none any more."""
        ...


@runtime_checkable
class HoldsMedia(Protocol):
    """A platform whose files need more than their address."""

    @property
    def media_origins(self) -> frozenset[str]:
        """Origins ("http://127.0.0.1:8081") that the operator named, and that may lie in our own network."""
        ...

    def media_headers(self, url: str) -> Mapping[str, str]:
        """What to send along: the account's credentials, for the platform's own hosts and nobody else's."""
        ...


@runtime_checkable
class SplitsByPlace(Protocol):
    """A platform whose limit depends on where an answer is said: a comment, a direct message."""

    def split_for(self, text: str, account: str, reply_to: str | None) -> Sequence[str]: ...


@runtime_checkable
class Links(Protocol):
    """A platform whose messages have an address that staff can open."""

    def link(self, external_id: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Window:
    """What a platform takes from us in a conversation: "open" anything, "human" only a person's words, "closed" nothing
    that is not a template. `until` is when the present state ends; None where it does not by itself.
    """

    state: Literal["open", "human", "closed"] = "open"
    until: datetime | None = None


@runtime_checkable
class Windows(Protocol):
    """A platform that takes answers only for a while after the reporter wrote. Others always take them."""

    def window(
        self, account: str, reply_to: str | None, last_inbound_at: datetime, now: datetime
    ) -> Window: ...
