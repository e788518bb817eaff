"""Forms of transitions: from the profile's fields to inputs, from what was sent to values. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_workflow import FormField, Transition
from laporhub.pipeline.profile.section import say
from laporhub.web.history import unit_title
from laporhub.web.i18n import Translator

PREFIX = "f_"
"""Goes before a transition's field names in forms, so that none can be taken for one of the page's own."""

Options = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Input:
    """One input of a transition's form. `groups`: heading → (value, label) of a select."""

    name: str
    field: str
    title: str
    kind: str
    required: bool
    value: str
    groups: tuple[tuple[str, Options], ...] = ()


def fields_for(
    rulebook: Rulebook,
    state: CaseState,
    step: Transition,
    t: Translator,
    values: Mapping[str, str] | None = None,
) -> list[Input]:
    """The inputs of a transition, with what was typed before (`values`), or else the profile's defaults."""
    return [
        Input(
            name=PREFIX + name,
            field=name,
            title=say(field.title, t.language, rulebook.language),
            kind=field.type,
            required=field.required,
            value=_default(rulebook, state, step, field) if values is None else values.get(PREFIX + name, ""),
            groups=_groups(rulebook, state, field, t),
        )
        for name, field in step.fields.items()
    ]


def _default(rulebook: Rulebook, state: CaseState, step: Transition, field: FormField) -> str:
    """The draft, or the suggested unit, if the classifier is sure: a doubtful one is a person's to choose.

    Where the step needs all parts, they stand one below the other until somebody has made one answer of them.
    """
    if field.default == "draft" and state.draft is not None:
        return state.draft.text
    if field.default == "draft" and step.whole:
        said = [(unit, part.words.text) for unit, part in state.parts.items() if part.words]
        return "\n\n".join(f"{unit_title(rulebook, unit)}:\n{text}" for unit, text in said)
    suggestion = state.suggestion
    if field.default == "suggestion" and suggestion is not None and suggestion.sure and suggestion.units:
        return suggestion.units[0].unit
    return ""


def _groups(
    rulebook: Rulebook, state: CaseState, field: FormField, t: Translator
) -> tuple[tuple[str, Options], ...]:
    if field.type == "choice":
        options = field.options or {}
        return (("", tuple((v, say(label, t.language, rulebook.language)) for v, label in options.items())),)
    if field.type != "unit":
        return ()
    guesses = state.suggestion.units[:5] if state.suggestion else ()
    suggested = tuple(
        (guess.unit, f"{rulebook.units[guess.unit].title} ({guess.probability:.0%})")
        for guess in guesses
        if guess.unit in rulebook.units
    )
    others = [unit for unit in rulebook.units.values() if unit.id not in dict(suggested)]
    kinds = [
        (
            say(title, t.language, rulebook.language),
            tuple((unit.id, unit.title) for unit in others if unit.unit_kind == kind),
        )
        for kind, title in rulebook.unit_kinds.items()
    ]
    return tuple((title, options) for title, options in [(t("Saran"), suggested), *kinds] if options)


def values_of(step: Transition, fields: Mapping[str, str], state: CaseState | None = None) -> dict[str, str]:
    """The transition's values out of a submitted form; what was left empty is left out.

    A draft that nobody changed is left out too: the case then keeps it as it is, with what is sealed in it.
    """
    values = {name: fields.get(PREFIX + name, "") for name in step.fields}
    draft = state.draft.text.strip() if state is not None and state.draft is not None else None
    return {
        name: value
        for name, value in values.items()
        if value and not (step.fields[name].default == "draft" and value == draft)
    }
