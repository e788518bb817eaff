"""What staff is warned about a photo: taken before or elsewhere than the complaint says, or seen before. Pure.

Warnings, not proof: a camera's clock may be wrong, and whoever wants to can write anything into a photo.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, TypeAlias

from laporhub.pipeline.case_files import CaseFile
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_life import Evidence

Doubted: TypeAlias = Literal["before", "future", "far", "no_time", "no_place", "reused", "own"]

_ARRIVED: Final = ("sent", "delivered", "read")
BITS: Final = 64
_BANDS: Final = 4
_EARTH: Final = 6_371_000.0
"""Metres."""
_CLOCKS_DIFFER: Final = timedelta(hours=1)
"""How far a camera's clock may be ahead before anybody is told."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """One warning. `metres` for "far"; `tickets` of the other cases with the same picture, for "reused".

    "before": taken before the complaint came in. "future": after it was sent to us. "no_time", "no_place": the photo
    does not tell. "own": the reporter's own photo of this case.
    """

    kind: Doubted
    metres: int = 0
    tickets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Alike:
    """A picture that looks the same: in which case, and whether the reporter sent it."""

    case_id: str
    ticket: str
    by_reporter: bool


def is_answered(rulebook: Rulebook, state: CaseState) -> bool:
    """Whether an answer that is published has reached the reporter: before, photos of what was done are a draft."""
    published = rulebook.profile.publication.on_sent
    return any(each.purpose in published and each.status in _ARRIVED for each in state.replies.values())


def doubts(
    photo: CaseFile, state: CaseState, rules: Evidence, alike: Sequence[Alike], sent: timedelta | None = None
) -> tuple[Doubt, ...]:
    """All warnings about a photo of what was done; `sent` is how long after its opening the case got it."""
    found = [*_time(photo, state, sent), *_place(photo, state, rules)]
    others = tuple(sorted({each.ticket for each in alike if each.case_id != state.id}))
    if others:
        found.append(Doubt("reused", tickets=others))
    if any(each.case_id == state.id and each.by_reporter for each in alike):
        found.append(Doubt("own"))
    return tuple(found)


def _time(photo: CaseFile, state: CaseState, sent: timedelta | None) -> Iterator[Doubt]:
    if photo.taken_at is None:
        yield Doubt("no_time")
    elif photo.taken_at < state.opened_at:
        yield Doubt("before")
    elif sent is not None and photo.taken_at > state.opened_at + sent + _CLOCKS_DIFFER:
        yield Doubt("future")


def _place(photo: CaseFile, state: CaseState, rules: Evidence) -> Iterator[Doubt]:
    where = state.location
    if photo.lat is None or photo.lon is None:
        yield Doubt("no_place")
    elif where is not None and where.lat is not None and where.lon is not None:
        apart = metres(photo.lat, photo.lon, where.lat, where.lon)
        if apart > rules.near:
            yield Doubt("far", metres=round(apart))


def metres(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Along the ground between two points, WGS 84 taken for a ball: within half a percent."""
    a, b = math.radians(lat), math.radians(other_lat)
    across = math.sin((b - a) / 2) ** 2
    along = math.cos(a) * math.cos(b) * math.sin(math.radians(other_lon - lon) / 2) ** 2
    return 2 * _EARTH * math.asin(math.sqrt(min(1.0, across + along)))


def bands(fingerprint: str) -> tuple[str, ...]:
    """The quarters of a fingerprint, each with its place: two that differ in at most three bits share one."""
    size = len(fingerprint) // _BANDS
    return tuple(f"{n}{fingerprint[n * size : (n + 1) * size]}" for n in range(_BANDS))


def differ(one: str, other: str) -> int:
    """In how many bits two fingerprints differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()
