"""What has happened to a case: facts, each a CloudEvent, and never changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from laporhub.pipeline.base_model import Model, Utc
from laporhub.pipeline.classifier import Suggestion
from laporhub.pipeline.commands import DeliveryStatus, Repeated, Words
from laporhub.pipeline.messages import Attachment, Location, MessageKind, Spot

EVENT_TYPE_PREFIX = "org.laporhub.case."


SLOT = "\ue000"
"""Marks, in a reply's pattern, where the next sealed piece goes."""


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
    taken: Spot | None = None
    """Where a photo in it says that it was taken, where that came along."""
    sent_at: Utc | None = None


class Located(Model):
    """A photo of this message, fetched since, says where it was taken."""

    kind: Literal["located"] = "located"
    message_id: str
    taken: Spot


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
    repeats: Repeated | None = None
    """Of a step of the system in a case that follows another: whose decision there it carries out here."""


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


Measure: TypeAlias = Literal["seconds", "working_seconds", "working_days"]
"""What a clock counts: all seconds, those in which the office is open, or days that it works."""


class Counted(Model):
    """How a clock's times came out of the calendar: so they can be counted anew when the calendar changes.

    `left` is what was left until each alarm and "due", in seconds of service from `moment`, or in working days later
    than `day`, which is a local day.
    """

    left: Mapping[str, int]
    moment: Utc | None = None
    day: date | None = None


class ClockStarted(Model):
    """A clock of the service standard runs; `alarms` are absolute, so a replay needs no calendar."""

    kind: Literal["clock_started"] = "clock_started"
    clock: str
    due_at: Utc
    alarms: Mapping[str, Utc]
    counted: Counted | None = None
    """Where the calendar was asked."""


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
    counted: Counted | None = None


class ClockMoved(Model):
    """The working calendar changed: from now on these are its times. What has rung stays rung."""

    kind: Literal["clock_moved"] = "clock_moved"
    clock: str
    due_at: Utc
    alarms: Mapping[str, Utc]


class ClockStopped(Model):
    """Done, in time or not."""

    kind: Literal["clock_stopped"] = "clock_stopped"
    clock: str
    late: bool


class ClockAlarmed(Model):
    """A warning or an escalation: each alarm rings once.

    `escalate_to` is the role or group that hears of it, None whoever's turn it is. `silent`: nobody needs to be told,
    since it rings so late (the hub was away) that a later alarm, due as well, says the same and more.
    """

    kind: Literal["clock_alarmed"] = "clock_alarmed"
    clock: str
    alarm: str
    late: bool
    escalate_to: str | None = None
    due_at: Utc | None = None
    """When the clock itself is due."""
    silent: bool = False


class Noted(Model):
    """An internal note."""

    kind: Literal["noted"] = "noted"
    words: Words


class Confided(Model):
    """Something was said in confidence. `reference` names it, sealed; its words are in no stream."""

    kind: Literal["confided"] = "confided"
    reference: str


class Rated(Model):
    """The reporter's judgement, 1 (bad) to 5 (good)."""

    kind: Literal["rated"] = "rated"
    rating: int = Field(ge=1, le=5)


class Involved(Model):
    """A further unit is asked for its part; the responsible one stays so."""

    kind: Literal["involved"] = "involved"
    unit: str


class Released(Model):
    """A unit is not asked for its part any more."""

    kind: Literal["released"] = "released"
    unit: str


class Contributed(Model):
    """A unit's part of the answer."""

    kind: Literal["contributed"] = "contributed"
    unit: str
    words: Words


class Merged(Model):
    """The case is about the same as another one, and follows it: its reporter hears what that one's does."""

    kind: Literal["merged"] = "merged"
    into: str
    ticket: str


class Split(Model):
    """It stands on its own again."""

    kind: Literal["split"] = "split"
    main: str


class Followed(Model):
    """Another case follows this one from now on, or (`left`) no longer."""

    kind: Literal["followed"] = "followed"
    follower: str
    ticket: str
    left: bool = False


class Evidenced(Model):
    """Photos of what was done, that came with a step in this field of its form."""

    kind: Literal["evidenced"] = "evidenced"
    field: str
    files: tuple[Attachment, ...]


EventData: TypeAlias = Annotated[
    Opened
    | MessageAdded
    | Located
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
    | ClockMoved
    | ClockStopped
    | ClockAlarmed
    | Noted
    | Confided
    | Rated
    | Involved
    | Released
    | Contributed
    | Merged
    | Split
    | Followed
    | Evidenced,
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


def cloud_type(data: Any) -> str:
    """The CloudEvents `type` of an event's data."""
    return EVENT_TYPE_PREFIX + str(data.kind)
