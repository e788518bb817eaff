"""One transaction's worth of work, the same for both engines: load once, decide each, write once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import Connection

from laporhub.pipeline import ids, said
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Command, Echo, Follow, OpenCase, Withdraw
from laporhub.pipeline.decide import decided
from laporhub.pipeline.decide_duplicates import consequences
from laporhub.pipeline.errors import Misconfigured, Refused
from laporhub.pipeline.evolve import evolve
from laporhub.pipeline.intake import (
    Conversation,
    add_to,
    asks_privately,
    goes_on,
    interpret,
    is_private,
    remember,
)
from laporhub.pipeline.messages import Message
from laporhub.pipeline.store import cases, log, outbox, persons
from laporhub.pipeline.store.shared import load_stored
from laporhub.pipeline.store.writes import Done, Government, Loaded, Writes, save

WITHDRAWN: Final = "withdrawn"
"""The code of the refusal of what its author has taken back: nothing of it is kept."""


@dataclass
class Batch:
    """Load with `prepare`, then `receive` messages and `handle` commands in order, then `save`."""

    connection: Connection
    governments: Mapping[str, Government]
    known: Mapping[str, CaseState] = field(default_factory=dict)
    """States at hand, as they are in the database: those are not loaded."""
    shared: bool = False
    """Other processes may write too: `save` then raises `WriteConflict` if one of them was faster."""
    published: Mapping[str, int] = field(default_factory=dict)
    """Of a shared one: case → the sequence through which this process itself has published it."""
    states: dict[str, CaseState] = field(default_factory=dict)
    streamed: dict[str, int] = field(default_factory=dict)
    """Of a shared one: case that was loaded → through which sequence it surely was published."""
    writes: Writes = field(default_factory=Writes)
    _conversations: dict[str, Conversation] = field(default_factory=dict)
    _loaded: Mapping[str, int] = field(default_factory=dict)
    _seen: dict[str, str] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)
    _known_conversations: frozenset[str] = frozenset()
    _theirs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Of those who write direct messages where they may be asked to: reporter → their cases."""
    _tried: frozenset[str] = frozenset()
    """Replies to these that are with a platform, or of unknown outcome."""

    def prepare(self, messages: Sequence[Message], commands: Sequence[Command]) -> None:
        """Loads, in a few queries, all that these messages and commands touch."""
        wanted = {command.case_id for command in commands}
        if messages:
            named = {name for m in messages for name in (m.id, m.replaces) if name}
            seen = cases.already_received(self.connection, named)
            self._seen = {message: case for message, (case, _) in seen.items()}
            self._conversations = cases.load_conversations(
                self.connection, (m.conversation for m in messages)
            )
            self._known_conversations = frozenset(self._conversations)
            self._taken = cases.taken_tickets(self.connection, (self._ticket(m, 0) for m in messages))
            wanted.update(self._seen.values())
            wanted.update(kept.case_id for kept in self._conversations.values())
            wanted.update(m.case_id for m in messages if m.case_id)
            asked = {m.reporter for m in messages if self._may_go_on(m)}
            self._theirs = {each: persons.cases_of(self.connection, each) for each in asked}
            wanted.update(case for theirs in self._theirs.values() for case in theirs)
        if self.shared:
            self._load_shared(wanted)
        else:
            self.states = {case: self.known[case] for case in wanted & self.known.keys()}
            self.states |= cases.load_cases(self.connection, wanted - self.known.keys())
        self._tried = self._replies_tried()

    def _replies_tried(self) -> frozenset[str]:
        theirs = [self.states[case] for cases in self._theirs.values() for case in cases]
        waiting = [name for case in theirs for name, each in case.replies.items() if each.status == "queued"]
        return outbox.tried(self.connection, waiting) if waiting else frozenset()

    def _load_shared(self, wanted: Iterable[str]) -> None:
        """Never from memory: another process may have written them since."""
        stored = load_stored(self.connection, wanted)
        self.states = {case: each.state for case, each in stored.items()}
        self._loaded = {case: state.seq for case, state in self.states.items()}
        self.streamed = {
            # What this process published counts only if nobody wrote since.
            case: seq if self.published.get(case) == (seq := each.state.seq) else each.streamed
            for case, each in stored.items()
        }

    def receive(self, message: Message) -> Done:
        """Intake: the message becomes a command of its case, once."""
        if (case_id := self._seen.get(message.id)) is not None:
            return self._once_more(message, self._known(case_id))
        earlier = self._seen.get(message.replaces or "")
        if earlier is not None:
            return self._rewrite(message, self._known(earlier))
        kept = self._conversations.get(message.conversation)
        latest = self.states.get(message.case_id or (kept.case_id if kept else ""))
        rulebook = self._government(message.profile).rulebook
        if self._may_go_on(message):
            theirs = [self.states[case] for case in self._theirs.get(message.reporter, ())]
            latest = goes_on(rulebook, message, latest, theirs, self._tried)
        command = interpret(rulebook, message, latest)
        done = self.handle(command)
        self._take(message, command.case_id)
        if isinstance(command, OpenCase) and message.vouched and not message.anonymous:
            self.writes.proven.append(command.case_id)
        if message.replaces is not None:  # what it rewrote has not come yet, and is nothing new when it does
            self._seen[message.replaces] = command.case_id
            self.writes.received[message.replaces] = command.case_id, message
        # What came by the case's page says nothing of where the reporter is answered.
        if message.case_id is None or message.vouched or message.conversation != done.state.conversation:
            kept = remember(message, command.case_id)
            self._conversations[message.conversation] = self.writes.conversations[message.conversation] = kept
        return done

    def _may_go_on(self, message: Message) -> bool:
        """Whether it is a direct message of somebody who may have been asked for it in public."""
        rulebook = self._government(message.profile).rulebook
        named = message.case_id is not None
        asked = message.vouched and not named and asks_privately(rulebook, message.channel)
        return asked and is_private(message)

    def _known(self, case_id: str) -> CaseState:
        """Raises `Refused` for a message that was taken back before it came."""
        if not case_id:
            raise Refused("Its author took it back before it came", code=WITHDRAWN)
        return self.states[case_id]

    def _once_more(self, message: Message, state: CaseState) -> Done:
        """Seen before, or rewritten before it came: its words are old. Who wrote it may be news all the same (the
        record of a call whose transcript was here first), and that is kept.
        """
        if set(message.known) <= set(state.known):
            also = tuple(self._once_led_to(add_to(message, state), state)) if self.shared else ()
            return Done(state, (), duplicate=True, also=also)
        wordless = {
            "id": ids.derive("m", "late", message.id),
            "kind": "unsupported",
            "text": "",
            "sealed_text": None,
        }
        return self.handle(add_to(message.but(wordless | {"attachments": (), "location": None}), state))

    def _rewrite(self, message: Message, state: CaseState) -> Done:
        """New words for an earlier message: in its case, and no reason to answer anew."""
        state = self.states[state.id] = self._whole(state)
        known = said.find(state, message.replaces or "")
        if known is not None and known.gone:
            raise Refused("Its author took it back", code=WITHDRAWN)
        done = self.handle(add_to(message, state))
        self._take(message, state.id)
        return done

    def _take(self, message: Message, case_id: str) -> None:
        self._seen[message.id] = case_id
        self.writes.messages.append(message)
        self.writes.received[message.id] = case_id, message

    def handle(self, command: Command) -> Done:
        """Decides one command. Raises `Refused`; then nothing of it remains."""
        reached: dict[str, CaseState] = {}
        done = self._decide(command, reached)
        waiting, also = self._consequences(command, done), []
        while waiting:  # what another case refuses is refused as a whole
            following = waiting.pop(0)
            more = self._decide(following, reached)
            also.append(more)
            waiting += self._consequences(following, more)
        if self.shared and done.duplicate:
            also += self._once_led_to(command, done.state)
        for each in (done, *also):
            self.states[each.state.id] = each.state
            self.writes.add(each)
        return replace(done, also=tuple(also)) if also else done

    def _decide(self, command: Command, reached: dict[str, CaseState]) -> Done:
        """`reached` are the states that come before those of the batch, and what this leads to is added to them."""
        government = self._government(command.profile)
        state = reached.get(command.case_id) or self.states.get(command.case_id)
        if state is None and isinstance(command, Follow | Echo):
            state = self._one_more(command.case_id)
        if state is not None and isinstance(command, Withdraw):
            state = self._whole(state)
        ticket = self._free_ticket(command.message) if isinstance(command, OpenCase) else None
        led_to, after = decided(government.rulebook, state, command, government.classifier, ticket)
        if after is None:
            raise AssertionError(f"command {command.id} was decided without a case")
        reached[command.case_id] = after
        return Done(after, led_to, duplicate=not led_to, before=state)

    def _consequences(self, command: Command, done: Done) -> list[Command]:
        """Few cases have any: most are not even looked through."""
        state = done.state
        if not (state.followers or state.main or (done.before and done.before.main)):
            return []
        return list(consequences(self._government(state.profile).rulebook, state, command, done.events))

    def _once_led_to(self, command: Command, state: CaseState) -> Iterator[Done]:
        """The other cases that a command concerned when it was decided, as they are now: whoever decided it may have
        been killed before it published what happened in them.
        """
        waiting, seen = [(command, state)], {state.id}
        while waiting:
            earlier, state = waiting.pop()
            first, last = state.applied.get(earlier.id, (1, 0))
            events = log.events_of(self.connection, state.id, state.opened_at, first, last) if last else []
            rulebook = self._government(state.profile).rulebook
            for following in consequences(rulebook, state, earlier, events):
                other = self.states.get(following.case_id) or self._one_more(following.case_id)
                if other is None or other.id in seen:
                    continue
                seen.add(other.id)
                yield Done(other, (), duplicate=True, before=other)
                waiting.append((following, other))

    def _one_more(self, case_id: str) -> CaseState | None:
        """A case that nobody knew to be concerned; None if there is no such case."""
        if self.shared:
            stored = load_stored(self.connection, [case_id]).get(case_id)
            if stored is None:
                return None
            self._loaded = {**self._loaded, case_id: stored.state.seq}
            known = self.published.get(case_id) == stored.state.seq
            self.streamed[case_id] = stored.state.seq if known else stored.streamed
            return stored.state
        return self.known.get(case_id) or cases.load_cases(self.connection, [case_id]).get(case_id)

    def _whole(self, state: CaseState) -> CaseState:
        """The case with all its messages told apart: those of an earlier release have only their words together."""
        if len(state.said) == state.messages:
            return state
        whole: CaseState | None = None
        for event in log.case_events(self.connection, state.id, state.opened_at):
            whole = evolve(whole, event)
        for event in self.writes.events:
            whole = evolve(whole, event) if event.case_id == state.id else whole
        return whole or state

    def save(self) -> None:
        """The caller commits. Raises `WriteConflict` if other processes write, too, and one was faster."""
        loaded = Loaded(self._loaded, self.streamed, self._known_conversations) if self.shared else None
        save(self.connection, self.writes, self.states, self.governments, loaded)

    def changed(self) -> list[CaseState]:
        """The cases with new events, in the order of their first one."""
        return [self.states[case] for case in self.writes.happened]

    def _government(self, profile: str) -> Government:
        try:
            return self.governments[profile]
        except KeyError:
            raise Misconfigured(
                f"This hub does not serve profile {profile!r}: start it with --profile {profile}"
            ) from None

    def _ticket(self, message: Message, attempt: int) -> str:
        profile = self._government(message.profile).rulebook.profile
        code = profile.channels[message.channel].code
        return ids.ticket(profile.ticket.prefix, code, ids.case_id(message.id), attempt)

    def _free_ticket(self, message: Message) -> str:
        attempt, ticket = 0, self._ticket(message, 0)
        while ticket in self._taken:
            attempt += 1
            ticket = self._ticket(message, attempt)
            self._taken |= cases.taken_tickets(self.connection, [ticket])
        self._taken.add(ticket)
        return ticket
