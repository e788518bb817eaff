"""Whether somebody watches: wherever staff has a case, a clock runs, and whoever it tells sees the case. Pure.

The workflow is walked through as `decide` would, channel by channel: which clocks tick is part of where a case stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from laporhub.pipeline.profile.by_itself import own_steps
from laporhub.pipeline.profile.graph import steps_from
from laporhub.pipeline.profile.schema import Profile
from laporhub.pipeline.profile.schema_time import ClockRule
from laporhub.pipeline.profile.schema_workflow import BUILT_IN_ROLES, OPENED, Role, Transition
from laporhub.pipeline.profile.source import PROFILE, Finding, Trail


@dataclass(frozen=True, slots=True)
class Place:
    """Where a case may stand: its state, whether a unit has it, and the clocks that run or stand still."""

    state: str
    assigned: bool
    ticking: frozenset[str]


Ways = Mapping[Place, tuple[str, ...]]
"""How a case may come to each place: the steps, the shortest way."""


def problems(profile: Profile) -> Iterator[Finding]:
    """States in which nobody's clock runs, and alarms that nobody would hear."""
    unwatched: dict[str, tuple[str, tuple[str, ...]]] = {}
    unheard: dict[Trail, tuple[str, str, str]] = {}
    for channel in profile.channels:
        for place, way in ways(profile, channel).items():
            if _is_staffs_turn(profile, place.state) and not _watched(profile, place):
                unwatched.setdefault(place.state, (channel, way))
            for name in running(profile, place):
                for at, receiver in _receivers(name, profile.clocks[name]):
                    if not _hears(profile, receiver, channel, place):
                        unheard.setdefault(at, (receiver, channel, place.state))
    for state, (channel, way) in unwatched.items():
        after = f"after {', '.join(way)}" if way else "from the beginning"
        message = f"no clock runs while a case is in “{state}” ({after}; channel {channel})"
        remedy = "Let a clock start on the way there, or not stop or stand still before."
        yield Finding(PROFILE, ("states", state), message, remedy)
    for at, (receiver, channel, state) in unheard.items():
        message = f"nobody in “{receiver}” sees a case of channel {channel} in “{state}”"
        remedy = "Name a role that sees it whether a unit has it or not, as one of “scope: all”."
        yield Finding(PROFILE, at, message, remedy)


def ways(profile: Profile, channel: str) -> Ways:
    """All places where a case of this channel may stand."""
    opening = _moved(
        profile, channel, Place(profile.intake.initial, assigned=False, ticking=frozenset()), OPENED
    )
    found: dict[Place, tuple[str, ...]] = {}
    todo = [_answered_at_once(profile, channel, opening, profile.intake.reply, ())]
    for place, way in todo:
        if place in found:
            continue
        found[place] = way
        for name, step in _steps(profile, channel, place):
            after, longer = _taken(profile, channel, place, name, step, way)
            todo.append((after, longer))
            last = profile.transitions.get(step.at_last or "")
            if step.at_last and last and after.state in last.source:
                todo.append(_taken(profile, channel, after, step.at_last, last, longer))
    return found


def running(profile: Profile, place: Place) -> list[str]:
    """The clocks that run there, and do not stand still."""
    return sorted(name for name in place.ticking if place.state not in profile.clocks[name].pause)


def _watched(profile: Profile, place: Place) -> bool:
    """By a clock that no reply on its way may stop meanwhile."""
    return any(not profile.clocks[name].stop_on_sent for name in running(profile, place))


# ── a step ───────────────────────────────────────────────────────────────────────────────────────


def _steps(profile: Profile, channel: str, place: Place) -> Iterator[tuple[str, Transition]]:
    """The steps that somebody may take, or the hub by itself."""
    automatic = _automatic(profile, channel, place)
    for name, step in steps_from(profile, place.state):
        if name in automatic or set(step.roles) != {"system"}:
            yield name, step


def _automatic(profile: Profile, channel: str, place: Place) -> set[str]:
    """What the hub may do by itself, but for what goes with a step. On a page an answer is delivered at once, and never
    fails.
    """
    ticking, pushed = running(profile, place), profile.channels[channel].delivery == "push"
    return {
        own.step
        for own in own_steps(profile)
        if (own.cause != "clock" or own.of in ticking)
        and (own.cause != "delivery" or pushed)
        and own.cause != "last_time"
    }


def _taken(
    profile: Profile, channel: str, place: Place, name: str, step: Transition, way: tuple[str, ...]
) -> tuple[Place, tuple[str, ...]]:
    assigned = (place.assigned or step.assign is not None) and not step.unassign
    after = _moved(profile, channel, Place(step.target, assigned, place.ticking), name)
    return _answered_at_once(profile, channel, after, step.reply, (*way, name))


def _answered_at_once(
    profile: Profile, channel: str, place: Place, reply: str | None, way: tuple[str, ...]
) -> tuple[Place, tuple[str, ...]]:
    """What follows where a reply is delivered by being on the page."""
    name = profile.publication.on_sent.get(reply or "")
    if name is None or profile.channels[channel].delivery != "page" or name in way[-1:]:
        return place, way
    step = profile.transitions[name]
    return _taken(profile, channel, place, name, step, way) if place.state in step.source else (place, way)


def _moved(profile: Profile, channel: str, place: Place, trigger: str) -> Place:
    """As `decide` moves clocks: what stops may start anew in the same step."""
    ticking, triggers = set(place.ticking), {trigger, place.state}
    for name, rule in profile.clocks.items():
        if rule.channels is not None and channel not in rule.channels:
            continue
        if triggers.intersection(rule.stop):
            ticking.discard(name)
        if triggers.intersection(rule.start):
            ticking.add(name)
    return Place(place.state, place.assigned, frozenset(ticking))


# ── people ───────────────────────────────────────────────────────────────────────────────────────


def _is_staffs_turn(profile: Profile, name: str) -> bool:
    state = profile.states[name]
    if state.final:
        return False
    if state.owner is not None:
        return state.owner not in BUILT_IN_ROLES
    return any(set(step.roles) - BUILT_IN_ROLES for _, step in steps_from(profile, name))


def _receivers(name: str, rule: ClockRule) -> Iterator[tuple[Trail, str]]:
    for number, step in enumerate(rule.escalate):
        yield ("clocks", name, "escalate", number), step.to
    for number, notice in enumerate(rule.warnings):
        if notice.to is not None:
            yield ("clocks", name, "warn", number), notice.to


def _hears(profile: Profile, receiver: str, channel: str, place: Place) -> bool:
    named = [role for name, role in profile.roles.items() if receiver in (name, role.group)]
    return any(_sees(role, channel, place) for role in named)


def _sees(role: Role, channel: str, place: Place) -> bool:
    if role.scope == "unit":
        return place.assigned
    return role.scope == "all" or channel in role.channels
