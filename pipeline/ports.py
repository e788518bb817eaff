"""What the core asks of the parts around it. A connector, classifier or sink knows only this and the models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol, TypeAlias, runtime_checkable

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.classifier import Suggestion
from laporhub.pipeline.commands import Actor, DeliveryStatus
from laporhub.pipeline.events import CaseEvent
from laporhub.pipeline.messages import Inbound, Location
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


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The author took a message back on the platform: its words are to be shown to nobody any more."""

    external_id: str
    author_id: str | None = None
    account: str | None = None
    """Our address that was written to, as in `Inbound`."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of a long message that the platform hands over in pieces, in any order; the hub puts them together.

    `whole` tells the long messages of one author apart, `number` counts from 1 to `total`. `message` is the piece as if
    it stood alone, with an external id of its own. After `patience` what is there becomes a message without the rest.
    """

    whole: str
    number: int
    total: int
    message: Inbound
    patience: timedelta = timedelta(minutes=10)


Parsed: TypeAlias = Inbound | Fragment | StatusUpdate | Withdrawn | Ignored


@dataclass(frozen=True, slots=True)
class Template:
    """A message that the platform has approved beforehand, for when it lets no free words through.

    `content` is the platform's name of it. `variables` are filled in this order from `values`; "text" is the reply's
    own words.
    """

    content: str
    variables: Sequence[str]
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to publish: part `part` (from 0) of the reply `reply_id`, in plain words.

    `to` is the platform's address of the reporter, unsealed only for this; `reply_to` what `Inbound.reply_to` said of
    their latest message. `last_inbound_at` is when they last wrote, which opens the platform's reply window.
    `attempted_at` is when this part was first tried. `human`: a person wrote the words. `previous` is the platform's id
    of the part before.
    """

    reply_id: str
    part: int
    to: str
    account: str
    text: str
    last_inbound_at: datetime | None
    attempted_at: datetime
    reply_to: str | None = None
    purpose: str = ""
    """The template's name, as in `ReplyQueued`."""
    human: bool = False
    previous: str | None = None
    template: Template | None = None
    """What the profile has for this purpose where the platform's reply window is closed."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The platform took it."""

    platform_id: str


@dataclass(frozen=True, slots=True)
class Failed:
    """It will never arrive this way; a person must find another. `reason` is a word that staff's pages explain."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer came: it may have arrived. Look it up before trying again."""

    reason: str


Outcome: TypeAlias = Sent | Failed | Unknown

BY_HAND: Final = "by_hand"
"""The reason of a `Failed` that is nobody's fault: the platform wants a person to do it (a call, a post by hand)."""


NOT_TOLD: Final = "outcome_unknown"
"""The reason of a `Failed` of which nobody can say whether it arrived: never sent again by itself."""


class Connector(Protocol):
    """One channel's wire format. `parse` and `verify` are pure; `publish` and `look_up` talk to the platform.

    Both raise `RetryLater` when the platform is busy, and `StopChannel` when the account is dead.
    """

    @property
    def able(self) -> bool:
        """Whether it has what it needs to answer; without that it still parses, and replies wait."""
        ...

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

    async def look_up(self, outgoing: Outgoing, known: frozenset[str]) -> Sent | Failed | None:
        """Whether an attempt of unknown outcome did arrive; `known` are ids that belong to other replies.

        None: it certainly did not, and is sent again. `Failed(NOT_TOLD)` where the platform cannot be asked: then a
        person is.
        """
        ...


# ── what some connectors can do besides ──────────────────────────────────────────────────────────


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
    """What else the platform tells: credits left, share of the rate limit used."""


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


