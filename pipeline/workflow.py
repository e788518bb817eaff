"""Who may do what, and see what: the profile's roles and transitions, asked as questions. Pure."""

from __future__ import annotations

from datetime import datetime

from laporhub.pipeline import clocks
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_time import Limit
from laporhub.pipeline.profile.schema_workflow import Transition


def names_of(rulebook: Rulebook, role: str) -> frozenset[str]:
    """The names under which a transition may admit this role: its own and its group's."""
    known = rulebook.profile.roles.get(role)
    return frozenset({role} if known is None or known.group is None else {role, known.group})


def may_see(rulebook: Rulebook, state: CaseState, actor: Actor) -> bool:
    """Whether the case is within the actor's scope: all, their channels, their own unit, their own case."""
    if actor.role == "system":
        return True
    if actor.role == "reporter":
        return actor.id == state.reporter
    role = rulebook.profile.roles.get(actor.role)  # roles are the same for every version
    if role is None or (state.private and not role.sees_private):
        return False
    if role.scope == "channels":
        return state.channel in role.channels
    if role.scope == "unit":
        return actor.unit is not None and (actor.unit == state.unit or actor.unit in state.parts)
    return True


def _is_theirs(rulebook: Rulebook, state: CaseState, actor: Actor, step: Transition) -> bool:
    """Of several units the responsible one takes the steps, and the others only give their part."""
    role = rulebook.profile.roles.get(actor.role)
    if role is None or role.scope != "unit":
        return step.part is None
    return actor.unit in state.parts if step.part else actor.unit == state.unit


def allowed(rulebook: Rulebook, state: CaseState, actor: Actor) -> list[tuple[str, Transition]]:
    """The transitions the actor may take now, in the profile's order."""
    if not may_see(rulebook, state, actor):
        return []
    admitted = names_of(rulebook, actor.role)
    return [
        (name, transition)
        for name, transition in rulebook.of(state).profile.transitions.items()
        if _admits(rulebook, state, actor, transition, admitted) and not used_up(state, name, transition)
    ]


def used_up(state: CaseState, name: str, transition: Transition) -> bool:
    """Whether it was taken on this case as often as it may be."""
    return transition.at_most is not None and state.taken.get(name, (0, ""))[0] >= transition.at_most


def may_take(rulebook: Rulebook, state: CaseState, actor: Actor, transition: Transition) -> bool:
    """Whether the transition is one of those that `allowed` gives, however often it was taken."""
    admitted = names_of(rulebook, actor.role)
    return may_see(rulebook, state, actor) and _admits(rulebook, state, actor, transition, admitted)


def _admits(
    rulebook: Rulebook, state: CaseState, actor: Actor, transition: Transition, admitted: frozenset[str]
) -> bool:
    return (
        state.status in transition.source
        and not admitted.isdisjoint(transition.roles)
        and _is_theirs(rulebook, state, actor, transition)
    )


def stand_in(
    rulebook: Rulebook, state: CaseState, transition: str, unit: str | None = None
) -> tuple[str, str | None]:
    """The role in which somebody who may act in any takes this step now, and the unit: of the roles that may, the first
    that sees all cases, or else the first. One that may not, where none may: who tries is told why.
    """
    roles = sorted(rulebook.profile.roles.items(), key=lambda each: each[1].scope != "all")
    step = rulebook.of(state).profile.transitions.get(transition)
    acting = [(name, unit or (state.unit if role.scope == "unit" else None)) for name, role in roles]
    for name, of in acting:
        if step and may_take(rulebook, state, Actor(id="", role=name, unit=of), step):
            return name, of
    return acting[0]


def may_note(rulebook: Rulebook, state: CaseState, actor: Actor) -> bool:
    """Whether the actor may write an internal note: who sees the case and works, not who only reads."""
    if actor.role == "reporter" or not may_see(rulebook, state, actor):
        return False
    admitted = names_of(rulebook, actor.role)
    return any(
        not admitted.isdisjoint(step.roles) for step in rulebook.of(state).profile.transitions.values()
    )


