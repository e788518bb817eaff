"""Identity in free text, replaced by the name of its kind: `[NIK]`, `[nomor telepon]`, `[email]`, `[nama]`, …

In doubt it goes: the untouched text is sealed, and can be asked for. Each finder sees what those before it left, so
that nothing is two things; all are linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from operator import attrgetter
from typing import Final

from laporhub.pipeline.identity.homes import homes
from laporhub.pipeline.identity.mails import addresses, dictated, mails_in
from laporhub.pipeline.identity.name_forms import WORD
from laporhub.pipeline.identity.name_words import NAMES, SHARED
from laporhub.pipeline.identity.names import names_in
from laporhub.pipeline.identity.numbers import canonical, national, national_in, numbers
from laporhub.pipeline.identity.plates import plates
from laporhub.pipeline.identity.span import Span, plainly, without
from laporhub.pipeline.identity.spelled import lookalikes, parted, spoken
from laporhub.pipeline.text import digits_in

_DIGIT: Final = re.compile(r"\d")
_LOOKS = 4
"""How often a text is looked at, at most: what is hidden changes what the rest says (whether capitals tell names)."""
_FEWEST = 4
"""Digits below which no number of somebody is written in digits."""
_SHORTEST_PLACE = 4


def redact(
    text: str,
    keep: frozenset[str] = frozenset(),
    names: Iterable[str] = (),
    places: frozenset[str] = frozenset(),
    *,
    people: bool = True,
) -> str:
    """The text with placeholders for whatever identifies a person.

    `keep` holds numbers (digits, national or international) and lower-case e-mail addresses of offices, as
    `contacts_in` gives them; these stay, as do the hub's own tickets. `names` are people who are known to be
    spoken of: theirs are found however they are written. `places` are words that are nobody's name, as `places_in`
    gives them. Without `people`, in an address say, no others are looked for.
    """
    names = tuple(names)
    for _ in range(_LOOKS):
        hidden = _replaced(text, identities(text, keep, names, places, people=people))
        if hidden == text:
            break
        text = hidden
    return text


def _replaced(text: str, spans: Iterable[Span]) -> str:
    pieces: list[str] = []
    done = 0
    for span in spans:
        pieces += (text[done : span.start], span.kind)
        done = span.end
    return "".join((*pieces, text[done:]))


def identities(
    text: str,
    keep: frozenset[str] = frozenset(),
    names: Iterable[str] = (),
    places: frozenset[str] = frozenset(),
    *,
    people: bool = True,
) -> list[Span]:
    """What `redact` replaces, in order; no two overlap."""
    text = plainly(text)
    kept = canonical(keep)
    digits = digits_in(text)
    found, left = addresses(text, kept, digits)
    seen = without(text, sorted((*found, *left), key=attrgetter("start")))
    for finder in _finders(kept, digits, people=people):
        if more := list(finder(seen)):
            found += more
            seen = without(seen, more)
    found += names_in(seen, names, places, only_known=not people)
    return sorted(found, key=attrgetter("start"))


def _finders(kept: frozenset[str], digits: int, *, people: bool) -> Iterator[Callable[[str], Iterable[Span]]]:
    """What looks at a text with so many digits, one after the other."""
    yield spoken
    if digits >= _FEWEST:
        yield lookalikes
        yield partial(numbers, kept=kept)
        yield partial(_parted_but, kept=kept)
    yield dictated
    yield partial(plates, digits=digits > 0)
    if people:
        yield homes


def _parted_but(text: str, kept: frozenset[str]) -> Iterator[Span]:
    """Numbers with unusual signs between, but for the offices'."""
    for span in parted(text):
        if national("".join(_DIGIT.findall(text[span.start : span.end]))) not in kept:
            yield span


def contacts_in(text: str) -> frozenset[str]:
    """The phone numbers (digits, national form where Indonesian) and lower-case e-mail addresses in the
    contact text of an office: what `redact` is to keep.
    """
    return mails_in(text) | national_in(text)


def places_in(names: Iterable[str]) -> frozenset[str]:
    """The words of the names of places that are not also names of people: what `redact` takes for nobody's name."""
    words = {word.lower() for name in names for word in WORD.findall(name)}
    return frozenset(word for word in words - NAMES - SHARED if len(word) >= _SHORTEST_PLACE)
