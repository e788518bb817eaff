"""What travels through the hub: messages, commands, case events; and what they add up to: case states.

All are frozen pydantic models: checked where they enter, immutable inside, JSON outside. None of them
carries identity in the clear: a person is a pseudonym, names and numbers are sealed (see `door`).
Times are timezone-aware UTC datetimes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, ParamSpec, Self, TypeAlias, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

SCHEMA_VERSION = 1
"""Raised when a field of any streamed model changes its meaning; readers accept it and the ones before."""

EVENT_TYPE_PREFIX = "org.laporhub.case."

Utc: TypeAlias = Annotated[AwareDatetime, AfterValidator(lambda at: at.astimezone(UTC))]


Values = ParamSpec("Values")
Made = TypeVar("Made")
# What a model's instance is made of, set without the detour by which frozen models refuse to be changed.
_put_values: Any = vars(BaseModel)["__dict__"].__set__
_put_named: Any = vars(BaseModel)["__pydantic_fields_set__"].__set__
_put_extra: Any = vars(BaseModel)["__pydantic_extra__"].__set__
_put_private: Any = vars(BaseModel)["__pydantic_private__"].__set__


def trusted(model: Callable[Values, Made]) -> Callable[Values, Made]:
    """Makes the model's instances of values that are known to fit, without checking each again: three times as fast.

    For what the core itself makes of checked values; all by keyword. Times must be in UTC. A value that is missing
    and has no default becomes None, where the type checker did not object before.
    """
    fields: Any = model.model_fields  # type: ignore[attr-defined]
    unset = {  # in the order in which they are written
        name: None if each.is_required() else each.get_default(call_default_factory=True)
        for name, each in fields.items()
    }
    named = set(unset)

    def make(**values: Any) -> Any:
        made: Any = object.__new__(model)  # type: ignore[arg-type]
        _put_values(made, {**unset, **values})
        _put_named(made, named)
        _put_extra(made, None)
        _put_private(made, None)
        return made

    return make  # type: ignore[return-value]


class Model(BaseModel):
    """Base of all streamed models: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def but(self, changes: Mapping[str, Any]) -> Self:
        """A copy with `changes`, which are trusted to fit: an order of magnitude faster than checking again."""
        copy = object.__new__(type(self))
        _put_values(copy, {**self.__dict__, **changes})
        _put_named(copy, self.__pydantic_fields_set__.union(changes))
        _put_extra(copy, None)
        _put_private(copy, None)
        return copy


# ── what comes in ────────────────────────────────────────────────────────────────────────────────


class Location(Model):
    """Where it happened (not where the reporter lives). Degrees are WGS 84."""

    address: str | None = None
    lat: float | None = Field(None, ge=-90, le=90)
    lon: float | None = Field(None, ge=-180, le=180)
    district: str | None = None
    village: str | None = None


INLINE = "inline:"
"""How the address of a file begins that came in the message itself; the hash of its bytes follows."""


class InlineFile(Model):
    """A file that came in the message itself (an upload, a mail), its bytes and what its sender calls it."""

    data: bytes
    media_type: str | None = None
    name: str | None = None


class Attachment(Model):
    """A file that came with a message: `url` is the platform's, and expires, or `INLINE` and its hash."""

    url: str
    media_type: str | None = None
    name: str | None = None


MessageKind: TypeAlias = Literal["text", "attachment", "location", "unsupported"]


class Inbound(Model):
    """What a connector's `parse` makes of one raw payload. Holds identity: it never leaves the door.

    `thread` tells conversations apart where one author may have several (a post, a form sent twice);
    by default all messages of an author on an account are one conversation.
    `case_id` is set where the channel itself knows the case (the tracking page).
    """

    external_id: str
    author_id: str
    account: str | None = None
    """Our address that was written to, where one connector serves several; tells channel and profile."""
    text: str = ""
    whole: str | None = None
    """All that was said, where `text` is only what to work with (of a call's transcript): sealed, for its author."""
    kind: MessageKind = "text"
    sent_at: Utc | None = None
    attachments: tuple[Attachment, ...] = ()
    files: tuple[InlineFile, ...] = ()
    """Files whose bytes came along; the hub keeps them, and only their hashes travel."""
    location: Location | None = None
    thread: str | None = None
    reply_to: str | None = None
    """Where an answer belongs, in the connector's own words (a comment, a post, a mail); sealed with the identity."""
    replaces: str | None = None
    """The external id of an earlier message of the author, which they rewrote: these are its words from now on."""
    case_id: str | None = None
    ticket: str | None = None
    """The case that the message names, where it follows no other message; it counts if that is the author's own."""
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    occurred_at: Utc | None = None
    private: bool = False
    anonymous: bool = False
    verified: bool = False
    """True where the platform itself vouches for the author (a WhatsApp number), not a typed-in form."""


