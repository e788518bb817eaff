"""Which words a pattern may begin with: it is only searched for in a text that has one of them. Pure.

Most texts have nothing to do with most patterns, and a search that finds nothing costs as much as the pattern is long.
What the words of a text begin is remembered word by word, as texts repeat words and not each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from laporhub.pipeline.text import words_of

_START, _END = r"\b(?:", r")\b"
_ASIDE: Final = ("(?!", "(?<!", "(?=", "(?<=")
_WORDS: Final = re.compile("[a-z ]+")
_LETTERS: Final = re.compile("[a-z]* ?")
_REMEMBERED: Final = 50_000


class Beginnings:
    """Of some patterns, by number, each of the form `\\b(?:…)\\b`; texts are normalised (see `text.normalise`)."""

    def __init__(self, patterns: Iterable[re.Pattern[str]]) -> None:
        self._begins: dict[str, int] = {}
        for number, pattern in enumerate(patterns):
            for letters in beginnings(pattern.pattern):
                self._begins[letters] = self._begins.get(letters, 0) | 1 << number
        self._always = self._begins.pop("", 0)
        self._of_word = lru_cache(maxsize=_REMEMBERED)(self._look_up)

    def among(self, words: str) -> int:
        """The patterns that may be found in the text: the bit of each one's number."""
        found = self._always
        for word in words_of(words):
            found |= self._of_word(word)
        return found

    def _look_up(self, word: str) -> int:
        word, found = f"{word} ", 0
        for end in range(1, len(word) + 1):
            found |= self._begins.get(word[:end], 0)
        return found


class Phrases:
    """Kinds of phrases, each an alternation; only those are looked for that a text may have."""

    def __init__(self, kinds: Sequence[str]) -> None:
        each = [(kind, words) for kind, inside in enumerate(kinds) for words in _alternatives(inside)]
        self.patterns = [re.compile(rf"{_START}{words}{_END}") for _, words in each]
        self.kinds = [kind for kind, _ in each]
        self.searched = Beginnings(self.patterns)
        self._plain = [f" {words} " if _WORDS.fullmatch(words) else "" for _, words in each]

    def found(self, words: str) -> Iterator[tuple[int, str]]:
        """The kind of each phrase that is in the text, and what it says; a phrase once, where it stands first."""
        worth = self.searched.among(words)
        padded = f" {words} "
        while worth:
            number = (worth & -worth).bit_length() - 1
            worth &= worth - 1
            if plain := self._plain[number]:
                if plain in padded:
                    yield self.kinds[number], plain.strip()
            elif said := self.patterns[number].search(words):
                yield self.kinds[number], said[0]

    def may_be_there(self, words: str) -> frozenset[int]:
        """The kinds of which something may be found."""
        worth, there = self.searched.among(words), set()
        while worth:
            there.add(self.kinds[(worth & -worth).bit_length() - 1])
            worth &= worth - 1
        return frozenset(there)


def beginnings(pattern: str) -> frozenset[str]:
    """Letters of which each match's first word begins with some, or is one if a space follows; "" if it may be any.

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
