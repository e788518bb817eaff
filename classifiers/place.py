"""Whose territory a text speaks of: names of regions and districts, read in their context. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from laporhub.classifiers.place_names import ASIDE, SURE, Entry, Mention, Name, kinds_told, mentions
from laporhub.pipeline.base_model import trusted
from laporhub.pipeline.classifier import Place
from laporhub.pipeline.messages import Location, Spot
from laporhub.pipeline.profile.schema_units import Unit
from laporhub.pipeline.regions import Around, Regions
from laporhub.pipeline.text import names_a_place, normalise

READ = 5_000
"""Characters of a text that are searched."""

_BY_POINT = 0.7
_BY_PHOTO = 0.45
"""How sure the region is of which only the degrees are known: those that the reporter gave, or those of a photo. The
latter is never sure enough to be taken for what the reporter said.
"""


_place = trusted(Place)


@dataclass(frozen=True, slots=True)
class Found:
    """A unit whose territory the text names by `said`: `weight` is its share of the evidence, 0..1 together."""

    unit: str
    name: str
    code: str | None
    weight: float
    said: str


def is_as_likely(one: Found, other: Found) -> bool:
    """Whether the same name says as much for both."""
    return one.weight == other.weight and one.said == other.said


def as_place(found: Sequence[Found]) -> Place | None:
    """The likeliest place; without a region where its name is that of two alike ("semarang", city or regency)."""
    if not found:
        return None
    best = found[0]
    if len(found) > 1 and is_as_likely(found[1], best):
        return _place(name=best.said.title(), confidence=round(best.weight, 3))
    return _place(name=best.name, region=best.code, confidence=round(best.weight, 3))


@dataclass(frozen=True, slots=True)
class Spotted:
    """Where degrees lead that stand for themselves, `confidence` in 0..1; `by_photo`: only a photo's."""

    around: Around
    confidence: float
    by_photo: bool = False


def spotted(regions: Regions, given: tuple[float, float] | None, taken: Spot | None) -> Spotted | None:
    """By what the reporter gave, else by where a photo was taken."""
    if given is not None:
        near = regions.around(*given)
        return Spotted(near, round(_BY_POINT * near.sure, 3)) if near else None
    near = regions.around(taken.lat, taken.lon) if taken else None
    return Spotted(near, round(_BY_PHOTO * near.sure, 3), by_photo=True) if near else None


