"""The stages of a worker without Kafka: what one batch leads to, what is refused, and what is given up."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from random import Random
from threading import Barrier, Event
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError, MessageSizeTooLargeError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from brokers import Silent
from faust.types import TP
from hypothesis import given, settings
from hypothesis import strategies as st
from province import new_name
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs
from support import ADMIN, MONDAY, Clock, Stub, form, seeded, unit_admin, whatsapp

from laporhub.hub.ground import Ground, lay_ground
from laporhub.hub.settings import Settings
from laporhub.pipeline import ids
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.classifier import Classifier
from laporhub.pipeline.commands import Act, Actor
from laporhub.pipeline.distributed import graves as graves_module
from laporhub.pipeline.distributed import producer as producer_module
from laporhub.pipeline.distributed import progress as progress_module
from laporhub.pipeline.distributed.app import Stage, _measure, _publish
from laporhub.pipeline.distributed.cases import CaseStage, Told
from laporhub.pipeline.distributed.clockwork import Clockwork
from laporhub.pipeline.distributed.engine import DistributedEngine
from laporhub.pipeline.distributed.graves import Graves, dug_up
from laporhub.pipeline.distributed.producer import Producer
from laporhub.pipeline.distributed.progress import Progress, Watchdog
from laporhub.pipeline.distributed.rebuild import histories
from laporhub.pipeline.distributed.records import ASKED, ASKED_BY, AWAITED, Given, Headers, Taken
from laporhub.pipeline.distributed.search import SinkStage
from laporhub.pipeline.distributed.units import UnitIntake
from laporhub.pipeline.errors import Conflict, Misconfigured, RetryLater, WriteConflict
from laporhub.pipeline.events import CaseEvent
from laporhub.pipeline.messages import Inbound, Location, Message, Spot
from laporhub.pipeline.store import batch as batch_module
from laporhub.pipeline.store import cases, confidential, log
from laporhub.pipeline.store.batch import Batch
from laporhub.pipeline.store.confidential import SealedWords
from laporhub.pipeline.store.dead_letters import DeadLetter, waiting
from laporhub.pipeline.store.outcomes import load_outcomes
from laporhub.pipeline.store.shared import Stored, load_stored
from laporhub.pipeline.store.writes import Government
from laporhub.pipeline.streams import (
    DeadLetterRecord,
    read_command,
    read_event,
    read_unit_event,
    write_command,
    write_event,
    write_message,
)
from laporhub.pipeline.topics import (
    COMMANDS,
    DEADLETTER,
    EVENTS,
    LARGEST_RECORD,
    MESSAGES,
    OUTBOX,
    unit_commands_topic,
    unit_topic,
)
from laporhub.pipeline.unit_events import UnitRefused

PROFILE, PREFIX = "laporgub-jateng", "t."
UNIT, OTHER = "dinas-pupr", "dishub"
TOLD: Headers = ((AWAITED, b"1"),)
DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.servers)]


@dataclass
class Office:
    """One worker's stages on one database; several may share it."""

    ground: Ground
    clock: Clock = field(default_factory=Clock)
    classifier: Classifier = field(default_factory=Stub)
    offset: int = 0

    def __post_init__(self) -> None:
        ground, books = self.ground, self.ground.rulebooks
        governments = {name: Government(book, self.classifier) for name, book in books.items()}
        self.graves = Graves(ground.database, ground.ring, PREFIX, self.clock)
        self.stage = CaseStage(ground.database, governments, self.graves, PREFIX, self.clock)
        self.intake = UnitIntake(
            ground.database, books, ground.door, ground.ring, self.graves, PREFIX, self.clock
        )

    # ── records ──

    def taken(
        self, topic: str, value: bytes | None, key: bytes | None = b"v_1", headers: Headers = ()
    ) -> Taken:
        self.offset += 1
        return Taken(PREFIX + topic, 0, self.offset, key, value, headers)

    def message(self, inbound: Inbound, channel: str = "web", case: CaseState | None = None) -> Message:
        book = self.ground.rulebooks[PROFILE]
        return self.ground.door.admit(book, channel, inbound, self.clock(), case)

    def said(self, inbound: Inbound, channel: str = "web", headers: Headers = ()) -> Taken:
        message = self.message(inbound, channel)
        return self.taken(MESSAGES, write_message(message), message.conversation.encode(), headers)

    def act(
        self,
        case: CaseState,
        step: str = "dispose",
        actor: Actor = ADMIN,
        headers: Headers = (),
        *,
        name: str = "",
        **fields: Any,
    ) -> Taken:
        command = Act(
            id=name or ids.derive("d", case.id, step, actor.id, str(self.offset)),
            profile=PROFILE,
            case_id=case.id,
            at=self.clock(),
            actor=actor,
            transition=step,
            fields=fields,
        )
        return self.taken(COMMANDS, write_command(command), case.conversation.encode(), headers)

    def asked(self, unit: str, case: str, **more: Any) -> Taken:
        """What a unit's system sends."""
        given = {"id": "surat-1", "case_id": case, "transition": "respond", "fields": {"response": "Sudah."}}
        value = json.dumps(given | more).encode()
        topic = unit_commands_topic(PROFILE, unit, "")
        return self.taken(topic, value, b"x")

    def passed_on(self, given: Given) -> Taken:
        return self.taken(given.topic.removeprefix(PREFIX), given.value, given.key, given.headers)

    # ── what is there ──

    @property
    def cases(self) -> list[CaseState]:
        with self.ground.database.connect() as connection:
            return [state for some in cases.every_case(connection) for state in some]

    def opened(self, number: int = 1) -> CaseState:
        """A complete complaint by the web form, received."""
        self.stage.process([self.said(form(number))])
        return self.newest()

    def newest(self) -> CaseState:
        return max(self.cases, key=lambda each: each.updated_at)

    def case(self, name: str) -> CaseState:
        return next(each for each in self.cases if each.id == name)

    def history(self, case: str) -> list[CaseEvent]:
        with self.ground.database.connect() as connection:
            return log.case_events(connection, case, self.case(case).opened_at)

    @property
    def dead(self) -> list[DeadLetter]:
        with self.ground.database.connect() as connection:
            return waiting(connection)

    def refusal(self, name: str) -> str | None:
        with self.ground.database.connect() as connection:
            found = load_outcomes(connection, [name]).get(name)
        return found.refusal.code if found and found.refusal else None


@pytest.fixture(autouse=True, scope="module")
def quiet() -> Iterator[None]:
    """Drawing the tracebacks of errors that are meant takes longer than all else."""
    with capture_logs():
        yield


@pytest.fixture(params=DATABASES)
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    url = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    made = lay_ground(Settings(data=tmp_path, profile=PROFILE, database_url=url), seeded())
    yield made
    made.database.dispose()


@pytest.fixture
def office(ground: Ground) -> Office:
    return Office(ground)


@pytest.fixture
def small_office(tmp_path: Path) -> Iterator[Office]:
    """On SQLite, where the database makes no difference."""
    made = lay_ground(Settings(data=tmp_path, profile=PROFILE), seeded())
    yield Office(made)
    made.database.dispose()


