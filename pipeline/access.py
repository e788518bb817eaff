"""What of a case each role is shown: the profile's `hides` and `seen_by`, applied in one place. Pure.

Whether a role sees the case at all is `workflow.may_see`. Pages, API, exports and units' topics are made of what these
functions leave.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.classifier import Suggestion
from laporhub.pipeline.commands import Words
from laporhub.pipeline.events import (
    CaseEvent,
    Classified,
    Contributed,
    Drafted,
    EventData,
    Located,
    MessageAdded,
    Noted,
    Transitioned,
)
from laporhub.pipeline.messages import Location
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_workflow import BUILT_IN_ROLES, Fact
from laporhub.pipeline.workflow import names_of

_EVERYTHING: frozenset[Fact] = frozenset({"text", "place", "files", "notes", "draft", "staff"})


@dataclass(frozen=True, slots=True)
class Eyes:
    """What its owner is spared of every case, and the names by which a field may admit them."""

    hides: frozenset[Fact]
    names: frozenset[str]


def eyes_of(rulebook: Rulebook, role: str) -> Eyes:
    """Those of one role. A role that the profile does not know sees nothing."""
    return _worked_out(rulebook, ("eyes of role", role), [role])


def eyes_of_units(rulebook: Rulebook) -> Eyes:
    """Those of a unit's own system: it sees what one of the unit's roles sees."""
    roles = [name for name, role in rulebook.profile.roles.items() if role.scope == "unit"]
    return _worked_out(rulebook, ("eyes of", "units"), roles)


def _worked_out(rulebook: Rulebook, name: tuple[str, str], roles: Sequence[str]) -> Eyes:
    known: Eyes | None = rulebook.worked_out.get(name)
    if known is None:
        known = rulebook.worked_out[name] = _together(rulebook, roles)
    return known


def _together(rulebook: Rulebook, roles: Iterable[str]) -> Eyes:
    hides, names = _EVERYTHING, frozenset[str]()
    for name in roles:
        role = rulebook.profile.roles.get(name)
        if role is not None:
            hides &= frozenset(role.hides)
            names |= names_of(rulebook, name)
    return Eyes(hides, names)


def state_as_seen(state: CaseState, eyes: Eyes) -> CaseState:
    """The case without what these eyes are spared."""
    if not eyes.hides:
        return state
    changes: dict[str, object] = {}
    if not eyes.hides.isdisjoint(("text", "place")):
        changes["suggestion"] = _suggested(state.suggestion, eyes)
    if "text" in eyes.hides:
        changes |= {"text": "", "said": ()}
    if "staff" in eyes.hides:
        changes["taken"] = {step: (often, "") for step, (often, _) in state.taken.items()}
    if "place" in eyes.hides:
        changes["location"] = _roughly(state.location)
        changes["said"] = (
            ()
            if "text" in eyes.hides
            else tuple(each.but({"location": _roughly(each.location), "taken": None}) for each in state.said)
        )
    if "draft" in eyes.hides:
        changes["draft"] = None
        changes["parts"] = {unit: part.but({"words": None}) for unit, part in state.parts.items()}
    return state.but(changes)


def events_as_seen(rulebook: Rulebook, events: Iterable[CaseEvent], eyes: Eyes) -> list[CaseEvent]:
    """The history without what these eyes are spared; events that would say nothing any more are left out."""
    return [seen for event in events if (seen := event_as_seen(rulebook, event, eyes)) is not None]


def event_as_seen(rulebook: Rulebook, event: CaseEvent, eyes: Eyes) -> CaseEvent | None:
    """None where nothing of it may be seen."""
    data = _data_as_seen(rulebook, event.data, eyes)
    if data is None:
        return None
    changes: dict[str, object] = {} if data is event.data else {"data": data}
    if "staff" in eyes.hides and event.actorrole not in BUILT_IN_ROLES:
        changes["actorid"] = ""
    return event.but(changes) if changes else event


def _data_as_seen(rulebook: Rulebook, data: EventData, eyes: Eyes) -> EventData | None:
    match data:
        case MessageAdded():
            return _message(data, eyes)
        case Classified() if not eyes.hides.isdisjoint(("text", "place")):
            return data.but({"suggestion": _suggested(data.suggestion, eyes)})
        case Located() if "place" in eyes.hides:
            return None
        case Noted() if "notes" in eyes.hides:
            return None
        case Drafted() | Contributed() if "draft" in eyes.hides:
            return None
        case Transitioned():
            return _step(rulebook, data, eyes)
        case _:
            return data


def _message(data: MessageAdded, eyes: Eyes) -> MessageAdded:
    changes: dict[str, object] = {}
    if "text" in eyes.hides:
        changes |= {"text": "", "sealed_text": None}
    if "place" in eyes.hides:
        changes |= {"location": _roughly(data.location), "taken": None}
    if "files" in eyes.hides:
        changes["attachments"] = ()
    return data.but(changes) if changes else data


def _step(rulebook: Rulebook, step: Transitioned, eyes: Eyes) -> Transitioned:
    changes: dict[str, object] = {}
    if len(kept := _fields(rulebook, step, eyes)) < len(step.fields):
        changes["fields"] = kept
    if step.repeats is not None and "staff" in eyes.hides:
        changes["repeats"] = None
    return step.but(changes) if changes else step


def _fields(rulebook: Rulebook, step: Transitioned, eyes: Eyes) -> Mapping[str, Words | str | int]:
    known = rulebook.profile.transitions.get(step.transition)
    if known is None:
        return step.fields
    return {
        name: value
        for name, value in step.fields.items()
        if not (name in (known.draft, known.part) and "draft" in eyes.hides)
        and ((rule := known.fields.get(name)) is None or _admits(rule.seen_by, eyes))
    }


def _admits(seen_by: tuple[str, ...] | None, eyes: Eyes) -> bool:
    return seen_by is None or not eyes.names.isdisjoint(seen_by)


def _suggested(suggestion: Suggestion | None, eyes: Eyes) -> Suggestion | None:
    """Reasons quote the reporter, and say where."""
    if suggestion is None:
        return None
    units = tuple(unit.but({"reasons": ()}) for unit in suggestion.units)
    place = suggestion.place and suggestion.place.roughly() if "place" in eyes.hides else suggestion.place
    return suggestion.but({"units": units, "place": place})


def _roughly(location: Location | None) -> Location | None:
    """District and village only."""
    if location is None or not (location.district or location.village):
        return None
    return Location(district=location.district, village=location.village)