class PlaceFinder:
    """Finds the territories of `units` in texts. Units without a territory are nowhere in particular."""

    def __init__(self, units: Mapping[str, Unit], regions: Regions | None = None) -> None:
        """`regions`: official districts, which count after "kecamatan" even where they are plain words."""
        self._units = units
        self._names: dict[tuple[str, ...], list[Entry]] = defaultdict(list)
        for unit in units.values():
            if unit.territory is None:
                continue
            for level, names in (
                ("region", unit.territory.names),
                ("district", unit.territory.districts),
                ("ambiguous", unit.territory.ambiguous),
            ):
                self._add(unit.id, level, names)
            self._add(unit.id, "official", _districts_of(unit, regions))
        self._longest: dict[str, int] = {}
        """First word of names → words of the longest of them."""
        for name in self._names:
            self._longest[name[0]] = max(len(name), self._longest.get(name[0], 0))
        self._regions = {
            unit.id: (region_name(unit), normalise(region_name(unit))) for unit in units.values()
        }

    def _add(self, unit: str, level: str, names: Iterable[str]) -> None:
        for name in names:
            words = tuple(normalise(name).split())
            entry = Entry(unit, level)
            if words and entry not in self._names[words]:
                self._names[words].append(entry)

    def find(self, words: str, location: Location | None = None) -> tuple[Found, ...]:
        """The territories that a normalised text names, the likeliest first; the location counts double."""
        mentions = [
            (mention, factor)
            for source, factor in _sources(words, location)
            for mention in self._mentions(source)
        ]
        if not mentions:
            return ()
        denied = {unit for mention, _ in mentions if mention.denied for unit in mention.weights}
        mentions = [each for each in mentions if not denied.issuperset(each[0].weights)]
        alone = {unit for mention, _ in mentions if len(mention.weights) == 1 for unit in mention.weights}
        least = min((mention.aside for mention, _ in mentions), default=0)
        evidence: dict[str, float] = defaultdict(float)
        names: dict[str, str] = {}
        for mention, factor in mentions:
            # A name that several territories have belongs to the one that is named otherwise, too.
            meant = [unit for unit in mention.weights if unit in alone] or list(mention.weights)
            for unit in meant:
                weight = mention.weights[unit] * ASIDE ** (mention.aside - least)
                evidence[unit] += weight / len(meant) ** 0.5 * factor
                names[unit] = self._more_precise(unit, names.get(unit), mention.name)
        # One faint hint is not certainty: it is measured against a plain naming.
        total = max(sum(evidence.values()), SURE)
        found = [self._found(unit, names[unit], weight / total) for unit, weight in evidence.items()]
        return tuple(sorted(found, key=lambda each: (-each.weight, each.unit)))

    def at(self, spot: Spotted | None) -> tuple[Found, ...]:
        """The territory in which degrees lie, where some unit has it."""
        if spot is None:
            return ()
        return tuple(
            Found(unit, self._regions[unit][0], spot.around.regency, spot.confidence, "")
            for unit in self._units
            if self._lies_in(unit, spot)
        )

    def settled(self, found: tuple[Found, ...], spot: Spotted | None) -> tuple[Found, ...]:
        """Where one name is that of several ("semarang", city or regency), the one in which the degrees lie."""
        alike = [each for each in found if is_as_likely(each, found[0])]
        if spot is None or len(alike) < 2:
            return found
        inside = [each for each in alike if self._lies_in(each.unit, spot)]
        if len(inside) != 1:
            return found
        weight = sum(each.weight for each in alike)
        return (replace(inside[0], weight=weight), *(each for each in found if each not in alike))

    def _lies_in(self, unit: str, spot: Spotted) -> bool:
        territory = self._units[unit].territory
        return territory is not None and spot.around.regency in territory.codes

    def _more_precise(self, unit: str, known: str | None, name: str) -> str:
        """Of two names for a place in the unit's territory, the first that is not the region itself."""
        region = self._regions[unit][1]
        return name if known is None or (known in region and name not in region) else known

    def has_place(self, text: str) -> bool:
        """Whether the text says where: a known region or district, or an address."""
        return bool(self.find(normalise(text[:READ]))) or names_a_place(text)

    def _mentions(self, text: str) -> Iterable[Mention]:
        """Each place named; the longest name counts, none within it."""
        words = kinds_told(text)
        return mentions(self._named(words), words)

    def _named(self, words: Sequence[str]) -> list[Name]:
        """Where names stand, whatever they mean there."""
        found: list[Name] = []
        end = 0
        for i in [i for i, word in enumerate(words) if word in self._longest]:
            if i < end:
                continue
            for size in range(min(self._longest[words[i]], len(words) - i), 0, -1):
                if (entries := self._names.get(tuple(words[i : i + size]))) is not None:
                    end = i + size
                    found.append(Name(i, end, entries))
                    break
        return found

    def _found(self, unit: str, name: str, weight: float) -> Found:
        known = self._units[unit]
        codes = known.territory.codes if known.territory else ()
        region, region_words = self._regions[unit]
        shown = region if name in region_words else f"{name.title()}, {region}"
        return Found(unit, shown, codes[0] if codes else None, weight, name)


def region_name(unit: Unit) -> str:
    """The region that a government's title speaks of."""
    return unit.title.removeprefix("Pemerintah ").removeprefix("Daerah ")


def _districts_of(unit: Unit, regions: Regions | None) -> list[str]:
    """Official districts of the unit's territory that its own lists do not name."""
    if regions is None or unit.territory is None:
        return []
    known = {*unit.territory.names, *unit.territory.districts, *unit.territory.ambiguous}
    named = {normalise(name) for name in known}
    return [
        each.name
        for each in regions.by_code.values()
        if each.level == "district"
        and any(each.is_in(code) for code in unit.territory.codes)
        and normalise(each.name) not in named
    ]


def _sources(words: str, location: Location | None) -> Iterable[tuple[str, float]]:
    """Normalised texts where places may be named, and how much it counts."""
    yield words, 1.0
    if location is None:
        return
    for lead, value in (
        ("", location.address),
        ("kecamatan ", location.district),
        ("desa ", location.village),
    ):
        if value:
            yield normalise(lead + value[:READ]), 2.0
