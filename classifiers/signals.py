"""What a person should look at: how urgent a text is, whether it holds hatred, abuse or advertising. Pure.

Words that also have a plain sense (rubbish, stray dogs, blind) count only in company. A flag decides nothing: a person
looks. `words` are normalised (`text.normalise`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from laporhub.classifiers.adverts import is_advertising
from laporhub.classifiers.danger import Urgency, urgency
from laporhub.classifiers.disguise import put_right
from laporhub.classifiers.hate import is_hatred, is_told_of
from laporhub.classifiers.intent import emptiness, intent
from laporhub.classifiers.threats import is_threat, was_threatened
from laporhub.classifiers.tone import heard
from laporhub.pipeline.classifier import Intent
from laporhub.pipeline.rude import is_rude
from laporhub.pipeline.text import normalise, words_of

_QUOTED: Final = re.compile(r"[\"“”][^\"“”\n]{1,80}[\"“”]")
_TELLING = """
bertuliskan tulisan bilang dibilang teriak diteriaki dikatai dikatain ngatain disebut spanduk coretan kata katanya
ngomong dihina diejek dipanggil muncul kirim ngirim mengirim dikirimi mengancam diancam
"""
_TELLS: Final = frozenset(_TELLING.split())
"""Who says this before words in quotation marks tells of somebody else's."""


@dataclass(frozen=True, slots=True)
class Triage:
    """What a text asks of whoever sorts it."""

    urgency: Urgency
    intent: Intent
    flags: tuple[str, ...]


def triage(raw: str, words: str) -> Triage:
    """How urgent it is, what its writer wants, and what a person should look at. `words` is `raw`, normalised."""
    how_urgent, said_nothing = urgency(words), emptiness(raw, words)
    more = ("urgent",) * (how_urgent == "critical"), (said_nothing,) * bool(said_nothing)
    return Triage(how_urgent, intent(words, asked="?" in raw), (*more[0], *flags(raw, words), *more[1]))


def flags(raw: str, words: str) -> tuple[str, ...]:
    """Of "abusive", "sara", "spam" and "threat" those that a person should check, in this order.

    `words` is `raw`, normalised.
    """
    said = put_right(words)
    own_raw = _own(raw, words)
    own = said if own_raw is raw else put_right(normalise(own_raw))
    found = (
        ("abusive", is_rude(own_raw, own) or "abusive" in heard(own)),
        ("sara", is_hatred(own) or ("sara" in heard(own) and not is_told_of(own))),
        ("spam", is_advertising(said) or "spam" in heard(said)),
        ("threat", is_threat(own) or ("threat" in heard(own) and not was_threatened(own))),
    )
    return tuple(name for name, there in found if there)


def _own(raw: str, words: str) -> str:
    """Without what others are quoted with: "ada spanduk bertuliskan …", "petugas bilang …"."""
    if ('"' in raw or "“" in raw) and not _TELLS.isdisjoint(words_of(words)):
        return _QUOTED.sub(" ", raw)
    return raw
