"""The workflow as a graph: what can be reached, where clocks run, and a drawing of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema import Profile
from laporhub.pipeline.profile.schema_time import ClockRule, Limit
from laporhub.pipeline.profile.schema_workflow import OPENED, Transition
from laporhub.pipeline.profile.section import say

"""Starts clocks when a case opens, whatever its first state."""

Words = dict[str, str]
_SAID: Final[dict[str, Words]] = {
    "system": {"id": "sistem", "en": "system"},
    "reporter": {"id": "pelapor", "en": "reporter"},
    "minutes": {"id": "menit", "en": "minutes"},
    "hours": {"id": "jam", "en": "hours"},
    "days": {"id": "hari", "en": "days"},
    "working_minutes": {"id": "menit kerja", "en": "working minutes"},
    "working_hours": {"id": "jam kerja", "en": "working hours"},
    "working_days": {"id": "hari kerja", "en": "working days"},
    "warn": {"id": "peringatan setelah", "en": "warns after"},
    "stop": {"id": "berhenti", "en": "stops"},
    "pause": {"id": "jeda", "en": "pauses"},
    "escalate": {"id": "eskalasi", "en": "escalates to"},
    "then": {"id": "lalu", "en": "then"},
}
_RESERVED: Final = frozenset(
    {"state", "note", "end", "as", "class", "default", "direction", "style", "click"}
)


def steps_from(profile: Profile, state: str) -> list[tuple[str, Transition]]:
    """The transitions that lead out of a state."""
    return [(name, step) for name, step in profile.transitions.items() if state in step.source]


def reachable(profile: Profile, start: str) -> set[str]:
    """The states a case can come to from `start`, itself included."""
    found, todo = {start}, [start]
    while todo:
        for _, step in steps_from(profile, todo.pop()):
            if step.target not in found:
                found.add(step.target)
                todo.append(step.target)
    return found


def can_end(profile: Profile) -> set[str]:
    """The states from which a final state can be reached."""
    return {name for name in profile.states if any(profile.states[s].final for s in reachable(profile, name))}


def starts(profile: Profile, rule: ClockRule) -> list[str]:
    """The states a case is in just after the clock has started."""
    places = []
    for trigger in rule.start:
        step = profile.transitions.get(trigger)
        places.append(profile.intake.initial if trigger == OPENED else step.target if step else trigger)
    return list(dict.fromkeys(places))


def running(profile: Profile, rule: ClockRule) -> set[str]:
    """The states in which the clock may be running or standing still."""
    found, todo = set(starts(profile, rule)), starts(profile, rule)
    while todo:
        for name, step in steps_from(profile, todo.pop()):
            if not _stops(rule, name, step) and step.target not in found:
                found.add(step.target)
                todo.append(step.target)
    return found


def unstoppable(profile: Profile, rule: ClockRule) -> set[str]:
    """The states in which the clock may run and from which no step can stop it any more."""
    open_ends = running(profile, rule)
    grown = True
    while grown:
        stoppable = {
            state
            for state in open_ends
            if any(
                _stops(rule, name, step) or step.target not in open_ends
                for name, step in steps_from(profile, state)
            )
        }
        open_ends -= stoppable
        grown = bool(stoppable)
    return open_ends


def _stops(rule: ClockRule, name: str, step: Transition) -> bool:
    """What stops and starts a clock in one step lets it begin anew."""
    triggers = {name, step.target}
    return not triggers.isdisjoint(rule.stop) and triggers.isdisjoint(rule.start)


# ── drawing ──────────────────────────────────────────────────────────────────────────────────────


def mermaid(rulebook: Rulebook, language: str) -> str:
    """The workflow as Mermaid text (`stateDiagram-v2`): who takes which step, and the clocks as notes."""
    return "\n".join(["stateDiagram-v2", *(f"    {line}" for line in _lines(rulebook.profile, language)), ""])


def _lines(profile: Profile, language: str) -> Iterator[str]:
    for name, state in profile.states.items():
        yield f'state "{_plain(say(state.title, language))}" as {_id(name)}'
    yield f"[*] --> {_id(profile.intake.initial)}"
    for step in profile.transitions.values():
        who = ", ".join(_actor(profile, role, language) for role in step.roles)
        label = _plain(f"{say(step.title, language)} ({who})")
        for source in step.source:
            yield f"{_id(source)} --> {_id(step.target)} : {label}"
    for name, state in profile.states.items():
        if state.final:
            yield f"{_id(name)} --> [*]"
    for rule in profile.clocks.values():
        for place in starts(profile, rule):
            yield f"note right of {_id(place)}"
            yield from (f"    {_plain(line)}" for line in _clock(profile, rule, language))
            yield "end note"


def _clock(profile: Profile, rule: ClockRule, language: str) -> Iterator[str]:
    yield f"⏱ {say(rule.title, language)} ≤ {span(rule.limit, language)}"
    for notice in rule.warnings:
        told = f" ({_actor(profile, notice.to, language)})" if notice.to else ""
        reminds = f", {_titles(profile, [rule.at_warning], language)}" if rule.at_warning else ""
        yield f"{_say('warn', language)} {span(notice.after, language)}{told}{reminds}"
    yield f"{_say('stop', language)} → {_titles(profile, rule.stop, language)}"
    if rule.pause:
        yield f"{_say('pause', language)} → {_titles(profile, rule.pause, language)}"
    for step in rule.escalate:
        later = f" (+ {span(step.after, language)})" if step.after else ""
        yield f"{_say('escalate', language)} {_actor(profile, step.to, language)}{later}"
    if rule.then:
        yield f"{_say('then', language)} {_titles(profile, [rule.then], language)}"


def span(limit: Limit, language: str) -> str:
    """A span of time in words: "6 hari kerja"."""
    number, unit = next((value, unit) for unit, value in limit if value is not None)
    return f"{number} {_say(unit, language)}"


def _titles(profile: Profile, names: Iterable[str], language: str) -> str:
    known = {name: state.title for name, state in profile.states.items()}
    known |= {name: step.title for name, step in profile.transitions.items()}
    return ", ".join(say(known.get(name, name), language) for name in names)


def _actor(profile: Profile, name: str, language: str) -> str:
    role = profile.roles.get(name)
    return say(role.title, language) if role else _say(name, language)


def _say(key: str, language: str) -> str:
    return say(_SAID.get(key, {"en": key}), language, "id")


def _id(name: str) -> str:
    """A name that Mermaid takes: no hyphens, none of its own words."""
    plain = name.replace("-", "_")
    return f"{plain}_" if plain in _RESERVED else plain


def _plain(text: str) -> str:
    """Without the characters that mean something to Mermaid."""
    return " ".join(text.translate({ord(mark): " " for mark in '":;#{}<>'}).split())
