"""Whether a change of a profile would leave running cases without rules. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from laporhub.pipeline.profile.graph import running
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema import Profile

Running = Mapping[tuple[str, str], int]
"""(version, state) → how many cases that have not ended are there."""


def stranded(book: Rulebook, before: Mapping[str, Profile], cases: Running) -> list[str]:
    """Why these cases could not go on, one reason a line, each with what to do; empty if they can.

    `before` are the rules that they ran under until now, by version, as far as they are known.
    """
    there = {edition.profile.version.isoformat(): edition.profile for edition in book.every_edition}
    found: list[str] = []
    for version in sorted({version for version, _ in cases}):
        at = {state: number for (of, state), number in cases.items() if of == version}
        rules = there.get(version)
        if rules is None:
            found.append(
                f"{_cases(sum(at.values()))} began under the version of {version}, which is gone. "
                "Put its rules back, and what is new under “versions”."
            )
            continue
        found += _lost_states(rules, version, at)
        if version in before:
            found += _lost_clocks(rules, before[version], version, at)
    return [f"{book.name}: {reason}" for reason in found]


def _lost_states(rules: Profile, version: str, at: Mapping[str, int]) -> Iterator[str]:
    for state, number in sorted(at.items()):
        if state not in rules.states:
            yield (
                f"{_cases(number)} of {version} stand in “{state}”, which is no state any more. "
                "Put it back, or take it away in a new version."
            )


def _lost_clocks(rules: Profile, before: Profile, version: str, at: Mapping[str, int]) -> Iterator[str]:
    for name in before.clocks.keys() - rules.clocks.keys():
        number = sum(at.get(state, 0) for state in running(before, before.clocks[name]))
        if number:
            yield (
                f"{_cases(number)} of {version} are where the clock “{name}” runs, which is no more. "
                "Put it back, or take it away in a new version."
            )


def _cases(number: int) -> str:
    return "1 running case" if number == 1 else f"{number} running cases"
