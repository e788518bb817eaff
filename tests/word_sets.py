"""The made-up texts of `tests/data/words`, and how well something does on them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "data" / "words"
_MARKED = re.compile(r"\{(\w):([^}]*)\}")


@dataclass(frozen=True)
class Marked:
    """A text, and what in it identifies somebody: (start, end, kind)."""

    text: str
    pieces: tuple[tuple[int, int, str], ...]


def lines(name: str) -> list[str]:
    """The lines of a file, without those that explain it."""
    read = (FOLDER / name).read_text(encoding="utf-8").splitlines()
    return [line for line in read if line and not line.startswith("#")]


def labelled(name: str) -> list[tuple[frozenset[str], str]]:
    """Of each line "label label|text" its labels, none for "-", and the text."""
    split = (line.partition("|") for line in lines(name))
    return [(frozenset(labels.split()) - {"-"}, text) for labels, _, text in split]


def marked(name: str) -> Iterator[Marked]:
    for line in lines(name):
        text, pieces, done = "", [], 0
        written = line.replace("\\n", "\n")
        for found in _MARKED.finditer(written):
            text += written[done : found.start()]
            pieces.append((len(text), len(text) + len(found[2]), found[1]))
            text += found[2]
            done = found.end()
        yield Marked(text + written[done:], tuple(pieces))
