"""Who may see what in Kibana: indices, spaces and roles, from the roles of the profile.

The wall is the index. What a role may not read is in another index: document-level security needs a licence
that governments do not have, and Elasticsearch does not promise to apply an alias' filter everywhere.

| audience | who | reads | space |
|---|---|---|---|
| office | roles that act on all cases, or on some channels' | the province's index, events | `<profile>-office` |
| units | roles of one unit | that unit's index | `<profile>-units` |
| leaders | roles that look on: no step names them | the events, which hold no words of anybody | `<profile>-leaders` |
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from laporhub.dashboards.describe import VIEWS, View, words
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_workflow import Role
from laporhub.pipeline.profile.section import Text, say

READS: Final = ("read", "view_index_metadata")
"""Index privileges of somebody who looks."""


@dataclass(frozen=True)
class Indices:
    """Names of the indices, as the sinks write them."""

    prefix: str = "laporhub"

    @property
    def cases(self) -> str:
        return f"{self.prefix}-cases"

    @property
    def events(self) -> str:
        return f"{self.prefix}-events-*"

    def unit(self, profile: str, unit: str) -> str:
        """The index of one unit; with "*", of all units of the profile."""
        return f"{self.prefix}-unit-{profile}.{unit}"


class Audience(StrEnum):
    """For whom a set of dashboards is."""

    OFFICE = "office"
    UNITS = "units"
    LEADERS = "leaders"


TITLES: Final[dict[Audience, Text]] = {
    Audience.OFFICE: words("Pengelola pengaduan", "Complaint office"),
    Audience.UNITS: words("Instansi", "Agencies"),
    Audience.LEADERS: words("Pimpinan", "Leaders"),
}
COLORS: Final = {Audience.OFFICE: "#0077CC", Audience.UNITS: "#00BFB3", Audience.LEADERS: "#7B61FF"}


def audience_of(rulebook: Rulebook, role: str) -> Audience:
    """Where the role belongs."""
    rule = rulebook.profile.roles[role]
    if rule.scope == "unit":
        return Audience.UNITS
    steps = rulebook.profile.transitions.values()
    acts = any(name in step.roles for step in steps for name in (role, rule.group))
    return Audience.OFFICE if acts or rule.scope == "channels" else Audience.LEADERS


def audiences(rulebook: Rulebook) -> tuple[Audience, ...]:
    """The audiences that the profile's roles make up, in a fixed order."""
    there = {audience_of(rulebook, role) for role in rulebook.profile.roles}
    return tuple(audience for audience in Audience if audience in there)


def channel_roles(rulebook: Rulebook) -> dict[str, Role]:
    """Roles with a queue of their own: those of some channels."""
    return {name: role for name, role in rulebook.profile.roles.items() if role.scope == "channels"}


def index_of(view: View, audience: Audience, rulebook: Rulebook, indices: Indices) -> str:
    """The index, or pattern of indices, that the view shows to the audience."""
    if view.source == "events":
        return indices.events
    return indices.unit(rulebook.name, "*") if audience is Audience.UNITS else indices.cases


def views_of(audience: Audience) -> tuple[View, ...]:
    """What the audience may look at."""
    hidden = {Audience.OFFICE: None, Audience.UNITS: "events", Audience.LEADERS: "cases"}[audience]
    return tuple(view for view in VIEWS if view.source != hidden)


def space_id(rulebook: Rulebook, audience: Audience) -> str:
    return f"{rulebook.name}-{audience}"


def space(rulebook: Rulebook, audience: Audience, language: str = "id") -> dict[str, Any]:
    """The body for Kibana's `POST /api/spaces/space`, and with its id in the path for `PUT`."""
    title = say(TITLES[audience], language)
    service = say(rulebook.profile.title, language, *rulebook.profile.languages)
    return {
        "id": space_id(rulebook, audience),
        "name": f"{service}: {title}",
        "description": title,
        "initials": title[:2],
        "color": COLORS[audience],
        "disabledFeatures": [],
    }


@dataclass(frozen=True)
class Grant:
    """A role in Elasticsearch and Kibana: reads `indices`, and looks at one space."""

    name: str
    description: str
    indices: tuple[str, ...]
    space: str

    def kibana(self) -> dict[str, Any]:
        """The body for Kibana's `PUT /api/security/role/<name>`."""
        return {
            "description": self.description,
            "elasticsearch": {"cluster": [], "indices": self._indices(), "run_as": []},
            "kibana": [{"base": ["read"], "feature": {}, "spaces": [self.space]}],
        }

    def elasticsearch(self) -> dict[str, Any]:
        """The body for Elasticsearch's `PUT /_security/role/<name>`: the same rights, without Kibana."""
        looks_at = {
            "application": "kibana-.kibana",
            "privileges": ["space_read"],
            "resources": [f"space:{self.space}"],
        }
        return {
            "description": self.description,
            "cluster": [],
            "indices": self._indices(),
            "applications": [looks_at],
            "run_as": [],
        }

    def _indices(self) -> list[dict[str, Any]]:
        return [{"names": list(self.indices), "privileges": list(READS)}]


def grants(rulebook: Rulebook, indices: Indices, language: str = "id") -> tuple[Grant, ...]:
    """All roles to create: one for each role of the profile, and for those of a unit one for each unit."""
    found: list[Grant] = []
    for name, role in rulebook.profile.roles.items():
        audience = audience_of(rulebook, name)
        where = space_id(rulebook, audience)
        role_name = f"{indices.prefix}-{rulebook.name}-{name}"
        title = say(role.title, language, *rulebook.profile.languages)
        if audience is Audience.UNITS:
            found += [
                Grant(
                    f"{role_name}-{unit.id}",
                    f"{title}: {unit.title}",
                    (indices.unit(rulebook.name, unit.id),),
                    where,
                )
                for unit in rulebook.units.values()
            ]
        else:
            cases = (indices.cases,) if audience is Audience.OFFICE else ()
            found.append(Grant(role_name, title, (*cases, indices.events), where))
    return tuple(found)
