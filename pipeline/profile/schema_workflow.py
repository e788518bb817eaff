"""The profile's workflow: who may take which step from where, and what follows by itself."""

from __future__ import annotations

from typing import Final, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from laporhub.pipeline.profile.schema_life import Pic
from laporhub.pipeline.profile.schema_time import Limit
from laporhub.pipeline.profile.section import Name, Section, Text

BUILT_IN_ROLES: Final = frozenset({"system", "reporter"})
"""Roles that every profile has without naming them."""

OPENED: Final = "opened"
"""What clocks may name as their start: the opening of a case."""


Fact: TypeAlias = Literal["text", "place", "files", "notes", "draft", "staff"]
"""What of a case a role may be spared: the reporter's words; address and degrees; files; internal notes; the response
that waits for approval; which member of staff did something.
"""


class Role(Section):
    """A kind of account. `group` lets transitions name several roles at once.

    `scope`: "all" cases, those of `channels`, or of the account's own "unit". `confidential`: takes part in the
    confidential discussion of these cases. `hides` is what of them it is not shown, on page, API and export alike.
    """

    title: Text
    group: Name | None = None
    scope: Literal["all", "channels", "unit"] = "all"
    channels: tuple[Name, ...] = ()
    sees_identity: bool = False
    sees_private: bool = True
    confidential: bool = False
    hides: tuple[Fact, ...] = ()
    pic: Pic | None = None
    """Where these people are told what needs them, beside their inbox."""

    @model_validator(mode="after")
    def _channels_when_scoped(self) -> Self:
        if (self.scope == "channels") != bool(self.channels):
            raise ValueError("'channels' goes with 'scope: channels', and only with it")
        return self


class State(Section):
    """A place in the workflow. `public` is the word on the tracking page, `final` ends the case.

    `owner` is whose turn it is: a role or group, `reporter` or `system`. It decides whose work list shows the
    case; when left out, everybody who may do something has it.
    """

    title: Text
    public: Text | None = None
    owner: Name | None = None
    final: bool = False
    hides_text: bool = False
    """Whether the public page leaves out what the reporter wrote (a rejected case)."""
    follow_up: bool = True
    """Of a final state: whether what the reporter writes afterwards can join the case (see `Intake`)."""
    export: bool = False
    """Whether those who brought the case here can have it as a file, for another government."""


class FormField(Section):
    """One input of a transition's form."""

    title: Text
    type: Literal["text", "items", "unit", "choice", "rating", "case", "photo"]
    """`items` is a list, one thing a line, as "2 buah konektor"; `case` the ticket of another case."""
    required: bool = True
    options: dict[str, Text] | None = None
    """For `choice`: value → label."""
    default: Literal["draft", "suggestion"] | None = None
    """Filled in beforehand: with the unit's draft, or the classifier's first unit."""
    seen_by: tuple[Name, ...] | None = None
    """The roles and groups that see what was filled in, on page, API and units' topics; all who see the case when left
    out. The reporter and the public see none of it but what a reply says.
    """

    @model_validator(mode="after")
    def _options_for_choice(self) -> Self:
        if (self.type == "choice") != bool(self.options):
            raise ValueError("'options' goes with 'type: choice', and only with it")
        return self


class Transition(Section):
    """A step somebody may take: from some states to one, with what it asks for and what it does.

    Effects: `assign` (the unit field whose unit becomes responsible), `unassign`, `draft` (the text field
    kept as the response waiting for approval), `reply` (the template sent to the reporter; its words may use
    the fields and the draft), `rate` (the rating field).

    Several units: `involve` and `release` (the unit field whose unit is asked for its part, or not any more), `part`
    (the text field that is the acting unit's part), `whole` (refused while a part is still to come). Duplicates:
    `merge` (the case field whose case it follows from now on), `split` (it follows none any more).
    """

    title: Text
    source: tuple[Name, ...] = Field(alias="from", min_length=1)
    target: Name = Field(alias="to")
    roles: tuple[Name, ...] = Field(min_length=1)
    fields: dict[Name, FormField] = {}
    assign: Name | None = None
    unassign: bool = False
    draft: Name | None = None
    reply: Name | None = None
    rate: Name | None = None
    within: Limit | None = None
    """Allowed only so long after the case was closed (reopening)."""
    danger: bool = False
    """Shown in red: it ends or refuses."""
    at_most: int | None = Field(None, ge=1)
    """How often it may be taken on one case, and"""
    at_last: Name | None = None
    """what the system takes right after the last time."""
    other_than: Name | None = None
    """Not for the account that took this step last: somebody else looks."""
    words: tuple[str, ...] = ()
    """Beginnings of a message by which the reporter takes it where people chat; a rating also by its number alone."""
    notify: tuple[Name, ...] = ()
    """Roles and groups that are told when it is taken."""
    involve: Name | None = None
    release: Name | None = None
    part: Name | None = None
    whole: bool = False
    merge: Name | None = None
    split: bool = False

    @model_validator(mode="after")
    def _last_of_some(self) -> Self:
        if self.at_last is not None and self.at_most is None:
            raise ValueError("'at_last' goes with 'at_most', and only with it")
        return self


class Routing(Section):
    """When the classifier may dispose by itself: never (the default), or from probability `automatic` up.

    Then the system takes `transition`, with the unit in its `assign` field. Below `suggest_from` a unit is not
    even suggested. `sure_from` is for the units' description alone; what was learned from past cases is sure from where
    a share `precision` of its suggestions came true. `learning` says whether there is a learned model at all, and
    whether a better one is promoted by itself or waits for a person to choose it.
    """

    transition: Name
    automatic: float | None = Field(None, gt=0, le=1)
    sure_from: float = Field(0.6, gt=0, le=1)
    suggest_from: float = Field(0.02, ge=0, le=1)
    precision: float = Field(0.95, gt=0.5, lt=1)
    learning: Literal["off", "proposed", "promoted"] = "promoted"


class Publication(Section):
    """Purpose of a reply → the transition the system takes when that reply is sent, or turns out not to be."""

    on_sent: dict[Name, Name] = {}
    on_failed: dict[Name, Name] = {}
