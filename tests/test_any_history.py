"""Whatever people, platforms and time do to cases, under each of the profiles that come along: nothing breaks.

A machine of random steps, the same ones in every run: a part of them each time, 10,000 under each profile with
`LAPORHUB_FAULT_TESTS=1`. What must be true after each step is in `any_history`.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import ClassVar

import pytest
from any_clocks import with_days_off
from any_history import World
from any_people import CONFIDED, SUBSCRIBERS, TEXTS, WRITTEN, any_actor, filled, says, spoiled, traces
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture.providers import HypothesisProvider
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from laporhub import profiles
from laporhub.pipeline import clocks
from laporhub.pipeline.commands import Actor, Confide, Convey, Delivery, Note, Recount, Words
from laporhub.pipeline.intake import withdrawal
from laporhub.pipeline.profile.load import load
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.workflow import allowed

FULL = os.environ.get("LAPORHUB_FAULT_TESTS") == "1"
STEPS = 10_000 if FULL else 1500
"""Under each profile."""
A_LIFE = 50
A_FEW = 3
BEGINNINGS = (
    datetime(2023, 6, 5, 2, 0, tzinfo=UTC),
    datetime(2024, 3, 4, 13, 30, tzinfo=UTC),
    datetime(2026, 11, 23, 2, 0, tzinfo=UTC),
)
"""Under each version of the rules, within and outside of service."""
LEAPS = (0, 1, 5, 29, 61, 479, 720, 1440, 2 * 1440, 7 * 1440, 11 * 1440, 31 * 1440)
CHANCE = st.integers(0, 2**32 - 1).map(Random)


class AnyHistory(RuleBasedStateMachine):
    """One government for a while."""

    book: ClassVar[Rulebook]
    counted: ClassVar[Counter[str]]
    been: ClassVar[set[str]]

    @initialize(at=st.sampled_from(BEGINNINGS), chance=CHANCE)
    def begins(self, at: datetime, chance: Random) -> None:
        self.world = World(self.book, at)
        self.channels = list(self.book.profile.channels)
        self.opens(chance)

    # ── reporters ──

    @precondition(lambda self: len(self.world.cases) < A_FEW)
    @rule(chance=CHANCE)
    def opens(self, chance: Random) -> None:
        world = self.world
        channel = chance.choice(self.channels)
        thread = chance.choice((None, f"utas-{len(world.cases)}"))
        inbound = says(world.book, channel, world.number(), chance)
        world.hears(channel, inbound.but({"thread": inbound.thread or thread}))

    @rule(chance=CHANCE)
    def says_more(self, chance: Random) -> None:
        world = self.world
        number = world.number()
        if not world.heard:
            return
        channel, case, earlier = chance.choice(list(world.heard.values()))
        same = {"author_id": earlier.author_id, "phone": earlier.phone, "thread": earlier.thread}
        by_page = {"case_id": case} if chance.random() < 0.4 else {}
        world.hears(channel, says(world.book, channel, number, chance, **same, **by_page))

    @rule(chance=CHANCE)
    def rewrites(self, chance: Random) -> None:
        world = self.world
        number = world.number()
        if not world.heard:
            return
        name, (channel, _, earlier) = chance.choice(list(world.heard.items()))
        written = world.now - chance.choice((0, 3, 3000)) * timedelta(minutes=1)
        more = {"external_id": f"in-{number}", "replaces": name, "text": chance.choice(TEXTS)}
        world.hears(channel, earlier.but({**more, "sent_at": written}))

    @rule(chance=CHANCE)
    def takes_back(self, chance: Random) -> None:
        world = self.world
        world.number()
        state = world.pick(chance)
        message = chance.choice([name for each in state.said for name in each.ids] + ["m_unknown"])
        world.does(withdrawal(message, state, world.now))

    # ── staff ──

    @rule(chance=CHANCE)
    def takes_a_step(self, chance: Random) -> None:
        """One that its taker may take."""
        world = self.world
        world.number()
        state = world.pick(chance)
        for _ in range(12):
            actor = any_actor(world.book, state, chance)
            if possible := allowed(world.book, state, actor):
                name, _step = chance.choice(possible)
                self._acts(state.id, actor, name, chance)
                return

    takes_another_step = rule(chance=CHANCE)(lambda self, chance: self.takes_a_step(chance))
    takes_one_more_step = rule(chance=CHANCE)(lambda self, chance: self.takes_a_step(chance))

    @rule(chance=CHANCE)
    def tries_a_step(self, chance: Random) -> None:
        """Any step by anybody, with mistakes in the form."""
        world = self.world
        world.number()
        state = world.pick(chance)
        name = chance.choice([*world.book.of(state).profile.transitions, "no_such_step"])
        self._acts(state.id, any_actor(world.book, state, chance), name, chance, mistakes=True)

    def _acts(self, case: str, actor: Actor, name: str, chance: Random, *, mistakes: bool = False) -> None:
        world = self.world
        state, other = world.cases[case], world.pick(chance)
        rules = world.book.of(state)
        step = rules.profile.transitions.get(name)
        form = filled(rules, state, step, chance, other.ticket) if step else {}
        if mistakes and chance.random() < 0.5:
            form = spoiled(form, chance)
        seen = chance.choice((None, state.seq, state.seq - 1)) if mistakes else state.seq
        merges = step is not None and step.merge is not None
        world.acts(state, actor, name, form, other.id if merges else None, seen)

    @rule(chance=CHANCE)
    def notes(self, chance: Random) -> None:
        world = self.world
        number, state = world.number(), world.pick(chance)
        about = {"profile": state.profile, "case_id": state.id, "at": world.now}
        actor = any_actor(world.book, state, chance)
        if chance.random() < 0.5:
            world.does(
                Note(
                    id=f"note-{number}",
                    words=world.words(state, chance.choice(WRITTEN)),
                    actor=actor,
                    **about,
                )
            )
            return
        sealed = world.door.seals.seal(state.reporter, CONFIDED, world.now)
        link = Words(text=f"/t/{state.ticket}", sealed=sealed)
        world.does(Confide(id=f"said-{number}", reference=sealed, link=link, actor=actor, **about))

    # ── platforms ──

    @rule(chance=CHANCE, status=st.sampled_from(("queued", "sent", "sent", "delivered", "read", "failed")))
    def is_delivered(self, chance: Random, status: str) -> None:
        world = self.world
        number, state = world.number(), world.pick(chance)
        reply = chance.choice(
            [*state.replies, *list(state.replies)[-2:], *list(state.replies)[-2:], "r_unknown"]
        )
        about = {"profile": state.profile, "case_id": state.id, "at": world.now, "reply_id": reply}
        if chance.random() < 0.1:
            actor = any_actor(world.book, state, chance)
            world.does(Convey(id=f"told-{number}", actor=actor, **about))
            return
        reason = "window_closed" if status == "failed" else None
        world.does(Delivery(id=f"delivery-{number}", status=status, reason=reason, **about))  # type: ignore[arg-type]

    # ── time ──

    @rule(minutes=st.sampled_from(LEAPS), rings=st.booleans())
    def passes(self, minutes: int, rings: bool) -> None:
        """Time, with the hub at work or away."""
        self.world.number()
        self.world.now += timedelta(minutes=minutes)
        if rings:
            self.world.ring_all()

    @rule(chance=CHANCE)
    def ticks(self, chance: Random) -> None:
        """In time, too early, once more, long ago; each twice."""
        world = self.world
        world.number()
        tick = clocks.tick(world.pick(chance), world.now)
        if tick is not None:
            world.ticks.append(tick)
        for each in chance.sample(world.ticks, min(3, len(world.ticks))):
            for at in (max(each.at, world.now), world.now):
                world.does(each.but({"at": at}))

    @rule(chance=CHANCE)
    def rings_the_next(self, chance: Random) -> None:
        """The next alarm of one case, at its time."""
        world = self.world
        world.number()
        tick = clocks.tick(world.pick(chance), world.now)
        if tick is not None:
            world.now = max(world.now, tick.due_at)
            world.ring_all()

    @precondition(lambda self: self.world.counts["steps"] % 2)
    @rule(chance=CHANCE)
    def the_calendar_changes(self, chance: Random) -> None:
        """Days are decreed off, or are worked after all."""
        world = self.world
        number = world.number()
        first = world.now.date() + timedelta(days=chance.randrange(12))
        days: list[date] = [first + timedelta(days=n) for n in range(chance.choice((0, 1, 2, 9)))]
        world.book = with_days_off(world.first_book, days) if days else world.first_book
        for state in list(world.cases.values()):
            command = clocks.recount_command(state, world.book.of(state).calendar, world.now)
            if command is not None and chance.random() < 0.8:
                world.does(command)
                world.does(
                    Recount(id=f"again-{number}", profile=state.profile, case_id=state.id, at=world.now)
                )

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.check_all()
            self.counted.update(self.world.counts)
            self.been.update(self.world.been)


@pytest.mark.parametrize("profile", profiles.shipped())
def test_nothing_breaks_whatever_happens(profile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Else numbers in whatever modules are loaded would be tried, and the histories be others each time.
    monkeypatch.setattr(HypothesisProvider, "_maybe_draw_constant", lambda *_, **__: None)
    book, counted, been = load(profile), Counter[str](), set[str]()
    machine = type("AnyHistory", (AnyHistory,), {"book": book, "counted": counted, "been": been})
    # the same in every run; a history that fails is made as short as it can be
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=STEPS * 3 // (2 * A_LIFE),  # some lives are short
            stateful_step_count=A_LIFE,
            derandomize=True,
            phases=(Phase.generate,),  # to make a broken history shorter takes minutes
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    states = {name for each in book.every_edition for name in each.profile.states}
    print(f"{profile}: {dict(counted)}, never {sorted(states - been) or 'missed a state'}")
    assert counted["steps"] >= STEPS
    assert been == states or not FULL, "cases were everywhere"


def test_the_search_would_find_somebody() -> None:
    """What is searched for is in what people send."""
    assert traces(f"{TEXTS[1]} 08110001{SUBSCRIBERS[2][1:]}".encode())
