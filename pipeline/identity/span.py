"""A piece of text that identifies somebody, and what stands in its place."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

NIK = "[NIK]"
PHONE = "[nomor telepon]"
EMAIL = "[email]"
ACCOUNT = "[nomor rekening/kartu]"
PLATE = "[nomor kendaraan]"
ADDRESS = "[alamat]"
NAME = "[nama]"

HIDDEN = "\ue001"
"""Stands, letter by letter, for what an earlier finder has taken: it is no word, no digit and no gap."""


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to before `end`; `kind` is the placeholder for it."""

    start: int
    end: int
    kind: str


def without(text: str, spans: Iterable[Span]) -> str:
    """The text with `HIDDEN` for all that is in the spans: places stay where they are."""
    pieces: list[str] = []
    done = 0
    for span in spans:
        pieces += (text[done : span.start], HIDDEN * (span.end - span.start))
        done = span.end
    pieces.append(text[done:])
    return "".join(pieces)


_RAISED: Final = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹]{2,}")
"""One alone is a square metre, or a word said twice."""
_ALONE: Final = frozenset("⁰¹²³⁴⁵⁶⁷⁸⁹")


class _Plain(dict[int, str]):
    """Letter → the plain one that it is another form of, where that is one letter."""

    def __missing__(self, code: int) -> str:
        letter = chr(code)
        plain = _plain(letter)
        stays = len(plain) != 1 or letter.isspace() or letter == HIDDEN or letter in _ALONE
        self[code] = letter if stays else plain
        return self[code]


_PLAIN: Final = _Plain()


def _plain(letters: str) -> str:
    digits = [unicodedata.digit(each, -1) for each in letters]
    return unicodedata.normalize("NFKC", letters) if -1 in digits else "".join(map(str, digits))


def plainly(text: str) -> str:
    """The text with plain letters and digits for wide, raised, circled and foreign ones; places stay where they are.

    >>> plainly("wa ⓪⁸¹² ２３ budi＠x, orang²")
    'wa 0812 23 budi@x, orang²'
    """
    if text.isascii():
        return text
    return _RAISED.sub(lambda found: _plain(found[0]), text).translate(_PLAIN)
