"""How X counts and reads the words of a post. Pure.

The counts are those of X's public configuration of twitter-text, version 3: most letters of alphabets are one, all
else two, an emoji two whatever it is made of. Links are not counted: public answers have none, see `without_links`.
"""

from __future__ import annotations

import re
import unicodedata

import regex  # type: ignore[import-untyped]

OMITTED = "[…]"
"""Stands where a link was, in any language."""

_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))
"""Code points that count one."""
_LETTER = regex.compile(r"\X")
_EMOJI = regex.compile(r"\p{Extended_Pictographic}|\p{Regional_Indicator}|\u20e3")
_DOMAINS = "ai|app|asia|biz|co|com|desa|dev|edu|gg|gov|id|info|io|link|ly|me|net|online|org|page|site|store|tv|web|xyz"
_LINK = regex.compile(
    r"(?:https?://|www\.)\S*[^\s.,;:!?)\]}'\"»”’]"
    rf"|(?<![\w@.-])(?:[a-z0-9]++(?:-++[a-z0-9]++)*+\.){{1,10}}(?:{_DOMAINS})(?![\w@-])(?:/\S*[^\s.,;:!?)\]}}'\"»”’])?",
    regex.IGNORECASE,
)
_LEADING = re.compile(r"(?:\s*@\w{1,15}\b)+", re.ASCII)


def weight(text: str) -> int:
    """How long X finds it."""
    return sum(map(_letter_weight, _LETTER.findall(unicodedata.normalize("NFC", text))))


def _letter_weight(letter: str) -> int:
    if not letter.isascii() and _EMOJI.search(letter):
        return 2
    return sum(1 if any(low <= ord(char) <= high for low, high in _LIGHT) else 2 for char in letter)


def without_links(text: str) -> str:
    """With `OMITTED` in place of what X would make a link of, with or without "https://"."""
    return str(_LINK.sub(OMITTED, text))


def without_handle(text: str, handle: str) -> str:
    """Without our own "@handle" among those that a post begins with; the text as it is if nothing else is in it."""
    leading = _LEADING.match(text)
    if leading is None:
        return text
    others = [name for name in leading[0].split() if name.casefold() != handle.casefold()]
    if len(others) == len(leading[0].split()):
        return text
    return " ".join([*others, text[leading.end() :].lstrip()]).strip() or text


def words(text: str) -> str:
    """What two spellings of the same post have in common: X puts names before an answer, and folds white space."""
    plain = unescaped(text)
    leading = _LEADING.match(plain)
    return " ".join(plain[leading.end() if leading else 0 :].split())


def unescaped(text: str) -> str:
    """X writes three characters of HTML in its own way, and only these."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
