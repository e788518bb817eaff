"""What the core asks of the parts around it. A connector, classifier or sink knows only this and the models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from laporhub.pipeline.models import (
    Actor,
    CaseEvent,
    CaseState,
    DeliveryStatus,
    Inbound,
    Location,
    Suggestion,
)
from laporhub.pipeline.profile.rulebook import Rulebook


class Classifier(Protocol):
    """Says which unit a complaint is for. Pure: the same text gives the same answer."""

    @property
    def model(self) -> str:
        """Name and version, kept with every suggestion."""
        ...

    def suggest(self, text: str, location: Location | None) -> Suggestion: ...


@dataclass(frozen=True, slots=True)
class Raw:
    """A payload as it came: the body's bytes, its content type and headers (lower-case names).

    `url` is the public address it was sent to, which some signatures cover.
    """

    body: bytes
    content_type: str = ""
    headers: Mapping[str, str] | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A payload, or part of one, that is understood and needs nothing: an echo, a test event."""

    reason: str


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """What a platform's callback says of a message sent earlier."""

    reply_id: str
    status: DeliveryStatus
    platform_id: str | None = None
    reason: str | None = None
    part: int | None = None
    """Which part of the reply, from 0; None where the platform cannot tell."""


Parsed: TypeAlias = Inbound | StatusUpdate | Ignored


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to publish: part `part` (from 0) of the reply `reply_id`, in plain words.

    `to` is the platform's address of the reporter, unsealed only for this. `last_inbound_at` is when they
    last wrote, which opens the platform's reply window. `attempted_at` is when this part was first tried.
    """

    reply_id: str
    part: int
    to: str
    account: str
    text: str
    last_inbound_at: datetime | None
    attempted_at: datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """The platform took it."""

    platform_id: str


@dataclass(frozen=True, slots=True)
class Failed:
    """It will never arrive this way; a person must find another."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer came: it may have arrived. Look it up before trying again."""

    reason: str


Outcome: TypeAlias = Sent | Failed | Unknown


class Connector(Protocol):
    """One channel's wire format. `parse` and `verify` are pure; `publish` and `look_up` talk to the platform.

    Both raise `RetryLater` when the platform is busy, and `StopChannel` when the account is dead.
    """

    def verify(self, raw: Raw) -> None:
        """Raises `Forged` unless the platform signed it."""
        ...

    def parse(self, raw: Raw) -> Sequence[Parsed]:
        """Raises `Unparsable`."""
        ...

    def split(self, text: str) -> Sequence[str]:
        """The text in parts that the platform takes."""
        ...

    async def publish(self, outgoing: Outgoing) -> Outcome: ...

    async def look_up(self, outgoing: Outgoing, known: frozenset[str]) -> Sent | None:
        """Whether an attempt of unknown outcome did arrive; `known` are ids that belong to other replies."""
        ...


@dataclass(frozen=True, slots=True)
class Query:
    """What a reader of the tracking store asks for. Empty collections mean "any"."""

    profiles: tuple[str, ...]
    statuses: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    text: str = ""
    overdue: bool | None = None
    private: bool | None = None
    attention: bool | None = None
    """The reporter wrote again and nobody has looked, or a reply could not be delivered."""
    tickets: tuple[str, ...] = ()
    opened_from: datetime | None = None
    opened_to: datetime | None = None
    order: str = "urgency"
    """"urgency" (most urgent, then due first), "newest" or "oldest"."""
    cursor: str | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Page:
    """A page of cases, and where the next begins."""

    cases: Sequence[CaseState]
    cursor: str | None
    total: int | None = None


class Tracking(Protocol):
    """Reads for people: lists, search, counts. The SQLite and the Elasticsearch store keep the same contract."""

    def find(self, query: Query, now: datetime) -> Page: ...

    def count(self, query: Query, by: str, now: datetime) -> Mapping[str, int]:
        """Cases by "status", "unit", "channel" or "urgency"."""
        ...

    def settle(self, case_id: str, sequence: int) -> None:
        """Read-your-own-write: returns when `find` and `count` know the case as of `sequence`. Blocking."""
        ...


# ── the hub as the web, the API and the command line see it ─────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message that is now durable."""

    message_id: str
    case_id: str
    ticket: str
    status: str
    received_at: datetime
    duplicate: bool
    missing: tuple[str, ...] = ()
    """Titles of what the reporter is asked for."""


@dataclass(frozen=True, slots=True)
class Account:
    """A member of staff who is signed in."""

    username: str
    profiles: tuple[str, ...]
    role: str
    unit: str | None = None
    language: str = "id"


@dataclass(frozen=True, slots=True)
class Identity:
    """A reporter's unsealed identity."""

    name: str | None
    phone: str | None
    email: str | None
    handle: str | None


class Accounts(Protocol):
    """Staff accounts, sessions and API tokens. Blocking: call from a thread."""

    def sign_in(self, username: str, password: str, now: datetime) -> str | None:
        """A new session's secret, or None if name and password do not match."""
        ...

    def session(self, secret: str, now: datetime) -> Account | None: ...

    def sign_out(self, secret: str) -> None: ...

    def bearer(self, token: str, now: datetime) -> Account | None: ...


class HubPort(Protocol):
    """All that the web and the command line may ask of a running hub, whichever its engine."""

    @property
    def rulebooks(self) -> Mapping[str, Rulebook]:
        """The profiles served, by name; the first is the default."""
        ...

    @property
    def tracking(self) -> Tracking: ...

    @property
    def accounts(self) -> Accounts: ...

    async def receive(self, profile: str, channel: str, inbound: Inbound) -> Receipt:
        """Seals a message and hands it to the engine. Durable when it returns. Raises `Refused`."""
        ...

    async def hook(self, profile: str, connector: str, raw: Raw) -> int:
        """A platform's webhook: verified, parsed, durable when it returns. The number of messages in it.

        Raises `Forged`; what cannot be parsed is kept in the dead letter and counts as taken.
        """
        ...

    async def act(
        self, case_id: str, transition: str, fields: Mapping[str, str], actor: Actor, seen: int | None = None
    ) -> CaseState:
        """Takes a transition. Read-your-own-write: what `tracking` says next includes it. Raises `Refused`."""
        ...

    async def note(self, case_id: str, text: str, actor: Actor) -> CaseState: ...

    def case(self, ticket: str) -> CaseState | None:
        """By ticket, however it was typed: spaces, dashes and lower case do not matter. Blocking."""
        ...

    def events(self, case_id: str) -> Sequence[CaseEvent]:
        """The whole history, oldest first. Blocking."""
        ...

    def tracking_token(self, case_id: str) -> str:
        """The reporter's secret for this case; the same each time."""
        ...

    def unseal(self, case_id: str, account: str, reason: str) -> Identity:
        """Opens who the reporter is, and writes an audit record of who looked and why. Blocking."""
        ...

    def unseal_words(self, state: CaseState, sealed: str) -> str | None:
        """Opens a sealed text for its own reporter; None when the reporter's key was erased. Blocking."""
        ...

    def ready(self) -> Mapping[str, str]:
        """Part of the hub → "ok" or what is wrong. Blocking."""
        ...