def to(given: Sequence[Given], topic: str) -> list[Given]:
    return [each for each in given if each.topic == PREFIX + topic]


def streamed(given: Sequence[Given]) -> list[Given]:
    """All but the queues: those hold the newest, whatever led to it."""
    return [each for each in given if not each.topic.startswith(f"{PREFIX}queue.")]


def letter(given: Given) -> DeadLetterRecord:
    return DeadLetterRecord.model_validate_json(given.value or b"")


# ── what is poisonous ────────────────────────────────────────────────────────────────────────────


def newer(record: Taken) -> bytes:
    return json.dumps(json.loads(record.value or b"") | {"schema_version": 2}).encode()


POISON: dict[str, Callable[[Office], Taken]] = {
    "no JSON": lambda office: office.taken(MESSAGES, b"\x00\xff not json"),
    "JSON of something else": lambda office: office.taken(MESSAGES, b'{"halo": [1, 2]}'),
    "not an object": lambda office: office.taken(COMMANDS, b"[]"),
    "a tombstone": lambda office: office.taken(MESSAGES, None),
    "a tombstone without a key": lambda office: office.taken(COMMANDS, None, None),
    "a newer message": lambda office: office.taken(MESSAGES, newer(office.said(form(90)))),
    "a newer command": lambda office: office.taken(
        COMMANDS, newer(office.act(CaseState.model_construct(id="c_1", conversation="v_1")))
    ),
    "half a message": lambda office: office.taken(MESSAGES, (office.said(form(91)).value or b"")[:-20]),
    "a message of a profile that is not served": lambda office: office.taken(
        MESSAGES,
        json.dumps(json.loads(office.said(form(92)).value or b"") | {"profile": "kota-lain"}).encode(),
    ),
    "a message with a zero in its id": lambda office: office.taken(
        MESSAGES, json.dumps(json.loads(office.said(form(93)).value or b"") | {"id": "m\0x"}).encode()
    ),
}


@pytest.mark.parametrize("poison", POISON)
def test_poison_is_buried_and_the_others_go_on(office: Office, poison: str) -> None:
    record = POISON[poison](office)
    good = [office.said(form(number)) for number in range(6)]
    given = office.stage.process([*good[:3], record, *good[3:]])
    assert len(office.cases) >= 6
    events = [read_event(each.value) for each in to(given, EVENTS)]
    assert {event.case_id for event in events} == {state.id for state in office.cases}
    if poison == "a message with a zero in its id":
        return  # where the database can keep it, it is a message like others
    told = [letter(each) for each in to(given, DEADLETTER)]
    assert [(each.stage, each.stream, each.offset) for each in told] == [
        ("cases", record.topic, record.offset)
    ]
    assert [each.id for each in office.dead] == [told[0].id]
    sealed = office.dead[0].sealed
    assert told[0].sealed == sealed and sealed
    dug = dug_up(office.ground.ring.open(sealed) or "")
    assert dug == Given(record.topic, record.key, record.value)


@given(st.lists(st.one_of(st.none(), st.binary(max_size=80)), min_size=1, max_size=20))
@settings(max_examples=40)
def test_no_bytes_stop_the_stage(shared_office: Office, values: list[bytes | None]) -> None:
    given = shared_office.stage.process([shared_office.taken(MESSAGES, value) for value in values])
    assert [letter(each).stage for each in given] == ["cases"] * len(values)
    given = shared_office.intake.process(
        [shared_office.taken(unit_commands_topic(PROFILE, UNIT, ""), value) for value in values]
    )
    assert {each.topic for each in given} <= {PREFIX + DEADLETTER, unit_topic(PROFILE, UNIT, PREFIX)}
    assert sum(each.topic == PREFIX + DEADLETTER for each in given) == len(values)


@pytest.fixture(scope="module")
def shared_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = lay_ground(Settings(data=tmp_path_factory.mktemp("office"), profile=PROFILE), seeded())
    yield Office(made)
    made.database.dispose()


def test_an_unknown_version_says_so(small_office: Office) -> None:
    small_office.stage.process([POISON["a newer message"](small_office)])
    assert "schema version 2 is not known here" in small_office.dead[0].reason


def test_the_same_poison_twice_is_one_dead_letter(small_office: Office) -> None:
    for _ in range(2):
        small_office.stage.process([small_office.taken(MESSAGES, b"?")])
    assert len(small_office.dead) == 1


def test_a_dead_letter_says_nothing_of_what_is_in_it(small_office: Office) -> None:
    told = small_office.stage.process(
        [small_office.taken(MESSAGES, b'{"NIK 3374010101010001": "0811000111"}')]
    )
    for said in (letter(told[0]).reason, small_office.dead[0].reason):
        assert "3374010101010001" not in said and "0811000111" not in said


def test_a_huge_one_still_fits_on_the_topic(small_office: Office) -> None:
    """What a unit's system may write must not be more than we may pass on: the stage would stand still for ever."""
    topic = unit_commands_topic(PROFILE, UNIT, "")
    given = small_office.intake.process([small_office.taken(topic, b"x" * (LARGEST_RECORD - 1000))])
    assert {each.topic for each in given} == {PREFIX + DEADLETTER, unit_topic(PROFILE, UNIT, PREFIX)}
    assert all(len(each.value or b"") < LARGEST_RECORD * 0.9 for each in given)
    told = next(letter(each) for each in given if each.topic == PREFIX + DEADLETTER)
    assert told.sealed is None
    assert small_office.dead[0].sealed, "the database has it"


# ── what fails unforeseen ────────────────────────────────────────────────────────────────────────


@dataclass
class Moody(Stub):
    """A classifier that breaks on some texts."""

    def suggest(self, text: str, location: Location | None, taken: Spot | None = None) -> Any:
        if "RUSAK" in text:
            raise ZeroDivisionError("quotes 0811000111")
        return super().suggest(text, location, taken)


def broken(number: int) -> Inbound:
    return form(number, f"RUSAK {form(number).text}")


def test_an_unforeseen_error_buries_only_that_one(ground: Ground) -> None:
    office = Office(ground, classifier=Moody())
    batch = [office.said(broken(n) if n == 3 else form(n)) for n in range(8)]
    given = office.stage.process(batch)
    assert len(office.cases) == 7
    assert len({each.key for each in to(given, EVENTS)}) == 7
    (found,) = office.dead
    assert found.reason.startswith("ZeroDivisionError in suggest, line ")
    assert [letter(each).offset for each in to(given, DEADLETTER)] == [batch[3].offset]


def test_who_waits_for_it_is_told_and_it_can_be_replayed(ground: Ground) -> None:
    office = Office(ground, classifier=Moody())
    record = office.said(broken(1), headers=TOLD)
    office.stage.process([record])
    assert office.refusal(json.loads(record.value or b"")["id"]) == "unforeseen"
    dead = len(office.dead)
    office.stage.process([record])
    assert (len(office.dead), len(office.cases)) == (dead, 0), "once told no, it stays so"
    again = dug_up(ground.ring.open(office.dead[0].sealed) or "")
    assert again is not None
    mended = Office(ground)
    mended.stage.process([mended.passed_on(again)])
    assert len(mended.cases) == 1


