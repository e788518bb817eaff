"""A profile, loaded and ready for use: what the core asks when it needs to know a rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from laporhub.pipeline.calendar import WorkCalendar
from laporhub.pipeline.profile.schema import Profile
from laporhub.pipeline.profile.schema_time import ClockRule
from laporhub.pipeline.profile.schema_units import Unit
from laporhub.pipeline.profile.section import Text
from laporhub.pipeline.redact import contacts_in


@dataclass(frozen=True)
class Rulebook:
    """One profile's rules, units, reply templates and calendar.

    `templates` maps (language, name, channel or None) to the template's source.
    """

    profile: Profile
    units: Mapping[str, Unit]
    unit_kinds: Mapping[str, str | dict[str, str]]
    templates: Mapping[tuple[str, str, str | None], str]
    calendar: WorkCalendar
    folder: Path

    @property
    def name(self) -> str:
        return self.profile.name

    @property
    def language(self) -> str:
        """The profile's first language, used where nobody asked for another."""
        return self.profile.languages[0]

    @cached_property
    def worked_out(self) -> dict[tuple[str, str], Any]:
        """What follows from the rules alone and is asked for at each step: (question, of what) → the answer."""
        return {}

    @cached_property
    def field_names(self) -> frozenset[str]:
        """The names of all fields of all transitions."""
        return frozenset(name for step in self.profile.transitions.values() for name in step.fields)

    @cached_property
    def choices(self) -> Mapping[tuple[str, str], Text]:
        """(field, value) → the label of a choice."""
        return {
            (name, value): label
            for step in self.profile.transitions.values()
            for name, field in step.fields.items()
            for value, label in (field.options or {}).items()
        }

    @cached_property
    def standard_clocks(self) -> Mapping[str, ClockRule]:
        """The limits that the service standard itself sets; all, if the profile does not say which those are."""
        clocks = self.profile.clocks
        return {name: clock for name, clock in clocks.items() if clock.source} or clocks

    @cached_property
    def offices(self) -> frozenset[str]:
        """Numbers and addresses of offices, which redaction leaves alone."""
        return frozenset(contact for text in self._office_texts() for contact in contacts_in(text))

    def _office_texts(self) -> Iterator[str]:
        contact = self.profile.contact or ""
        yield from [contact] if isinstance(contact, str) else contact.values()
        for channel in self.profile.channels.values():
            yield channel.account
        for unit in self.units.values():
            if unit.contact:
                yield " ; ".join(filter(None, (unit.contact.phone, unit.contact.email)))
