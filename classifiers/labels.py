"""Labels that are one office in many places: "Kelurahan Contoh" is the office of the village Contoh. Pure.

What a text is about tells that it is for a village's office, never of which village: that the place tells. So
labels which name the place of their cases are learned as one, and found again by the place.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

_LETTERS: Final = re.compile(r"[^\W_]+")
_FEWEST: Final = 3
"""Places from which labels alike are taken for one office in many places."""
_MOSTLY: Final = 0.5
"""Share of a label's cases whose place it must name."""
_OF_ITS_OWN: Final = 2
"""How many cases it is worth that a label names a place: one case that went elsewhere is no rule."""
VILLAGE, DISTRICT = "{village}", "{district}"


@dataclass(frozen=True, slots=True)
class Where:
    """The administrative place of a case, as its reporter or the form gave it; "" where nobody did."""

    village: str = ""
    district: str = ""


NOWHERE: Final = Where()


def spelled(name: str) -> str:
    """A name as it is compared: letters and digits only, since "Karang Pilang" is Karangpilang.

    >>> spelled("Karang Pilang")
    'karangpilang'
    """
    return "".join(_LETTERS.findall(name.lower()))


def template(label: str, where: Where) -> str | None:
    """The label up to the name of the place, with what kind of place that is; None where it names none.

    >>> template("Kelurahan Contoh - Kulon", Where("Contoh", "Kulon"))
    'kelurahan {village}'
    """
    written = spelled(label)
    found = [
        (written.find(name), slot)
        for slot, name in ((VILLAGE, spelled(where.village)), (DISTRICT, spelled(where.district)))
        if len(name) > 2 and name in written
    ]
    if not found:
        return None
    start, slot = min(found, key=lambda each: (each[0], each[1] != VILLAGE))
    return f"{written[:start]} {slot}" if start else None


@dataclass(frozen=True)
class Offices:
    """Which labels are one office in many places (`of`), and which of them was right where (`by_place`)."""

    of: Mapping[str, str] = field(default_factory=dict)
    by_place: Mapping[str, Mapping[str, Mapping[str, int]]] = field(default_factory=dict)
    """Template → place, spelled → label → cases."""

    def learned_as(self, label: str) -> str:
        return self.of.get(label, label)

    def told_by_place(self, learned: str, where: Where) -> Mapping[str, float]:
        """What a label that was learned stands for at this place: labels and their shares, which sum up to 1.

        A place of which nothing is known yet is looked for in the labels' own names.
        """
        known = self.by_place.get(learned)
        if known is None:
            return {learned: 1.0}
        for place in _places(learned, where):
            if counted := known.get(place):
                total = sum(counted.values())
                return {label: count / total for label, count in counted.items()}
        name = _name(learned, where)
        named = [label for label, of in self.of.items() if of == learned and spelled(label).endswith(name)]
        if name and named:
            return {min(named, key=len): 1.0}
        if name:
            return {_spelled_out(learned, where): 1.0}
        return {learned: 1.0}


def _name(learned: str, where: Where) -> str:
    return spelled(where.village if VILLAGE in learned else where.district)


def _places(learned: str, where: Where) -> Sequence[str]:
    """Places to look up, the most exact first."""
    village, district = spelled(where.village), spelled(where.district)
    both = f"{village}/{district}"
    if VILLAGE in learned:
        return [place for place in (both, f"{village}/") if village]
    return [place for place in (f"/{district}",) if district]


def _spelled_out(learned: str, where: Where) -> str:
    """The label of an office of which no case was seen, as the others are written."""
    name = where.village if VILLAGE in learned else where.district
    return learned.replace(VILLAGE, name).replace(DISTRICT, name).title()


def learn_offices(cases: Sequence[tuple[str, Where]]) -> Offices:
    """From labels and the places of their cases."""
    of: dict[str, Counter[str | None]] = defaultdict(Counter)
    for label, where in cases:
        of[label][template(label, where)] += 1
    chosen: dict[str, str] = {}
    for label, counted in of.items():
        best, count = counted.most_common(1)[0]
        if best is not None and count >= _MOSTLY * counted.total():
            chosen[label] = best
    alike = Counter(chosen.values())
    chosen = {label: each for label, each in chosen.items() if alike[each] >= _FEWEST}
    # Labels of which the cases mostly lie elsewhere, yet that are written as the others.
    for label in of.keys() - chosen.keys():
        for each in set(chosen.values()):
            if spelled(label).startswith(each.split(" ")[0]):
                chosen[label] = each
    by_place: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for label, where in cases:
        if (learned := chosen.get(label)) is not None:
            for place in _places(learned, where):
                by_place[learned][place][label] += 1
    for label, learned in chosen.items():
        for place, went in by_place[learned].items():
            if _is_named(label, learned, place):
                went[label] += _OF_ITS_OWN
    return Offices(chosen, {name: dict(places) for name, places in by_place.items()})


def _is_named(label: str, learned: str, place: str) -> bool:
    """Whether the label names this place (see `_places`), with or without its district."""
    village, _, district = place.partition("/")
    start, name = learned.split(" ")[0], village or district
    return spelled(label) in (f"{start}{name}", f"{start}{name}{district}")
