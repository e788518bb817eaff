"""What a name of a place says where it stands in a text: meant, said aside, denied, or a plain word. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, pairwise

from laporhub.pipeline.text import words_in, words_of

# Words that make a region of the word after them, and which kind of region.
_KIND = {
    "bupati": "kabupaten",
    "pemkab": "kabupaten",
    "pemkot": "kota",
    "walikota": "kota",
    "kotamadya": "kota",
}
_KIND_WORDS = frozenset(_KIND)
_REGION_WORDS = """
kabupaten kota polres polresta samsat rsud dprd dukcapil pdam alun pbb pp dishub dlh dinkes dinsos dpu dpupr disdik
kejari bpn kpu bpjs stasiun umk
"""
_REGION = frozenset(_REGION_WORDS.split())
_DISTRICT = frozenset(
    {"kecamatan", "desa", "kelurahan", "dusun", "camat", "lurah", "polsek", "puskesmas", "koramil"}
)
_NEAR_WORDS = """
di neng nang ning wonten teng daerah wilayah ke dari arah sekitar kawasan pasar stasiun terminal
"""
_NEAR = frozenset(_NEAR_WORDS.split())
_KINDS_OF_PLACES = frozenset({"kabupaten", "kota", "kecamatan"})
_FROM = frozenset({"dari", "asal", "asli", "ktp", "orang", "wong", "saking", "seko"})
_LIVING = frozenset({"tinggal", "rumahku", "omahku", "omahe", "domisili", "merantau"})
"""Words before the place that the writer comes from: another one is meant, if named."""
_NOT = frozenset({"bukan", "dudu", "sanes"})
_TOWARDS = frozenset({"ke", "arah", "jurusan", "menuju", "tujuan", "menyang", "nyang", "tekan"})
"""Words before a place to which something leads: it says less than one where something is."""
_NAMED_AFTER = frozenset(
    {"jalan", "gang", "tol", "bank", "toko", "perumahan", "komplek", "kereta", "bus", "bengawan"}
)
"""Words that make a name of the place after them, wherever the thing itself is."""

SURE = 1.0
_LIKELY = 0.8
_MAYBE = 0.5
_HARDLY = 0.25
ASIDE = 0.3
"""What is left of a name's weight that is said aside, where another is not."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a name stands for. `level` is "region", "district", "ambiguous" or "official"."""

    unit: str
    level: str


@dataclass(frozen=True, slots=True)
class Name:
    """A name in the words, from where to where."""

    start: int
    end: int
    entries: Sequence[Entry]

    @property
    def units(self) -> set[str]:
        return {entry.unit for entry in self.entries}

    def tells(self, other: Name) -> bool:
        """Whether the other may tell which place this is: not the same again, nor a plain word beside a plain word."""
        either = (*self.entries, *other.entries)
        return self.entries is not other.entries and any(entry.level != "official" for entry in either)


@dataclass(frozen=True, slots=True)
class Mention:
    """A name in the text, and how much it says for each unit that has a place of that name.

    `aside`: 1 said of where something leads, 2 of where the writer comes from; `denied`: said not to be meant.
    """

    name: str
    weights: Mapping[str, float]
    aside: int
    denied: bool


def kinds_told(text: str) -> Sequence[str]:
    """The words of a normalised text; "pemkab" and the like as the kind of region that they speak of."""
    words: Sequence[str] = words_in(text)
    if _KIND_WORDS.isdisjoint(words_of(text)):
        return words
    return [_KIND.get(word, word) for word in words]


def mentions(names: Sequence[Name], words: Sequence[str]) -> Iterator[Mention]:
    """What each of the names says, in their order, but for those that are plain words here."""
    joined = [_are_together(one, other, words) for one, other in pairwise(names)]
    for place, name in enumerate(names):
        near = [*compress(names[place - 1 : place], joined[place - 1 : place])]
        near += compress(names[place + 1 : place + 2], joined[place : place + 1])
        if found := _mention(name, near, words):
            yield found


def _mention(name: Name, near: Sequence[Name], words: Sequence[str]) -> Mention | None:
    """What a name says with these right beside it; None where it is taken for a plain word."""
    before = words[name.start - 1] if name.start else ""
    shared = {unit for other in near if name.tells(other) for unit in name.units & other.units}
    size = name.end - name.start
    weights = {entry.unit: _weight(entry.level, before, size) for entry in name.entries}
    if [*words[name.end : name.end + 1]] == ["kota"]:  # "Rembang kota": the town of that name
        weights = {
            entry.unit: weights[entry.unit] or _LIKELY * (entry.level == "ambiguous")
            for entry in name.entries
        }
    if shared:  # "Gabus Pati": each tells which of its places the other is
        weights = {unit: max(weights[unit], _LIKELY) for unit in sorted(shared)}
    weights = {unit: weight for unit, weight in weights.items() if weight}
    if not weights:
        return None
    is_route = not shared and any(name.end == other.start or other.end == name.start for other in near)
    return Mention(
        " ".join(words[name.start : name.end]),
        weights,
        aside=max(_aside(words, name.start), int(is_route)),
        denied=not _NOT.isdisjoint(words[max(0, name.start - 2) : name.start]),
    )


def _weight(level: str, before: str, size: int) -> float:
    """How much a name says, after the word `before` it; 0 where it is taken for a plain word."""
    if level == "official":
        return SURE if before in _DISTRICT else 0.0
    if before in _NAMED_AFTER:
        return (
            0.0 if level == "ambiguous" else _MAYBE if level == "district" and before == "jalan" else _HARDLY
        )
    if level == "region":
        return _HARDLY if before in _DISTRICT and size == 1 else SURE
    if level == "district":
        return _HARDLY if before == "kabupaten" else SURE if before in _DISTRICT else _LIKELY
    if before in _REGION or before in _DISTRICT:
        return _LIKELY
    return _MAYBE if before in _NEAR else 0.0


def _are_together(one: Name, other: Name, words: Sequence[str]) -> bool:
    """Whether nothing stands between two names but what kind of place the second is."""
    return _KINDS_OF_PLACES.issuperset(words[one.end : other.start])


def _aside(words: Sequence[str], start: int) -> int:
    """How far from the matter the place is that is named there: see `Mention`."""
    before = words[max(0, start - 2) : start]
    if not before:
        return 0
    if before[-1] in _FROM or not _LIVING.isdisjoint(before):
        return 2
    return 1 if before[-1] in _TOWARDS else 0
