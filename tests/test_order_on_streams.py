"""Whoever is killed, stands still or takes over: readers see every case's events in order, and none is missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs
from support import seeded, unit_admin, whatsapp
from test_stages import OTHER, PREFIX, PROFILE, UNIT, Office, to

from laporhub.hub.ground import lay_ground
from laporhub.hub.settings import Settings
from laporhub.pipeline import ids
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.distributed import cases as cases_module
from laporhub.pipeline.distributed.records import Given, Taken
from laporhub.pipeline.events import CaseEvent
from laporhub.pipeline.evolve import evolve
from laporhub.pipeline.fanout import forwarded, work
from laporhub.pipeline.streams import read_event, write_event
from laporhub.pipeline.topics import COMMANDS, EVENTS, MESSAGES, OUTBOX, queue_topic, unit_topic

QUEUE = queue_topic(PROFILE, "whatsapp", PREFIX)
UNITS = [unit_topic(PROFILE, unit, PREFIX) for unit in (UNIT, OTHER)]
FATES = ("well", "killed before", "killed half-way", "killed after", "stands still", "wakes up")


@pytest.fixture(scope="module")
def first_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = lay_ground(Settings(data=tmp_path_factory.mktemp("order"), profile=PROFILE), seeded())
    with capture_logs():
        yield Office(made)
    made.database.dispose()


@dataclass
class Citizen:
    """Somebody's case by WhatsApp, and the steps that are taken in it."""

    office: Office
    number: int

    def __post_init__(self) -> None:
        first = self.office.message(whatsapp(self.number, "tolong pak", self._sid(0)), "whatsapp")
        self.case = CaseState.model_construct(
            id=ids.case_id(first.id), conversation=first.conversation, reporter=first.reporter
        )

    def messages(self) -> list[Taken]:
        words = ["tolong pak", None, "Lampu jalannya juga mati", "Masih belum diperbaiki"]
        return [
            self.office.said(
                whatsapp(self.number, *([text] if text else []), sid=self._sid(n)),  # type: ignore[arg-type]
                "whatsapp",
            )
            for n, text in enumerate(words)
        ]

    def commands(self) -> list[Taken]:
        office, case = self.office, self.case
        book = office.ground.rulebooks[PROFILE]
        reason = office.ground.door.words(book, case.reporter, "Bukan wewenang kami.", office.clock())
        return [
            office.act(case, unit=UNIT, name=f"d_1_{self.number}"),
            office.act(case, "return", unit_admin(UNIT), name=f"d_2_{self.number}", reason=reason),
            office.act(case, unit=OTHER, name=f"d_3_{self.number}"),
            office.act(case, "respond", unit_admin(OTHER), name=f"d_4_{self.number}", response=reason),
        ]

    def _sid(self, message: int) -> str:
        return f"SM{self.number}-{message}"


