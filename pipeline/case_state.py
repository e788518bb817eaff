"""What a case's events add up to: all that `decide` knows of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from pydantic import Field

from laporhub.pipeline.base_model import Model, Utc
from laporhub.pipeline.classifier import Suggestion
from laporhub.pipeline.commands import DeliveryStatus, Words
from laporhub.pipeline.events import Counted, Measure
from laporhub.pipeline.messages import Location, Spot


class Clock(Model):
    """One running, paused or stopped clock of a case."""

    status: Literal["running", "paused", "stopped"]
    started_at: Utc
    due_at: Utc
    alarms: Mapping[str, Utc] = Field(default_factory=dict)
    """Alarms still to ring."""
    remaining: Mapping[str, int] = Field(default_factory=dict)
    measure: Measure = "seconds"
    """What `remaining` counts, while it stands still."""
    counted: Counted | None = None
    """While it runs: how its times came out of the calendar, if they did."""
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
    words: str | None = None
    """By which its words are told from others, not readable; None for a reply of an earlier release."""


class Said(Model):
    """One message of the reporter: how much of the state's `text` is its, and what else it gave.

    `ids` is its id, and those of the messages that rewrote it; `written_at` is when the last of these was sent.
    """

    ids: tuple[str, ...]
    length: int = 0
    attachments: int = 0
    location: Location | None = None
    taken: Spot | None = None
    """Where a photo in it says that it was taken."""
    written_at: Utc | None = None
    gone: bool = False
    """Taken back."""


class Part(Model):
    """What one of several units is asked for; `words` once it has answered."""

    since: Utc
    words: Words | None = None


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
    sealed_name: str | None = None
    """The sealed identity that told the reporter's name last; None for a case of an earlier release, too."""
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
    automatic: Literal["given", "kept", "returned"] | None = None
    """What became of a disposition that the system made by itself: nobody has said anything to it yet, the unit's
    people acted upon it, or a person gave the case back or to another unit. None: people disposed.
    """
    draft: Words | None = None
    clocks: Mapping[str, Clock] = Field(default_factory=dict)
    replies: Mapping[str, Reply] = Field(default_factory=dict)
    rating: int | None = None
    messages: int = 0
    said: tuple[Said, ...] = ()
    """Message by message; shorter than `messages` for a case of an earlier release (see `Batch`)."""
    confided: int = 0
    """How often the reporter said something in confidence."""
    waiting: bool = False
    """The reporter wrote, and no person has acted since."""
    taken: Mapping[str, tuple[int, str]] = Field(default_factory=dict)
    """Step → how often it was taken, and by whom last; by whom, also of one that this case goes along with."""
    parts: Mapping[str, Part] = Field(default_factory=dict)
    """Unit beside the responsible one → its part."""
    main: str | None = None
    """The case that this one, a duplicate, follows."""
    followers: Mapping[str, str] = Field(default_factory=dict)
    """Cases that follow this one → their tickets."""
    applied: Mapping[str, tuple[int, int]] = Field(default_factory=dict)
    """Command id → first and last sequence it led to; a command seen before changes nothing."""


INTERNAL: Final[Mapping[str, Any]] = {
    "applied": True,
    "sealed_name": True,
    "replies": {"__all__": {"words"}},
}
"""What is shown to nobody: to be excluded where a case is written out in full."""
