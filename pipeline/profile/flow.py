"""Checks of the workflow and its clocks: every state can be reached and left, every clock can stop. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from laporhub.pipeline.profile import watch
from laporhub.pipeline.profile.by_itself import OwnStep, own_steps
from laporhub.pipeline.profile.graph import (
    can_end,
    reachable,
    running,
    starts,
    steps_from,
    unstoppable,
)
from laporhub.pipeline.profile.schema import Profile
from laporhub.pipeline.profile.schema_time import ClockRule
from laporhub.pipeline.profile.schema_workflow import BUILT_IN_ROLES, OPENED, Transition
from laporhub.pipeline.profile.source import PROFILE, Finding, Trail, nearest

"""Roles that every profile has: the hub itself, and whoever the case is about."""


def _find(path: Trail, message: str, remedy: str) -> Finding:
    return Finding(PROFILE, path, message, remedy)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


# ── every name exists ────────────────────────────────────────────────────────────────────────────


def names(profile: Profile) -> Iterator[Finding]:
    """Names in the workflow that mean nothing."""
    states, steps = set(profile.states), set(profile.transitions)
    staff = {*profile.roles, *(role.group for role in profile.roles.values() if role.group)}
    for path, what, name, known in _references(profile, states, steps, staff):
        if name is not None and name not in known:
            yield _find(path, f"there is no {what} “{name}”", nearest(name, known))
    for name, step in profile.transitions.items():
        yield from _effects(name, step)


def _references(
    profile: Profile, states: set[str], steps: set[str], staff: set[str]
) -> Iterator[tuple[Trail, str, str | None, set[str]]]:
    """Every place that names something, what kind of thing, its name, and the names there are."""
    replies = {step.reply for step in profile.transitions.values() if step.reply} | (
        {name for name in (profile.intake.reply, profile.intake.after_end) if name}
    )
    talk = profile.intake.dialogue
    guided = {talk.first, talk.next, talk.again} if talk else set()
    for name, step in profile.transitions.items():
        at: Trail = ("transitions", name)
        yield from (((*at, "from", n), "state", source, states) for n, source in enumerate(step.source))
        yield (*at, "to"), "state", step.target, states
        yield from (
            ((*at, "roles", n), "role or group", role, staff | BUILT_IN_ROLES)
            for n, role in enumerate(step.roles)
        )
        yield (*at, "at_last"), "transition", step.at_last, steps
        yield (*at, "other_than"), "transition", step.other_than, steps
        yield from (((*at, "notify", n), "role or group", role, staff) for n, role in enumerate(step.notify))
    for name, state in profile.states.items():
        yield ("states", name, "owner"), "role or group", state.owner, staff | BUILT_IN_ROLES
    for name, rule in profile.clocks.items():
        at, either = ("clocks", name), states | steps
        yield from (
            ((*at, "start", n), "state or transition", t, either | {OPENED}) for n, t in enumerate(rule.start)
        )
        yield from (((*at, "stop", n), "state or transition", t, either) for n, t in enumerate(rule.stop))
        yield from (((*at, "pause", n), "state", state, states) for n, state in enumerate(rule.pause))
        yield from (
            ((*at, "channels", n), "channel", channel, set(profile.channels))
            for n, channel in enumerate(rule.channels or ())
        )
        yield from (
            ((*at, "stop_on_sent", n), "reply", reply, replies | guided)
            for n, reply in enumerate(rule.stop_on_sent)
        )
        yield (*at, "then"), "transition", rule.then, steps
        yield (*at, "at_warning"), "transition", rule.at_warning, steps
        yield from (
            ((*at, "warn", n, "to"), "role or group", notice.to, staff)
            for n, notice in enumerate(rule.warnings)
        )
        yield from (
            ((*at, "escalate", n, "to"), "role or group", step.to, staff)
            for n, step in enumerate(rule.escalate)
        )
    yield ("intake", "initial"), "state", profile.intake.initial, states
    yield ("intake", "incomplete"), "transition", profile.intake.incomplete, steps
    yield ("intake", "complete"), "transition", profile.intake.complete, steps
    yield ("routing", "transition"), "transition", profile.routing.transition, steps
    if profile.intake.dialogue:
        yield from (
            (("intake", "dialogue", "channels", n), "channel", channel, set(profile.channels))
            for n, channel in enumerate(profile.intake.dialogue.channels)
        )
    yield from _of_duplicates(profile, states, steps)
    steps_reply = {step.reply for step in profile.transitions.values() if step.reply}
    if (private := profile.intake.in_private) is not None:
        at = ("intake", "in_private")
        yield from (
            ((*at, "channels", n), "channel", channel, set(profile.channels))
            for n, channel in enumerate(private.channels)
        )
        yield from (
            ((*at, "replies", n), "reply", reply, steps_reply) for n, reply in enumerate(private.replies)
        )
    for key, rules in (
        ("on_sent", profile.publication.on_sent),
        ("on_failed", profile.publication.on_failed),
    ):
        for purpose, transition in rules.items():
            yield ("publication", key, purpose), "reply", purpose, replies
            yield ("publication", key, purpose), "transition", transition, steps


def _of_duplicates(
    profile: Profile, states: set[str], steps: set[str]
) -> Iterator[tuple[Trail, str, str | None, set[str]]]:
    """As `_references`, for what those hear whose case follows another one."""
    said = {step.reply for step in profile.transitions.values() if step.reply}
    for number, reply in enumerate(profile.duplicates.tell):
        yield ("duplicates", "tell", number), "reply", reply, said
    for state, step in profile.duplicates.ended.items():
        yield ("duplicates", "ended", state), "state", state, states
        yield ("duplicates", "ended", state), "transition", step, steps
    for cause, step in profile.duplicates.again.items():
        yield ("duplicates", "again", cause), "transition", cause, steps
        yield ("duplicates", "again", cause), "transition", step, steps


def _effects(name: str, step: Transition) -> Iterator[Finding]:
    kinds: dict[Literal["assign", "draft", "rate", "involve", "release", "part", "merge"], str] = {
        "assign": "unit",
        "draft": "text",
        "rate": "rating",
        "involve": "unit",
        "release": "unit",
        "part": "text",
        "merge": "case",
    }
    for effect, kind in kinds.items():
        field, at = getattr(step, effect), ("transitions", name, effect)
        if field is None:
            continue
        if field not in step.fields:
            yield _find(at, f"{name} has no field “{field}”", nearest(field, step.fields))
        elif step.fields[field].type != kind:
            yield _find(
                at, f"the field “{field}” is no “type: {kind}”", "Name one that is, or change its type."
            )
    if step.assign and step.unassign:
        yield _find(
            ("transitions", name, "unassign"), f"{name} assigns a unit and takes it away", "Keep one."
        )
    for field, form in step.fields.items():
        wanted = {"draft": "text", "suggestion": "unit"}.get(form.default or "")
        if wanted and form.type != wanted:
            at_default = ("transitions", name, "fields", field, "default")
            yield _find(
                at_default, f"“{form.default}” cannot fill a field of “type: {form.type}”", "Delete it."
            )


# ── the whole ────────────────────────────────────────────────────────────────────────────────────


def problems(profile: Profile) -> Iterator[Finding]:
    """What is wrong with a workflow whose names are all right."""
    yield from _states(profile)
    yield from _owners(profile)
    yield from _system_steps(profile)
    yield from _intake(profile)
    yield from _publication(profile)
    yield from _routing(profile)
    for name, rule in profile.clocks.items():
        yield from _clock(profile, name, rule)
    yield from watch.problems(profile)


def _states(profile: Profile) -> Iterator[Finding]:
    if not any(state.final for state in profile.states.values()):
        yield _find(("states",), "no case ever ends", "Mark the last states with “final: true”.")
        return
    reached, ends = reachable(profile, profile.intake.initial), can_end(profile)
    for name, state in profile.states.items():
        at = ("states", name)
        if name not in reached:
            yield _find(at, f"no case ever comes to “{name}”", "Add a transition “to” it, or delete it.")
        elif name not in ends:
            yield _find(at, f"a case in “{name}” can never end", "Add a transition that leads on from it.")
        elif not state.final and not _moves(profile, name):
            remedy = "Add a transition from it for a role of yours, or a clock with “then”."
            yield _find(at, f"nobody can act on a case in “{name}”", remedy)


def _moves(profile: Profile, state: str) -> bool:
    """Whether a member of staff, a clock or a delivery takes a case on from here."""
    automatic = {own.step for own in own_steps(profile) if _takes_on(profile, own, state)}
    return any(
        name in automatic or set(step.roles) - BUILT_IN_ROLES for name, step in steps_from(profile, state)
    )


def _takes_on(profile: Profile, own: OwnStep, state: str) -> bool:
    """Whether the hub may take this step here without anybody's message: by a clock, only where it runs and ends."""
    if own.cause == "clock":
        return own.at[-1] == "then" and state in running(profile, profile.clocks[own.of])
    return own.cause in ("last_time", "duplicate", "delivery")


