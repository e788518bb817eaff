"""What the demo's made-up staff and citizens do in any profile: read from its workflow. Pure, by the given chance."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Final

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.messages import InlineFile
from laporhub.pipeline.profile.graph import reachable, steps_from
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema import Profile
from laporhub.pipeline.profile.schema_workflow import BUILT_IN_ROLES, Transition
from laporhub.simulators.citizens import DemoComplaint, staff_answer

_SURE: Final = 0.5
"""Below this probability a unit is left for the visitor to choose."""
_ROUNDABOUT: Final = 0.15
"""How often staff does not go the shortest way."""
_LIST: Final = "1 unit switch 8 port\n20 meter kabel UTP\n4 buah konektor RJ-45"
LETTER: Final = InlineFile(data=b"%PDF-1.4\n%%EOF\n", media_type="application/pdf", name="surat.pdf")


def worked_on(book: Rulebook) -> tuple[str, ...]:
    """The states in which it is staff's turn."""
    return tuple(
        name
        for name, state in book.profile.states.items()
        if not state.final and (state.owner not in BUILT_IN_ROLES) and _ways_on(book.profile, name)
    )


def next_step(
    book: Rulebook, state: CaseState, rng: random.Random
) -> tuple[str, Mapping[str, str], Actor] | None:
    """A step on with the case: its name, fields, and who takes it; None where a visitor may decide."""
    book = book.of(state)
    ways = _ways_on(book.profile, state.status)
    guesses = (
        [guess for guess in state.suggestion.units if guess.unit in book.units] if state.suggestion else []
    )
    routing = book.profile.routing.transition
    if routing in ways:
        if not guesses or guesses[0].probability < _SURE:
            return None
        name = routing
    elif not ways:
        return None
    else:
        name = rng.choice(list(ways)) if rng.random() < _ROUNDABOUT else next(iter(ways))
    unit = state.unit or (guesses[0].unit if guesses else "")
    step = book.profile.transitions[name]
    who = _who(book, state, step, unit)
    return None if who is None else (name, dict(_filled(book, state, step, unit, rng)), who)


def _ways_on(profile: Profile, status: str) -> dict[str, Transition]:
    """The steps of staff that lead on, the shortest way to an end first; nothing that refuses, asks or goes back."""
    back = {profile.intake.initial, *(n for n, state in profile.states.items() if state.owner == "reporter")}
    steps = {
        name: step
        for name, step in steps_from(profile, status)
        if (name == profile.routing.transition or "system" not in step.roles)
        and set(step.roles) - BUILT_IN_ROLES
        and not step.danger
        and not step.unassign
        and step.target not in back | {status}
    }
    if profile.routing.transition in steps:
        return {profile.routing.transition: steps[profile.routing.transition]}
    onwards = {
        name: step
        for name, step in steps.items()
        if _far(profile, step.target) < _far(profile, status) or not _leads_back(profile, step, status)
    }
    return dict(sorted(onwards.items(), key=lambda item: _far(profile, item[1].target)))


def _leads_back(profile: Profile, step: Transition, status: str) -> bool:
    return status in reachable(profile, step.target) and _far(profile, step.target) > _far(profile, status)


def _far(profile: Profile, status: str) -> int:
    """How many steps it is to the nearest end, without refusing anybody."""
    near, steps = {status}, 0
    while not any(profile.states[name].final for name in near):
        near = {step.target for name in near for _, step in steps_from(profile, name) if not step.danger}
        steps += 1
        if steps > len(profile.states):
            return steps
    return steps


def _who(book: Rulebook, state: CaseState, step: Transition, unit: str) -> Actor | None:
    for name, role in book.profile.roles.items():
        if not {name, role.group} & set(step.roles):
            continue
        if role.scope == "unit":
            if unit:
                return Actor(id=f"{name}.{unit}", role=name, unit=unit)
        elif role.scope == "all" or state.channel in role.channels:
            return Actor(id=name, role=name)
    return None


def _filled(
    book: Rulebook, state: CaseState, step: Transition, unit: str, rng: random.Random
) -> Iterator[tuple[str, str]]:
    title = book.units[unit].title if unit in book.units else ""
    for name, field in step.fields.items():
        if field.type == "unit":
            yield name, unit
        elif field.type == "choice" and field.options and field.required:
            yield name, rng.choice(list(field.options))
        elif field.type == "items":
            yield name, _LIST
        elif field.type == "text" and field.required and not (field.default == "draft" and state.draft):
            yield name, staff_answer(title, state.text, rng)


# ── citizens ─────────────────────────────────────────────────────────────────────────────────────


def neighbours(
    book: Rulebook,
    people: Iterator[DemoComplaint],
    rng: random.Random,
    channels: Collection[str] | None = None,
) -> Iterator[DemoComplaint]:
    """The same people on `channels` of this profile (None: all), with what its own units know of as examples."""
    channels = list(book.profile.channels) if channels is None else channels
    examples = [example for unit in book.units.values() for example in unit.examples]
    for person in people:
        if person.channel in channels and book.name == HOME:
            yield person
            continue
        channel = person.channel if person.channel in channels else rng.choice(list(channels))
        yield replace(person, channel=channel, text=rng.choice(examples), location=None)  # type: ignore[arg-type]


HOME: Final = "laporgub-jateng"
"""The profile whose villages and roads the made-up citizens speak of."""
