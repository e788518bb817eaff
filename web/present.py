"""Cases and events as the API shows them to each of its readers. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from laporhub.pipeline.case_state import INTERNAL, CaseState
from laporhub.pipeline.events import CaseEvent
from laporhub.pipeline.hub_port import Identity
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.rude import masked
from laporhub.web import history, words
from laporhub.web.history import Opener
from laporhub.web.i18n import Translator

_SEALED = frozenset({"sealed", "sealed_text", "sealed_identity", "pattern", "reference"})


def public(
    rulebook: Rulebook, state: CaseState, events: Sequence[CaseEvent], t: Translator
) -> dict[str, Any]:
    """What everybody may know: no identity, no person's name; of a private complaint only how far it is."""
    steps = history.public_steps(rulebook, events, t, names=not state.private)
    shown: dict[str, Any] = {
        "ticket": state.ticket,
        "profile": state.profile,
        "status": state.status,
        "status_title": history.status_title(rulebook, state.status, t, public=True),
        "private": state.private,
        "received_at": state.opened_at,
        "updated_at": state.updated_at,
        "history": [{"at": step.at, "status": step.label, "by": step.by} for step in steps],
    }
    if not state.private:
        shown |= _whose(rulebook, state)
    if history.shows_text(rulebook, state):
        shown["text"] = masked(state.text)
        shown["answers"] = [
            {"at": answer.at, "text": answer.text}
            for answer in history.public_answers(rulebook, state, events)
        ]
    return shown


def _whose(rulebook: Rulebook, state: CaseState) -> dict[str, Any]:
    """Where it came from, and who has it: that alone may say what it is about."""
    unit = history.unit_title(rulebook, state.unit) or None
    return {"channel": state.channel, "unit": state.unit, "unit_title": unit}


def own(
    rulebook: Rulebook,
    state: CaseState,
    events: Sequence[CaseEvent],
    t: Translator,
    opener: Opener,
    who: Identity,
) -> dict[str, Any]:
    """The reporter's view: also the conversation, in their own words, what is still asked of them, and who they are."""
    said = history.conversation(rulebook, state, events, t, opener=opener)
    rules = rulebook.profile.requirements
    return {
        **public(rulebook, state, events, t),
        **_whose(rulebook, state),
        "text": "\n".join(entry.text for entry in said if entry.side == "reporter" and entry.text),
        "missing": [name for name in state.missing if name in rules],
        "rating": state.rating,
        "reporter": {"name": who.name, "phone": who.phone, "email": who.email},
        "conversation": [
            {"at": entry.at, "from": entry.side, "text": entry.text, "delivery": entry.delivery}
            for entry in said
        ],
    }


def summary(state: CaseState, now: datetime) -> dict[str, Any]:
    """A case in a list."""
    first = next(iter(words.running(state)), None)
    best = state.suggestion.units[0] if state.suggestion and state.suggestion.units else None
    return {
        "ticket": state.ticket,
        "profile": state.profile,
        "seq": state.seq,
        "status": state.status,
        "channel": state.channel,
        "unit": state.unit,
        "suggested_unit": best.unit if best else None,
        "suggested_probability": best.probability if best else None,
        "urgency": state.suggestion.urgency if state.suggestion else "normal",
        "place": words.place(state) or None,
        "text": state.text[:500],
        "private": state.private,
        "opened_at": state.opened_at,
        "updated_at": state.updated_at,
        "due_at": first[1].due_at if first else None,
        "due_clock": first[0] if first else None,
        "overdue": words.is_late(state, now),
        "waiting": state.waiting,
    }


def case(state: CaseState, now: datetime) -> dict[str, Any]:
    """A case in full, without anything sealed."""
    full = _unsealed(state.model_dump(mode="json", exclude=INTERNAL))
    return {**full, "overdue": words.is_late(state, now)}


def event(event: CaseEvent) -> dict[str, Any]:
    """An event in full, without anything sealed."""
    shown = _unsealed(event.model_dump(mode="json"))
    assert isinstance(shown, dict)  # noqa: S101
    return shown


def _unsealed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _unsealed(item) for name, item in value.items() if name not in _SEALED}
    if isinstance(value, (list, tuple)):
        return [_unsealed(item) for item in value]
    return value
