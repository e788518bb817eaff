"""Whether two cases may be about the same thing: an estimate, with its reasons, for people to judge. Pure and cheap.

Nothing is merged by it. What is compared: the words, where it is, when it came, who wrote where that is proven, and
pictures. Where nobody said where it is, a picture may: it was taken somewhere, not surely there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

from laporhub.pipeline.case_files import CaseFile
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.classifier import Place
from laporhub.pipeline.media import Facts
from laporhub.pipeline.messages import Location
from laporhub.pipeline.text import normalise

Reason: TypeAlias = Literal["reporter", "words", "near", "taken_near", "place", "topic", "image"]

WITHIN: Final = timedelta(days=30)
"""How far apart two cases may have come in to be compared at all."""
SUGGESTED_FROM: Final = 0.5
"""The estimate from which a person is told."""
_READ = 4_000
_QUESTIONS = 4
_MARKS: Final = re.compile(r"\[[^\]]{2,24}\]")
_SHORTEST = 4
_COMMON_WORDS = """
yang dengan untuk dari pada sudah belum tidak mohon tolong segera saya kami kita warga bapak terima kasih jalan
karena sejak sangat sekali banyak masih sering agar supaya dapat bisa juga akan atau tetapi kalau seperti ini
itu di ke dan lapor laporan aduan admin selamat pagi siang sore malam assalamualaikum kepada dinas pemerintah
sekitar daerah lokasi kecamatan kelurahan desa kota kabupaten kejadian hari minggu bulan tahun nomor telepon
nama alamat harap perbaikan diperbaiki ditindaklanjuti depan dekat samping belakang sebelah tersebut dalam lagi
saja sampai setiap kenapa kapan bagaimana
"""
_COMMON: Final = frozenset(_COMMON_WORDS.split())

# What each agreement adds to the odds, on a logarithmic scale; set by hand on made-up pairs, see tests.
_BASE = -4.2
_WORDS = 5.2
_SAME_REPORTER = 1.4
_SAME_PLACE, _SAME_REGION, _OTHER_REGION = 2.0, 0.7, -3.0
_AT_THE_SPOT, _FAR_AWAY = 2.6, -3.0
_TAKEN_AT_THE_SPOT, _TAKEN_FAR_AWAY = 1.6, -0.8
"""Where one of both places is only that of a picture."""
_SAME_TOPIC, _OTHER_TOPIC = 0.9, -0.8
_SAME_IMAGE = 5.0
_A_DAY, _A_MONTH = 0.6, -1.2
_SPOT_KM, _FAR_KM = 0.25, 3.0
_IMAGE_BITS = 6
"""Bits by which the hashes of two pictures of the same thing may differ, of 64."""
_KM_A_DEGREE = 111.2

Degrees: TypeAlias = tuple[float, float]
"""Latitude and longitude, WGS 84."""


@dataclass(frozen=True, slots=True)
class Story:
    """What is compared of a case, or of a report that is not sent yet."""

    words: frozenset[str]
    at: datetime
    reporter: str | None = None
    """Where it is proven who that is, not only typed."""
    place: Place | None = None
    location: Location | None = None
    topic: str | None = None
    images: frozenset[int] = frozenset()
    """Perceptual hashes of its pictures, 64 bits each, where they are known."""
    taken: Degrees | None = None
    """Where a picture says that it was taken."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a case beside its state: of what its reporter sent, and whether it is proven who that is."""

    files: Sequence[CaseFile] = ()
    proven: bool = False


@dataclass(frozen=True, slots=True)
class Alike:
    """A case that may be about the same: `probability` is an estimate, 0..1."""

    case: CaseState
    probability: float
    reasons: tuple[Reason, ...]


def story(state: CaseState, beside: Known | None = None) -> Story:
    """That of a case."""
    beside, known = beside or Known(), state.suggestion
    pictures = [each for each in beside.files if each.field is None and each.status == "kept"]
    topic = (known.units[0].unit if known.units else known.topic) if known else None
    where = state.location.address if state.location and state.location.address else ""
    return Story(
        telling_words(f"{state.text} {where}"),
        state.opened_at,
        state.reporter if beside.proven else None,
        known.place.told() if known and known.place else None,
        state.location,
        state.unit or topic,
        frozenset(int(each.fingerprint, 16) for each in pictures if each.fingerprint),
        _first_told((each.lat, each.lon) for each in pictures),
    )


def unsent(text: str, location: Location | None, at: datetime, pictures: Sequence[Facts] = ()) -> Story:
    """That of a report which its writer is about to send, with what its pictures tell."""
    where = location.address if location and location.address else ""
    return Story(
        telling_words(f"{text} {where}"),
        at,
        location=location,
        images=frozenset(int(each.fingerprint, 16) for each in pictures if each.fingerprint),
        taken=_first_told((each.lat, each.lon) for each in pictures),
    )


def _first_told(degrees: Iterable[tuple[float | None, float | None]]) -> Degrees | None:
    """Where the first picture that says so was taken."""
    return next(((lat, lon) for lat, lon in degrees if lat is not None and lon is not None), None)


