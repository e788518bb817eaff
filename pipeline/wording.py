"""The words of a reply: the profile's template, filled with what the case knows. Pure.

Words that redaction touched are sealed; the reply then also has a pattern with a slot for each sealed piece,
which only the publisher fills, at the last moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Words
from laporhub.pipeline.connector import Template
from laporhub.pipeline.events import SLOT
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.section import say
from laporhub.pipeline.replies import FACTS, format_due, join, render, used_by


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
    wanted = used_by(rulebook, template, state.channel, language)
    values = {**facts(rulebook, state, language, wanted), **labels(rulebook, fields, language)}
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


def facts(
    rulebook: Rulebook, state: CaseState, language: str, wanted: frozenset[str] = FACTS
) -> dict[str, str]:
    """What every template may use, by name (see `replies.FACTS`); of it, what is `wanted`."""
    return {name: _FACTS[name](rulebook, state, language) for name in FACTS & wanted}


def _site(rulebook: Rulebook) -> str:
    web = rulebook.profile.channels.get("web")
    return web.account if web else ""


def _due(rulebook: Rulebook, state: CaseState, language: str) -> str:
    running = [clock.due_at for clock in state.clocks.values() if clock.status == "running"]
    return format_due(min(running), rulebook, language) if running else ""


def _opens(rulebook: Rulebook, state: CaseState, language: str) -> str:
    opens = rulebook.calendar.opens_after(state.updated_at)
    return format_due(opens, rulebook, language) if opens else ""


def _unit(rulebook: Rulebook, state: CaseState) -> str:
    unit = rulebook.units.get(state.unit or "")
    return unit.title if unit else ""


_FACTS: Final[Mapping[str, Callable[[Rulebook, CaseState, str], str]]] = {
    "ticket": lambda _, state, __: state.ticket,
    "title": lambda rulebook, _, language: say(rulebook.profile.title, language),
    "site": lambda rulebook, _, __: _site(rulebook),
    "contact": lambda rulebook, _, language: say(rulebook.profile.contact or "", language),
    "due": _due,
    "opens": _opens,
    "unit": lambda rulebook, state, _: _unit(rulebook, state),
    "missing": lambda rulebook, state, language: join(_asked(rulebook, state.missing, language), language),
    "asking": lambda rulebook, state, language: _question(rulebook, state.asking, language),
    "advised": lambda rulebook, state, language: join(_asked(rulebook, state.advised, language), language),
    "draft": lambda *_: "",  # `compose` knows its words
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
