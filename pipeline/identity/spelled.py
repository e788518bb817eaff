"""Numbers that are not written in digits alone: in words, with letters for digits, with signs between. Pure.

"nol delapan satu dua …", "O8I2-34S6-…", "0812, 3456, 7890", "nol 812 tiga empat …". Only what is a phone number, an
identity number or, after a word that says so, an account number counts: people count and list in words, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from string import punctuation
from typing import Final

from laporhub.pipeline.identity.numbers import (
    ACCOUNT_BEFORE,
    CONTEXT,
    FEWEST,
    FEWEST_OF_AN_ACCOUNT,
    LANDLINE,
    MOBILE,
    PHONE_BEFORE,
)
from laporhub.pipeline.identity.span import ACCOUNT, NIK, PHONE, Span
from laporhub.pipeline.remembered import Remembered

_UNITS: Final = {
    word: digit
    for digit, words in enumerate(
        (
            "nol kosong nul enol noll nool zero oh",
            "satu siji hiji setunggal besik siki ciek settong asa one",
            "dua duwa loro kalih duo dhuwa two",
            "tiga telu tilu tigo tolu tello talu three",
            "empat ampat papat sekawan opat ampek empa four",
            "lima limo gangsal lema five",
            "enam enem nem genep anam onom ennem six",
            "tujuh tuju tjuh pitu tujuah petto seven",
            "delapan delepan delapn dlapan dlpan lapan wolu walu kutus ualu ballu dalapan eight",
            "sembilan sembilang smbilan sembiln songo sanga salapan sambilan nine",
        )
    )
    for word in words.split()
}
DIGIT_WORDS: Final = tuple(sorted(_UNITS, key=len, reverse=True))
"""The words for 0 to 9, the longest first."""
_SAID: Final = {
    **{word: str(digit) for word, digit in _UNITS.items()},
    **{"sepuluh": "10", "sebelas": "11", "seratus": "100", "puluh": "0", "ratus": "00", "belas": ""},
}
_TIMES: Final = {"dobel": 2, "double": 2, "dabel": 2, "tripel": 3, "triple": 3}
_SO_OFTEN: Final = "kali"
""" "empat kali nol": four noughts."""
_WORDS: Final = "|".join(sorted((*_SAID, *_TIMES, _SO_OFTEN), key=len, reverse=True))
_NOUGHT: Final = r"o(?=\d)"
_WORD: Final = re.compile(rf"{_WORDS}|\d+|{_NOUGHT}")
_LOWER_TOKEN: Final = re.compile(rf"(?<![^\W_])(?:{_WORDS}|\d|{_NOUGHT})++(?![^\W_])")
_TOKEN: Final = re.compile(_LOWER_TOKEN.pattern, re.IGNORECASE)
_GAP: Final = (
    r"[\s,.;:|~+=_/()·•*-]{0,5}"
    r"(?:(?:strip|titik|spasi|lalu|terus|trus|trs|lanjut|terakhir|kemudian|min|koma|dash)[\s,.;:-]{1,3})?"
)
_BETWEEN: Final = re.compile(_GAP, re.IGNORECASE)
_PLUS: Final = re.compile(r"(?i)\bplus[\s:]{1,3}$")
_FILLER: Final = re.compile(r"[^\W\d_]+")
_SEVERAL: Final = re.compile(rf"\d(?!\d){_GAP}\d", re.IGNORECASE)
"""Digits with a gap between: without one `numbers` has found all there is."""
_GLUED: Final = ("noldelapan", "nollapan", "kosongdelapan", "kosonglapan", "enamdua", "satudua", "duatiga")
"""How numbers begin that are written without a space."""
_AS_SPACES: Final = str.maketrans(punctuation, " " * len(punctuation))


def _halves(word: str) -> int:
    """At least twice as many as the digits that it stands for: a word has two letters for each of them."""
    if not _LOWER_TOKEN.fullmatch(word):
        return 0
    if word.isdigit():
        return 2 * len(word)
    return 2 * FEWEST if any(times in word for times in (*_TIMES, _SO_OFTEN)) else len(word)


_HALVES: Final = Remembered(_halves)
_SAYS: Final = Remembered(
    lambda word: (
        word in _SAID
        or any(glued in word for glued in _GLUED)
        or (not word.isdigit() and _LOWER_TOKEN.fullmatch(word) is not None)
    )
)
"""Whether a word is a digit, or some with digits between, or has the beginning of such a number in it."""
_MOST = 24
"""Digits after which no number goes on."""
_COUNTED: Final = "01234567890123456789 9876543210"
_LENGTHS: Final = (16, 15, 14, 13, 12, 11, 10, 9)
"""How many digits a number has that needs no word to say what it is."""

_LOOKS: Final = str.maketrans("oOqQiIlL|!zZeEsSbBgG", "00001111112233558899")
_LOOKALIKE: Final = re.compile(
    r"(?<![^\W_])[0-9oOqQiIlL|!zZeEsSbBgG]++(?![^\W_])(?:[ .\-]{1,3}[0-9oOqQiIlL|!zZeEsSbBgG]++(?![^\W_]))*+"
)
_GROUP: Final = re.compile(r"[^ .\-]+")
_REAL = 0.4
"""Of the signs of a number, how many must be digits."""


@lru_cache(maxsize=8)  # plates are looked for in the same text
def _spoken_words(text: str) -> tuple[str, Sequence[str]]:
    """The text in lower case, and its words if some of them are digits."""
    lowered = _lower(text)
    words = lowered.translate(_AS_SPACES).split()
    return lowered, words if any(map(_SAYS.__getitem__, words)) else ()


def digit_words(text: str) -> int:
    """How many words of the text are digits."""
    return sum(word in _UNITS for word in _spoken_words(text)[1])


def spoken(text: str) -> Iterator[Span]:
    """Numbers in words, or partly so."""
    lowered, words = _spoken_words(text)
    if words and (not lowered.isascii() or sum(map(_HALVES.__getitem__, words)) >= 2 * FEWEST):
        yield from _identities(lowered, aloud=True)


def parted(text: str) -> Iterator[Span]:
    """Numbers in digits with unusual signs between. `text` is without those that `numbers` found."""
    return _identities(_lower(text), aloud=False) if _SEVERAL.search(text) else iter(())


def _lower(text: str) -> str:
    """In lower case, unless places would move by it."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else text


