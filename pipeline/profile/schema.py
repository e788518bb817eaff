"""The profile format: one government as data. `laporhub profile schema` prints it as JSON Schema.

`profile.yaml` is a `Profile`; `units.yaml` a list of `Unit`; `templates/<language>/<name>[.<channel>].txt`
are the replies. Every text that a person reads is a `Text`: one string, or one per language.
"""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

Name: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=60)]
Text: TypeAlias = str | dict[str, str]
Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

BUILT_IN_ROLES: Final = frozenset({"system", "reporter"})
"""Roles that every profile has without naming them."""

OPENED: Final = "opened"
"""What clocks may name as their start: the opening of a case."""


class Section(BaseModel):
    """Base of all profile sections: unknown keys are refused, so a typing error cannot pass silently."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Ticket(Section):
    """How a ticket begins: `prefix`, then the channel's `code`, then digits with a check digit."""

    prefix: str = Field(pattern=r"^[A-Z]{1,4}$")


class MessageTemplate(Section):
    """A message that the platform approved beforehand: `content` is its id there, `variables` fill it in this order.

    A variable is one of the facts that every reply may use, or `text`: the reply's own words in one line.
    """

    content: str = Field(pattern=r"^[\w.:-]{1,100}$")
    variables: tuple[Name, ...] = Field((), max_length=20)


class Channel(Section):
    """One way in, and the account on it that citizens write to.

    `delivery` is how answers reach the reporter: "push" sends a message on the platform, "page" shows it
    on the tracking page (which is then the answer's channel, as for the web form).
    """

    code: str = Field(pattern=r"^[A-Z]{2}$")
    title: Text
    account: str
    delivery: Literal["push", "page"] = "push"
    desk: Literal["phone", "counter"] | None = None
    """Staff of this channel write down what they are told: on the phone, or at a counter, with a printed receipt."""
    provider: Name | None = None
    """The connector that serves it; by default the one with the channel's own name."""
    templates: dict[Name, MessageTemplate] = {}
    """Reply → what is sent instead when the platform lets no free words through any more."""


class Requirement(Section):
    """What the service standard asks of a complaint.

    `check` is one of: `identity` (with `field`: phone, name, email), `place`, `words` (with `at_least`),
    `evidence` (an attachment), `flag` (with `field`: met while the classifier does not raise that flag).
    `level`: "ask" holds the case until the reporter has answered, "advise" only mentions it in the reply,
    "review" is shown to the person who verifies.
    """

    title: Text
    check: Literal["identity", "place", "words", "evidence", "flag"]
    field: str | None = None
    at_least: int | None = Field(None, ge=1)
    level: Literal["ask", "advise", "review"] = "ask"
    ask: Text | None = None
    """What the reporter is to send, as it stands in a list; needed for "ask" and "advise"."""
    question: Text | None = None
    """The same as a question of its own, for the guided conversation; by default `ask`."""
    channels: tuple[Name, ...] | None = None
    """Only on these channels; everywhere when left out."""
    source: str | None = None


class Role(Section):
    """A kind of account. `group` lets transitions name several roles at once.

    `scope`: "all" cases, those of `channels`, or of the account's own "unit".
    """

    title: Text
    group: Name | None = None
    scope: Literal["all", "channels", "unit"] = "all"
    channels: tuple[Name, ...] = ()
    sees_identity: bool = False
    sees_private: bool = True

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


class FormField(Section):
    """One input of a transition's form."""

    title: Text
    type: Literal["text", "unit", "choice", "rating"]
    required: bool = True
    options: dict[str, Text] | None = None
    """For `choice`: value → label."""
    default: Literal["draft", "suggestion"] | None = None
    """Filled in beforehand: with the unit's draft, or the classifier's first unit."""

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


