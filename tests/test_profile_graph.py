"""The workflow as a graph and as a drawing."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from laporhub import profiles
from laporhub.pipeline.profile import watch
from laporhub.pipeline.profile.by_itself import own_steps
from laporhub.pipeline.profile.graph import can_end, mermaid, reachable, running, unstoppable
from laporhub.pipeline.profile.load import load
from laporhub.pipeline.profile.schema_intake import Intake
from laporhub.pipeline.profile.schema_workflow import State

SAMPLE = load(Path(__file__).parent / "data" / "minimal-profile")
LINE = re.compile(
    r'stateDiagram-v2|    (state "[^":;#]+" as \w+|\[\*\] --> \w+|\w+ --> \[\*\]|\w+ --> \w+ : [^":;#]+'
    r"|note right of \w+|    [^:;#]+|end note)"
)


def test_a_case_can_come_to_every_state_and_end_from_each() -> None:
    everywhere = set(SAMPLE.profile.states)
    assert reachable(SAMPLE.profile, "new") == everywhere == can_end(SAMPLE.profile)


def test_a_clock_runs_from_its_start_to_its_stop() -> None:
    profile = SAMPLE.profile
    assert running(profile, profile.clocks["first_response"]) == {"new", "waiting"}
    assert running(profile, profile.clocks["handling"]) == {"working"}
    assert running(profile, profile.clocks["silence"]) == {"answered"}
    assert not any(unstoppable(profile, rule) for rule in profile.clocks.values())


def test_the_drawing_says_who_takes_which_step() -> None:
    drawn = mermaid(SAMPLE, "id")
    assert 'state "Menunggu pelapor" as waiting' in drawn
    assert "[*] --> new" in drawn and "done --> [*]" in drawn
    assert "new --> waiting : Minta kelengkapan (sistem, kantor)" in drawn
    assert "answered --> done : Selesaikan (sistem, kantor, pelapor)" in drawn


def test_the_drawing_has_the_clocks_as_notes() -> None:
    drawn = mermaid(SAMPLE, "id")
    note = drawn[drawn.index("note right of working") :].split("end note")[0]
    for words in ("Penanganan ≤ 6 hari kerja", "4 hari kerja", "Dijawab", "Kepala (+ 2 hari kerja)"):
        assert words in note


def test_the_drawing_speaks_the_language_asked_for() -> None:
    drawn = mermaid(load("laporgub-jateng"), "en")
    assert 'state "Waiting"' in drawn and "6 working days" in drawn and "(reporter)" in drawn


@pytest.mark.parametrize("name", profiles.shipped())
def test_every_line_is_mermaid(name: str) -> None:
    for language in ("id", "en"):
        for line in mermaid(load(name), language).splitlines():
            assert LINE.fullmatch(line), line


def test_names_and_words_that_mean_something_to_mermaid_are_made_harmless() -> None:
    only = {"end": State(title='Di"kerja": #1; <b>', final=True)}
    changed = {"states": only, "transitions": {}, "clocks": {}, "intake": Intake(initial="end")}
    drawn = mermaid(replace(SAMPLE, profile=SAMPLE.profile.model_copy(update=changed)), "id")
    assert 'state "Di kerja 1 b" as end_' in drawn
    assert all(LINE.fullmatch(line) for line in drawn.splitlines())


def test_where_a_last_return_or_a_main_case_leads_somebody_watches() -> None:
    """What the hub does by itself is walked, too: no clock may have stopped where a case then stands."""
    profile = load("laporgub-jateng").profile
    assert list(watch.problems(profile)) == []
    walked = {place.state for place in watch.ways(profile, "web")}
    assert {"disputed", "merged", "handed_over"} <= walked
    again = profile.clocks["disposition"]
    stopped = again.model_copy(update={"stop": (*again.stop, "dispute")})
    left = profile.model_copy(update={"clocks": {**profile.clocks, "disposition": stopped}})
    (found,) = watch.problems(left)
    assert found.path == ("states", "disputed") and "return, dispute" in found.message


@pytest.mark.parametrize("name", profiles.shipped())
def test_every_step_of_the_hub_alone_is_one_that_it_takes(name: str) -> None:
    profile = load(name).profile
    alone = {step for step, rule in profile.transitions.items() if set(rule.roles) == {"system"}}
    assert alone <= {own.step for own in own_steps(profile)}
