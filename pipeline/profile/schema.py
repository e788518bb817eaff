"""The profile format: one government as data. `laporhub profile schema` prints it as JSON Schema.

`profile.yaml` is a `Profile`; `units.yaml` a list of `Unit`; `templates/<language>/<name>[.<channel>].txt`
are the replies. Every text that a person reads is a `Text`: one string, or one per language.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any, Literal

from pydantic import ConfigDict, Field

from laporhub.pipeline.periods import Every
from laporhub.pipeline.profile.schema_intake import Channel, Intake, Requirement, Ticket
from laporhub.pipeline.profile.schema_life import Duplicates, Evidence, Notices
from laporhub.pipeline.profile.schema_papers import Paper
from laporhub.pipeline.profile.schema_privacy import Privacy
from laporhub.pipeline.profile.schema_time import Calendar, ClockRule
from laporhub.pipeline.profile.schema_workflow import Publication, Role, Routing, State, Transition
from laporhub.pipeline.profile.section import Name, Section, Text


class Report(Section):
    """A report of the standard's evaluation clause, sent by e-mail when a period is over.

    `to` are addresses, and roles: then it goes to each account of the role that has an address, to a role of units
    as the report of the account's own unit. `title` is what the standard calls it.
    """

    every: Every
    to: tuple[str, ...] = Field(min_length=1)
    title: Text | None = None
    source: str | None = None


class Component(Section):
    """One component of the published standard, as its law wants them: a title and what it says."""

    title: Text
    points: tuple[Text, ...] = Field(min_length=1)


class Version(Section):
    """What differs from a day on; all that is not named stays as it was (see `versions`).

    Who works with it, and on which accounts, is of today: channels and roles are the same for all versions.
    """

    start: date = Field(alias="from")
    source: str | None = None
    title: Text | None = None
    contact: Text | None = None
    requirements: dict[Name, dict[str, Any] | None] | None = None
    intake: dict[str, Any] | None = None
    states: dict[Name, dict[str, Any] | None] | None = None
    transitions: dict[Name, dict[str, Any] | None] | None = None
    clocks: dict[Name, dict[str, Any] | None] | None = None
    calendar: dict[str, Any] | None = None
    routing: dict[str, Any] | None = None
    publication: dict[str, Any] | None = None
    documents: dict[Name, dict[str, Any] | None] | None = None
    standard: tuple[Component, ...] | None = None


class Profile(Section):
    """One government's service standard."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    format: Literal[1]
    name: Name
    title: Text
    version: date
    """The day from which these rules hold; a case keeps those of the version it was opened under."""
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
    documents: dict[Name, Paper] = {}
    standard: tuple[Component, ...] = ()
    """The standard's components in words, for everybody to read."""
    duplicates: Duplicates = Duplicates()
    evidence: Evidence = Evidence()
    notices: Notices = Notices()
    reports: tuple[Report, ...] = ()
    privacy: Privacy = Privacy()
    versions: tuple[Version, ...] = ()
    """What changed later, from old to new."""


def is_address(receiver: str) -> bool:
    """Whether a receiver of reports is an e-mail address, and no role."""
    return re.fullmatch(r"[^\s@<>,;]{1,64}@[^\s@<>,;]{1,190}", receiver) is not None
