"""Lists of things that staff write, one a line: "2 buah konektor RJ-45". Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

LINES, LENGTH = 100, 200
"""How many lines a list may have, and how long each may be."""

_MEASURES: Final = "buah|unit|set|pcs|pasang|meter|m|roll|rol|dus|kotak|batang|lembar|kg|liter|botol|paket"
_COUNTED: Final = re.compile(rf"(\d+(?:[.,]\d+)?)\s*(?:[x×]\s+)?({_MEASURES})?\b\s*(.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Item:
    """A thing, and how many: "2 buah", or nothing where the line does not begin with a number."""

    name: str
    quantity: str = ""


def is_list(text: str) -> bool:
    """Whether it is a list that a form takes."""
    lines = text.strip().splitlines()
    return 0 < len(lines) <= LINES and all(len(line) <= LENGTH for line in lines)


def items_in(text: str) -> tuple[Item, ...]:
    """The things in a list, in its order."""
    return tuple(_item(line.strip().lstrip("-•* ")) for line in text.splitlines() if line.strip("-•* \t"))


def _item(line: str) -> Item:
    found = _COUNTED.fullmatch(line)
    if found is None or not found[3]:
        return Item(line)
    return Item(found[3], f"{found[1]} {found[2]}" if found[2] else found[1])
