"""`units.yaml`: the offices that act on complaints."""

from __future__ import annotations

from pydantic import Field

from laporhub.pipeline.profile.schema_life import Pic
from laporhub.pipeline.profile.section import Name, Section, Text


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

    `tasks` are its duties in plain words, `keywords` words and phrases citizens use (`{wilayah}` in one stands for each
    name of its territory), `examples` made-up complaints that belong to it, `not_ours` words that speak against it. A
    unit with a `territory` acts only there.
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
    pic: Pic | None = None
    """Where its admins are told what needs them, beside their inbox; never shown to the public."""


class Units(Section):
    """`units.yaml`. `kinds` explains the kinds of units that this government has."""

    kinds: dict[Name, Text]
    units: tuple[Unit, ...] = Field(min_length=1)
