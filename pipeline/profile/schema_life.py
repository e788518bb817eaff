"""The rest of a case's life as data: duplicates, evidence, and what staff is told."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

from pydantic import Field

from laporhub.pipeline.profile.section import Name, Section

Occasion: TypeAlias = Literal["assigned", "involved", "warned", "escalated", "stepped"]
OCCASIONS: Final[tuple[Occasion, ...]] = ("assigned", "involved", "warned", "escalated", "stepped")


class Duplicates(Section):
    """How a case that follows another one goes its way.

    `tell` are the replies that go to its reporter too, in the words of their own channel. `ended`: final state of the
    case that is followed → the step that the system then takes here; `again`: step of that case by which it goes on
    after its end, or after its answer → the same. A step here gets what was filled in there, field by field of a name.
    """

    tell: tuple[Name, ...] = ()
    ended: dict[Name, Name] = {}
    again: dict[Name, Name] = {}


class Evidence(Section):
    """When staff is warned about a photo that shows what was done: warnings, not proof.

    `near`: metres from the place of the complaint. `alike`: of the 64 bits of two pictures' fingerprints, how many may
    differ for them to be taken for the same.
    """

    near: int = Field(1000, ge=10, le=100_000)
    alike: int = Field(3, ge=0, le=3)


class Notices(Section):
    """What is sent to staff beside their inbox: occasion → the template.

    "assigned" and "involved" tell the unit, "warned" whom the warning names or whoever's turn it is, "escalated" whom
    the clock names, "stepped" whom a step names in `notify`. Sent to the address of the unit or role (`pic`).
    """

    assigned: Name | None = None
    involved: Name | None = None
    warned: Name | None = None
    escalated: Name | None = None
    stepped: Name | None = None

    def template(self, occasion: Occasion) -> str | None:
        found: str | None = getattr(self, occasion)
        return found


class Pic(Section):
    """Where the person in charge of a unit or role is told: an office's own address and number, no citizen's."""

    email: str | None = Field(None, pattern=r"^[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]{2,}$", max_length=254)
    whatsapp: str | None = Field(None, pattern=r"^\+[1-9]\d{7,14}$")