def _identities(lowered: str, *, aloud: bool) -> Iterator[Span]:
    run: list[re.Match[str]] = []
    tokens = _LOWER_TOKEN if lowered.isascii() else _TOKEN
    for token in tokens.finditer(lowered):
        if run and not _BETWEEN.fullmatch(lowered, run[-1].end(), token.start()):
            yield from _Run(run, aloud=aloud).identities()
            run = []
        run.append(token)
    if run:
        yield from _Run(run, aloud=aloud).identities()


class _Run:
    """Tokens that follow one another with nothing but gaps between."""

    def __init__(self, tokens: list[re.Match[str]], *, aloud: bool) -> None:
        """`aloud`: whether only numbers with a word in them are looked for, or only those without."""
        self._tokens = tokens
        self._aloud = aloud
        pieces = _dictated([token[0] for token in tokens])
        self._digits = "".join(pieces)
        self._starts = list(accumulate(map(len, pieces), initial=0))
        self._ends = {end: place for place, end in enumerate(self._starts[1:])}

    def identities(self) -> Iterator[Span]:
        """What identifies somebody, in order; none overlap."""
        if len(self._digits) < FEWEST or (self._aloud and all(token[0].isdigit() for token in self._tokens)):
            return
        first = 0
        while first < len(self._tokens):
            found = self._longest(first)
            if found is None:
                first += 1
                continue
            last, kind = found
            start = self._tokens[first].start()
            plus = _PLUS.search(self._tokens[first].string, max(0, start - CONTEXT), start)
            yield Span(plus.start() if plus else start, self._tokens[last].end(), kind)
            first = last + 1

    def _longest(self, first: int) -> tuple[int, str] | None:
        """The last token of the longest number that begins at this one, and its kind."""
        start = self._starts[first]
        token = self._tokens[first]
        # Words that say what a number is can only stand before the whole run.
        lead = "" if first else token.string[max(0, token.start() - CONTEXT) : token.start()]
        lengths = range(_MOST, FEWEST - 1, -1) if lead else _LENGTHS
        for length in lengths:
            last = self._ends.get(start + length)
            if last is None or last < first:
                continue
            kind = _kind(self._digits[start : start + length], lead) or self._dictated_whole(start, length)
            if kind and self._is_one_number(first, last):
                return last, kind
        return None

    def _dictated_whole(self, start: int, length: int) -> str:
        """So many digits in words are somebody's number, whatever it is; but people count, too."""
        if start or length != len(self._digits) or not self._aloud or self._digits in _COUNTED:
            return ""
        if sum(not token[0].isdigit() for token in self._tokens) < FEWEST:
            return ""
        return PHONE if self._digits.startswith("8") else ACCOUNT

    def _is_one_number(self, first: int, last: int) -> bool:
        """Digits alone must be grouped in one way: times, years and prices in a row are no number."""
        tokens = self._tokens[first : last + 1]
        if not all(token[0].isdigit() for token in tokens):
            return self._aloud
        if self._aloud:
            return False
        between = (token.string[before.end() : token.start()] for before, token in pairwise(tokens))
        gaps = {_FILLER.sub("w", gap.replace(" ", "")) for gap in between}
        sizes = {len(token[0]) for token in tokens[:-1]}
        if min(sizes, default=0) >= 3 and tokens[0][0].startswith(("08", "628")):
            return True
        return len(gaps) <= 1 and (max(sizes, default=0) <= 1 or len(tokens[0][0]) >= 3 or sizes == {2})


