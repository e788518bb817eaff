"""WebVTT and SRT, as recording systems write them. Pure.

Own code, as the libraries for captions drop what is not quite by the book (a comma in WebVTT's times, the second
speaker of a cue) without a word: here whatever stands under a time is somebody's words.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from laporhub.connectors.calls import Turn, is_speaker

_STAMP = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMES = re.compile(rf"\s*{_STAMP}\s*-->\s*{_STAMP}(?:\s.*)?")
_VOICE = re.compile(r"<v(?:\.[^\s>]*)?(?:[ \t]+([^>]*))?>")
_TAG = re.compile(r"</?(?:v|c|i|b|u|ruby|rt|lang|font)(?:[.\s][^>]*)?>|<\d[\d:.]*>", re.IGNORECASE)
_PREFIX = re.compile(r"\s*(?:-\s*)?(?:\[([^\]\n]{1,40})\]:?|([^:\n]{1,40}):)\s+")


def is_captions(text: str) -> bool:
    return text.startswith("WEBVTT") or any(_TIMES.fullmatch(line) for line in text[:20_000].splitlines())


def turns(text: str) -> Iterator[Turn]:
    """The cues in order. A voice tag, or a speaker's label before a colon, begins a turn of its own."""
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if _TIMES.fullmatch(line)]
    for start, following in zip(starts, [*starts[1:], len(lines)], strict=True):
        found = _TIMES.fullmatch(lines[start])
        if found is None:
            raise AssertionError
        body = _body(lines[start + 1 : following], last=following == len(lines))
        begin, end = _ms(found.groups()[:4]), _ms(found.groups()[4:])
        for speaker, said in _voices("\n".join(body)):
            yield Turn(said, speaker, begin, max(begin, end))


def _body(lines: list[str], *, last: bool) -> list[str]:
    """The words under a time: without the next cue's number or name, and without comments between cues."""
    if (
        not last
        and len(lines) > 1
        and lines[-1].strip()
        and (not lines[-2].strip() or lines[-1].strip().isdecimal())
    ):
        lines = lines[:-1]
    kept: list[str] = []
    comment = False
    for before, line in zip(["-", *lines], lines, strict=False):
        comment = bool(line.strip()) and (comment or (not before.strip() and line.startswith("NOTE")))
        if line.strip() and not comment:
            kept.append(line)
    return kept


def _ms(parts: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, fraction = (part or "0" for part in parts)
    return ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(fraction.ljust(3, "0"))


def _voices(text: str) -> Iterator[tuple[str | None, str]]:
    pieces = _VOICE.split(text)
    spoken = [(None, pieces[0]), *zip(pieces[1::2], pieces[2::2], strict=True)]
    for speaker, piece in spoken:
        said = html.unescape(_TAG.sub("", piece)).strip()
        name = html.unescape(speaker).strip() if speaker else None
        for who, words in labelled(said, name or None):
            if words:
                yield who, words


def labelled(text: str, speaker: str | None) -> Iterator[tuple[str | None, str]]:
    """Lines that begin with a speaker's label ("Petugas: …"), each with it; others go on where they are."""
    kept: list[str] = []
    for line in text.split("\n"):
        found = _PREFIX.match(f"{line} ")
        label = (found[1] or found[2]).strip() if found else ""
        if found and is_speaker(label):
            yield speaker, " ".join(kept)
            speaker, kept = label, [line[found.end() :].strip()]
        else:
            kept.append(line.strip())
    yield speaker, " ".join(each for each in kept if each)