class Message(Model):
    """One message of a reporter, sealed: the record of the `messages` stream, keyed by conversation."""

    schema_version: int = SCHEMA_VERSION
    id: str
    profile: str
    channel: str
    account: str
    external_id: str
    conversation: str
    reporter: str
    kind: MessageKind = "text"
    text: str = ""
    """Cleaned and redacted."""
    sealed_text: str | None = None
    """The untouched text, or all that was said, under the reporter's key; None where that is the same."""
    sealed_identity: str
    """Name, phone, e-mail, handle, as JSON under the reporter's key."""
    known: tuple[str, ...] = ()
    """Which identity facts are sealed: "phone", "name", "email". Lets requirements be checked unopened."""
    attachments: tuple[Attachment, ...] = ()
    location: Location | None = None
    occurred_at: Utc | None = None
    private: bool = False
    anonymous: bool = False
    case_id: str | None = None
    replaces: str | None = None
    """The id of the earlier message that the author rewrote: these are its words from now on."""
    sent_at: Utc | None = None
    received_at: Utc


# ── what the classifier says ─────────────────────────────────────────────────────────────────────


class UnitGuess(Model):
    """One candidate unit: `probability` in 0..1, and the words, place or rule that speak for it."""

    unit: str
    probability: float
    reasons: tuple[str, ...] = ()


class Place(Model):
    """A place read from text or address: `region` is a territory code of the profile's units."""

    name: str
    region: str | None = None
    confidence: float = 1.0


class Suggestion(Model):
    """What a classifier makes of a text. `sure` is False where it abstains: then a person decides."""

    units: tuple[UnitGuess, ...] = ()
    sure: bool = False
    topic: str | None = None
    urgency: Literal["normal", "high", "critical"] = "normal"
    place: Place | None = None
    flags: tuple[str, ...] = ()
    """For a person to look at: "sara", "abusive", "spam", …"""
    model: str = ""
    """Which classifier, in which version, said so."""


# ── commands ─────────────────────────────────────────────────────────────────────────────────────


class Actor(Model):
    """Who does it. `id` is a staff account, "system", or the reporter's pseudonym; never a citizen's name."""

    id: str
    role: str
    unit: str | None = None


SYSTEM = Actor(id="system", role="system")


class Words(Model):
    """Text that a person wrote for others to read: redacted, and sealed where redaction changed it."""

    text: str
    sealed: str | None = None


SLOT = "\ue000"
"""Marks, in a reply's pattern, where the next sealed piece goes."""


class _Command(Model):
    id: str
    profile: str
    case_id: str
    at: Utc
    """When it was given; `decide` knows no other time."""
    actor: Actor = SYSTEM


class OpenCase(_Command):
    """The first message of a new case."""

    kind: Literal["open"] = "open"
    message: Message


class AddMessage(_Command):
    """A further message of the reporter, or the other party's, in a case that exists."""

    kind: Literal["add_message"] = "add_message"
    message: Message


class Withdraw(_Command):
    """The author took a message back on the platform. Its words are shown to nobody any more."""

    kind: Literal["withdraw"] = "withdraw"
    message_id: str


class Act(_Command):
    """A transition of the profile's workflow, by name.

    `fields` are the transition's fields; words are redacted at the border. `seen` is the sequence of
    the case that the actor was looking at: the command is refused if the case has changed since.
    """

    kind: Literal["act"] = "act"
    transition: str
    fields: Mapping[str, Words | str | int] = Field(default_factory=dict)
    seen: int | None = None


class Tick(_Command):
    """A clock's warning or limit is reached. Stale ticks (the clock stopped meanwhile) change nothing."""

    kind: Literal["tick"] = "tick"
    clock: str
    alarm: str
    """"warn", or the number of an escalation step, from "0"."""
    due_at: Utc


DeliveryStatus: TypeAlias = Literal["queued", "sent", "delivered", "read", "failed"]


class Delivery(_Command):
    """What became of a reply on its platform."""

    kind: Literal["delivery"] = "delivery"
    reply_id: str
    status: DeliveryStatus
    platform_id: str | None = None
    reason: str | None = None


class Convey(_Command):
    """A person told the reporter themselves what could not be delivered, or would have waited."""

    kind: Literal["convey"] = "convey"
    reply_id: str


class Redirect(_Command):
    """What could not be delivered is said in another conversation of the same reporter, in the same words."""

    kind: Literal["redirect"] = "redirect"
    reply_id: str
    channel: str
    account: str
    conversation: str
    text: str
    pattern: str | None = None
    sealed: tuple[str, ...] = ()
    human: bool = False


class Note(_Command):
    """An internal note; the reporter never sees it."""

    kind: Literal["note"] = "note"
    words: Words