def _owners(profile: Profile) -> Iterator[Finding]:
    """Each channel's new cases need somebody who sees them and can do something about them."""
    acting = {role for _, step in steps_from(profile, profile.intake.initial) for role in step.roles}
    owners = [role for name, role in profile.roles.items() if {name, role.group} & acting]
    for name in profile.channels:
        if not any(role.scope == "all" or name in role.channels for role in owners):
            remedy = "Add it to the “channels” of a role that may act on new cases."
            yield _find(("channels", name), f"nobody looks after new cases from “{name}”", remedy)


def _system_steps(profile: Profile) -> Iterator[Finding]:
    """Transitions that the hub takes by itself must be open to it, and ask for nothing it cannot know."""
    for own in own_steps(profile):
        path, name, step = own.at, own.step, profile.transitions[own.step]
        if "system" not in step.roles:
            remedy = f"Add “system” to the roles of {name}."
            yield _find(path, f"the hub may not take “{name}” by itself", remedy)
        needed = [field for field, form in step.fields.items() if form.required and field != own.given]
        if needed:
            remedy = f"Set “required: false” in {name}, or name another transition."
            yield _find(path, f"the hub cannot fill in {_listed(needed)} of “{name}”", remedy)


def _intake(profile: Profile) -> Iterator[Finding]:
    intake = profile.intake
    if (intake.incomplete is None) != (intake.complete is None):
        yield _find(
            ("intake",), "“incomplete” and “complete” go together", "Add the other one, or delete both."
        )
    if intake.incomplete is None or intake.complete is None:
        if intake.dialogue:
            remedy = "Add “incomplete:” and “complete:”: the case waits in between."
            yield _find(("intake", "dialogue"), "nothing is ever asked for", remedy)
        return
    asks, goes_on = profile.transitions[intake.incomplete], profile.transitions[intake.complete]
    if intake.initial not in asks.source:
        remedy = f"Add {intake.initial} to its “from”."
        yield _find(
            ("intake", "incomplete"), f"“{intake.incomplete}” does not start in the first state", remedy
        )
    if asks.target not in goes_on.source:
        remedy = f"Add {asks.target} to its “from”."
        yield _find(
            ("intake", "complete"), f"“{intake.complete}” does not go on from “{asks.target}”", remedy
        )


