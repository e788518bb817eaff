"""The words of a reply: the profile's template, filled with what the case knows. Pure.

Words that redaction touched are sealed; the reply then also has a pattern with a slot for each sealed piece,
which only the publisher fills, at the last moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Words
from laporhub.pipeline.connector import Template
from laporhub.pipeline.events import SLOT
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.section import say
from laporhub.pipeline.replies import format_due, join, render


@dataclass(frozen=True, slots=True)
class Wording:
    """A reply's text as all may read it; `pattern` and `sealed` where something was redacted."""

    text: str
    pattern: str | None = None
    sealed: tuple[str, ...] = ()


def compose(
    rulebook: Rulebook, state: CaseState, template: str, fields: Mapping[str, Words | str | int]
) -> Wording:
    """Raises `Misconfigured` when the template or one of its variables does not exist."""
    rulebook = rulebook.of(state)
    language = rulebook.language
    values = {**facts(rulebook, state, language), **labels(rulebook, fields, language)}
    words: dict[str, Words] = {name: value for name, value in fields.items() if isinstance(value, Words)}
    if state.draft is not None:
        words["draft"] = state.draft
    text = render(rulebook, template, state.channel, language, values | {n: w.text for n, w in words.items()})
    if not any(w.sealed for w in words.values()):
        return Wording(text)
    return _with_slots(rulebook, state, template, language, values, words, text)


def _with_slots(
    rulebook: Rulebook,
    state: CaseState,
    template: str,
    language: str,
    values: Mapping[str, str],
    words: Mapping[str, Words],
    text: str,
) -> Wording:
    """Each sealed piece gets a numbered slot first, to learn which ones the template uses, in which order."""
    marked = {
        name: f"{SLOT}{name}{SLOT}" if w.sealed else w.text.replace(SLOT, "") for name, w in words.items()
    }
    pieces = render(rulebook, template, state.channel, language, dict(values) | marked).split(SLOT)
    sealed = tuple(str(words[name].sealed) for name in pieces[1::2])
    return Wording(text, SLOT.join(pieces[0::2]), sealed) if sealed else Wording(text)


def template_for(rulebook: Rulebook, state: CaseState, channel: str, purpose: str) -> Template | None:
    """The platform's own message for a reply of this purpose, with what the case knows now; None if there is none."""
    rulebook = rulebook.of(state)
    rules = rulebook.profile.channels.get(channel)
    chosen = rules.templates.get(purpose) if rules else None
    if chosen is None:
        return None
    return Template(chosen.content, chosen.variables, facts(rulebook, state, rulebook.language))


def fill(pattern: str, pieces: Sequence[str]) -> str:
    """The pattern with the opened pieces in their slots."""
    plain = pattern.split(SLOT)
    if len(plain) != len(pieces) + 1:
        raise ValueError(f"{len(pieces)} pieces for {len(plain) - 1} slots")
    return plain[0] + "".join(piece + rest for piece, rest in zip(pieces, plain[1:], strict=True))


def facts(rulebook: Rulebook, state: CaseState, language: str) -> dict[str, str]:
    """What every template may use, by name (see `replies.FACTS`)."""
    profile = rulebook.profile
    due = min((clock.due_at for clock in state.clocks.values() if clock.status == "running"), default=None)
    opens = rulebook.calendar.opens_after(state.updated_at)
    unit = rulebook.units.get(state.unit or "")
    return {
        "ticket": state.ticket,
        "title": say(profile.title, language),
        "site": profile.channels["web"].account if "web" in profile.channels else "",
        "contact": say(profile.contact or "", language),
        "due": format_due(due, rulebook, language) if due else "",
        "opens": format_due(opens, rulebook, language) if opens else "",
        "unit": unit.title if unit else "",
        "missing": join(_asked(rulebook, state.missing, language), language),
        "asking": _question(rulebook, state.asking, language),
        "advised": join(_asked(rulebook, state.advised, language), language),
        "draft": "",
    }


def _question(rulebook: Rulebook, name: str | None, language: str) -> str:
    rule = rulebook.profile.requirements.get(name or "")
    return say(rule.question or rule.ask or rule.title, language) if rule else ""


def _asked(rulebook: Rulebook, names: Sequence[str], language: str) -> list[str]:
    known = rulebook.profile.requirements
    return [say(known[name].ask or known[name].title, language) for name in names if name in known]


def labels(rulebook: Rulebook, fields: Mapping[str, Words | str | int], language: str) -> dict[str, str]:
    """Choices and units by the name people know them by; fields left empty as nothing."""
    labels = dict.fromkeys(rulebook.field_names, "")
    for name, value in fields.items():
        if isinstance(value, str) and value in rulebook.units:
            labels[name] = rulebook.units[value].title
        elif not isinstance(value, Words):
            labels[name] = say(rulebook.choices.get((name, str(value)), str(value)), language)
    labels.pop("unit", None)  # the template's `unit` is the responsible one's title
    return labels


def to_staff(rulebook: Rulebook, state: CaseState, template: str, by: str, more: Mapping[str, str]) -> str:
    """A notice to staff, by e-mail or WhatsApp; `more` is what only such a notice may use. Nobody's words are in it."""
    rulebook = rulebook.of(state)
    values = {**facts(rulebook, state, rulebook.language), **more}
    return render(rulebook, template, by, rulebook.language, values)