def may_unseal(rulebook: Rulebook, state: CaseState, actor: Actor) -> bool:
    """Whether the actor may be told who the reporter is. Who asked to stay anonymous was promised that nobody is."""
    role = rulebook.profile.roles.get(actor.role)
    sees = role is not None and role.sees_identity
    return sees and not state.anonymous and may_see(rulebook, state, actor)


def may_confide(rulebook: Rulebook, state: CaseState, actor: Actor) -> bool:
    """Whether the actor takes part in the confidential discussion: the reporter, and of those who see the case the
    roles that the profile names.
    """
    if not has_confidential(rulebook) or not may_see(rulebook, state, actor):
        return False
    role = rulebook.profile.roles.get(actor.role)
    if role is not None and role.scope == "unit" and actor.unit != state.unit:
        return False  # who is only asked for a part does not get to read what was told to the unit that has the case
    return actor.role == "reporter" or (role is not None and role.confidential)


def has_confidential(rulebook: Rulebook) -> bool:
    """Whether this government has confidential discussions at all."""
    return any(role.confidential for role in rulebook.profile.roles.values())


def desks(rulebook: Rulebook, role: str) -> tuple[str, ...]:
    """The channels on which this role writes down what it is told: its own, or all where it works on all."""
    known = rulebook.profile.roles.get(role)
    if known is None or known.scope == "unit":
        return ()
    admitted = names_of(rulebook, role)
    works = any(not admitted.isdisjoint(step.roles) for step in rulebook.profile.transitions.values())
    mine = known.channels if known.scope == "channels" else rulebook.profile.channels
    return tuple(
        name for name, channel in rulebook.profile.channels.items() if channel.desk and works and name in mine
    )


def may_speak(rulebook: Rulebook, state: CaseState, actor: Actor) -> bool:
    """Whether the actor is one of those who answer reporters, and sees the case."""
    if actor.role == "reporter" or not may_see(rulebook, state, actor):
        return False
    admitted = names_of(rulebook, actor.role)
    return any(
        step.reply and not admitted.isdisjoint(step.roles)
        for step in rulebook.of(state).profile.transitions.values()
    )


def queue_statuses(rulebook: Rulebook, role: str) -> tuple[str, ...]:
    """The states, not final, in which it is this role's turn, by any version of the rules: its work queue."""
    known: tuple[str, ...] | None = rulebook.worked_out.get(("queue", role))
    if known is None:
        turns = [each for book in rulebook.every_edition for each in _turns(book, names_of(book, role))]
        known = rulebook.worked_out["queue", role] = tuple(dict.fromkeys(turns))
    return known


def _turns(rulebook: Rulebook, admitted: frozenset[str]) -> tuple[str, ...]:
    return tuple(
        name
        for name, state in rulebook.profile.states.items()
        if not state.final
        and (state.owner in admitted if state.owner else _has_a_step(rulebook, name, admitted))
    )


def _has_a_step(rulebook: Rulebook, state: str, admitted: frozenset[str]) -> bool:
    return any(
        state in step.source and not admitted.isdisjoint(step.roles)
        for step in rulebook.profile.transitions.values()
    )


def is_final(rulebook: Rulebook, state: CaseState) -> bool:
    """A state the profile no longer knows counts as open: a person must look at it."""
    known = rulebook.of(state).profile.states.get(state.status)
    return known is not None and known.final


def is_unread(state: CaseState) -> bool:
    """The reporter wrote again, or changed or took back what they wrote, and nobody has looked."""
    return state.waiting and (
        state.messages > 1 or state.confided > 0 or any(each.gone or len(each.ids) > 1 for each in state.said)
    )


def failed_replies(state: CaseState) -> tuple[str, ...]:
    """The purposes whose newest reply did not arrive."""
    newest = {reply.purpose: reply.status for reply in state.replies.values()}
    return tuple(sorted(purpose for purpose, status in newest.items() if status == "failed"))


def needs_attention(state: CaseState) -> bool:
    """Somebody should look, whosever turn it is: in lists, queues and dashboards alike."""
    return is_unread(state) or bool(failed_replies(state))


def is_past(rulebook: Rulebook, start: datetime, limit: Limit, now: datetime) -> bool:
    """Whether the span `limit` from `start` is over at `now`."""
    return now > clocks.after(rulebook.calendar, start, limit)
