"""The steps that the hub takes by itself: where a profile says so, and which. Pure.

The one place that knows: checks, walks and drawings ask here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from laporhub.pipeline.profile.schema import Profile
from laporhub.pipeline.profile.source import Trail

Cause: TypeAlias = Literal["intake", "clock", "last_time", "duplicate", "delivery", "routing"]


@dataclass(frozen=True, slots=True)
class OwnStep:
    """`step` is taken because of `cause`, as said `at` a place in the profile. `of` names what has it taken: the clock,
    the step that was possible for the last time. `given` is the field that the hub can fill in.
    """

    step: str
    cause: Cause
    at: Trail
    of: str = ""
    given: str | None = None


def own_steps(profile: Profile) -> Iterator[OwnStep]:
    """All of them, as often as they are named."""
    for key, step in (("incomplete", profile.intake.incomplete), ("complete", profile.intake.complete)):
        if step:
            yield OwnStep(step, "intake", ("intake", key))
    for name, rule in profile.clocks.items():
        for key, step in (("then", rule.then), ("at_warning", rule.at_warning)):
            if step:
                yield OwnStep(step, "clock", ("clocks", name, key), name)
    for name, taken in profile.transitions.items():
        if taken.at_last:
            yield OwnStep(taken.at_last, "last_time", ("transitions", name, "at_last"), name)
    for key, steps in (("ended", profile.duplicates.ended), ("again", profile.duplicates.again)):
        for cause, step in steps.items():
            yield OwnStep(step, "duplicate", ("duplicates", key, cause))
    for key, steps in (
        ("on_sent", profile.publication.on_sent),
        ("on_failed", profile.publication.on_failed),
    ):
        for purpose, step in steps.items():
            yield OwnStep(step, "delivery", ("publication", key, purpose))
    if profile.routing.automatic is not None:
        step = profile.routing.transition
        yield OwnStep(step, "routing", ("routing", "automatic"), given=profile.transitions[step].assign)
