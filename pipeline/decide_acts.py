"""Staff and reporters act: the steps of the workflow, and notes."""

from __future__ import annotations

from laporhub.pipeline import ids
from laporhub.pipeline.commands import Act, Confide, Note, Words
from laporhub.pipeline.decide_life import check_merge, check_turns, check_units
from laporhub.pipeline.errors import Conflict, Forbidden, NotFound, Refused
from laporhub.pipeline.events import Confided, Noted
from laporhub.pipeline.items import is_list
from laporhub.pipeline.messages import INLINE
from laporhub.pipeline.profile.schema_workflow import FormField, Transition
from laporhub.pipeline.turn import Fields, Turn
from laporhub.pipeline.turn_steps import queue_reply, take_step
from laporhub.pipeline.workflow import is_past, may_confide, may_note, may_take


def act(turn: Turn, command: Act) -> None:
    """Takes a transition by name. Raises `NotFound`, `Conflict`, `Forbidden`, and `Refused` for its fields."""
    step = turn.profile.transitions.get(command.transition)
    if step is None:
        raise NotFound(f"There is no transition {command.transition!r} in profile {turn.profile.name}")
    if command.seen is not None and command.seen != turn.state.seq:
        raise Conflict("The case has changed since you opened it: look at it again")
    if not may_take(turn.rules, turn.state, command.actor, step):
        if turn.state.status not in step.source:
            raise Conflict(
                f"{command.transition!r} is not possible in the state {turn.state.status!r}",
                code="wrong_state",
            )
        raise Forbidden(f"The role {command.actor.role!r} may not do {command.transition!r} on this case")
    _check(turn, command.transition, command.fields, command.other)
    take_step(turn, command.transition, command.fields, command.actor, other=command.other)


def _check(turn: Turn, name: str, fields: Fields, other: str | None) -> None:
    """Whether a step that its taker may take is possible now, with these fields. Raises `Refused` and its kinds."""
    step = turn.profile.transitions[name]
    if (
        step.within
        and turn.state.closed_at
        and is_past(turn.rules, turn.state.closed_at, step.within, turn.now)
    ):
        raise Conflict("The time for this is over", code="too_late")
    if step.reply and step.target == turn.state.status and _is_on_its_way(turn, step.reply):
        raise Conflict(
            "The same reply is still on its way: wait until it is sent or has failed", code="on_its_way"
        )
    check_turns(turn, name, step)
    _check_fields(turn, step, fields)
    check_units(turn, step, fields)
    check_merge(turn, step, other)


def is_possible(turn: Turn, name: str, fields: Fields) -> bool:
    """Whether `act` would not refuse it."""
    try:
        _check(turn, name, fields, None)
    except Refused:
        return False
    return True


def _is_on_its_way(turn: Turn, purpose: str) -> bool:
    return any(r.purpose == purpose and r.status == "queued" for r in turn.state.replies.values())


def _check_fields(turn: Turn, step: Transition, fields: Fields) -> None:
    for name in fields.keys() - step.fields.keys():
        raise Refused(f"There is no field {name!r} here", code="unknown_field", field=name)
    for name, field in step.fields.items():
        value = fields.get(name)
        empty = value is None or value == "" or (isinstance(value, Words) and not value.text.strip())
        if empty and field.required and not (field.default == "draft" and turn.state.draft):
            raise Refused(f"The field {name!r} is needed", code="missing_field", field=name)
        if not empty and not _fits(turn, field, value):
            code = {"unit": "unknown_unit", "case": "no_such_case"}.get(field.type, "bad_field")
            raise Refused(f"{value!r} does not fit the field {name!r}", code=code, field=name)


def _fits(turn: Turn, field: FormField, value: Words | str | int | None) -> bool:
    match field.type:
        case "text":
            return isinstance(value, Words)
        case "items":
            return isinstance(value, Words) and is_list(value.text)
        case "unit":
            return value in turn.rules.units
        case "choice":
            return value in (field.options or {})
        case "case":
            return isinstance(value, str) and ids.parse_ticket(value) is not None
        case "photo":
            return isinstance(value, str) and all(each.startswith(INLINE) for each in value.split())
        case "rating":
            return isinstance(value, int) and 1 <= value <= 5


def note(turn: Turn, command: Note) -> None:
    """Raises `Forbidden`, and `Refused` for an empty note."""
    if not may_note(turn.rules, turn.state, command.actor):
        raise Forbidden(f"The role {command.actor.role!r} may not write notes on this case")
    if not command.words.text.strip():
        raise Refused("The note is empty", code="missing_field", field="text")
    turn.emit(Noted(words=command.words))


def confide(turn: Turn, command: Confide) -> None:
    """Notes that something was said in confidence, and tells the reporter of staff's words. Raises `Forbidden`."""
    if not may_confide(turn.rules, turn.state, command.actor):
        raise Forbidden(f"The role {command.actor.role!r} takes no part in the confidential discussion")
    turn.emit(Confided(reference=command.reference))
    purpose = turn.profile.privacy.confidential_reply
    by_staff = command.actor.role != "reporter"
    if purpose and by_staff and command.link is not None and not _is_on_its_way(turn, purpose):
        queue_reply(turn, purpose, {"link": command.link})
