"""Whose territory a text speaks of: names of regions and districts, read in their context. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from laporhub.pipeline.models import Location, Place
from laporhub.pipeline.profile.schema import Unit
from laporhub.pipeline.text import names_a_place, normalise

READ = 5_000
"""Characters of a text that are searched."""

# Words that make a region of the word after them, and which kind of region.
_KIND = {
    "bupati": "kabupaten",
    "pemkab": "kabupaten",
    "pemkot": "kota",
    "walikota": "kota",
    "kotamadya": "kota",
}
_REGION = frozenset(
    {"kabupaten", "kota", "polres", "polresta", "samsat", "rsud", "dprd", "dukcapil", "pdam", "alun"}
)
_DISTRICT = frozenset(
    {"kecamatan", "desa", "kelurahan", "dusun", "camat", "lurah", "polsek", "puskesmas", "koramil"}
)
_NEAR = frozenset(
    {"di", "daerah", "wilayah", "ke", "dari", "arah", "sekitar", "kawasan", "pasar", "stasiun", "terminal"}
)

_SURE = 1.0
_LIKELY = 0.8
_MAYBE = 0.5
_HARDLY = 0.25


@dataclass(frozen=True, slots=True)
class Found:
    """A unit whose territory the text names: `weight` is its share of the evidence; all sum up to 1."""

    unit: str
    name: str
    code: str | None
    weight: float

    def place(self) -> Place:
        return Place(name=self.name, region=self.code, confidence=round(self.weight, 3))


@dataclass(frozen=True, slots=True)
class _Entry:
    """What a name stands for. `level` is "region", "district" or "ambiguous"."""

    unit: str
    level: str


class PlaceFinder:
    """Finds the territories of `units` in texts. Units without a territory are nowhere in particular."""

    def __init__(self, units: Mapping[str, Unit]) -> None:
        self._units = units
        self._names: dict[tuple[str, ...], list[_Entry]] = defaultdict(list)
        for unit in units.values():
            if unit.territory is None:
                continue
            for level, names in (
                ("region", unit.territory.names),
                ("district", unit.territory.districts),
                ("ambiguous", unit.territory.ambiguous),
            ):
                self._add(unit.id, level, names)
        self._longest = max(map(len, self._names), default=0)

    def _add(self, unit: str, level: str, names: Iterable[str]) -> None:
        for name in names:
            words = tuple(normalise(name).split())
            entry = _Entry(unit, level)
            if words and entry not in self._names[words]:
                self._names[words].append(entry)

    def find(self, words: str, location: Location | None = None) -> tuple[Found, ...]:
        """The territories that a normalised text names, the likeliest first; the location counts double."""
        evidence: dict[str, float] = defaultdict(float)
        said: dict[str, tuple[float, str]] = {}
        for source, factor in _sources(words, location):
            for unit, weight, name in self._mentions(source):
                evidence[unit] += weight * factor
                if weight > said.get(unit, (0.0, ""))[0]:
                    said[unit] = (weight, name)
        total = sum(evidence.values())
        if not total:
            return ()
        # One faint hint is not certainty: it is measured against a plain naming.
        total = max(total, _SURE)
        found = [self._found(unit, said[unit][1], weight / total) for unit, weight in evidence.items()]
        return tuple(sorted(found, key=lambda each: (-each.weight, each.unit)))

    def has_place(self, text: str) -> bool:
        """Whether the text says where: a known region or district, or an address."""
        return bool(self.find(normalise(text[:READ]))) or names_a_place(text)

    def _mentions(self, words: list[str]) -> Iterable[tuple[str, float, str]]:
        """Unit, weight and name of each place named; the longest name counts, none within it."""
        words = [_KIND.get(word, word) for word in words]
        i = 0
        while i < len(words):
            for size in range(min(self._longest, len(words) - i), 0, -1):
                name = tuple(words[i : i + size])
                entries = self._names.get(name)
                if entries is None:
                    continue
                before = words[i - 1] if i else ""
                weighed = [(entry, _weight(entry.level, before, size)) for entry in entries]
                shared = sum(1 for _, weight in weighed if weight)
                for entry, weight in weighed:
                    if weight:
                        yield entry.unit, weight / shared**0.5, " ".join(name)
                i += size - 1
                break
            i += 1

    def _found(self, unit: str, name: str, weight: float) -> Found:
        known = self._units[unit]
        codes = known.territory.codes if known.territory else ()
        region = region_name(known)
        shown = region if normalise(name) in normalise(region) else f"{name.title()}, {region}"
        return Found(unit, shown, codes[0] if codes else None, weight)


def region_name(unit: Unit) -> str:
    """The region that a government's title speaks of."""
    return unit.title.removeprefix("Pemerintah ").removeprefix("Daerah ")


def _weight(level: str, before: str, size: int) -> float:
    """How much a name says, after the word `before` it; 0 where it is taken for a plain word."""
    if level == "region":
        return _HARDLY if before in _DISTRICT and size == 1 else _SURE
    if level == "district":
        return _HARDLY if before == "kabupaten" else _SURE if before in _DISTRICT else _LIKELY
    if before in _REGION or before in _DISTRICT:
        return _LIKELY
    return _MAYBE if before in _NEAR else 0.0


def _sources(words: str, location: Location | None) -> Iterable[tuple[list[str], float]]:
    """Where places may be named, as words, and how much it counts."""
    yield words.split(), 1.0
    if location is None:
        return
    for lead, value in (
        ("", location.address),
        ("kecamatan ", location.district),
        ("desa ", location.village),
    ):
        if value:
            yield normalise(lead + value[:READ]).split(), 2.0
