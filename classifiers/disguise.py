"""Words that are written so that no machine finds them, put right: "s l o t", "g4c0r", "c.i.n.a". Pure.

Words are normalised (`text.normalise`): signs between letters are spaces by then.
"""

from __future__ import annotations

import re
from typing import Final

from laporhub.pipeline.remembered import Remembered
from laporhub.pipeline.text import words_of

_SPACED: Final = re.compile(r"\b(?:[a-z] ){3,}[a-z]\b")
_REPLACED: Final = re.compile(r"(?=\w*[a-z])(?=\w*\d)[a-z0-9]{4,}")
_LEET: Final = str.maketrans("01345", "oieas")
_FEWEST = 3
"""Single letters from which some may be one word."""

_PLAIN, _SINGLE, _DISGUISED = range(3)


def _read(word: str) -> str:
    is_replaced = _REPLACED.fullmatch(word) and sum(map(str.isalpha, word)) * 2 >= len(word)
    return word.translate(_LEET) if is_replaced and not word[0].isdigit() else word


def _oddity(word: str) -> int:
    if len(word) == 1:
        return _SINGLE
    return _PLAIN if _read(word) == word else _DISGUISED


_READ: Final = Remembered(_read)
_ODD: Final = Remembered(_oddity)


def put_right(words: str) -> str:
    """The same text where nothing is odd."""
    odd = [*map(_ODD.__getitem__, words_of(words))]
    if odd.count(_SINGLE) >= _FEWEST:
        words = _SPACED.sub(lambda found: found[0].replace(" ", ""), words)
    elif _DISGUISED not in odd:
        return words
    return " ".join(map(_READ.__getitem__, words.split(" ")))