@dataclass(frozen=True, slots=True)
class Way:
    """How a reply to a case would go out now.

    `kind`: "page" the tracking page shows it; "push" the platform takes it as `window` says; "unable" nobody has set
    up the channel, so replies wait; "nowhere" there is no address any more (the reporter was erased). `templates` are
    the purposes that go through a closed window.
    """

    kind: Literal["page", "push", "unable", "nowhere"]
    window: Window = Window()
    templates: frozenset[str] = frozenset()

    def is_shut(self, purpose: str) -> bool:
        """Whether a reply with this purpose certainly does not arrive."""
        closed = self.kind == "push" and self.window.state == "closed" and purpose not in self.templates
        return closed or self.kind == "nowhere"


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """How one channel of a profile stands. Times are None for what never was; counts are of the last 24 hours, but for
    what waits.

    `trouble` says what is wrong and what to do, worst first; `dead`: the platform refuses our account.
    """

    profile: str
    channel: str
    account: str
    kind: Literal["page", "push"]
    configured: bool
    last_in: datetime | None = None
    last_out: datetime | None = None
    waiting: int = 0
    sent: int = 0
    failed: int = 0
    polled_at: datetime | None = None
    poll_trouble: str | None = None
    rests_until: datetime | None = None
    rests_why: str | None = None
    dead: bool = False
    checked_at: datetime | None = None
    ok: bool | None = None
    reason: str | None = None
    expires_at: datetime | None = None
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def error_rate(self) -> float | None:
        """Of the replies that were settled, how many failed; None where none was."""
        settled = self.sent + self.failed
        return self.failed / settled if settled else None


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
    undelivered: bool | None = None
    """A reply, the newest of its purpose, could not be delivered."""
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


FileStatus: TypeAlias = Literal["waiting", "kept", "refused"]


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A file that came with a message, and how far it got.

    `digest` is the SHA-256 of its bytes; `media_type` what it is by its bytes once it is kept, until then what its
    sender called it; `reason` a word that staff's pages explain. What a picture said of itself: `width`, `height`
    (pixels), `taken_at`, `lat`, `lon` (WGS 84).
    """

    id: str
    message_id: str
    position: int
    case_id: str
    profile: str
    channel: str
    reporter: str
    url: str
    media_type: str | None = None
    name: str | None = None
    status: FileStatus = "waiting"
    attempts: int = 0
    next_at: datetime | None = None
    reason: str | None = None
    digest: str | None = None
    size: int | None = None
    width: int | None = None
    height: int | None = None
    taken_at: datetime | None = None
    lat: float | None = None
    lon: float | None = None


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

    async def hook(self, profile: str, connector: str, raw: Raw) -> Greeting:
        """A platform's webhook: verified, parsed, durable when it returns what the platform is answered.

        Raises `Forged`, and `NotFound` for a platform that there is not; what cannot be parsed is kept in the dead
        letter and counts as taken.
        """
        ...

    def greet(self, connector: str, query: Mapping[str, str]) -> Greeting:
        """The answer to a platform that asks whether the hook is ours. Raises `Forged`, `NotFound`."""
        ...

    def takes_get(self, connector: str) -> bool:
        """Whether this platform delivers by GET, which then is no such question."""
        ...

    async def act(
        self, case_id: str, transition: str, fields: Mapping[str, str], actor: Actor, seen: int | None = None
    ) -> CaseState:
        """Takes a transition. Read-your-own-write: what `tracking` says next includes it. Raises `Refused`."""
        ...

    async def note(self, case_id: str, text: str, actor: Actor) -> CaseState: ...

    def way(self, state: CaseState) -> Way:
        """Whether the reporter's channel would take a reply now. Blocking."""
        ...

    def elsewhere(self, state: CaseState) -> Sequence[str]:
        """Other channels on which the same reporter, by a verified phone, can be answered now. Blocking."""
        ...

    def post_of(self, state: CaseState) -> str | None:
        """The address, on its platform, of what the reporter wrote last, where there is one. Blocking."""
        ...

    async def convey(self, case_id: str, reply_id: str, actor: Actor) -> CaseState:
        """The actor told the reporter themselves. Read-your-own-write, as `act`. Raises `Refused`."""
        ...

    async def redirect(self, case_id: str, reply_id: str, channel: str, actor: Actor) -> CaseState:
        """What could not be delivered is said on another channel of `elsewhere`. Raises `Refused`."""
        ...

    def channels(self) -> Sequence[ChannelHealth]:
        """How every channel stands, in the profiles' order. Blocking."""
        ...

    def case(self, ticket: str) -> CaseState | None:
        """By ticket, however it was typed: spaces, dashes and lower case do not matter. Blocking."""
        ...

    def events(self, case_id: str) -> Sequence[CaseEvent]:
        """The whole history, oldest first. Blocking."""
        ...

    def files(self, case_id: str) -> Sequence[CaseFile]:
        """What came with the case's messages, in order. Blocking."""
        ...

    def file(self, file: CaseFile, variant: str = "") -> bytes | None:
        """Its bytes; of a picture also the variants "shown" and "preview". None when it is not kept, or erased.

        Blocking.
        """
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