def test_when_all_fail_somebody_must_look(small_office: Office) -> None:
    office = Office(small_office.ground, classifier=Moody())
    with pytest.raises(Misconfigured, match="50 records in a row"):
        office.stage.process([office.said(broken(n)) for n in range(60)])
    assert office.cases == []
    anew = Office(small_office.ground, classifier=Moody())
    mixed = [anew.said(broken(n) if n % 2 else form(n)) for n in range(110)]
    anew.stage.process(mixed)
    assert len(anew.cases) == 55, "single ones, however many, stop nobody"


def test_a_unit_whose_request_fails_unforeseen_stops_no_other(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = disposed(office)
    honest = office.intake._command

    def sometimes(record: Taken, request: Any) -> Given:
        if request.asked == "rusak":
            raise ZeroDivisionError
        return honest(record, request)

    monkeypatch.setattr(office.intake, "_command", sometimes)
    given = office.intake.process([office.asked(UNIT, case.id, id="rusak"), office.asked(UNIT, case.id)])
    assert [each.topic for each in given] == [PREFIX + DEADLETTER, PREFIX + COMMANDS]
    assert [each.stage for each in office.dead] == ["unit"]
    with pytest.raises(Misconfigured):
        office.intake.process([office.asked(UNIT, case.id, id="rusak")] * 60)


# ── what comes again ─────────────────────────────────────────────────────────────────────────────


def lived(office: Office) -> list[list[Taken]]:
    """Batches in which cases open, are asked, complete, are disposed, answered; with their records."""
    batches = [[office.said(form(1)), office.said(whatsapp(2, "tolong pak", "SM1"), "whatsapp")]]
    office.stage.process(batches[0])
    web = next(state for state in office.cases if state.channel == "web")
    office.clock.forward(minutes=1)
    batches.append(
        [
            office.said(whatsapp(2, sid="SM2"), "whatsapp"),
            office.act(web, unit=UNIT),
            office.said(form(3), headers=TOLD),
        ]
    )
    office.stage.process(batches[1])
    office.clock.forward(minutes=1)
    words = office.ground.door.words(office.ground.rulebooks[PROFILE], web.reporter, "Sudah.", office.clock())
    batches.append(
        [office.act(web, "respond", unit_admin(UNIT), response=words), office.act(web, "approve", name="ok")]
    )
    office.stage.process(batches[2])
    return batches


def merging(office: Office, case: CaseState, main: CaseState) -> Taken:
    record = office.act(case, "merge", name=f"merge-{case.id}", into=main.ticket)
    command = read_command(record.value).but({"other": main.id})
    return replace(record, value=write_command(command))


def test_what_happened_in_the_cases_that_follow_is_published_after_a_crash(small_office: Office) -> None:
    """By another worker: the first was killed when it had stored all of it and published nothing."""
    office = small_office
    told = office.stage.process([office.said(form(number)) for number in (1, 2, 3)])
    main, middle, last = office.cases
    steps = [
        merging(office, last, middle),
        merging(office, middle, main),
        office.act(main, unit=UNIT, name="dispose"),
    ]
    for step in steps:
        office.stage.published(told)
        told = office.stage.process([step])
        first = {each.value for each in to(told, EVENTS)}
        again = Office(office.ground).stage.process([step])
        assert first and {each.value for each in to(again, EVENTS)} == first
    assert {read_event(each.value).case_id for each in to(told, EVENTS)} == {main.id, middle.id, last.id}


def test_what_a_message_did_to_the_cases_that_follow_is_published_after_a_crash_too(
    small_office: Office,
) -> None:
    """A word of the reporter closes a case, and those that follow it with it."""
    office = small_office
    office.stage.process([office.said(form(2)), office.said(form(3))])
    middle, last = office.cases
    office.stage.process([office.said(whatsapp(1), "whatsapp")])
    (main,) = (state for state in office.cases if state.channel == "whatsapp")
    office.stage.process([merging(office, last, middle), merging(office, middle, main)])
    books = office.ground.rulebooks
    answer = office.ground.door.words(books[PROFILE], main.reporter, "Sudah.", office.clock())
    told = office.stage.process(
        [office.act(main, "answer", response=answer), office.act(main, "publish", name="p")]
    )
    office.stage.published(told)
    word = office.said(whatsapp(1, "selesai", "SM9"), "whatsapp")
    first = {each.value for each in to(office.stage.process([word]), EVENTS)}
    assert {office.case(each.id).status for each in (main, middle, last)} == {"closed"}
    again = Office(office.ground).stage.process([word])
    assert {each.value for each in to(again, EVENTS)} == first
    assert {read_event(each).case_id for each in first if each} == {main.id, middle.id, last.id}


def test_batches_again_give_the_same_and_change_nothing(ground: Ground) -> None:
    """By another worker, as the first was killed before it could publish any."""
    first = Office(ground)
    given: list[Told] = []
    honest = first.stage.process

    def kept(records: Sequence[Taken]) -> Told:
        given.append(honest(records))
        return given[-1]

    first.stage.process = kept  # type: ignore[method-assign]
    batches = lived(first)
    before = {state.id: (state, [write_event(e) for e in first.history(state.id)]) for state in first.cases}
    assert len(before) == 3 and sum(len(events) for _, events in before.values()) > 25

    later = Clock()
    later.forward(days=3)
    second = Office(ground, later)
    once = [each for some in given for each in some]
    for batch in batches:
        again = second.stage.process(batch)
        assert by_key(again) == by_key(once, again), "byte for byte, and at once all that may be missing"
        second.stage.published(again)
        assert second.stage.process(batch) == []
        for work in again:
            if work.topic.startswith(f"{PREFIX}queue.") and work.value is not None:
                state = before[(work.key or b"").decode()][0]
                assert json.loads(work.value)["sequence"] == state.seq, "the queue has the newest"
    after = {state.id: (state, [write_event(e) for e in first.history(state.id)]) for state in first.cases}
    assert after == before


def by_key(given: Sequence[Given], of: Sequence[Given] | None = None) -> dict[Any, list[bytes | None]]:
    """(topic, key) → the records at first sight; only for the keys that `of` has too. Without what only wakes."""
    found: dict[Any, dict[bytes | None, None]] = {}
    keys = {each.key for each in (given if of is None else of)}
    for each in streamed(given):
        if each.topic != PREFIX + OUTBOX and each.key in keys:
            found.setdefault((each.topic, each.key), {})[each.value] = None
    return {name: list(values) for name, values in found.items()}


def test_one_by_one_gives_what_a_batch_gives(ground: Ground) -> None:
    """However the records are cut into batches, readers get the same events."""
    together: list[Given] = []
    office = Office(ground)
    honest = office.stage.process

    def kept(records: Sequence[Taken]) -> Told:
        together.extend(given := honest(records))
        office.stage.published(given)
        return given

    office.stage.process = kept  # type: ignore[method-assign]
    batches = lived(office)
    another = Office(ground)
    with ground.database.begin() as connection:
        connection.exec_driver_sql("UPDATE cases SET streamed = 0")
    alone: list[Given] = []
    for record in (record for batch in batches for record in batch):
        alone += (given := another.stage.process([record]))
        another.stage.published(given)
    assert by_key(alone) == by_key(together)


def test_twice_in_one_batch_is_once(office: Office) -> None:
    record, other = office.said(form(1)), office.said(form(2))
    given = office.stage.process([record, other, record, record])
    assert len(office.cases) == 2
    events = to(given, EVENTS)
    assert len(events) == len(set(events)) == sum(len(office.history(state.id)) for state in office.cases)
    assert office.dead == []


def test_a_redelivery_in_the_batch_of_what_follows(office: Office) -> None:
    """After a kill: what was committed comes again, together with what came since."""
    opening = office.said(form(1))
    once = office.stage.process([opening])
    case = office.newest()
    given = office.stage.process([opening, office.act(case, unit=UNIT), opening])
    sequences = [read_event(each.value).sequence for each in to(given, EVENTS)]
    assert list(dict.fromkeys(sequences)) == list(range(1, office.case(case.id).seq + 1))
    assert to(given, EVENTS)[: len(to(once, EVENTS))] == to(once, EVENTS)


def test_replies_wake_the_sender_each_once(office: Office) -> None:
    record = office.said(whatsapp(1, "tolong pak", "SM1"), "whatsapp")
    given = office.stage.process([record])
    assert len(to(given, OUTBOX)) == 1
    with office.ground.database.connect() as connection:
        rows = connection.exec_driver_sql("SELECT count(*) FROM outbox").scalar()
    office.stage.process([record])
    with office.ground.database.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM outbox").scalar() == rows == 1


# ── what is refused ──────────────────────────────────────────────────────────────────────────────


def disposed(office: Office, number: int = 1, unit: str = UNIT) -> CaseState:
    case = office.opened(number)
    office.stage.process([office.act(case, unit=unit)])
    return office.case(case.id)


def test_who_waits_reads_why(office: Office) -> None:
    case = office.opened()
    given = office.stage.process([office.act(case, "approve", headers=TOLD, name="d_1")])
    assert given == []
    assert office.refusal("d_1") == "wrong_state"
    assert office.dead == [], "a person was told; nobody has to look"


def test_once_told_no_it_does_not_happen_after_all(office: Office) -> None:
    case = office.opened()
    early = office.act(case, "respond", unit_admin(UNIT), TOLD, name="d_1", response="x")
    office.stage.process([early])
    office.stage.process([office.act(case, unit=UNIT)])
    words = office.ground.door.words(office.ground.rulebooks[PROFILE], case.reporter, "Sudah.", MONDAY)
    now_possible = office.act(case, "respond", unit_admin(UNIT), TOLD, name="d_1", response=words)
    assert office.stage.process([now_possible]) == []
    assert office.case(case.id).status == "disposed"


def test_told_no_and_possible_in_the_same_batch(office: Office) -> None:
    """The same record twice, and in between the step that makes it possible."""
    case = office.opened()
    words = office.ground.door.words(office.ground.rulebooks[PROFILE], case.reporter, "Sudah.", MONDAY)
    early = office.act(case, "respond", unit_admin(UNIT), TOLD, name="d_1", response=words)
    office.stage.process([early, office.act(case, unit=UNIT), early])
    assert office.refusal("d_1") == "wrong_state"
    assert office.case(case.id).status == "disposed"


def test_a_units_system_is_told_on_its_topic_and_told_the_same_again(office: Office) -> None:
    case = disposed(office)
    asked = office.asked(UNIT, case.id, transition="approve", fields={})
    (command,) = office.intake.process([asked])
    assert command.topic == PREFIX + COMMANDS and dict(command.headers) == {
        ASKED_BY: asked.topic.encode(),
        ASKED: asked.value,
    }
    record = office.passed_on(command)
    (answer,) = office.stage.process([record])
    assert answer.topic == unit_topic(PROFILE, UNIT, PREFIX)
    data = read_unit_event(answer.value).data
    assert isinstance(data, UnitRefused) and data.command == "surat-1"
    office.clock.forward(minutes=5)
    assert office.stage.process([record]) == [answer]
    assert office.dead == []


def test_a_unit_that_was_told_no_is_not_obeyed_after_a_kill(office: Office) -> None:
    """Refused, told, killed before it was acknowledged; meanwhile the step became possible."""
    case = disposed(office)
    (command,) = office.intake.process([office.asked(UNIT, case.id)])
    office.stage.process(
        [office.act(case, "return", unit_admin(UNIT), reason=words(office, case, "Bukan kami."))]
    )
    record = office.passed_on(command)
    (answer,) = office.stage.process([record])
    office.stage.process([office.act(office.case(case.id), unit=UNIT)])
    assert office.stage.process([record]) == [answer]
    assert office.case(case.id).status == "disposed"


def words(office: Office, case: CaseState, text: str) -> Any:
    return office.ground.door.words(office.ground.rulebooks[PROFILE], case.reporter, text, office.clock())


def test_a_message_that_is_refused_is_kept_for_a_person(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hook has nobody to tell; a page that waits is told."""
    honest = Batch.receive

    def picky(batch: Batch, message: Message) -> Any:
        if "TOLAK" in message.text:
            raise Conflict("not now")
        return honest(batch, message)

    monkeypatch.setattr(Batch, "receive", picky)
    hook, page = (office.said(form(n, "TOLAK ini"), headers=headers) for n, headers in ((1, ()), (2, TOLD)))
    given = office.stage.process([hook, page, office.said(form(3))])
    assert len(office.cases) == 1
    assert [(each.reason, each.channel) for each in office.dead] == [("not now", "web")]
    assert [letter(each).offset for each in to(given, DEADLETTER)] == [hook.offset]
    assert office.refusal(json.loads(page.value or b"")["id"]) == "conflict"
    monkeypatch.undo()
    again = dug_up(office.ground.ring.open(office.dead[0].sealed) or "")
    assert again is not None
    office.stage.process([office.passed_on(again), page])
    assert len(office.cases) == 2, "replayed; who was told no stays told no"


def test_a_message_of_a_case_that_is_gone_opens_its_own(office: Office) -> None:
    message = office.message(form(1)).model_copy(update={"case_id": "c_gone"})
    record = office.taken(MESSAGES, write_message(message), message.conversation.encode())
    first = office.stage.process([record])
    assert len(office.cases) == 1
    assert streamed(office.stage.process([record])) == streamed(first)


def test_a_command_for_a_case_that_is_not_there_stops_nobody(office: Office) -> None:
    gone = CaseState.model_construct(id="c_gone", conversation="v_9")
    office.stage.process([office.act(gone, unit=UNIT), office.said(form(1))])
    assert len(office.cases) == 1


# ── when the database cannot ─────────────────────────────────────────────────────────────────────


@contextmanager
def away(monkeypatch: pytest.MonkeyPatch, where: Any, name: str) -> Iterator[None]:
    """The server is gone when this is called."""

    class Lost(Exception):  # as drivers name it
        pass

    Lost.__name__ = "OperationalError"

    def fail(*_: Any, **__: Any) -> Any:
        raise OperationalError("SELECT", None, Lost("server closed the connection unexpectedly"))

    with monkeypatch.context() as patch:
        patch.setattr(where, name, fail)
        yield


@pytest.mark.parametrize("place", ["prepare", "save"])
def test_a_database_that_is_away_changes_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    batch = [office.said(form(n)) for n in range(3)]
    with away(monkeypatch, Batch, place), pytest.raises(RetryLater, match="server closed"):
        office.stage.process(batch)
    assert (office.cases, office.dead) == ([], [])
    office.stage.process(batch)
    assert len(office.cases) == 3


def test_a_dead_letter_that_cannot_be_stored_is_no_crash(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = [office.taken(MESSAGES, b"?"), office.said(form(1))]
    topic = unit_commands_topic(PROFILE, UNIT, "")
    with away(monkeypatch, graves_module.dead_letters, "bury"):
        with pytest.raises(RetryLater):
            office.stage.process(batch)
        with pytest.raises(RetryLater):
            office.intake.process([office.taken(topic, b"?")])
    given = office.stage.process(batch)
    assert len(office.cases) == len(office.dead) == len(to(given, DEADLETTER)) == 1


def test_the_units_intake_waits_for_the_database(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    case = disposed(office)
    record = office.asked(UNIT, case.id)
    with away(monkeypatch, cases, "load_cases"), pytest.raises(RetryLater):
        office.intake.process([record])
    assert len(office.intake.process([record])) == 1


def test_two_stages_at_one_case_make_one_history(ground: Ground) -> None:
    """A worker that was thought dead goes on: whoever is second starts over, and nothing is lost or twice."""
    offices = [Office(ground, offset=0), Office(ground, offset=1000)]
    opening = offices[0].said(whatsapp(1, sid="SM0"), "whatsapp")
    offices[0].stage.process([opening])
    batches = [
        [
            office.said(whatsapp(1, f"Tambahan nomor {n}", f"SM{n + 1}"), "whatsapp")
            for n in range(number * 10, number * 10 + 20)  # ten of them are both's
        ]
        for number, office in enumerate(offices)
    ]
    start = Barrier(2)
    conflicts = 0

    def work(office: Office, batch: list[Taken]) -> list[Given]:
        nonlocal conflicts
        start.wait()
        given: list[Given] = []
        for record in batch:
            while True:
                try:
                    given += office.stage.process([record])
                    break
                except WriteConflict:
                    conflicts += 1
                except RetryLater:
                    conflicts += 1
        return given

    with ThreadPoolExecutor(2) as pool:
        given = [each for some in pool.map(work, offices, batches) for each in some]
    (case,) = offices[0].cases
    history = offices[0].history(case.id)
    assert [event.sequence for event in history] == list(range(1, case.seq + 1))
    assert case.messages == 31
    told = {each.value for each in to(given, EVENTS)}
    assert told == {write_event(event) for event in history}, "the opening too, which nobody had published"
    assert offices[0].dead == []


def test_a_conflict_is_told_as_such_and_nothing_of_it_stays(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The case is read, and another worker writes it before this one does."""
    case = office.opened()
    office.stage.process([office.act(case, unit=OTHER, name="rival")])
    late, honest = office.act(case, unit=UNIT), load_stored
    with monkeypatch.context() as patch:
        patch.setattr(batch_module, "load_stored", lambda *given: honest(*given) | {case.id: Stored(case, 0)})
        with pytest.raises(RetryLater, match="faster"):
            office.stage.process([late, office.said(form(2))])
    assert [(each.id, each.unit) for each in office.cases] == [(case.id, OTHER)]
    office.stage.process([late, office.said(form(2))])
    assert len(office.cases) == 2
    history = office.history(case.id)
    assert [event.sequence for event in history] == list(range(1, office.case(case.id).seq + 1))


def test_a_conflict_that_does_not_end_stops_no_other(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when rows that belong together are not: no other process is faster, and it would be tried for ever."""
    honest = Batch.save

    def save(batch: Batch) -> None:
        if any("RUSAK" in message.text for message in batch.writes.messages):
            raise WriteConflict("Another process was faster")
        honest(batch)

    monkeypatch.setattr(Batch, "save", save)
    batch = [office.said(form(1)), office.said(broken(2)), office.said(form(3))]
    tries = 0
    while not office.cases:
        tries += 1
        with suppress(WriteConflict):
            office.stage.process(batch)
    assert tries == 5
    assert len(office.cases) == 2
    assert [each.stage for each in office.dead] == ["cases"]


# ── what units' systems send ─────────────────────────────────────────────────────────────────────


def refused(given: Sequence[Given]) -> UnitRefused:
    (answer,) = given
    data = read_unit_event(answer.value).data
    assert isinstance(data, UnitRefused)
    return data


def test_another_units_case_is_no_case(office: Office) -> None:
    theirs, nobodys = disposed(office, 1, OTHER), office.opened(2)
    answers = [
        refused(office.intake.process([office.asked(UNIT, name)]))
        for name in (theirs.id, nobodys.id, "c_nowhere", "c\0zero")
    ]
    assert {(each.code, each.reason, each.field) for each in answers} == {
        ("not_found", "Your unit has no such case", "case_id")
    }
    assert office.dead == [], "the unit was told"


def test_identity_in_a_units_words_stays_with_the_hub(office: Office) -> None:
    case = disposed(office)
    text = "Sudah kami hubungi Bapak di 081234567890, NIK 3374010101010001."
    (command,) = office.intake.process([office.asked(UNIT, case.id, fields={"response": text})])
    said = (command.value or b"").decode()
    assert "081234567890" not in said and "3374010101010001" not in said
    office.stage.process([office.passed_on(command)])
    (step,) = [e.data for e in office.history(case.id) if e.data.kind == "transitioned"][-1:]
    sealed = step.fields["response"].sealed  # type: ignore[union-attr]
    assert office.ground.ring.open(sealed or "") == text


def test_a_unit_that_was_told_there_is_no_such_case_is_told_so_again(office: Office) -> None:
    """The same request, though the case came to the unit meanwhile. A new request is another matter."""
    case = office.opened()
    asked = office.asked(UNIT, case.id)
    first = office.intake.process([asked])
    assert refused(first).code == "not_found"
    office.stage.process([office.act(case, unit=UNIT)])
    office.clock.forward(minutes=5)
    assert office.intake.process([asked]) == first
    (command,) = office.intake.process([office.asked(UNIT, case.id, id="surat-2")])
    assert command.topic == PREFIX + COMMANDS


def test_a_units_command_twice_is_once(office: Office) -> None:
    case = disposed(office)
    asked = office.asked(UNIT, case.id)
    commands = [given for _ in range(2) for given in office.intake.process([asked])]
    for command in commands:
        office.stage.process([office.passed_on(command)])
    steps = [e.data for e in office.history(case.id) if e.data.kind == "transitioned"]
    assert [step.transition for step in steps].count("respond") == 1  # type: ignore[union-attr]
    assert office.dead == []


# ── the sink ─────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Index:
    """Takes documents, and refuses those of some ids."""

    refuses: tuple[str, ...] = ()
    states: dict[str, int] = field(default_factory=dict)
    events: list[str] = field(default_factory=list)
    health: str = "ok"

    async def write(self, states: Any, events: Any) -> Any:
        self.states |= {state.id: state.seq for state in states}
        self.events += [event.id for event in events]
        return [Refused_(name) for name in self.refuses]


@dataclass(frozen=True)
class Refused_:
    id: str
    reason: str = "mapper_parsing_exception in [text]"


async def test_the_sink_writes_all_but_what_cannot_be(small_office: Office) -> None:
    office = small_office
    given = to(office.stage.process([office.said(form(n)) for n in range(3)]), EVENTS)
    records = [office.passed_on(each) for each in given]
    bad = records[4]
    index = Index((read_event(bad.value).id,))
    poison = [office.taken(EVENTS, b"?"), office.taken(EVENTS, None)]
    dead = await SinkStage(office.ground.database, index, office.graves).process([*poison, *records])
    assert index.states == {state.id: state.seq for state in office.cases}
    assert index.events == [read_event(each.value).id for each in given]
    assert [letter(each).offset for each in dead] == [poison[0].offset, poison[1].offset, bad.offset]
    assert {each.stage for each in office.dead} == {"sink"}


async def test_the_sink_waits_for_the_database(small_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office = small_office
    given = to(office.stage.process([office.said(form(1))]), EVENTS)
    index = Index()
    stage = SinkStage(office.ground.database, index, office.graves)
    with away(monkeypatch, cases, "load_cases"), pytest.raises(RetryLater):
        await stage.process([office.passed_on(each) for each in given])
    assert (index.states, index.events) == ({}, [])


# ── dead letters come back ───────────────────────────────────────────────────────────────────────


def test_what_is_dug_up_is_what_was_buried(small_office: Office) -> None:
    headers = ((ASKED_BY, b"t.unit-commands.x"), (ASKED, b"\xff\x00"), (AWAITED, b"1"))
    small_office.graves.bury(small_office.taken(COMMANDS, b"\xff\x00", b"v_1", headers), "cases", "why")
    (found,) = small_office.dead
    given = dug_up(small_office.ground.ring.open(found.sealed) or "")
    assert given == Given(PREFIX + COMMANDS, b"v_1", b"\xff\x00", headers[:2]), "nobody waits any more"


def test_a_payload_from_outside_is_no_record() -> None:
    assert dug_up(json.dumps({"body": "eA==", "content_type": "text/plain"})) is None


# ── the watchdog ─────────────────────────────────────────────────────────────────────────────────


@dataclass
class Seconds:
    """A monotonic clock that moves when told."""

    at: float = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Seconds:
    made = Seconds()
    monkeypatch.setattr(progress_module, "time", SimpleNamespace(monotonic=made))
    return made


def watched(seconds: Seconds) -> tuple[Progress, Watchdog]:
    stage = Progress("cases", moved_at=seconds())
    return stage, Watchdog([Progress("idle"), stage], 60.0, lambda _: None, seconds)


def test_a_stage_with_work_that_does_not_move_is_stuck(seconds: Seconds) -> None:
    stage, watchdog = watched(seconds)
    stage.lag = 7
    seconds.at += 60
    watchdog.heartbeat()
    assert watchdog.stuck() is None
    seconds.at += 1
    assert watchdog.stuck() == "cases: 7 records wait, none was handled for 61 s"


def test_a_stage_that_moves_waits_or_has_nothing_to_do_is_not(seconds: Seconds) -> None:
    stage, watchdog = watched(seconds)
    stage.lag = 7
    for step in (lambda: stage.move(1), lambda: stage.wait("a server"), stage.idle):
        seconds.at += 50
        watchdog.heartbeat()
        step()
        stage.lag = 7
        seconds.at += 50
        watchdog.heartbeat()
        assert watchdog.stuck() is None


def test_a_pause_that_a_stage_takes_does_not_count(seconds: Seconds) -> None:
    """It said when it tries again; what it then does counts."""
    stage, watchdog = watched(seconds)
    stage.lag = 7
    stage.wait("a server that said when", 300)
    seconds.at += 350
    watchdog.heartbeat()
    assert watchdog.stuck() is None
    seconds.at += 11
    assert watchdog.stuck() is not None


def test_an_event_loop_that_stands_still_is_stuck(seconds: Seconds) -> None:
    _, watchdog = watched(seconds)
    seconds.at += 61
    assert watchdog.stuck() == "the event loop has stood still for 61 s"
    watchdog.heartbeat()
    assert watchdog.stuck() is None


def test_a_watchdog_ends_its_process_once() -> None:
    ended: list[str] = []
    done = Event()

    def end(reason: str) -> None:
        ended.append(reason)
        done.set()

    stage = Progress("cases", lag=1)
    stage.moved_at -= 10
    watchdog = Watchdog([stage], 0.1, end)
    watchdog.start()
    assert done.wait(30)
    assert len(ended) == 1


@dataclass
class Reader:
    """A consumer as `_measure` sees it: where each partition ends, and what is committed."""

    ends: dict[TP, int | None]
    done: dict[TP, int | None]
    unacked: tuple[Any, ...] = ()

    def assignment(self) -> set[TP]:
        return set(self.ends)

    def highwater(self, tp: TP) -> int | None:
        return self.ends[tp]

    @property
    def _committed_offset(self) -> dict[TP, int | None]:
        return self.done


async def nothing(_: Sequence[Taken]) -> list[Given]:
    return []


def measured(reader: Reader, health: str = "ok") -> Progress:
    stages = [Stage("sink", ("t.events",), nothing, lambda: health)]
    found = Progress("sink")
    found.moved_at = 0.0
    _measure(SimpleNamespace(consumer=reader), stages, [found])  # type: ignore[arg-type]
    return found


ONE, TWO, FOREIGN = TP("t.events", 0), TP("t.events", 1), TP("t.else", 0)


def test_the_lag_is_what_is_not_acknowledged() -> None:
    reader = Reader({ONE: 10, TWO: 5, FOREIGN: 99}, {ONE: 7, TWO: 5, FOREIGN: 1})
    assert measured(reader).lag == 3
    assert measured(Reader({ONE: None}, {ONE: 7})).lag == 0
    idle = measured(Reader({ONE: 7}, {ONE: 7}))
    assert idle.lag == 0 and idle.moved_at > 0


@pytest.mark.parametrize("error", [AssertionError("Partition is not assigned"), AttributeError("highwater")])
def test_a_partition_that_is_taken_away_meanwhile_does_not_end_the_worker(error: Exception) -> None:
    """As aiokafka answers: a rebalance begins on the consumer's thread while another one looks."""

    class Moving(Reader):
        def highwater(self, tp: TP) -> int | None:
            if tp == TWO:
                raise error
            return super().highwater(tp)

    assert measured(Moving({ONE: 10, TWO: 5}, {ONE: 7, TWO: 1})).lag == 3


def test_what_was_read_and_never_acknowledged_is_lag_too() -> None:
    """A new group that is stuck at its very first batch has no committed offset."""
    stuck = Reader({ONE: 10}, {ONE: None}, tuple(SimpleNamespace(tp=ONE) for _ in range(4)))
    found = measured(stuck)
    assert (found.lag, found.moved_at) == (4, 0.0)
    assert measured(Reader({ONE: 10}, {ONE: None})).lag == 0


def test_a_stage_that_waits_by_itself_says_so() -> None:
    """The sink tries again within one batch, for as long as it takes."""
    found = measured(Reader({ONE: 10}, {ONE: 7}), "cannot be reached")
    assert found.health == "waiting: cannot be reached" and found.moved_at > 0


# ── how a batch is published ─────────────────────────────────────────────────────────────────────


class Moodily(Producer):
    """Sends, but for the times at which `fails` says otherwise."""

    def __init__(self, *fails: bool) -> None:
        super().__init__({})
        self.fails = list(fails)
        self.sent: list[bytes | None] = []

    async def send(self, records: Iterable[Given]) -> None:
        if self.fails and self.fails.pop(0):
            raise RetryLater("Kafka is away", after=0.001)
        self.sent += [each.value for each in records]


async def test_what_a_batch_led_to_is_published_and_then_what_follows() -> None:
    """However often Kafka or the look at the database fails."""
    first, second, third = ([Given("t", b"k", value)] for value in (b"1", b"2", b"3"))
    after: list[tuple[list[Given], list[Given] | None]] = [
        (first, second),
        (second, None),
        (second, third),
        (third, []),
    ]

    async def published(told: list[Given]) -> list[Given]:
        asked, given = after.pop(0)
        assert told == asked
        if given is None:
            raise RetryLater("the database is away", after=0.001)
        return given

    producer = Moodily(True, False, True, False)
    stage = Stage("cases", ("t.messages",), handle=not_asked, published=published)
    await _publish(stage, first, producer, Progress("cases"))
    assert producer.sent == [b"1", b"2", b"2", b"3"]


async def not_asked(_: Sequence[Taken]) -> list[Given]:
    raise AssertionError("it was handled already")


# ── what waits for Kafka ─────────────────────────────────────────────────────────────────────────


async def test_a_page_is_not_kept_waiting_for_kafka(small_office: Office) -> None:
    """It is asked to come again. What was on its way gets there all the same, and is the same message."""
    producer = Silent()
    engine = DistributedEngine(small_office.ground.database, producer, PREFIX, small_office.clock, 0.05)
    message = small_office.message(form(1))
    for answer in (True, False):
        with pytest.raises(RetryLater, match="Kafka does not answer"):
            await engine.submit(message=message, answer=answer)
    assert engine.health == "Kafka does not answer"
    producer.may_answer.set()
    await engine.submit(message=message, answer=False)
    assert engine.health == "ok"
    small_office.stage.process([small_office.passed_on(each) for each in producer.taken])
    assert len(producer.taken) == 3 and len(small_office.cases) == 1
    await engine.close()


async def test_what_goes_before_is_stored_though_kafka_is_silent(small_office: Office) -> None:
    """Words that must not be streamed: whoever is killed now leaves them untold, never told of and not there."""
    database = small_office.ground.database
    engine = DistributedEngine(database, Silent(), PREFIX, small_office.clock, 0.05)
    words = SealedWords("o_1", "c_1", MONDAY, "x", "admin_unit", "dinas-pupr", "v1.x")
    with pytest.raises(RetryLater):
        await engine.submit(
            message=small_office.message(form(1)),
            before=lambda connection: confidential.add(connection, words),
            answer=False,
        )
    with database.connect() as connection:
        assert confidential.of_case(connection, "c_1") == [words]
    await engine.close()


# ── the producer ─────────────────────────────────────────────────────────────────────────────────


class Broken:
    """aiokafka's producer on brokers in trouble: `fate` says what each send comes to."""

    fate: ClassVar[list[BaseException | None]] = []
    made: ClassVar[list[Broken]] = []
    taken: ClassVar[list[bytes]] = []
    parted: ClassVar[dict[tuple[str, int], list[tuple[bytes, bytes]]]] = {}

    def __init__(self, **_: Any) -> None:
        self.made.append(self)
        self.gone = False
        self._closed = False
        self._sender = SimpleNamespace(sender_task=None)
        self.client = SimpleNamespace(close=self.stop, force_metadata_update=self.answers)

    async def start(self) -> None:
        if self.fate and isinstance(self.fate[0], KafkaConnectionError):
            raise self.fate.pop(0)  # type: ignore[misc]

    async def stop(self) -> None:
        self.gone = True

    async def answers(self) -> bool:
        return not self.gone

    async def send(self, topic: str, value: bytes, **_: Any) -> asyncio.Future[None]:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        error = self.fate.pop(0) if self.fate else None
        if isinstance(error, MessageSizeTooLargeError):
            raise error
        if error is not None:
            future.set_exception(error)
        else:
            self.taken.append(value)
            future.set_result(None)
        return future

    async def partitions_for(self, topic: str) -> set[int]:  # noqa: ARG002
        return {2, 0, 1}

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(16 * 1024, 0)

    async def send_batch(self, batch: BatchBuilder, topic: str, *, partition: int) -> asyncio.Future[None]:
        records = [(each.key, each.value) for each in MemoryRecords(bytes(batch._build())).next_batch()]
        future = await self.send(topic, b"")
        if not future.exception():
            self.parted.setdefault((topic, partition), []).extend(records)
        return future


@pytest.fixture
def brokers(monkeypatch: pytest.MonkeyPatch) -> type[Broken]:
    Broken.fate, Broken.made, Broken.taken, Broken.parted = [], [], [], {}
    monkeypatch.setattr(producer_module, "AIOKafkaProducer", Broken)
    return Broken


ALL = [Given("t", b"k", value) for value in (b"1", b"2", b"3")]


async def test_a_batch_that_failed_is_sent_whole_by_a_new_producer(brokers: type[Broken]) -> None:
    producer = Producer({})
    brokers.fate[:] = [None, KafkaTimeoutError()]
    with pytest.raises(RetryLater):
        await producer.send(ALL)
    assert producer.health != "ok"
    await producer.send(ALL)
    assert producer.health == "ok"
    assert (len(brokers.made), brokers.made[0].gone, brokers.made[1].gone) == (2, True, False)
    assert brokers.taken[-3:] == [b"1", b"2", b"3"]


async def test_one_who_fails_late_does_not_end_the_next_producer(brokers: type[Broken]) -> None:
    producer = Producer({})
    await producer.start()
    old = producer._producer
    await producer._begin_anew(old)  # type: ignore[arg-type]
    await producer.start()
    await producer._begin_anew(old)  # type: ignore[arg-type]
    await producer.send(ALL)
    assert len(brokers.made) == 2 and not brokers.made[1].gone


async def test_what_is_too_large_disturbs_nobody_else(brokers: type[Broken]) -> None:
    producer = Producer({})
    brokers.fate[:] = [MessageSizeTooLargeError()]
    with pytest.raises(RetryLater):
        await producer.send(ALL)
    await producer.send(ALL)
    assert len(brokers.made) == 1


MANY = [Given("t", b"k%d" % (n % 20), b"%d" % n + b"." * 400) for n in range(400)]


async def test_many_records_go_in_batches_a_partition_in_order_and_with_their_keys(
    brokers: type[Broken],
) -> None:
    await Producer({}).send(MANY)
    assert {topic for topic, _ in brokers.parted} == {"t"} and len(brokers.parted) == 3
    assert len(brokers.taken) > 3  # more than one batch a partition: one holds 16 KiB
    for (_, partition), records in brokers.parted.items():
        keys = {key for key, _ in records}
        assert {producer_module._partition(key, [0, 1, 2], [0, 1, 2]) for key in keys} == {partition}
        assert records == [(each.key, each.value) for each in MANY if each.key in keys]
    assert sum(map(len, brokers.parted.values())) == len(MANY)


async def test_of_many_records_all_are_sent_again_when_one_batch_failed(brokers: type[Broken]) -> None:
    producer = Producer({})
    brokers.fate[:] = [None, KafkaTimeoutError()]
    with pytest.raises(RetryLater):
        await producer.send(MANY)
    assert brokers.made[0].gone
    brokers.parted.clear()
    await producer.send(MANY)
    assert sum(map(len, brokers.parted.values())) == len(MANY)


async def test_nothing_is_sent_of_many_records_of_which_one_is_too_large(brokers: type[Broken]) -> None:
    producer = Producer({})
    with pytest.raises(RetryLater):
        await producer.send([*MANY, Given("t", b"k", b"x" * LARGEST_RECORD)])
    assert brokers.parted == {} and not brokers.made[0].gone


async def test_brokers_that_are_away_are_looked_for(brokers: type[Broken]) -> None:
    producer = Producer({})
    brokers.fate[:] = [KafkaConnectionError("no brokers")]
    await producer.look()
    assert producer.health == "Kafka does not answer"
    await producer.look()
    assert producer.health == "ok"
    brokers.made[-1].gone = True
    await producer.look()
    assert producer.health == "Kafka does not answer"


# ── the clocks ───────────────────────────────────────────────────────────────────────────────────


@dataclass
class Outgoing:
    """A producer that keeps what it is given, or cannot."""

    given: list[Given] = field(default_factory=list)
    away: bool = False

    async def send(self, records: Sequence[Given]) -> None:
        if self.away:
            raise RetryLater("away")
        self.given += records


def clockwork(office: Office, out: Outgoing) -> Clockwork:
    return Clockwork(office.ground.database, out, [PROFILE], PREFIX, office.clock)  # type: ignore[arg-type]


def alarms(office: Office, case: CaseState) -> int:
    return sum(event.data.kind == "clock_alarmed" for event in office.history(case.id))


async def test_one_clock_rings_once_however_many_look_at_it(office: Office) -> None:
    case, out = office.opened(), Outgoing()
    hands = [clockwork(office, out) for _ in range(3)]
    office.clock.at = min(alarm for clock in case.clocks.values() for alarm in clock.alarms.values())
    assert [await hand.ring_due() for hand in hands] == [1, 0, 0]
    records = [office.passed_on(each) for each in out.given]
    office.stage.process([*records, *records])
    office.stage.process(records)
    assert alarms(office, case) == 1


async def test_an_alarm_whose_bell_was_not_heard_rings_again(office: Office) -> None:
    """Claimed, and then Kafka was away, or the worker died: after a while somebody else rings it."""
    case, out = office.opened(), Outgoing(away=True)
    office.clock.at = min(alarm for clock in case.clocks.values() for alarm in clock.alarms.values())
    with pytest.raises(RetryLater):
        await clockwork(office, out).ring_due()
    out.away = False
    assert await clockwork(office, out).ring_due() == 0
    office.clock.forward(minutes=3)
    assert await clockwork(office, out).ring_due() == 1
    office.stage.process([office.passed_on(each) for each in out.given])
    assert alarms(office, case) == 1


async def test_a_changed_calendar_is_told_to_the_cases_by_commands_once(office: Office) -> None:
    case, out = office.opened(), Outgoing()
    office.stage.process([office.act(case, unit=UNIT)])
    book = office.ground.rulebooks[PROFILE]
    hands = [clockwork(office, out) for _ in range(2)]
    for hand in hands:
        await hand.follow_calendars(office.ground.rulebooks)
    assert out.given == []
    decreed = replace(book.calendar, extra=book.calendar.extra | {date(2026, 11, 27)})
    books = {PROFILE: replace(book, calendar=decreed)}
    later = Office(replace(office.ground, rulebooks=books), office.clock)
    await asyncio.gather(*(hand.follow_calendars(books) for hand in hands))
    records = [later.passed_on(each) for each in out.given]
    later.stage.process([*records, *records])
    kinds = [event.data.kind for event in office.history(case.id)]
    assert kinds.count("clock_moved") == 1
    await hands[0].follow_calendars(books)
    assert len(out.given) == len(records)


# ── histories for a rebuild ──────────────────────────────────────────────────────────────────────


@pytest.mark.servers
async def test_histories_are_whole_however_they_lie_on_the_topic(small_office: Office, kafka: str) -> None:
    """Scattered, some twice, with what is no event among them."""
    office, topic = small_office, new_name()
    given = [
        event
        for batch in lived(office)
        for event in to(office.stage.process(batch), EVENTS)  # once more: all of it
    ]
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 2, 1)])
    await admin.close()
    options = {"bootstrap_servers": kafka}
    producer = Producer(options)
    case = given[0].key
    noise = [
        (case, b"?"),
        (case, None),
        (None, b"{}"),
        (case, b"[1]"),
        (case, b'{"sequence": 2}'),
        (case, b'{"sequence": 1e300, "id": "x"}'),
        (b"c_ghost", b'{"sequence": 1, "id": "c_ghost.000001"}'),
        (b"\xff", b'{"sequence": 1}'),
    ]
    await producer.send([Given(topic, key, value) for key, value in noise])
    mixed = [*given, *Random(7).sample(given, len(given) // 2)]
    await producer.send([Given(topic, each.key, each.value) for each in Random(7).sample(mixed, len(mixed))])
    await producer.stop()
    read: list[int] = []
    async with histories(topic, options, read.append) as found:
        told = {history[0].case_id: [write_event(event) for event in history] for history in found}
    expected = {
        state.id: [write_event(event) for event in office.history(state.id)] for state in office.cases
    }
    assert told == expected
    assert read[-1] == len(mixed) + len(noise)
    with pytest.raises(Misconfigured, match="no topic"):
        async with histories(new_name(), options):
            pass