def _publication(profile: Profile) -> Iterator[Finding]:
    """What follows a reply that was sent must be possible where its sending left the case."""
    for purpose, name in profile.publication.on_sent.items():
        after = {step.target for step in profile.transitions.values() if step.reply == purpose}
        after |= {profile.intake.initial} if profile.intake.reply == purpose else set()
        if not after & set(profile.transitions[name].source):
            remedy = f"Add {_listed(after)} to its “from”."
            message = f"“{name}” is not possible when the reply “{purpose}” has been sent"
            yield _find(("publication", "on_sent", purpose), message, remedy)


def _routing(profile: Profile) -> Iterator[Finding]:
    routing = profile.routing
    if profile.transitions[routing.transition].assign is None:
        message = f"“{routing.transition}” assigns no unit"
        yield _find(("routing", "transition"), message, "Name the transition that has “assign:”.")
    if routing.suggest_from > routing.sure_from:
        message = "“suggest_from” is above “sure_from”"
        yield _find(("routing", "suggest_from"), message, "Make it smaller: what is sure is also suggested.")


# ── clocks ───────────────────────────────────────────────────────────────────────────────────────


def _clock(profile: Profile, name: str, rule: ClockRule) -> Iterator[Finding]:
    at, places = ("clocks", name), running(profile, rule)
    stuck = unstoppable(profile, rule)
    if stuck:
        remedy = f"Add to “stop” a step or a state that follows {_listed(stuck)}."
        yield _find(at, f"the clock {name} cannot stop once the case is in {_listed(stuck)}", remedy)
    over = {s for s in places if profile.states[s].final} - set(starts(profile, rule)) - stuck
    if over:
        remedy = f"Add {_listed(over)} to its “stop”."
        yield _find(at, f"the clock {name} runs on when the case has ended in {_listed(over)}", remedy)
    yield from _warnings(name, rule)
    for key, step in (("then", rule.then), ("at_warning", rule.at_warning)):
        if step and not places & set(profile.transitions[step].source):
            remedy = f"Name a transition from {_listed(places)}."
            yield _find((*at, key), f"“{step}” is never possible while {name} runs", remedy)
    if rule.at_warning and not rule.warnings:
        yield _find((*at, "at_warning"), f"the clock {name} never warns", "Add “warn:” with a span.")


def _warnings(name: str, rule: ClockRule) -> Iterator[Finding]:
    before = 0
    for number, notice in enumerate(rule.warnings):
        at: Trail = (
            ("clocks", name, "warn", number) if isinstance(rule.warn, tuple) else ("clocks", name, "warn")
        )
        if notice.after.amount >= rule.limit.amount:
            yield _find(
                at, f"the clock {name} warns when it is too late", "Make “warn” shorter than “limit”."
            )
        if notice.after.amount <= before:
            yield _find(at, f"the warnings of {name} are out of order", "Write them from early to late.")
        before = notice.after.amount
