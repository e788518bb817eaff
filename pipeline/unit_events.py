"""What leaves the hub's own streams: for units, for channel admins; and what a unit's system may send. Pure.

Nothing here has a place for identity: no sealed piece, no pseudonym, no account of the reporter or of staff.
A unit that reads its topic from the start knows all it needs of its cases, and nothing of others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from laporhub.pipeline.base_model import Model, Utc
from laporhub.pipeline.classifier import Place
from laporhub.pipeline.commands import DeliveryStatus
from laporhub.pipeline.messages import Location, MessageKind

UNIT_EVENT_SCHEMA: Final = "urn:laporhub:unit-event:"
"""Followed by the version."""
UNIT_EVENT_TYPE: Final = "org.laporhub.unit."

Urgency: TypeAlias = Literal["normal", "high", "critical"]


class UnitClock(Model):
    """A time limit of the case. `late` once it has run out, or ended too late."""

    status: Literal["running", "paused", "stopped"]
    due_at: Utc
    late: bool = False


class UnitCase(Model):
    """The case is yours: all there is to know of it as it stands at this sequence.

    It replaces whatever was known of the case. `text` is what the reporter said so far, redacted, messages
    joined by line breaks. `transition` and `fields` are the step that brought it, with its note to the unit.
    """

    kind: Literal["case"] = "case"
    status: str
    text: str = ""
    location: Location | None = None
    occurred_at: Utc | None = None
    opened_at: Utc
    attachments: int = 0
    messages: int = 0
    topic: str | None = None
    urgency: Urgency = "normal"
    place: Place | None = None
    private: bool = False
    anonymous: bool = False
    clocks: Mapping[str, UnitClock] = Field(default_factory=dict)
    rating: int | None = None
    transition: str | None = None
    fields: Mapping[str, str | int] = Field(default_factory=dict)


class UnitTakenAway(Model):
    """The case is no longer yours; nothing more of it will come, unless it comes back."""

    kind: Literal["taken_away"] = "taken_away"


class UnitMessage(Model):
    """The reporter said more. `attachments` counts the files, which staff open on the hub's pages.

    `replaces` is the id of an earlier message that the reporter rewrote: forget its words. `said` is then all that
    the reporter says now.
    """

    kind: Literal["message_added"] = "message_added"
    message_id: str
    replaces: str | None = None
    said: str | None = None
    message_kind: MessageKind = "text"
    text: str = ""
    attachments: int = 0
    location: Location | None = None
    sent_at: Utc | None = None


class UnitMessageWithdrawn(Model):
    """The reporter took a message back: forget its words. `said` is what remains of all they said."""

    kind: Literal["message_withdrawn"] = "message_withdrawn"
    message_id: str
    said: str | None = None


class UnitClassified(Model):
    """How urgent it is, what it is about and where, by all that was said so far."""

    kind: Literal["classified"] = "classified"
    topic: str | None = None
    urgency: Urgency = "normal"
    place: Place | None = None


class UnitTransitioned(Model):
    """The case moved in the workflow. Words in `fields` are redacted."""

    kind: Literal["transitioned"] = "transitioned"
    transition: str
    source: str
    target: str
    ends: bool = False
    fields: Mapping[str, str | int] = Field(default_factory=dict)


class UnitDrafted(Model):
    """The response that waits for approval."""

    kind: Literal["drafted"] = "drafted"
    text: str


class UnitReply(Model):
    """What the reporter is told, as everybody may read it."""

    kind: Literal["reply_queued"] = "reply_queued"
    reply_id: str
    purpose: str
    text: str


class UnitReplyUpdated(Model):
    """How far a reply got."""

    kind: Literal["reply_updated"] = "reply_updated"
    reply_id: str
    status: DeliveryStatus


class UnitClockMoved(Model):
    """A clock started, stands still, runs on, moved with the calendar, ended or rang."""

    kind: Literal["clock"] = "clock"
    clock: str
    moved: Literal["started", "paused", "resumed", "moved", "stopped", "alarmed"]
    due_at: Utc | None = None
    alarm: str | None = None
    late: bool = False


class UnitNoted(Model):
    """An internal note of the unit itself; others' notes stay with them."""

    kind: Literal["noted"] = "noted"
    text: str


class UnitRated(Model):
    """The reporter's judgement, 1 (bad) to 5 (good)."""

    kind: Literal["rated"] = "rated"
    rating: int = Field(ge=1, le=5)


class UnitRefused(Model):
    """A command of the unit's own system was not carried out; nothing has changed.

    `code` is stable ("forbidden", "wrong_state", "missing_field", "unparsable", …), `reason` is for people.
    """

    kind: Literal["refused"] = "refused"
    command: str | None = None
    code: str
    reason: str
    field: str | None = None


UnitEventData: TypeAlias = Annotated[
    UnitCase
    | UnitTakenAway
    | UnitMessage
    | UnitMessageWithdrawn
    | UnitClassified
    | UnitTransitioned
    | UnitDrafted
    | UnitReply
    | UnitReplyUpdated
    | UnitClockMoved
    | UnitNoted
    | UnitRated
    | UnitRefused,
    Field(discriminator="kind"),
]


class UnitEvent(Model):
    """The record of `unit.<profile>.<unit>`: a CloudEvent 1.0 in JSON (structured mode), without identity.

    `subject` is the case and `sequence` its place in the case's history: the two tell a repeat. Sequences that
    do not concern the unit are left out. An answer to a command has sequence 0, and is told by its `id`.
    `actorrole` and `actorunit` say who did it; persons are not named.
    """

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: str
    subject: str
    time: Utc
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str = f"{UNIT_EVENT_SCHEMA}1"
    sequence: int = Field(ge=0)
    profile: str
    unit: str
    channel: str | None = None
    ticket: str | None = None
    actorrole: str
    actorunit: str | None = None
    data: UnitEventData


class UnitCommand(Model):
    """The record of `unit-commands.<profile>.<unit>`: a step of the workflow that the unit takes.

    `id` is the sender's own: the same id again changes nothing more. `fields` are the transition's, words in
    plain; the hub redacts them. Who acts, and for which unit, is not said: the topic tells.
    """

    schema_version: Literal[1] = 1
    id: str = Field(min_length=1, max_length=200)
    case_id: str = Field(min_length=1, max_length=100)
    transition: str = Field(min_length=1, max_length=100)
    fields: Mapping[str, str] = Field(default_factory=dict)


class WorkSuggestion(Model):
    """A unit that the classifier would send the case to."""

    unit: str
    probability: float


class Work(Model):
    """The record of `queue.<profile>.<channel>`: what its admins have to do with one case. No value: nothing any more.

    `turn` is the role or group whose turn it is, None where everybody may do something; `attention` says that
    the reporter wrote again and nobody has looked, or that a reply failed (`failed_replies`, by purpose).
    """

    schema_version: Literal[1] = 1
    case_id: str
    sequence: int
    profile: str
    channel: str
    ticket: str
    status: str
    turn: str | None = None
    unit: str | None = None
    urgency: Urgency = "normal"
    opened_at: Utc
    due_at: Utc | None = None
    attention: bool = False
    failed_replies: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    review: tuple[str, ...] = ()
    suggestions: tuple[WorkSuggestion, ...] = ()
    private: bool = False
    text: str = ""
    """The beginning of what the reporter said, redacted."""
