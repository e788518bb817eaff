"""What a person should look at: how urgent a text is, whether it holds hatred, abuse or advertising. Pure.

Words that also have a plain sense (rubbish, stray dogs, blind) count only in company. A flag decides nothing: a person
looks. `words` are normalised (`text.normalise`).
"""

from __future__ import annotations

from dataclasses import dataclass

from laporhub.classifiers.adverts import is_advertising
from laporhub.classifiers.danger import Urgency, urgency
from laporhub.classifiers.hate import is_hatred, is_threat
from laporhub.classifiers.intent import emptiness, intent
from laporhub.pipeline.classifier import Intent
from laporhub.pipeline.rude import is_rude


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
    found = (
        ("abusive", is_rude(raw, words)),
        ("sara", is_hatred(words)),
        ("spam", is_advertising(words)),
        ("threat", is_threat(words)),
    )
    return tuple(name for name, there in found if there)
