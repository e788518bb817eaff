"""Builders that tests share: made-up citizens, a stub classifier, a hub on a clock that stands still."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from laporhub.hub.compose import open_hub
from laporhub.hub.hub import Hub
from laporhub.hub.settings import Settings
from laporhub.pipeline.classifier import Suggestion, UnitGuess
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.messages import Inbound, Location, Spot
from laporhub.pipeline.profile.load import load
from laporhub.pipeline.profile.rulebook import Rulebook

MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""A Monday, 09.00 WIB, without holidays near by."""

ADMIN = Actor(id="dewi-demo", role="admin_disposisi")
SUPERVISOR = Actor(id="gub-demo", role="admin_gubernur")
COMPLETE = (
    "Jalan provinsi di depan Pasar Contoh Kabupaten Batang berlubang sejak minggu lalu, sudah dua motor jatuh"
)


@cache
def shipped(name: str | Path) -> Rulebook:
    """Read once: it takes half a second, and nothing changes it."""
    return load(name)


def laporgub() -> Rulebook:
    return shipped("laporgub-jateng")


def unit_admin(unit: str) -> Actor:
    return Actor(id="unit-demo", role="admin_unit", unit=unit)


@dataclass
class Stub:
    """A classifier that always says the same."""

    unit: str = "dinas-contoh"
    probability: float = 0.9
    flags: tuple[str, ...] = ()
    model: str = "stub-1"
    asked: list[str] = field(default_factory=list)

    def suggest(self, text: str, location: Location | None, taken: Spot | None = None) -> Suggestion:  # noqa: ARG002
        self.asked.append(text)
        guess = UnitGuess(unit=self.unit, probability=self.probability, reasons=("kata: contoh",))
        return Suggestion(units=(guess,), sure=True, topic="contoh", flags=self.flags, model=self.model)


class Clock:
    """A clock that moves only when told."""

    def __init__(self, at: datetime = MONDAY) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **span: float) -> datetime:
        self.at += timedelta(**span)
        return self.at


def seeded(seed: int = 7) -> Callable[[int], bytes]:
    return random.Random(seed).randbytes


def form(number: int, text: str = COMPLETE, **more: object) -> Inbound:
    """What a citizen sends by the web form; complete unless told otherwise."""
    given: dict[str, object] = {
        "external_id": f"form-{number}",
        "author_id": f"tel:+62811000{number:05d}",
        "thread": f"form-{number}",
        "text": text,
        "phone": f"+62811000{number:05d}",
        "name": "Warga Contoh",
        "location": Location(address="Jalan Contoh, Batang"),
    }
    return Inbound.model_validate(given | more)


def whatsapp(number: int, text: str = COMPLETE, sid: str | None = None, **more: object) -> Inbound:
    """What a citizen sends by WhatsApp."""
    phone = f"+62811000{number:05d}"
    given: dict[str, object] = {
        "external_id": sid or f"SM{number:032d}",
        "author_id": f"whatsapp:{phone}",
        "text": text,
        "phone": phone,
        "verified": True,
    }
    return Inbound.model_validate(given | more)


@asynccontextmanager
async def hub_on(folder: Path, clock: Clock | None = None, **settings: object) -> AsyncIterator[Hub]:
    """A hub without background tasks: tests send and tick themselves."""
    given: dict[str, object] = {"data": folder, "profile": "laporgub-jateng"} | settings
    async with open_hub(
        Settings(**given),
        now=clock or Clock(),
        entropy=seeded(),
        background=False,  # type: ignore[arg-type]
    ) as hub:
        yield hub