Command: TypeAlias = Annotated[
    OpenCase | AddMessage | Withdraw | Act | Tick | Delivery | Convey | Redirect | Note,
    Field(discriminator="kind"),
]


# ── events ───────────────────────────────────────────────────────────────────────────────────────


class Opened(Model):
    """A case exists."""

    kind: Literal["opened"] = "opened"
    ticket: str
    channel: str
    account: str
    conversation: str
    reporter: str
    status: str
    profile_version: str
    private: bool = False
    anonymous: bool = False
    occurred_at: Utc | None = None


class MessageAdded(Model):
    """The reporter said something; the first one comes with the opening.

    `replaces` is the id of an earlier message of which these are the words now.
    """

    kind: Literal["message_added"] = "message_added"
    message_id: str
    replaces: str | None = None
    message_kind: MessageKind = "text"
    text: str = ""
    sealed_text: str | None = None
    sealed_identity: str | None = None
    known: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    location: Location | None = None
    sent_at: Utc | None = None


class MessageWithdrawn(Model):
    """The reporter took a message back: ticket and history stay, its words are shown to nobody."""

    kind: Literal["message_withdrawn"] = "message_withdrawn"
    message_id: str


class Classified(Model):
    """The classifier's word on all the reporter has said so far, and what is still missing."""

    kind: Literal["classified"] = "classified"
    suggestion: Suggestion
    missing: tuple[str, ...] = ()
    """Requirements of level "ask" not met yet, by id."""
    advised: tuple[str, ...] = ()
    """Requirements of level "advise" not met."""
    review: tuple[str, ...] = ()
    """Requirements of level "review" that a person must look at."""


class Asked(Model):
    """The system asked the reporter for one thing that the complaint lacks."""

    kind: Literal["asked"] = "asked"
    requirement: str
    attempt: int = 1


class Answered(Model):
    """The question is over: answered, or (`met` False) there is no such thing, or it was asked often enough."""

    kind: Literal["answered"] = "answered"
    requirement: str
    met: bool


class Transitioned(Model):
    """The case moved in the workflow; `fields` as the actor gave them."""

    kind: Literal["transitioned"] = "transitioned"
    transition: str
    source: str
    target: str
    ends: bool = False
    """Whether the target is a final state."""
    fields: Mapping[str, Words | str | int] = Field(default_factory=dict)


class Assigned(Model):
    """The unit that must act; None takes it away."""

    kind: Literal["assigned"] = "assigned"
    unit: str | None = None
    previous: str | None = None
    """Whose it was until now."""


class Drafted(Model):
    """The response a unit proposes, waiting for approval."""

    kind: Literal["drafted"] = "drafted"
    words: Words


class ReplyQueued(Model):
    """Something to say to the reporter, on the channel and in the conversation they came from."""

    kind: Literal["reply_queued"] = "reply_queued"
    reply_id: str
    purpose: str
    """The template's name, e.g. "ack", "ask", "response"."""
    channel: str
    account: str
    conversation: str
    text: str
    """As everybody may read it, redacted."""
    pattern: str | None = None
    """Where redaction took something out: the text with `SLOT` in place of each sealed piece."""
    sealed: tuple[str, ...] = ()
    human: bool = False
    """Whether a person wrote the words; some platforms take only such after a while."""
    status: DeliveryStatus = "queued"
    """"sent" at once where the reply is delivered by being on the tracking page."""


class ReplyUpdated(Model):
    """What became of a reply. Statuses only ever rise; "failed" needs a person."""

    kind: Literal["reply_updated"] = "reply_updated"
    reply_id: str
    status: DeliveryStatus
    platform_id: str | None = None
    reason: str | None = None


Measure: TypeAlias = Literal["seconds", "working_days"]


class ClockStarted(Model):
    """A clock of the service standard runs; `alarms` are absolute, so a replay needs no calendar."""

    kind: Literal["clock_started"] = "clock_started"
    clock: str
    due_at: Utc
    alarms: Mapping[str, Utc]


class ClockPaused(Model):
    """The clock stands still, e.g. while the reporter is asked. `remaining` is what resuming needs.

    `measure` is what `remaining` counts: the profile may measure otherwise by the time the clock runs again.
    """

    kind: Literal["clock_paused"] = "clock_paused"
    clock: str
    measure: Measure = "seconds"
    remaining: Mapping[str, int]


class ClockResumed(Model):
    """It runs again, with new times."""

    kind: Literal["clock_resumed"] = "clock_resumed"
    clock: str
    due_at: Utc
    alarms: Mapping[str, Utc]


class ClockStopped(Model):
    """Done, in time or not."""

    kind: Literal["clock_stopped"] = "clock_stopped"
    clock: str
    late: bool


