"""How an SMS is counted and paid for: 3GPP TS 23.038, the default alphabet and its extension table. Pure.

A text within the alphabet takes 160 characters alone and 153 in each part of a long message; one letter outside of it
makes the whole message UCS-2, with 70 and 67.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal
from unicodedata import normalize

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")
"""These take two places."""

_TYPOGRAPHY: Final = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′´`", "'"),
        **dict.fromkeys("“”„‟″«»", '"'),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2009\u200a\u202f\t", " "),
        **dict.fromkeys("\u200b\u200c\u2060\ufeff\u00ad", None),
        **dict.fromkeys("•·", "-"),
        "…": "...",
        "×": "x",
        "→": "->",
        "\u2028": "\n",
    }
)
"""Signs that say the same in the alphabet. Letters and emoji are left alone: they would say something else."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a text costs to send: its coding, its length in the coding's own units, and how many SMS that is."""

    coding: Literal["gsm7", "ucs2"]
    length: int
    segments: int


def plain(text: str) -> str:
    """The text within the alphabet, if typographic signs are all that keeps it out; else as it is."""
    simple = normalize("NFC", text).translate(_TYPOGRAPHY)
    return simple if is_gsm7(simple) else text


def is_gsm7(text: str) -> bool:
    return all(char in _BASIC or char in _EXTENDED for char in text)


def septets(text: str) -> int:
    """The length of a text within the alphabet."""
    return len(text) + sum(char in _EXTENDED for char in text)


def cost(text: str) -> Cost:
    """How a phone network counts this text. An empty one is one SMS, too."""
    if is_gsm7(text):
        return _counted("gsm7", septets(text), 160, 153)
    return _counted("ucs2", len(text.encode("utf-16-le", "surrogatepass")) // 2, 70, 67)


def room(text: str, segments: int) -> int:
    """The units of the text's own coding that fit into so many SMS."""
    alone, joined = (160, 153) if is_gsm7(text) else (70, 67)
    return alone if segments == 1 else joined * segments


def _counted(coding: Literal["gsm7", "ucs2"], length: int, alone: int, joined: int) -> Cost:
    return Cost(coding, length, 1 if length <= alone else -(-length // joined))
