"""Which words a pattern may begin with: it is only tried where a text has one of them. Pure.

Most texts have nothing to do with most patterns, and a search that finds nothing costs as much as the pattern is long.
What the words of a text begin is remembered word by word, as texts repeat words and not each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate, compress
from typing import Final, TypeAlias

from laporhub.pipeline.remembered import Remembered
from laporhub.pipeline.text import words_in

_START, _END = r"\b(?:", r")\b"
_ASIDE: Final = ("(?!", "(?<!", "(?=", "(?<=")
_LETTERS: Final = re.compile("[a-z0-9]* ?")
_DIGIT: Final = r"\d"
_ANY_DIGIT: Final = re.compile(r"\\d(?![?*]|\{0)")

Places: TypeAlias = list[tuple[int, int]]
"""Where in a text patterns may begin, in order; and which, as the bits of their numbers."""


class Beginnings:
    """Of some patterns, by number, each of the form `\\b(?:…)\\b`; to be made once and kept. Texts are normalised
    (see `text.normalise`).
    """

    def __init__(self, patterns: Sequence[re.Pattern[str]]) -> None:
        """Raises ValueError where a match of one may begin with any letter."""
        self.patterns = patterns
        self._begins: dict[str, int] = {}
        for number, pattern in enumerate(patterns):
            for letters in beginnings(pattern.pattern):
                self._begins[letters] = self._begins.get(letters, 0) | 1 << number
        if anything := self._begins.get("", 0):
            raise ValueError(f"pattern {anything.bit_length() - 1} has to begin with letters or a digit")
        self._longest = max(map(len, self._begins), default=0)
        self._place = len(_EVERY)
        _EVERY.append(self._look_up)
        _BEGUN.clear()
        _spread.cache_clear()

    def places(self, words: str) -> Places:
        """For `first`."""
        own = self._place
        return [(start, begun[own]) for start, begun in _spread(words) if begun[own]]

    def first(self, number: int, words: str, places: Places) -> re.Match[str] | None:
        """What `search` with the pattern finds."""
        for start, may_begin in places:
            if may_begin >> number & 1 and (found := self.patterns[number].match(words, start)):
                return found
        return None

    def all(self, words: str) -> Iterator[tuple[int, str]]:
        """The patterns that are found, by number, and what each finds first."""
        left = ~0
        for start, may_begin in self.places(words):
            here = may_begin & left
            while here:
                lowest = here & -here
                here ^= lowest
                number = lowest.bit_length() - 1
                if said := self.patterns[number].match(words, start):
                    left ^= lowest
                    yield number, said[0]

    def _look_up(self, word: str) -> int:
        found = self._begins.get(_DIGIT, 0) if word[:1].isdecimal() else 0
        word = f"{word} "
        for end in range(1, min(len(word), self._longest) + 1):
            found |= self._begins.get(word[:end], 0)
        return found


_EVERY: Final[list[Callable[[str], int]]] = []
"""What a word begins, of each `Beginnings` that there is: a text is looked through once for all of them."""


def _begun(word: str) -> tuple[int, ...]:
    found = tuple(look_up(word) for look_up in _EVERY)
    return found if any(found) else ()


_BEGUN: Final = Remembered(_begun)


@lru_cache(maxsize=32)  # the parts of one decision look at the same text
def _spread(words: str) -> Sequence[tuple[int, tuple[int, ...]]]:
    """Where the words of a normalised text stand that begin something, and what, of each `Beginnings`."""
    said = words_in(words)
    begun = [*map(_BEGUN.__getitem__, said)]
    starts = accumulate([len(word) + 1 for word in said], initial=0)
    return [*zip(compress(starts, begun), filter(None, begun), strict=True)]


class Phrases:
    """Kinds of phrases, each an alternation."""

    def __init__(self, kinds: Sequence[str]) -> None:
        each = [(kind, words) for kind, inside in enumerate(kinds) for words in _alternatives(inside)]
        self.patterns = [re.compile(rf"{_START}{words}{_END}") for _, words in each]
        self.kinds = [kind for kind, _ in each]
        self._searched = Beginnings(self.patterns)

    def found(self, words: str) -> Iterator[tuple[int, str]]:
        """The kind of each phrase that is in the text, and what it says; a phrase once, where it stands first."""
        for number, said in self._searched.all(words):
            yield self.kinds[number], said


def beginnings(pattern: str) -> frozenset[str]:
    """Letters of which each match's first word begins with some, or is one if a space follows; "" if it may be any,
    `\\d` if it begins with a digit.

    >>> sorted(beginnings(r"\\b(?:(?:mem|ber)?bahaya\\w*|gas bocor)\\b"))
    ['bahaya', 'berbahaya', 'gas ', 'membahaya']
    """
    if not (pattern.startswith(_START) and pattern.endswith(_END)):
        raise ValueError(f"a pattern begins with {_START} and ends with {_END}")
    inside = pattern[len(_START) : -len(_END)]
    return frozenset(letters for each in _alternatives(inside) for letters in _first(each, ends=True))


def _first(pattern: str, *, ends: bool) -> Iterator[str]:
    """The letters that one alternative begins with; with a space, where the word ends after them.

    `ends`: nothing follows the alternative, so that its last word ends with it.
    """
    while pattern.startswith(_ASIDE):
        pattern = pattern[_closing(pattern) + 1 :]
    if not pattern.startswith("(?:"):
        yield _letters(pattern, ends=ends)
        return
    end = _closing(pattern)
    group, rest = pattern[3:end], pattern[end + 1 :]
    if rest.startswith(("?", "*", "{0")):
        rest = rest[1:] if rest[0] != "{" else rest[rest.index("}") + 1 :]
        yield from _first(rest, ends=ends)
    for each in _alternatives(group):
        if each.isalpha():
            yield each + (_letters(rest, ends=ends) or " " * (ends and not rest))
        else:
            yield from _first(each, ends=ends and not rest)


def _letters(pattern: str, *, ends: bool) -> str:
    """The plain letters at its beginning, without one that may be left out; with the space that ends a word."""
    if _ANY_DIGIT.match(pattern):
        return _DIGIT
    found = _LETTERS.match(pattern)
    letters = found[0] if found else ""
    if ends and letters and letters == pattern:
        return letters.rstrip() + " "
    return letters[:-1] if pattern[len(letters) : len(letters) + 1] in ("?", "*", "{") else letters


def _alternatives(pattern: str) -> list[str]:
    """The parts between bars that stand in no group."""
    parts, depth, start = [], 0, 0
    for place, sign in enumerate(pattern):
        depth += (sign == "(") - (sign == ")")
        if sign == "|" and depth == 0:
            parts.append(pattern[start:place])
            start = place + 1
    return [*parts, pattern[start:]]


def _closing(pattern: str) -> int:
    """Where the group ends that it begins with."""
    depth = 0
    for place, sign in enumerate(pattern):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return place
    raise ValueError(f"a group in {pattern!r} does not end")
