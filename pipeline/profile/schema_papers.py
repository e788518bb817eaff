"""The profile's documents: papers of a case to print, sign and keep."""

from __future__ import annotations

from pydantic import Field

from laporhub.pipeline.profile.section import Name, Section, Text


class Signature(Section):
    """Who signs: `title` stands above the line, below it what the field `field` says, if one is named."""

    title: Text
    field: Name | None = None


class Paper(Section):
    """A document of a case: to be had in the states `states`, by `roles`.

    `text` is the template of its words, `items` are the fields whose lists make its table.
    """

    title: Text
    office: Text | None = None
    states: tuple[Name, ...] = Field(min_length=1)
    roles: tuple[Name, ...] = Field(min_length=1)
    text: Name
    items: tuple[Name, ...] = ()
    signatures: tuple[Signature, ...] = Field((), max_length=4)
