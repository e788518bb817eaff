"""Official regions and their codes: regencies and cities, districts, villages. Pure; read from a table of a profile.

The table is CSV with a heading: `code,name`, and `lat,lon` (WGS 84, where its middle is) if known. A code has its
levels between dots, as the Ministry of Home Affairs writes them: `33.74` is a city, `33.74.10` a district in it,
`33.74.10.1003` a village in that.
"""

from __future__ import annotations

import csv
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

Level: TypeAlias = Literal["province", "regency", "district", "village"]

_LEVELS: tuple[Level, ...] = ("province", "regency", "district", "village")
_CODE = re.compile(r"\d\d(?:\.\d\d(?:\.\d\d(?:\.\d{4})?)?)?")
_KM_A_DEGREE = 111.2
_REGENCY = len("33.74")
_NEAR: Mapping[Level, float] = {"district": 20.0, "regency": 25.0}
"""How far from its middle a place may be to be in it, in kilometres."""


@dataclass(frozen=True, slots=True)
class Region:
    """One of them. `lat` and `lon` are degrees, None where the table does not say."""

    code: str
    name: str
    lat: float | None = None
    lon: float | None = None

    @property
    def level(self) -> Level:
        return _LEVELS[self.code.count(".")]

    def is_in(self, code: str) -> bool:
        """Whether it is that region, or part of it."""
        return self.code == code or self.code.startswith(f"{code}.")


@dataclass(frozen=True, slots=True)
class Around:
    """What degrees are in: a regency or city, by its code; how sure that is (0..1); the district, where it is told."""

    regency: str
    sure: float
    district: Region | None = None


@dataclass(frozen=True)
class Regions:
    """All of a table, by code and by name (lower case)."""

    by_code: Mapping[str, Region] = field(default_factory=dict)
    by_name: Mapping[str, tuple[Region, ...]] = field(default_factory=dict)

    def named(self, name: str, level: Level, within: str = "") -> tuple[Region, ...]:
        """Those of that name and level, in the region `within` if one is given."""
        found = self.by_name.get(name.lower(), ())
        return tuple(each for each in found if each.level == level and (not within or each.is_in(within)))

    def around(self, lat: float, lon: float) -> Around | None:
        """By the middle that is nearest: of a district within 20 km, of a regency within 25; None where none is.

        A middle is no border: beside one the answer may be the neighbour, so another regency that is as near makes it
        unsure.
        """
        near = sorted((_km(lat, lon, each.lat, each.lon), each.code) for each in self._middles)
        if not near or near[0][0] > _NEAR[self.by_code[near[0][1]].level]:
            return None
        nearest, code = near[0]
        regency = code[:_REGENCY]
        other = next((km for km, each in near if each[:_REGENCY] != regency), None)
        sure = 0.9 if other is None else round(1 - 0.5 * nearest / max(other, 0.001), 3)
        return Around(regency, sure, self.by_code[code] if regency in self._told_by_district else None)

    @cached_property
    def _middles(self) -> Sequence[Region]:
        known = (each for each in self.by_code.values() if each.lat is not None and each.lon is not None)
        return tuple(each for each in known if each.level in _NEAR)

    @cached_property
    def _told_by_district(self) -> Set[str]:
        """Regencies of which all districts have a middle: of others the nearest one may be another one's."""
        districts = [each for each in self.by_code.values() if each.level == "district"]
        lacking = {each.code[:_REGENCY] for each in districts if each.lat is None or each.lon is None}
        return {each.code[:_REGENCY] for each in districts} - lacking

    def name_of(self, code: str) -> str:
        """That of the region, or its code where the table does not have it."""
        return self.by_code[code].name if code in self.by_code else code


def read_regions(lines: Iterable[str]) -> Regions:
    """The table. Raises `ValueError`, with the number of the line, for one that cannot be read."""
    rows = csv.DictReader(lines)
    if rows.fieldnames is None or not {"code", "name"} <= set(rows.fieldnames):
        raise ValueError("line 1: the heading must name the columns code and name")
    by_code: dict[str, Region] = {}
    by_name: dict[str, list[Region]] = defaultdict(list)
    for number, row in enumerate(rows, 2):
        code, name = (row["code"] or "").strip(), (row["name"] or "").strip()
        if not _CODE.fullmatch(code) or not name:
            raise ValueError(f"line {number}: needs a code like 33.74.10 and a name")
        if code in by_code:
            raise ValueError(f"line {number}: {code} is there twice")
        region = Region(code, name, _degrees(row.get("lat"), number), _degrees(row.get("lon"), number))
        by_code[code] = region
        by_name[name.lower()].append(region)
    return Regions(by_code, {name: tuple(regions) for name, regions in by_name.items()})


def _degrees(value: str | None, number: int) -> float | None:
    try:
        return float(value) if value and value.strip() else None
    except ValueError:
        raise ValueError(f"line {number}: {value!r} is no number of degrees") from None


def _km(lat: float, lon: float, other_lat: float | None, other_lon: float | None) -> float:
    """How far apart, in kilometres, as the crow flies; good enough within a province."""
    if other_lat is None or other_lon is None:
        return math.inf
    east = (lon - other_lon) * math.cos(math.radians(lat))
    return math.hypot(lat - other_lat, east) * _KM_A_DEGREE
