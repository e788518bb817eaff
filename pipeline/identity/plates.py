"""Number plates of vehicles: "H 1234 AB", "h1234ab", "AB-12-XY" after a word for it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from operator import attrgetter
from typing import Final

from laporhub.pipeline.identity.span import PLATE, Span
from laporhub.pipeline.identity.spelled import DIGIT_WORDS, digit_words

_REGIONS: Final = (
    "A[ABDEG]?|B[ABDEGHKLMNP]?|D[ABCDEGHKLMNRST]?|DW|E[ABD]?|F|G|H|K[BHTU]?|L|M|N|P[ABGS]?|R|S|T|W|Z"
)
_SIGNS: Final = " \t.-/_()"
_GAP = rf"[{re.escape(_SIGNS)}]{{0,3}}"
_NUMBER: Final = re.compile(r"\d+")
_BEFORE: Final = re.compile(rf"(?<![^\W_])(?<![/.])(?i:{_REGIONS}){_GAP}$")
_AFTER: Final = re.compile(rf"{_GAP}([A-Za-z]{{1,3}})(?:\*[A-Za-z]{{0,2}})?(?![\w/]|\.\w)")
_SAYS_SO: Final = re.compile(
    r"(?i)\b(?:no\.? ?pol\w*|nopol|nomor polisi|plat|plat(?:nya)? (?:no\w*|merah|hitam|kuning|putih"
    r"|hijau)|berplat|tnkb"
    r"|bernopol|bernomor polisi|kendaraan|motor|mobil|truk|truck|angkot|bus|bis|pick ?up|pikap|sepeda motor|taksi"
    r"|avanza|xenia|innova|vario|beat|supra|nmax|pcx|scoopy|mio|honda|yamaha|toyota|suzuki|daihatsu|mitsubishi)"
    r"\W{1,3}(?:(?:saya|itu|ini|dengan|dgn|no|nomor|nomer|plat|polisi|merah|hitam|putih|biru|warna"
    r"|tersebut)\W{1,3}){0,4}$"
)
_UNITS = (
    "km m mm cm kg gr ml l rt rw no am pm wib wit gb mb tb hp va kva kwh w v jt rb ha thn th hr bln jam jl gg org unit"
    " dan di ke yg dr tp ya ga gk sd smp sma smk bh kk lt lbr pcs set sak ton kel kec kab ds"
)
_UNIT: Final = frozenset(_UNITS.split())
_POLICE: Final = re.compile(r"no\.? ?pol|nomor pol")
_FEWEST, _FEWEST_SAID = 3, 2
"""Digits by themselves, or in words, from which some may be a plate's."""
_LEAD = 60
_WIDEST = 6
"""Characters before the number that may be part of the plate, and one more."""


_CALLED: Final = r"(?:[a-z]|be|ce|de|ef|ge|ha|je|ka|el|em|en|pe|ki|er|es|te|fe|ve|we|ex|eks|ye|zet)"
"""How letters are called."""
_LETTERS_BEFORE: Final = rf"(?:(?i:{_REGIONS})|{_CALLED}(?: {_CALLED})?)"
_LETTERS_AFTER: Final = rf"(?:{_CALLED}(?: {_CALLED}){{1,2}}|[a-z]{{1,3}})"
_DIGIT_SAID: Final = rf"(?:{'|'.join(DIGIT_WORDS)})"
_SPELLED: Final = re.compile(
    rf"(?i)\b(?:plat|plate|nopol|no\.? ?pol|nomor polisi)(?:nya|e)?\W{{1,3}}"
    rf"(?:(?:no|nomor|nomer|mobil|motor)\W{{1,2}})?"
    rf"(?P<plate>{_LETTERS_BEFORE}[ .\-]{{1,3}}(?:(?:{_DIGIT_SAID}|[\dOo]{{1,4}})[ .\-]{{1,3}}){{1,4}}"
    rf"{_LETTERS_AFTER})(?!\w)"
)
"""Where a word says that it is one: letters by their names, digits in words, an O for a nought."""
_CALLED_OUT: Final = re.compile(
    rf"(?i)(?<![\w.])(?P<plate>{_LETTERS_BEFORE} (?:(?:dobel )?(?:{_DIGIT_SAID}|\d) ){{3,4}}{_LETTERS_AFTER})(?!\w)"
)
"""Letter by letter and digit by digit, whatever is before."""
_TYPED: Final = re.compile(
    rf"(?<![\w/.])(?:{_REGIONS})[ .\-]{{0,3}}(?=[\dOI]*[OI])\d[\dOI]{{2,3}}[ .\-]{{0,3}}[A-Z]{{2,3}}(?!\w)"
)
"""With an O for a nought, or an I for a one."""
_TYPED_NUMBER: Final = re.compile(r"\d[OI]")
_APART: Final = re.compile(
    rf"(?<![\w.])(?:{_REGIONS}|[A-Z] [A-Z])[ .]\d(?:[ .]\d){{2,3}}[ .](?:[A-Z](?: [A-Z]){{1,2}}|[A-Za-z]{{1,3}})(?!\w)"
)