class Limit(Section):
    """A span of time: exactly one of minutes, hours, days (of 24 hours) or working days.

    Working days count from the day after the start and end with the service hours of the last day.
    """

    minutes: int | None = Field(None, ge=1)
    hours: int | None = Field(None, ge=1)
    days: int | None = Field(None, ge=1)
    working_days: int | None = Field(None, ge=1)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [v for v in (self.minutes, self.hours, self.days, self.working_days) if v is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of minutes, hours, days, working_days")
        return self


class Escalation(Section):
    """Who hears of it when the limit (plus `after`) has passed."""

    to: Name
    after: Limit | None = None


class ClockRule(Section):
    """A time limit of the standard.

    `start` and `stop` name states (on entering them), transitions (on taking them) or `opened` (once, when the
    case opens). Started while it runs it just runs on; stopped and started again it begins anew. It stands still
    in the states `pause`. `warn` is the span from the start after which it warns.
    `then` is a transition the system takes when the limit is reached (closing after silence), `at_warning` one that it
    takes when it warns (reminding the reporter).
    """

    title: Text
    start: tuple[Name, ...] = Field(min_length=1)
    stop: tuple[Name, ...] = Field(min_length=1)
    pause: tuple[Name, ...] = ()
    limit: Limit
    warn: Limit | None = None
    escalate: tuple[Escalation, ...] = ()
    then: Name | None = None
    at_warning: Name | None = None
    channels: tuple[Name, ...] | None = None
    """Only for cases of these channels; for all when left out."""
    source: str | None = None

    @model_validator(mode="after")
    def _same_measure(self) -> Self:
        for span in (self.warn, *(step.after for step in self.escalate)):
            if span is not None and (span.working_days is None) != (self.limit.working_days is None):
                raise ValueError("limit, warn and escalation of a clock are all in working days or all not")
        return self


class Hours(Section):
    """Service hours of one day in local time."""

    start: time = Field(alias="from")
    end: time = Field(alias="to")

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.end <= self.start:
            raise ValueError("'to' is not after 'from'")
        return self


class Calendar(Section):
    """Working days: weekday → spans of service hours (several spans make breaks).

    `holidays` is the country whose national holidays do not count, `joint_leave` whether its government's
    joint leave days (cuti bersama) do not count either, `extra` local days off, `worked` days worked after all.
    """

    hours: dict[Weekday, tuple[Hours, ...]] = Field(min_length=1)
    holidays: str | None = "ID"
    joint_leave: bool = True
    extra: dict[date, str] = {}
    worked: dict[date, str] = {}


class Dialogue(Section):
    """Asking for what is missing one question at a time, on `channels` where people chat.

    `first` is the template of the first question (it also says that the complaint was noted), `next` of those that
    follow, `again` of one whose answer did not bring it; all may use `asking`. What holds the case is asked for at
    most `attempts` times, what is only advised once; then a person goes on with what is there. An answer that is one
    of `none_words` or `done_words` ends a question that is only advised; a message that begins with one of
    `correction_words` takes the place of the answer before it.
    """

    channels: tuple[Name, ...] = Field(min_length=1)
    first: Name
    next: Name
    again: Name
    attempts: int = Field(2, ge=1, le=5)
    none_words: tuple[str, ...] = ()
    done_words: tuple[str, ...] = ()
    correction_words: tuple[str, ...] = ()


class Intake(Section):
    """What happens to a message before anybody has looked.

    A new case starts in `initial`. If something of level "ask" is missing, the system takes the transition
    `incomplete`; when the reporter's answer makes it complete, `complete`. `reply` is the template sent for a
    complete new case. A message of a conversation joins its open case, or one closed less than `follow_up`
    ago, unless it begins with one of `new_case_words`.
    """

    initial: Name
    incomplete: Name | None = None
    complete: Name | None = None
    reply: Name | None = None
    after_end: Name | None = None
    """The template sent when a message joins a case that has ended; staff finds it among what needs attention."""
    dialogue: Dialogue | None = None
    """Without it all that is missing is asked for at once, by the transition `incomplete`."""
    follow_up: Limit | None = None
    new_case_words: tuple[str, ...] = ()


class Routing(Section):
    """When the classifier may dispose by itself: never (the default), or from probability `automatic` up.

    Then the system takes `transition`, with the unit in its `assign` field. Below `suggest_from` a unit is not
    even suggested.
    """

    transition: Name
    automatic: float | None = Field(None, gt=0, le=1)
    sure_from: float = Field(0.6, gt=0, le=1)
    suggest_from: float = Field(0.02, ge=0, le=1)


class Publication(Section):
    """Purpose of a reply → the transition the system takes when that reply is sent, or turns out not to be."""

    on_sent: dict[Name, Name] = {}
    on_failed: dict[Name, Name] = {}


class Report(Section):
    """A report of the standard's evaluation clause."""

    every: Literal["month", "quarter", "year"]
    to: tuple[str, ...] = Field(min_length=1)
    title: Text | None = None


class Profile(Section):
    """One government's service standard."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    format: Literal[1]
    name: Name
    title: Text
    version: date
    """The day from which these rules hold; each case records the version it was opened under."""
    source: str
    languages: tuple[str, ...] = Field(min_length=1)
    time_zone: str
    contact: Text | None = None
    """How to reach the office; numbers and addresses named here are never redacted."""
    ticket: Ticket
    channels: dict[Name, Channel] = Field(min_length=1)
    requirements: dict[Name, Requirement] = {}
    roles: dict[Name, Role] = Field(min_length=1)
    intake: Intake
    states: dict[Name, State] = Field(min_length=1)
    transitions: dict[Name, Transition] = Field(min_length=1)
    clocks: dict[Name, ClockRule] = {}
    calendar: Calendar
    routing: Routing
    publication: Publication = Publication()
    reports: tuple[Report, ...] = ()


class Territory(Section):
    """Where a unit is responsible: official region codes, and the names people write for them.

    `names` are unambiguous ("kota semarang", "solo"); `districts` are names of kecamatan and well-known places
    inside; `ambiguous` names count only with a word of place before them ("di batang", "kab. tegal").
    """

    codes: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()
    ambiguous: tuple[str, ...] = ()


class Contact(Section):
    """The unit's public contact."""

    phone: str | None = None
    email: str | None = None
    web: str | None = None


class Unit(Section):
    """An office that acts on complaints.

    `tasks` are its duties in plain words, `keywords` words and phrases citizens use, `examples` made-up
    complaints that belong to it, `not_ours` words that speak against it. A unit with a `territory` acts only there.
    """

    id: Name
    title: str
    short: str | None = None
    unit_kind: Name = Field(alias="kind")
    tasks: tuple[str, ...] = Field(min_length=1)
    keywords: tuple[str, ...] = ()
    not_ours: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    territory: Territory | None = None
    contact: Contact | None = None


class Units(Section):
    """`units.yaml`. `kinds` explains the kinds of units that this government has."""

    kinds: dict[Name, Text]
    units: tuple[Unit, ...] = Field(min_length=1)


Transition.model_rebuild()


def say(text: Text, language: str, *fallbacks: str) -> str:
    """The text in the first of the given languages that it has; any, if none."""
    if isinstance(text, str):
        return text
    for candidate in (language, *fallbacks):
        if candidate in text:
            return text[candidate]
    return next(iter(text.values()))
