"""Made-up cases and their events, as states and events of the core: many kinds, and the same in every run."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from laporhub.pipeline.case_state import CaseState, Clock, Reply
from laporhub.pipeline.classifier import Place, Suggestion, UnitGuess
from laporhub.pipeline.events import (
    CaseEvent,
    Classified,
    ClockAlarmed,
    ClockStopped,
    Opened,
    Rated,
    ReplyUpdated,
    Transitioned,
    cloud_type,
)
from laporhub.pipeline.messages import Location
from laporhub.pipeline.profile.rulebook import Rulebook

TOPICS = ("jalan", "air", "sampah", "layanan", "pajak")


class MadeUp:
    """Cases of one profile around `now`. Chance is seeded."""

    def __init__(self, rulebook: Rulebook, now: datetime, seed: int = 7) -> None:
        self.rulebook, self.now, self.chance = rulebook, now, random.Random(seed)
        self.units = list(rulebook.units)[:9]
        self.channels = list(rulebook.profile.channels)
        self.clocks = list(rulebook.profile.clocks)

    def maybe(self, share: float) -> bool:
        return self.chance.random() < share

    def case(self, number: int) -> CaseState:
        """One state; times keep a distance from whole hours, so that no boundary is a matter of milliseconds."""
        pick, profile = self.chance.choice, self.rulebook.profile
        opened = self.now - timedelta(hours=self.chance.randrange(1, 24 * 100), minutes=23)
        status = pick(list(profile.states))
        channel = pick(self.channels)
        closed = opened + timedelta(hours=self.chance.randrange(1, 400), minutes=7)
        ended = profile.states[status].final and closed < self.now
        unit = pick(self.units) if self.maybe(0.7) else None
        return CaseState(
            id=f"c_{number:05d}",
            profile=self.rulebook.name,
            profile_version="2024-03-28",
            ticket=f"LG-{number:05d}",
            seq=self.chance.randrange(1, 60),
            status=status,
            channel=channel,
            account=profile.channels[channel].account,
            conversation=f"v_{number}",
            reporter=f"p_{number % 40}",
            private=self.maybe(0.1),
            opened_at=opened,
            updated_at=opened,
            closed_at=closed if ended else None,
            text="aduan karangan",
            location=self.location(),
            suggestion=self.suggestion() if self.maybe(0.9) else None,
            missing=tuple(self.chance.sample(list(profile.requirements), self.chance.randrange(3))),
            unit=unit,
            automatic=("given", "kept", "returned")[number // 5 % 3] if unit and number % 5 == 0 else None,
            clocks={name: self.clock(opened) for name in self.clocks if self.maybe(0.6)},
            replies={"r_1": Reply(purpose="response", status="failed")} if self.maybe(0.2) else {},
            rating=self.chance.randrange(1, 6) if self.maybe(0.4) else None,
            messages=self.chance.randrange(1, 4),
            waiting=self.maybe(0.3),
        )

    def location(self) -> Location | None:
        if self.maybe(0.3):
            return None
        return Location(
            lat=-7 - self.chance.random(),
            lon=109 + 2 * self.chance.random(),
            district=f"Kecamatan Contoh {self.chance.randrange(20)}",
        )

    def suggestion(self) -> Suggestion:
        named = self.chance.sample(self.units, 4)
        return Suggestion(
            units=tuple(
                UnitGuess(unit=unit, probability=p)
                for unit, p in zip(named, (0.5, 0.25, 0.125, 0.125), strict=True)
            ),
            sure=self.maybe(0.5),
            topic=self.chance.choice(TOPICS),
            urgency=self.chance.choice(("normal", "high", "critical")),
            place=Place(name="Contoh", region=self.chance.choice(("33.01", "33.02", "33.74"))),
            flags=("spam",) if self.maybe(0.1) else (),
        )

    def clock(self, opened: datetime) -> Clock:
        due = self.now + timedelta(hours=self.chance.randrange(-60, 500), minutes=11)
        status = self.chance.choice(("running", "paused", "stopped"))
        return Clock(status=status, started_at=opened, due_at=due, late=self.maybe(0.25))

    # ── events ────────────────────────────────────────────────────────────────────────────────────

    def events(self, state: CaseState) -> Iterator[CaseEvent]:
        """A history that need not be possible; it is only counted."""
        for sequence, data in enumerate(self.happenings(state), 1):
            at = state.opened_at + timedelta(hours=5 * sequence, minutes=13)
            if at < self.now:
                yield self.event(state, sequence, at, data)

    def happenings(self, state: CaseState) -> Iterator[Any]:
        yield Opened(
            ticket=state.ticket, channel=state.channel, account=state.account, conversation="v", reporter="p",
            status="received", profile_version="2024-03-28",
        )  # fmt: skip
        if state.suggestion:
            yield Classified(suggestion=state.suggestion)
            yield Classified(suggestion=state.suggestion)
        for name in self.chance.sample(list(self.rulebook.profile.transitions), 3):
            step = self.rulebook.profile.transitions[name]
            yield Transitioned(transition=name, source=step.source[0], target=step.target)
        for name, clock in state.clocks.items():
            yield ClockStopped(clock=name, late=clock.late)
            if self.maybe(0.5):
                yield ClockAlarmed(clock=name, alarm="0", late=clock.late, escalate_to="pimpinan")
        if self.maybe(0.3):
            yield ReplyUpdated(reply_id="r_1", status=self.chance.choice(("sent", "failed")))
        if state.rating:
            yield Rated(rating=state.rating)

    def event(self, state: CaseState, sequence: int, at: datetime, data: Any) -> CaseEvent:
        return CaseEvent(
            id=f"{state.id}.{sequence:06d}", source="test", type=cloud_type(data), subject=state.id, time=at,
            dataschema="test", sequence=sequence, profile=state.profile, channel=state.channel, unit=state.unit,
            cause="test", actorid="system", actorrole="system", data=data,
        )  # fmt: skip