@dataclass
class World:
    """Two partitions of one conversation key, what is acknowledged of them, and what came of it all."""

    worker: Office
    partitions: dict[str, list[Taken]]
    done: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    stream: list[Given] = field(default_factory=list)
    asleep: list[tuple[Office, list[Given]]] = field(default_factory=list)

    def batch(self, share: int, messages_first: bool) -> dict[str, list[Taken]]:
        order = (MESSAGES, COMMANDS) if messages_first else (COMMANDS, MESSAGES)
        return {name: self.partitions[name][self.done[name] :][:share] for name in order}

    def turn(self, fate: str, share: int, messages_first: bool) -> None:
        if fate == "wakes up":
            if self.asleep:
                self.publish(*self.asleep.pop(0))
            return
        taken = self.batch(share, messages_first)
        told = self.worker.stage.process([record for some in taken.values() for record in some])
        match fate:
            case "killed half-way":
                self.stream += told[: len(told) // 2]
            case "stands still":
                self.asleep.append((self.worker, told))
            case "well" | "killed after":
                self.publish(self.worker, told)
        if fate == "well":
            for name, some in taken.items():
                self.done[name] += len(some)
        else:
            self.worker = Office(self.worker.ground)

    def publish(self, worker: Office, told: list[Given]) -> None:
        while told:
            self.stream += told
            told = worker.stage.published(told)

    def run_out(self) -> None:
        while any(self.batch(2, True).values()):
            self.turn("well", 2, True)
        while self.asleep:
            self.turn("wakes up", 0, True)


def at_first_sight(values: Sequence[bytes | None]) -> list[bytes | None]:
    return list(dict.fromkeys(values))


def assert_in_order(world: World, history: list[CaseEvent], book: object) -> None:
    case = history[0].case_id.encode()

    def seen(topic: str) -> list[bytes | None]:
        return [each.value for each in world.stream if (each.topic, each.key) == (topic, case)]

    assert at_first_sight(seen(PREFIX + EVENTS)) == [write_event(event) for event in history]
    by_unit: dict[str, list[bytes | None]] = {topic: [] for topic in UNITS}
    for topic, _, value in forwarded(history, None, book, PREFIX):  # type: ignore[arg-type]
        by_unit[topic].append(value)
    assert {topic: at_first_sight(seen(topic)) for topic in UNITS} == by_unit
    state = reduce(evolve, history, None)  # type: ignore[arg-type]
    wanted = work(state, book, PREFIX)[0].value  # type: ignore[arg-type]
    assert seen(QUEUE)[-1] == wanted, "the queue has the newest"


NUMBERS = iter(range(1, 100_000))


@given(
    st.lists(st.tuples(st.sampled_from(FATES), st.integers(1, 4), st.booleans()), max_size=8),
    st.integers(1, 2),
)
@settings(max_examples=120, suppress_health_check=[HealthCheck.too_slow])
def test_events_come_in_order_whoever_falls_when(
    first_office: Office, turns: list[tuple[str, int, bool]], people: int
) -> None:
    citizens = [Citizen(first_office, next(NUMBERS)) for _ in range(people)]
    both = zip(*(citizen.messages() for citizen in citizens), strict=True)
    messages = [record for some in both for record in some]
    commands = [record for citizen in citizens for record in citizen.commands()]
    world = World(Office(first_office.ground), {MESSAGES: messages, COMMANDS: commands})
    for turn in turns:
        world.turn(*turn)
    world.run_out()
    for citizen in citizens:
        history = first_office.history(citizen.case.id)
        assert len(history) > 10
        assert_in_order(world, history, first_office.ground.rulebooks[PROFILE])
    wakes = {each.value for each in to(world.stream, OUTBOX)}
    queued = [
        event
        for citizen in citizens
        for event in first_office.history(citizen.case.id)
        if event.data.kind == "reply_queued"
    ]
    assert len(wakes) == len(queued) > 0


def test_what_was_published_is_not_published_again(first_office: Office) -> None:
    """By the same worker; another does it once more with the latest step, not with all."""
    citizen = Citizen(first_office, next(NUMBERS))
    one, two, three, _ = citizen.messages()
    worker = Office(first_office.ground)
    for record in (one, two):
        told = worker.stage.process([record])
        assert to(told, EVENTS) and worker.stage.published(told) == []
    assert worker.stage.process([one, two]) == []
    through = first_office.case(citizen.case.id).seq
    told = worker.stage.process([three])
    assert min(read_event(each.value).sequence for each in to(told, EVENTS)) == through + 1
    another = Office(first_office.ground)
    told = another.stage.process([three])
    assert min(read_event(each.value).sequence for each in to(told, EVENTS)) == through + 1


def test_a_worker_forgets_whom_it_published_longest_ago(
    first_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cases_module, "_REMEMBERED", 1)
    citizens = [Citizen(first_office, next(NUMBERS)) for _ in range(2)]
    worker = Office(first_office.ground)
    for citizen in citizens:
        worker.stage.published(worker.stage.process(citizen.messages()[:1]))
    told = worker.stage.process(citizens[0].messages()[:1])
    assert to(told, EVENTS)
    worker.stage.published(told)
    assert worker.stage.process(citizens[0].messages()[:1]) == []