def plates(text: str, *, digits: bool = True) -> list[Span]:
    """In order; none overlap. Those in capitals have at least three digits; of others a word before says what it is.

    `digits`: whether the text has any.
    """
    numbers = [*_NUMBER.finditer(text)] if digits else []
    plain, odd = [*_plain(text, numbers)], [*_odd(text, numbers)]
    if not odd:
        return plain
    found: list[Span] = []
    for span in sorted((*odd, *plain), key=attrgetter("start")):
        if not found or span.start >= found[-1].end:
            found.append(span)
    return found


def _odd(text: str, numbers: Sequence[re.Match[str]]) -> Iterator[Span]:
    """Spelled out, or letter by letter."""
    lowered, apart = text.lower(), _are_apart(numbers)
    if "plat" in lowered or ("pol" in lowered and _POLICE.search(lowered)):
        yield from (Span(*found.span("plate"), PLATE) for found in _SPELLED.finditer(text))
    if numbers and _TYPED_NUMBER.search(text):
        yield from (Span(*found.span(), PLATE) for found in _TYPED.finditer(text))
    if apart:
        yield from (Span(*found.span(), PLATE) for found in _APART.finditer(text))
    if apart or digit_words(text) >= _FEWEST_SAID:
        yield from (Span(*found.span("plate"), PLATE) for found in _CALLED_OUT.finditer(text))


def _are_apart(numbers: Sequence[re.Match[str]]) -> bool:
    """Whether digits stand one after the other with a sign between."""
    if len(numbers) < _FEWEST:
        return False
    beside = sum(
        one.end() - one.start() == 1 == other.start() - one.end() for one, other in pairwise(numbers)
    )
    return beside >= _FEWEST - 1


def _plain(text: str, numbers: Iterable[re.Match[str]]) -> Iterator[Span]:
    for number in numbers:
        if number.end() - number.start() > 4:
            continue
        near = max(0, number.start() - _WIDEST)
        before = text[near : number.start()]
        region = _BEFORE.search(before) if _may_end_in_a_region(before) else None
        series = _AFTER.match(text, number.end()) if region else None
        if region and series and _is_plate(text, near + region.start(), series.end(), number[0], series[1]):
            yield Span(near + region.start(), series.end(), PLATE)


def _may_end_in_a_region(before: str) -> bool:
    """Whether letters stand last, and not three of them: most numbers are after other words."""
    last = before.rstrip(_SIGNS)[-3:]
    return last[-1:].isalpha() and not (len(last) == 3 and last.isalpha())


def _is_plate(text: str, start: int, end: int, number: str, series: str) -> bool:
    is_unit = series.lower() in _UNIT
    if "/" in text[start:end] and not _SAYS_SO.search(text[max(0, start - _LEAD) : start]):
        return False  # a letter's number
    if len(number) >= 3 and not is_unit and text[start:end].isupper():
        return True
    if said := _SAYS_SO.search(text[max(0, start - _LEAD) : start]):
        return not (is_unit and len(number) < 3) or "pl" in said[0].lower() or "pol" in said[0].lower()
    return text[start:end].isalnum() and len(number) == 4 and len(series) >= 2 and not is_unit
