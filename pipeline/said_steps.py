"""Steps that a reporter takes by what they write where people chat: "selesai", "belum, masih berlubang", "4". Pure."""

from __future__ import annotations

import re
from typing import Final

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor, Words
from laporhub.pipeline.messages import Message
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_workflow import Transition
from laporhub.pipeline.turn import Fields
from laporhub.pipeline.workflow import allowed

_RATING: Final = re.compile(r"\s*([1-5])\s*(?:/\s*5)?\s*[.!]*\s*")
_AROUND: Final = " \t\n.,:;!-"


def meant(rulebook: Rulebook, state: CaseState, message: Message) -> tuple[str, Fields] | None:
    """The step that the message is, with what it fills in; None for a message like any other."""
    channel = rulebook.profile.channels.get(message.channel)
    if message.kind != "text" or message.replaces or channel is None or channel.delivery == "page":
        return None
    reporter = Actor(id=message.reporter, role="reporter")
    for name, step in allowed(rulebook, state, reporter):
        if step.words and (fields := _filled(step, message)) is not None:
            return name, fields
    return None


def _filled(step: Transition, message: Message) -> Fields | None:
    """What the message fills in of the step's form; None if it is not this step."""
    needed = {name: field.type for name, field in step.fields.items() if field.required}
    ratings = [name for name, kind in needed.items() if kind == "rating"]
    texts = [name for name, kind in needed.items() if kind == "text"]
    if len(ratings) + len(texts) != len(needed) or len(needed) > 1:
        return None  # a form that no message can be
    rest = _after(step.words, message.text)
    if ratings:
        told = _RATING.fullmatch(message.text if rest is None else rest)
        return {ratings[0]: int(told[1])} if told else None
    if rest is None:
        return None
    if texts:
        return {texts[0]: Words(text=message.text, sealed=message.sealed_text)}
    return {} if not rest else None  # "selesai" ends it, "selesai kapan?" is a question


def _after(words: tuple[str, ...], text: str) -> str | None:
    """What follows one of the words at the beginning; None if none stands there."""
    said = text.strip(_AROUND)
    for word in sorted(words, key=len, reverse=True):
        if said.lower().startswith(word.lower()) and not said[len(word) : len(word) + 1].isalnum():
            return said[len(word) :].strip(_AROUND)
    return None
