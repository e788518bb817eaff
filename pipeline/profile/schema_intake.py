"""The profile's channels, and what is asked of a complaint that comes in."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from laporhub.pipeline.profile.schema_time import Limit
from laporhub.pipeline.profile.section import Name, Section, Text


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
    privately: tuple[Name, ...] = ()
    """Replies that answer a public message by a private one, where the platform takes that; else in public."""
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


class InPrivate(Section):
    """On `channels` where people write in public, `replies` ask them to go on in a direct message.

    The first direct message of somebody with one such open case joins it, without naming its ticket. It must be proven
    that it is the same account: the platform vouches for it.
    """

    channels: tuple[Name, ...] = Field(min_length=1)
    replies: tuple[Name, ...] = Field(min_length=1)


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
    in_private: InPrivate | None = None
    follow_up: Limit | None = None
    new_case_words: tuple[str, ...] = ()
