"""A classifier, and what it says of a text."""

from __future__ import annotations

from typing import Literal, Protocol, TypeAlias

from laporhub.pipeline.base_model import Model
from laporhub.pipeline.messages import Location, Spot


class UnitGuess(Model):
    """One candidate unit: `probability` in 0..1, and the words, place or rule that speak for it."""

    unit: str
    probability: float
    reasons: tuple[str, ...] = ()


class Place(Model):
    """A place read from text or address: `region` is a territory code of the profile's units.

    `district` and `village` are official codes, where the profile has a table of them; `lat` and `lon` are degrees
    (WGS 84).
    """

    name: str
    region: str | None = None
    confidence: float = 1.0
    district: str | None = None
    village: str | None = None
    road: str | None = None
    landmark: str | None = None
    lat: float | None = None
    lon: float | None = None
    by_photo: bool = False
    """Only a photo says so: it may have been taken elsewhere."""

    def told(self) -> Place | None:
        """What the reporter said of it: without what only a photo says."""
        if not self.by_photo:
            return self
        name = self.landmark or self.road
        hidden = dict.fromkeys(("region", "district", "village"))
        return self.but({**hidden, "name": name, "by_photo": False}) if name else None

    def roughly(self) -> Place:
        """Region, district and village only."""
        hidden = dict.fromkeys(("road", "landmark", "lat", "lon"))
        return self.but(hidden if self.region else {**hidden, "name": ""})


Intent: TypeAlias = Literal["complaint", "question", "aspiration", "thanks", "not_ours"]
"""What somebody wants who writes: to complain, to know, to propose, to thank, or nothing that a government could do."""


class Suggestion(Model):
    """What a classifier makes of a text. `sure` is False where it abstains: then a person decides."""

    units: tuple[UnitGuess, ...] = ()
    sure: bool = False
    topic: str | None = None
    urgency: Literal["normal", "high", "critical"] = "normal"
    intent: Intent = "complaint"
    place: Place | None = None
    flags: tuple[str, ...] = ()
    """For a person to look at: "urgent", "sara", "abusive", "threat", "spam", "test", "empty", …"""
    model: str = ""
    """Which classifier, in which version, said so."""


class Classifier(Protocol):
    """Says which unit a complaint is for. Pure: the same text gives the same answer."""

    @property
    def model(self) -> str:
        """Name and version, kept with every suggestion."""
        ...

    def suggest(self, text: str, location: Location | None, taken: Spot | None = None) -> Suggestion:
        """`taken` is where a photo was taken; it counts where nothing else says where it is."""
        ...
