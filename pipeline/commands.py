"""What can be asked of a case, by a reporter, staff, the platforms or the system itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from laporhub.pipeline.base_model import Model, Utc
from laporhub.pipeline.messages import Message, Spot


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


class Locate(_Command):
    """A photo that came with this message says where it was taken: known once it was fetched."""

    kind: Literal["locate"] = "locate"
    message_id: str
    taken: Spot


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
    other: str | None = None
    """The case whose ticket stands in a field of the type "case"."""


class Tick(_Command):
    """A clock's warning or limit is reached. Stale ticks (the clock stopped meanwhile) change nothing."""

    kind: Literal["tick"] = "tick"
    clock: str
    alarm: str
    """A name of `clocks.schedule`: "warn", or the number of an escalation step, from "0"."""
    due_at: Utc


class Recount(_Command):
    """The working calendar has changed: the case's clocks are counted anew."""

    kind: Literal["recount"] = "recount"


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


class Repeated(Model):
    """A step that somebody took in the case that this one follows, and by which this one goes the same way."""

    step: str
    by: str
    """The member of staff, as events name them."""


class Follow(_Command):
    """Another case follows this one from now on, or (`left`) no longer: see `duplicates`."""

    kind: Literal["follow"] = "follow"
    follower: str
    ticket: str
    left: bool = False


class Echo(_Command):
    """What was said in the case `main`, for the reporter of one that follows it; or that `main` took a `step`, and
    where it `ended` by it.

    Nothing in it is sealed: what was taken out of those words is the other reporter's.
    """

    kind: Literal["echo"] = "echo"
    main: str
    purpose: str | None = None
    fields: Mapping[str, Words | str | int] = Field(default_factory=dict)
    draft: Words | None = None
    unit: str | None = None
    human: bool = False
    step: str | None = None
    ended: str | None = None
    repeats: Repeated | None = None


class Confide(_Command):
    """Something was said in confidence, by the reporter or to them. The words are in the vault, never in a stream.

    `reference` names them, sealed. `link`, for a reply that tells the reporter, leads to their page: sealed, too.
    """

    kind: Literal["confide"] = "confide"
    reference: str
    link: Words | None = None


Command: TypeAlias = Annotated[
    OpenCase
    | AddMessage
    | Locate
    | Withdraw
    | Act
    | Tick
    | Recount
    | Delivery
    | Convey
    | Redirect
    | Note
    | Confide
    | Follow
    | Echo,
    Field(discriminator="kind"),
]
