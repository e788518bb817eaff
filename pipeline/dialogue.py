"""The guided conversation: what a complaint lacks is asked for, one question at a time. Pure.

Which question comes next, and what an answer was. It only asks and listens: that a place, a photo or a number is
there is seen by the requirements themselves (see `requirements`), however it came.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.messages import Message
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_intake import Dialogue
from laporhub.pipeline.workflow import is_final

Heard: TypeAlias = Literal["met", "none", "again"]
"""The answer brought it; there is none, or it was asked often enough; the question is worth repeating."""

_WORD = re.compile(r"\w+")


def rules_for(rulebook: Rulebook, state: CaseState) -> Dialogue | None:
    """How to ask on the case's channel; None where all that is missing is asked for at once."""
    rules = rulebook.profile.intake.dialogue
    return rules if rules is not None and state.channel in rules.channels else None


def following(rulebook: Rulebook, state: CaseState) -> str | None:
    """The requirement to ask for next: what holds the case first, then what is only advised; None when all is asked."""
    open_ones = (*state.missing, *state.advised)
    known = rulebook.profile.requirements
    return next((name for name in open_ones if name in known and name not in state.waived), None)


def heard(state: CaseState, message: Message, rules: Dialogue) -> Heard:
    """What the message is to the question that was asked. `state` is the case with the message in it."""
    asked = str(state.asking)
    if asked not in (*state.missing, *state.advised):
        return "met"
    needed = asked in state.missing
    if not needed and _says_one_of(message.text, (*rules.none_words, *rules.done_words)):
        return "none"
    return "again" if needed and state.asked.get(asked, 0) < rules.attempts else "none"


def corrected(rulebook: Rulebook, state: CaseState, message: Message) -> str | None:
    """The earlier answer that the message puts right, if it says that it does; never the complaint itself."""
    rules = rules_for(rulebook, state)
    answers = [each for each in state.said[1:] if not each.gone]
    if rules is None or message.replaces is not None or not answers or is_final(rulebook, state):
        return None
    said = " ".join(_WORD.findall(message.text.casefold()))
    begins = any(said.startswith(" ".join(_WORD.findall(word.casefold()))) for word in rules.correction_words)
    return answers[-1].ids[0] if begins else None


def _says_one_of(text: str, phrases: tuple[str, ...]) -> bool:
    """Whether the message is one of the phrases, give or take a word of courtesy before or after."""
    said = _WORD.findall(text.casefold())
    return any(
        words == said[start : start + len(words)] and len(said) <= len(words) + 3
        for phrase in phrases
        if (words := _WORD.findall(phrase.casefold()))
        for start in range(2)
    )
