"""What the service standard asks of a complaint, and what this one lacks. Pure."""

from __future__ import annotations

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.classifier import Suggestion
from laporhub.pipeline.profile.schema import Profile
from laporhub.pipeline.profile.schema_intake import Requirement
from laporhub.pipeline.text import names_a_place

_SURE_PLACE = 0.35
"""Below this confidence a name in the text may just as well be no place."""


def unmet(profile: Profile, state: CaseState, suggestion: Suggestion) -> dict[str, tuple[str, ...]]:
    """Level ("ask", "advise", "review") → ids of the requirements not met, in the profile's order."""
    gaps: dict[str, list[str]] = {"ask": [], "advise": [], "review": []}
    for name, requirement in profile.requirements.items():
        applies = requirement.channels is None or state.channel in requirement.channels
        if applies and not _is_met(requirement, state, suggestion):
            gaps[requirement.level].append(name)
    return {level: tuple(names) for level, names in gaps.items()}


def _is_met(requirement: Requirement, state: CaseState, suggestion: Suggestion) -> bool:
    match requirement.check:
        case "identity":
            return state.anonymous or requirement.field in state.known
        case "place":
            place = suggestion.place
            return (
                state.location is not None
                or (place is not None and place.confidence >= _SURE_PLACE)
                or names_a_place(state.text)
            )
        case "words":
            return len(state.text.split()) >= (requirement.at_least or 1)
        case "evidence":
            return state.attachments > 0
        case "flag":
            return requirement.field not in suggestion.flags
