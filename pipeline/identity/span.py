"""A piece of text that identifies somebody, and what stands in its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

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