def telling_words(text: str) -> frozenset[str]:
    """The words of a text that tell it from others."""
    words = normalise(_MARKS.sub(" ", text[:_READ])).split()
    return frozenset(word for word in words if len(word) >= _SHORTEST and word not in _COMMON)


def questions(text: str, place: Place | None) -> tuple[str, ...]:
    """What to search for, a few words each, to find the cases that are worth comparing."""
    asked: list[str] = []
    if place is not None:
        asked += (name.split(" ", 1)[-1].lower() for name in (place.landmark, place.road) if name)
    telling = sorted(telling_words(text), key=lambda word: (-len(word), word))
    asked += (" ".join(pair) for pair in zip(telling[:4:2], telling[1:4:2], strict=False))
    if place is not None and place.name:
        asked.append(place.name.partition(",")[0].lower())
    return tuple(dict.fromkeys(each for each in asked if each))[:_QUESTIONS]


def alike(
    one: Story,
    candidates: Iterable[CaseState],
    beside: Mapping[str, Known] | None = None,
    most: int = 5,
) -> tuple[Alike, ...]:
    """The candidates that are worth a person's look, likeliest first; `beside` is what else is known of each."""
    known = beside or {}
    found: list[Alike] = []
    for case in {each.id: each for each in candidates}.values():
        if abs(case.opened_at - one.at) > WITHIN:
            continue
        probability, reasons = estimate(one, story(case, known.get(case.id)))
        if probability >= SUGGESTED_FROM:
            found.append(Alike(case, round(probability, 2), reasons))
    return tuple(sorted(found, key=lambda each: (-each.probability, each.case.ticket))[:most])


def estimate(one: Story, other: Story) -> tuple[float, tuple[Reason, ...]]:
    """How likely both tell of the same, and what speaks for it."""
    odds = _BASE + _by_time(one, other)
    reasons: list[Reason] = []
    likeness = _likeness(one.words, other.words)
    odds += _WORDS * likeness
    if likeness >= 0.4:
        reasons.append("words")
    if one.reporter is not None and one.reporter == other.reporter:
        odds += _SAME_REPORTER
        reasons.append("reporter")
    by_place, why = _by_place(one, other)
    odds += by_place
    reasons += why
    if one.topic is not None and other.topic is not None:
        odds += _SAME_TOPIC if one.topic == other.topic else _OTHER_TOPIC
        if one.topic == other.topic:
            reasons.append("topic")
    if any((a ^ b).bit_count() <= _IMAGE_BITS for a in one.images for b in other.images):
        odds += _SAME_IMAGE
        reasons.append("image")
    return 1 / (1 + math.exp(-odds)), tuple(reasons)


def _likeness(one: frozenset[str], other: frozenset[str]) -> float:
    """Shared words, as a share of what both have; 0 where there is nothing to compare."""
    return len(one & other) / math.sqrt(len(one) * len(other)) if one and other else 0.0


def _by_time(one: Story, other: Story) -> float:
    days = abs(one.at - other.at) / timedelta(days=1)
    return _A_DAY + (_A_MONTH - _A_DAY) * min(days / 30, 1.0)


def _by_place(one: Story, other: Story) -> tuple[float, Sequence[Reason]]:
    apart, taken = _km(one, other)
    if apart is not None and apart <= _SPOT_KM:
        return (_TAKEN_AT_THE_SPOT, ("taken_near",)) if taken else (_AT_THE_SPOT, ("near",))
    if apart is not None and apart >= _FAR_KM and not taken:
        return _FAR_AWAY, ()
    by_name, why = _by_name(one, other)
    return by_name + (_TAKEN_FAR_AWAY if taken and apart is not None and apart >= _FAR_KM else 0.0), why


def _by_name(one: Story, other: Story) -> tuple[float, Sequence[Reason]]:
    if one.place is None or other.place is None:
        return 0.0, ()
    regions = (one.place.region, other.place.region)
    if None not in regions and regions[0] != regions[1]:
        return _OTHER_REGION, ()
    precise = ("village", "landmark", "road", "district")
    for name in precise:
        mine, theirs = getattr(one.place, name), getattr(other.place, name)
        if mine is not None and mine == theirs:
            return (_SAME_PLACE if name != "district" else _SAME_REGION + 0.4), ("place",)
    return (_SAME_REGION, ()) if None not in regions else (0.0, ())


def _km(one: Story, other: Story) -> tuple[float | None, bool]:
    """How far apart they are, in kilometres, None where that is not known; and whether only a picture says so."""
    here, there = _degrees(one), _degrees(other)
    if here is None or there is None:
        return None, False
    east = (here[1] - there[1]) * math.cos(math.radians(here[0]))
    taken = (here is one.taken) or (there is other.taken)
    return math.hypot(here[0] - there[0], east) * _KM_A_DEGREE, taken


def _degrees(of: Story) -> Degrees | None:
    if of.location is not None and of.location.lat is not None and of.location.lon is not None:
        return of.location.lat, of.location.lon
    if of.taken is not None:
        return of.taken
    if of.place is not None and of.place.lat is not None and of.place.lon is not None:
        return of.place.lat, of.place.lon
    return None
