"""Where exactly: coordinates, road and landmark in a text; district and village by their official codes. Pure.

`place` says whose territory it is; this says where in it. A name that several places have is resolved by the region
that is known otherwise, and left open where none is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from laporhub.pipeline.messages import Location
from laporhub.pipeline.regions import Level, Region, Regions
from laporhub.pipeline.text import digits_in, is_name_of_a_place, normalise, words_in, words_of

_DECIMAL: Final = re.compile(
    r"(?<![\d.])(?P<lat>-?\d{1,2}[.,]\d{3,15})[°\s]*[,;\s]\s*(?P<lon>1[0-4]\d[.,]\d{3,15}"
    r"|9[4-9][.,]\d{3,15})(?![\d.])"
)
_OF_A_POINT: Final = 9
"""Digits that latitude and longitude have at least."""
_FRACTION: Final = re.compile(r"\d[.,]\d\d\d")
"""In whatever `_DECIMAL` finds, and found much faster."""
_SEXAGESIMAL: Final = re.compile(
    r""
    r"(?P<lat_d>\d{1,2})[°º]\s?(?P<lat_m>\d{1,2})['’′]\s?(?P<lat_s>\d{1,2}(?:[.,]\d+)?)?[\"”″]?\s?(?P<half>LS"
    r"|LU|S|N)"
    r""
    r"[,;\s]{1,3}(?P<lon_d>\d{2,3})[°º]\s?(?P<lon_m>\d{1,2})['’′]\s?(?P<lon_s>\d{1,2}(?:[.,]\d+)?)?[\"”″]?\s?(?:BT"
    r"|E)",
    re.IGNORECASE,
)
_ROAD: Final = frozenset(("jalan", "gang", "ruas", "tol"))
_OF_ROADS_WORDS = """
raya lingkar tol jenderal letjen mayjen brigjen dr dokter kh prof ki nyai sultan pangeran
"""
_OF_ROADS: Final = frozenset(_OF_ROADS_WORDS.split())
_LANDMARK_WORDS = """
pasar terminal stasiun halte rsud rs rsj puskesmas masjid gereja jembatan alun taman lapangan bundaran simpang
perempatan pertigaan sma sman smk smkn smp smpn sd sdn universitas kampus waduk bendungan sungai kali pantai
samsat polsek polres spbu gor stadion museum candi gunung perumahan pondok rusunawa
"""
_LANDMARK: Final = frozenset(_LANDMARK_WORDS.split())
_VILLAGE: Final = frozenset(("desa", "kelurahan", "kades", "lurah"))
_DISTRICT: Final = frozenset(("kecamatan", "camat"))
_NAME_AT_MOST = 3
_SMALL: Final = re.compile(r"\d{1,2}")
_NOWHERE: Final = Location()


@dataclass(frozen=True, slots=True)
class Locality:
    """What a text says of where, beside the region. None for what it does not say."""

    district: Region | None = None
    village: Region | None = None
    road: str | None = None
    landmark: str | None = None
    lat: float | None = None
    lon: float | None = None


def locality(
    raw: str, words: str, location: Location | None, regions: Regions, within: str | None
) -> Locality:
    """Where a text says that it is; `within` is the code of the region it is in, as far as that is known."""
    given = location or _NOWHERE
    point = told(raw, location)
    lat, lon = point or (None, None)
    district = _official(words, _DISTRICT, given.district, regions, "district", within)
    village = _official(
        words, _VILLAGE, given.village, regions, "village", district.code if district else within
    )
    if district is None and village is not None:
        district = regions.by_code.get(village.code.rpartition(".")[0])
    if district is None and point is not None and (near := regions.around(*point)):
        inside = near.district is not None and (within is None or near.district.is_in(within))
        district = near.district if inside else None
    address = normalise(given.address) if given.address else ""
    return Locality(
        district,
        village,
        _named(address, _ROAD) or _named(words, _ROAD),
        _named(words, _LANDMARK) or _named(address, _LANDMARK),
        lat,
        lon,
    )


def told(raw: str, location: Location | None) -> tuple[float, float] | None:
    """Latitude and longitude that the reporter gave: shared, or in their words."""
    if location is not None and location.lat is not None and location.lon is not None:
        return location.lat, location.lon
    return coordinates(raw)


@lru_cache(maxsize=32)  # the parts of one decision ask for the same text
def coordinates(raw: str) -> tuple[float, float] | None:
    """Latitude and longitude in Indonesia that a text or the address of a map has in it."""
    if digits_in(raw) >= _OF_A_POINT and _FRACTION.search(raw) and (found := _DECIMAL.search(raw)):
        lat, lon = (float(found[name].replace(",", ".")) for name in ("lat", "lon"))
        return (lat, lon) if -11.5 <= lat <= 6.5 and 94.5 <= lon <= 141.5 else None
    if ("°" in raw or "º" in raw) and (found := _SEXAGESIMAL.search(raw)):
        lat = _decimal(found, "lat") * (-1 if found["half"].upper() in ("LS", "S") else 1)
        return lat, _decimal(found, "lon")
    return None


def _decimal(found: re.Match[str], axis: str) -> float:
    seconds = float((found[f"{axis}_s"] or "0").replace(",", "."))
    return round(int(found[f"{axis}_d"]) + int(found[f"{axis}_m"]) / 60 + seconds / 3600, 6)


def _official(
    words: str,
    heads: frozenset[str],
    given: str | None,
    regions: Regions,
    level: Level,
    within: str | None,
) -> Region | None:
    """The one region of that level that is named after such a word, or in the form; None where it may be several."""
    names = [normalise(given)] if given else []
    said = words_in(words)
    for place in _places(words, heads):
        names += (" ".join(said[place + 1 : place + 1 + size]) for size in range(_NAME_AT_MOST, 0, -1))
    for name in names:
        found = regions.named(name, level, within or "")
        if len(found) == 1:
            return found[0]
    return None


def _places(words: str, heads: frozenset[str]) -> list[int]:
    """Where in the normalised text some of these words stand."""
    if heads.isdisjoint(words_of(words)):
        return []
    return [place for place, word in enumerate(words_in(words)) if word in heads]


def _named(words: str, heads: frozenset[str]) -> str | None:
    """The first road or landmark with its name, in capitals as one writes it."""
    said = words_in(words)
    for place in _places(words, heads):
        last = place
        while last + 1 < len(said) and last - place < _NAME_AT_MOST + (said[last] in _OF_ROADS):
            following = said[last + 1]
            if not (is_name_of_a_place(following) or following in _OF_ROADS or _SMALL.fullmatch(following)):
                break
            last += 1
        if last > place and said[last] not in _OF_ROADS:
            return " ".join(said[place : last + 1]).title()
    return None
