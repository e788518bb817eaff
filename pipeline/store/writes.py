"""What one transaction writes, and how: streams, states and whoever must be told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import chain

from sqlalchemy import Connection

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.classifier import Classifier
from laporhub.pipeline.events import CaseEvent, MessageAdded, MessageWithdrawn
from laporhub.pipeline.intake import Conversation
from laporhub.pipeline.messages import Message
from laporhub.pipeline.notices import Letter, Notice, Office, letters_of, notices_of
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.store import cases, files, log, persons
from laporhub.pipeline.store import notices as notices_kept
from laporhub.pipeline.store.shared import (
    conflicts_told,
    save_cases_as_loaded,
    save_conversations_as_loaded,
    save_received_once,
)
from laporhub.pipeline.store.tables import messages


@dataclass(frozen=True)
class Government:
    """A profile's rules with the classifier that serves it."""

    rulebook: Rulebook
    classifier: Classifier
    office: Office = field(default_factory=Office)


@dataclass(frozen=True, slots=True)
class Done:
    """What a message or command came to. `events` is empty when it had been seen before."""

    state: CaseState
    events: Sequence[CaseEvent]
    duplicate: bool = False
    before: CaseState | None = None
    """The case as it was; None for a new one."""
    also: tuple[Done, ...] = ()
    """What followed from it in other cases."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """How a batch found what others may write, too: sequences of cases, and conversations that there were."""

    cases: Mapping[str, int]
    streamed: Mapping[str, int]
    """Case → through which sequence it surely was published."""
    conversations: frozenset[str]


@dataclass
class Writes:
    """Filled in the order in which things were decided."""

    events: list[CaseEvent] = field(default_factory=list)
    bodies: dict[str, str] = field(default_factory=dict)
    """Event id → its canonical JSON, as it is stored and streamed."""
    messages: list[Message] = field(default_factory=list)
    received: dict[str, tuple[str, Message]] = field(default_factory=dict)
    """Id of a message → its case, and what told of it: itself, or its later version, which came first."""
    conversations: dict[str, Conversation] = field(default_factory=dict)
    """Those that were begun or went on."""
    proven: list[str] = field(default_factory=list)
    """Cases that were opened by somebody whose platform vouches for them."""
    happened: dict[str, list[Done]] = field(default_factory=dict)
    """Case → what happened in it, one after the other, in the order of each case's first event."""
    words: list[CaseEvent] = field(default_factory=list)
    """Of the events, those by which what the reporter said has changed."""

    def add(self, done: Done) -> None:
        if not done.events:
            return
        self.events.extend(done.events)
        self.happened.setdefault(done.state.id, []).append(done)
        for event in done.events:
            self.bodies[event.id] = event.model_dump_json(exclude_none=True)
            if isinstance(event.data, MessageAdded | MessageWithdrawn):
                self.words.append(event)

    def spoken(self) -> frozenset[str]:
        """The cases whose reporter said something new."""
        return frozenset(event.case_id for event in self.words if isinstance(event.data, MessageAdded))

    def reworded(self) -> frozenset[str]:
        """The cases whose reporter rewrote something, or took it back: older words are to be found no more."""
        return frozenset(
            event.case_id
            for event in self.words
            if isinstance(event.data, MessageWithdrawn)
            or (isinstance(event.data, MessageAdded) and event.data.replaces)
        )


def save(
    connection: Connection,
    writes: Writes,
    states: Mapping[str, CaseState],
    governments: Mapping[str, Government],
    loaded: Loaded | None,
) -> None:
    """Writes it; the caller commits. `states` are the cases as they are now.

    With `loaded` other processes may write too: `WriteConflict` if one of them was faster.
    """
    with conflicts_told() if loaded else nullcontext():
        _save_streams(connection, writes, states)
        _save_states(connection, writes, states, loaded)
        _tell_staff(connection, writes, governments)
        persons.add(connection, [states[case] for case in writes.proven])
        _save_files(connection, writes, states)


def _save_streams(connection: Connection, writes: Writes, states: Mapping[str, CaseState]) -> None:
    bodies = [(m.id, m.model_dump_json(exclude_defaults=True)) for m in writes.messages]
    log.append(connection, messages, bodies)
    log.append_events(
        connection, [(e.id, states[e.case_id].opened_at, writes.bodies[e.id]) for e in writes.events]
    )


def _save_states(
    connection: Connection, writes: Writes, states: Mapping[str, CaseState], loaded: Loaded | None
) -> None:
    changed = [states[case] for case in writes.happened]
    spoken_in = [each for _, each in sorted(writes.conversations.items())]
    marks = [
        {"message_id": name, "case_id": case, "received_at": message.received_at}
        for name, (case, message) in writes.received.items()
    ]
    if loaded:
        save_cases_as_loaded(connection, changed, loaded.cases, loaded.streamed)
        save_conversations_as_loaded(connection, spoken_in, loaded.conversations)
        save_received_once(connection, marks)
    else:
        cases.save_cases(connection, changed)
        cases.save_conversations(connection, spoken_in)
        cases.save_received(connection, marks)


def _tell_staff(connection: Connection, writes: Writes, governments: Mapping[str, Government]) -> None:
    told, letters = list[Notice](), list[Letter]()
    for each in chain.from_iterable(writes.happened.values()):
        # As the case was then: a later command of the batch may have given it to another unit.
        government = governments[each.state.profile]
        notices = list(notices_of(government.rulebook, each.state, each.events))
        told += notices
        letters += letters_of(government.rulebook, each.state, notices, government.office)
    notices_kept.add(connection, told, letters)


def _save_files(connection: Connection, writes: Writes, states: Mapping[str, CaseState]) -> None:
    files.add(connection, writes.messages, {name: case for name, (case, _) in writes.received.items()})
    reporters = {case: states[case].reporter for case in writes.happened}
    files.add_evidence(connection, writes.events, reporters)
    for case in writes.reworded():
        old = log.forget_originals(connection, case, states[case].opened_at)
        files.drop(connection, old, states[case].updated_at)
