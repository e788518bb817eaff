"""A profile, loaded and ready for use: what the core asks when it needs to know a rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from laporhub.pipeline.calendar import WorkCalendar
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.profile.schema import Profile
from laporhub.pipeline.profile.schema_time import ClockRule
from laporhub.pipeline.profile.schema_units import Unit
from laporhub.pipeline.profile.section import Text
from laporhub.pipeline.redact import contacts_in, places_in
from laporhub.pipeline.regions import Regions


@dataclass(frozen=True)
class Rulebook:
    """One profile's rules, units, reply templates and calendar.

    `templates` maps (language, name, channel or None) to the template's source; `regions` are the official ones of
    the profile's table, if it has one.
    """

    profile: Profile
    units: Mapping[str, Unit]
    unit_kinds: Mapping[str, str | dict[str, str]]
    templates: Mapping[tuple[str, str, str | None], str]
    calendar: WorkCalendar
    folder: Path
    regions: Regions = field(default_factory=Regions)
    editions: Mapping[date, Rulebook] = field(default_factory=dict, repr=False, compare=False)
    """The same profile as each of its versions has it, the oldest first; empty where there is but one."""

    def of(self, state: CaseState) -> Rulebook:
        """The rules of a case: those under which it was opened."""
        return self.under(state.profile_version)

    def under(self, version: str) -> Rulebook:
        """The rules of a version; of one that is no longer there, those that held on its day."""
        return self._from(date.fromisoformat(version)) if self.editions else self

    def on(self, at: datetime) -> Rulebook:
        """The rules for what begins at this moment."""
        return self._from(self.calendar.local(at).date()) if self.editions else self

    def _from(self, day: date) -> Rulebook:
        held = [version for version in self.editions if version <= day]
        return self.editions[held[-1] if held else next(iter(self.editions))]

    @property
    def every_edition(self) -> tuple[Rulebook, ...]:
        return tuple(self.editions.values()) or (self,)

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

    @cached_property
    def places(self) -> frozenset[str]:
        """Words of the names of regions and districts, which redaction takes for nobody's name. Not of places within
        them: hospitals and roads are called after people.
        """
        territories = [unit.territory for unit in self.units.values() if unit.territory]
        names = [name for each in territories for name in each.names]
        return places_in((*names, *(each.name for each in self.regions.by_code.values())))

    def _office_texts(self) -> Iterator[str]:
        contact = self.profile.contact or ""
        yield from [contact] if isinstance(contact, str) else contact.values()
        for channel in self.profile.channels.values():
            yield channel.account
        for unit in self.units.values():
            if unit.contact:
                yield " ; ".join(filter(None, (unit.contact.phone, unit.contact.email)))
