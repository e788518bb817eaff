"""Cuts a long answer into the parts that a platform takes, where a reader would cut it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import regex  # type: ignore[import-untyped]

_BORDERS = (
    regex.compile(r"\n\s*\n\s*"),  # paragraphs
    regex.compile(r"\n\s*|(?<=[.!?…:;])\s+"),  # lines and sentences
    regex.compile(r"\s+"),  # words
)
_GRAPHEME = regex.compile(r"\X")
_WORTH = 0.5
"""A paragraph or sentence border counts only if it leaves a part at least this full."""


def units(text: str) -> int:
    """The length of a text in UTF-16 code units, which is how phones and platforms count."""
    return len(text) + sum(char > "\uffff" for char in text)


def octets(text: str) -> int:
    """The length of a text in UTF-8 bytes, which is how some platforms count."""
    return len(text.encode("utf-8", "surrogatepass"))


def split(text: str, limit: int, measure: Callable[[str], int] = units) -> Sequence[str]:
    """The text in parts of at most `limit` as `measure` counts, numbered "(1/3) …" if there are several.

    `measure` counts one or more for a character, but for letters of several.
    Cuts at paragraphs, sentences, words, in this order, and inside a word only between graphemes.
    White space at the cuts is dropped. Raises ValueError where `limit` leaves no room for the numbers.
    """
    text = text.strip()
    if measure(text) <= limit:
        return [text]
    for digits in range(1, 9):
        room = limit - len("(/) ") - 2 * digits
        if room < 2:
            break
        parts = list(_cut(text, room, measure))
        if len(str(len(parts))) <= digits:
            return [f"({number}/{len(parts)}) {part}" for number, part in enumerate(parts, 1)]
    raise ValueError(f"a limit of {limit} leaves no room for numbered parts")


def _cut(text: str, room: int, measure: Callable[[str], int]) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = _reach(text, start, room, measure)
        if end < len(text):
            end = _border(text, start, end)
        part = text[start:end].strip()
        if part:
            yield part
        start = end


def _reach(text: str, start: int, room: int, measure: Callable[[str], int]) -> int:
    """The farthest position such that the text from `start` fits into `room`; at least one character."""
    fits, over = start + 1, min(len(text), start + room) + 1
    while over - fits > 1:
        middle = (fits + over) // 2
        fits, over = (middle, over) if measure(text[start:middle]) <= room else (fits, middle)
    return fits


def _border(text: str, start: int, end: int) -> int:
    """The best place to cut between `start` (excluded) and `end`."""
    least = start + int((end - start) * _WORTH)
    for pattern, floor in zip(_BORDERS, (least, least, start), strict=True):
        # One character more is looked at: a part may fill its room exactly before white space.
        cuts: list[int] = [
            found.start() for found in pattern.finditer(text, start, end + 1) if found.start() > floor
        ]
        cuts = [cut for cut in cuts if text[start:cut].strip()]
        if cuts:
            return min(cuts[-1], end)
    return _grapheme_border(text, start, end)


def _grapheme_border(text: str, start: int, end: int) -> int:
    last = start
    for found in _GRAPHEME.finditer(text, start):
        if found.end() > end:
            break
        last = int(found.end())
    return last if last > start else end  # one "letter" longer than a whole part: nothing better is left