def lookalikes(text: str) -> Iterator[Span]:
    """Numbers with letters that look like digits."""
    for found in _LOOKALIKE.finditer(text):
        groups = [each for each in _GROUP.finditer(found[0]) if any(map(str.isdigit, each[0]))]
        if not groups:
            continue
        start, end = groups[0].start(), groups[-1].end()
        written = re.sub(r"[ .\-]", "", found[0][start:end])
        real = sum(map(str.isdigit, written))
        if not FEWEST <= len(written) <= _MOST or real < _REAL * len(written) or real == len(written):
            continue
        kind = _kind(written.translate(_LOOKS), text[: found.start() + start][-CONTEXT:])
        if kind:
            yield Span(found.start() + start, found.start() + end, kind)


def _kind(digits: str, lead: str) -> str:
    if MOBILE.fullmatch(digits) or (digits.startswith("0") and LANDLINE.fullmatch(digits)):
        return PHONE
    if len(digits) == 16 and _is_nik(digits):
        return NIK
    if len(digits) <= 13 and PHONE_BEFORE.search(lead):
        return PHONE
    return ACCOUNT if len(digits) >= FEWEST_OF_AN_ACCOUNT and ACCOUNT_BEFORE.search(lead) else ""


def _is_nik(digits: str) -> bool:
    """Whether the date in it is one: day 01–31, or 41–71 for a woman."""
    day, month = int(digits[6:8]), int(digits[8:10])
    return digits[0] != "0" and (1 <= day <= 31 or 41 <= day <= 71) and 1 <= month <= 12


def _dictated(tokens: list[str]) -> list[str]:
    """The digits that each token stands for: digit by digit, in pairs ("dua belas"), in hundreds, with "dobel".

    >>> "".join(_dictated(["nol", "delapan", "dua", "belas", "tiga", "puluh", "empat", "dobel", "tujuh", "99"]))
    '0812347799'
    """
    words = [
        (place, word)
        for place, token in enumerate(tokens)
        for word in ([token] if token.isdigit() else _WORD.findall(token))
    ]
    pieces = [""] * len(tokens)
    before, often = (0, ""), 1
    for (place, word), (_, after) in zip(words, [*words[1:], (0, "")], strict=True):
        said = word if word.isdigit() else "0" if word == "o" else _SAID.get(word, "")
        if after == _SO_OFTEN and word in _UNITS:
            often = max(_UNITS[word], 1)
            continue
        if after == "belas":
            said = "1" + said
        elif before[1] == "puluh" and word in _UNITS and after not in ("puluh", "ratus"):
            pieces[before[0]] = pieces[before[0]].removesuffix("0")  # thirty, four: not 304
        pieces[place] += said * often
        before = (place, word)
        often = _TIMES.get(word, often if word == _SO_OFTEN else 1)
    return pieces