class ClockAlarmed(Model):
    """A warning or an escalation: each alarm rings once."""

    kind: Literal["clock_alarmed"] = "clock_alarmed"
    clock: str
    alarm: str
    late: bool
    escalate_to: str | None = None


class Noted(Model):
    """An internal note."""

    kind: Literal["noted"] = "noted"
    words: Words


class Rated(Model):
    """The reporter's judgement, 1 (bad) to 5 (good)."""

    kind: Literal["rated"] = "rated"
    rating: int = Field(ge=1, le=5)


EventData: TypeAlias = Annotated[
    Opened
    | MessageAdded
    | MessageWithdrawn
    | Classified
    | Asked
    | Answered
    | Transitioned
    | Assigned
    | Drafted
    | ReplyQueued
    | ReplyUpdated
    | ClockStarted
    | ClockPaused
    | ClockResumed
    | ClockStopped
    | ClockAlarmed
    | Noted
    | Rated,
    Field(discriminator="kind"),
]


class CaseEvent(Model):
    """A fact about one case, as a CloudEvent 1.0 in JSON (structured mode).

    `subject` is the case, `sequence` its place in the case's history (from 1, without gaps), `cause`
    the command that led to it, `unit` whose case it is once this has happened, `channel` where it came from.
    `sequence`, `cause`, `profile`, `unit`, `channel`, `actor…` are extension attributes: lower-case and flat,
    as the specification asks.
    """

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: str
    subject: str
    time: Utc
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str
    sequence: int
    profile: str
    channel: str
    unit: str | None = None
    cause: str
    actorid: str
    actorrole: str
    actorunit: str | None = None
    data: EventData

    @property
    def case_id(self) -> str:
        return self.subject


# ── state ────────────────────────────────────────────────────────────────────────────────────────


class Clock(Model):
    """One running, paused or stopped clock of a case."""

    status: Literal["running", "paused", "stopped"]
    started_at: Utc
    due_at: Utc
    alarms: Mapping[str, Utc] = Field(default_factory=dict)
    """Alarms still to ring."""
    remaining: Mapping[str, int] = Field(default_factory=dict)
    measure: Measure = "seconds"
    rung: tuple[str, ...] = ()
    kept: int = 0
    """How many earlier runs ended in time, and"""
    missed: int = 0
    """how many ended late: a clock that begins anew forgets nothing."""
    stopped_at: Utc | None = None
    late: bool = False


class Reply(Model):
    """A reply and what became of it."""

    purpose: str
    status: DeliveryStatus
    reason: str | None = None


class Said(Model):
    """One message of the reporter: how much of the state's `text` is its, and what else it gave.

    `ids` is its id, and those of the messages that rewrote it; `written_at` is when the last of these was sent.
    """

    ids: tuple[str, ...]
    length: int = 0
    attachments: int = 0
    location: Location | None = None
    written_at: Utc | None = None
    gone: bool = False
    """Taken back."""


class CaseState(Model):
    """All that `decide` needs to know of a case: the sum of its events."""

    id: str
    profile: str
    profile_version: str
    ticket: str
    seq: int
    status: str
    channel: str
    account: str
    conversation: str
    reporter: str
    private: bool = False
    anonymous: bool = False
    opened_at: Utc
    updated_at: Utc
    occurred_at: Utc | None = None
    closed_at: Utc | None = None
    text: str = ""
    """What the reporter said, redacted, messages joined by line breaks, capped (see `evolve`)."""
    known: tuple[str, ...] = ()
    attachments: int = 0
    location: Location | None = None
    suggestion: Suggestion | None = None
    missing: tuple[str, ...] = ()
    advised: tuple[str, ...] = ()
    review: tuple[str, ...] = ()
    asking: str | None = None
    """The requirement that the reporter was asked for last, until they answer or a person takes over."""
    asked: Mapping[str, int] = Field(default_factory=dict)
    """Requirement → how often it was asked for."""
    waived: tuple[str, ...] = ()
    """Requirements that are not asked for any more, though they are not met."""
    unit: str | None = None
    draft: Words | None = None
    clocks: Mapping[str, Clock] = Field(default_factory=dict)
    replies: Mapping[str, Reply] = Field(default_factory=dict)
    rating: int | None = None
    messages: int = 0
    said: tuple[Said, ...] = ()
    """Message by message; shorter than `messages` for a case of an earlier release (see `Batch`)."""
    waiting: bool = False
    """The reporter wrote, and no person has acted since."""
    applied: Mapping[str, tuple[int, int]] = Field(default_factory=dict)
    """Command id → first and last sequence it led to; a command seen before changes nothing."""


def cloud_type(data: Any) -> str:
    """The CloudEvents `type` of an event's data."""
    return EVENT_TYPE_PREFIX + str(data.kind)


def utc(at: datetime) -> datetime:
    """The same moment in UTC; naive times are refused."""
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    return at.astimezone(UTC)
