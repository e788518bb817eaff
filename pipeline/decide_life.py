"""What the rest of a case's life asks of a step, and adds to it: turns, several units, duplicates, photos. Pure."""

from __future__ import annotations

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor, Words
from laporhub.pipeline.errors import Conflict, Forbidden, Refused
from laporhub.pipeline.events import Contributed, Evidenced, Involved, Merged, Released, Split
from laporhub.pipeline.messages import Attachment
from laporhub.pipeline.profile.schema_workflow import Transition
from laporhub.pipeline.turn import Fields, Turn
from laporhub.pipeline.workflow import used_up

_NEVER = (0, "")


# ── may it be taken ──────────────────────────────────────────────────────────────────────────────


def check_turns(turn: Turn, name: str, step: Transition) -> None:
    """How often, and by whom. Raises `Conflict` with "too_often", and `Forbidden` with "same_person"."""
    if used_up(turn.state, name, step):
        raise Conflict(
            f"{name!r} is possible {step.at_most} times on a case, and was taken so often", code="too_often"
        )
    if step.other_than and turn.state.taken.get(step.other_than, _NEVER)[1] == turn.command.actor.id:
        raise Forbidden(f"Who took {step.other_than!r} may not take {name!r} too", code="same_person")


def check_units(turn: Turn, step: Transition, fields: Fields) -> None:
    """Raises `Refused` for a unit that is asked twice or not at all, `Conflict` while a part is still to come."""
    state = turn.state
    if step.assign and fields.get(step.assign) == state.unit and _is_same_turn(turn, step):
        raise Refused(f"{state.unit} has it already", code="already_there", field=step.assign)
    if step.whole and (waiting := open_parts(state)):
        raise Conflict(f"The part of {', '.join(waiting)} is still to come", code="parts_open")
    if step.involve and (unit := fields.get(step.involve)) and (unit == state.unit or unit in state.parts):
        raise Refused(f"{unit} is at it already", code="already_there", field=step.involve)
    if step.involve and state.unit is None:
        raise Conflict("No unit is responsible yet: assign one first", code="no_lead")
    if step.release and fields.get(step.release) not in state.parts:
        raise Refused("That unit was not asked for a part", code="not_asked", field=step.release)


def _is_same_turn(turn: Turn, step: Transition) -> bool:
    """Whether it is the same one's turn after the step as before. With the same unit it then moves nothing, but would
    give the unit its time anew.
    """
    states = turn.profile.states
    before = states.get(turn.state.status)
    return before is not None and before.owner is not None and before.owner == states[step.target].owner


def check_merge(turn: Turn, step: Transition, other: str | None) -> None:
    """Raises `Refused` for a case that cannot be followed."""
    if step.merge is None:
        return
    if other is None:
        raise Refused("There is no such case here", code="no_such_case", field=step.merge)
    if other == turn.state.id:
        raise Refused("A case cannot follow itself", code="itself", field=step.merge)


def open_parts(state: CaseState) -> tuple[str, ...]:
    """The units whose part is still to come, in the order in which they were asked."""
    return tuple(unit for unit, part in state.parts.items() if part.words is None)


# ── what it adds ─────────────────────────────────────────────────────────────────────────────────


def life_effects(turn: Turn, step: Transition, fields: Fields, actor: Actor, other: str | None) -> None:
    """The effects of a step on units, duplicates and photos."""
    if step.involve and (unit := fields.get(step.involve)):
        turn.emit(Involved(unit=str(unit)), actor)
    if step.release and (unit := fields.get(step.release)):
        turn.emit(Released(unit=str(unit)), actor)
    if step.part and actor.unit and isinstance(words := fields.get(step.part), Words):
        turn.emit(Contributed(unit=actor.unit, words=words), actor)
    if step.split and turn.state.main is not None:
        turn.emit(Split(main=turn.state.main), actor)
    if step.merge and other is not None:
        turn.emit(Merged(into=other, ticket=str(fields[step.merge])), actor)
    for name, field in step.fields.items():
        if field.type == "photo" and (value := fields.get(name)):
            files = tuple(Attachment(url=url) for url in str(value).split())
            turn.emit(Evidenced(field=name, files=files), actor)
