"""A government that lives through anything: its cases, and what must be true of them after each step.

The core decides, as the engines have it do; what it streams, indexes, tells units and staff, and shows on pages is
made of each step and kept as bytes, to be searched. Time moves by whole minutes, so that clocks can be held against
the walk of `slow_time`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from random import Random

import orjson
from any_clocks import Watch
from any_people import NAME, HashSeals, filled, staff, traces
from support import Stub

from laporhub.pipeline import clocks, handover, ids, said
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Act, Actor, Command, OpenCase, Tick, Words
from laporhub.pipeline.decide import decided
from laporhub.pipeline.decide_duplicates import consequences
from laporhub.pipeline.door import Door
from laporhub.pipeline.errors import Refused
from laporhub.pipeline.events import (
    CaseEvent,
)
from laporhub.pipeline.evolve import evolve
from laporhub.pipeline.fanout import forwarded, work
from laporhub.pipeline.intake import add_to, interpret
from laporhub.pipeline.messages import Inbound, Message
from laporhub.pipeline.notices import Office, letters_of, notices_of
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.streams import read_event, write_command, write_event, write_message
from laporhub.pipeline.workflow import allowed, is_final, may_see, queue_statuses
from laporhub.sinks.documents import case_document, event_document, unit_document
from laporhub.web import present

RANK = {"queued": 0, "failed": 1, "sent": 1, "delivered": 2, "read": 3}


# ── the government ───────────────────────────────────────────────────────────────────────────────


_ENDS: set[object] = set()
"""What was found to be able to end."""


class World:
    """All cases of one government. Every step is checked, and raises `AssertionError` where something is broken."""

    def __init__(self, book: Rulebook, now: datetime) -> None:
        self.first_book = self.book = book
        self.now = now
        self.door = Door(HashSeals(), b"pepper")
        self.classifier = Stub(unit=next(iter(book.units)))
        self.cases: dict[str, CaseState] = {}
        self.history: dict[str, list[CaseEvent]] = {}
        self.talks: dict[str, str] = {}
        self.heard: dict[str, tuple[str, str, Inbound]] = {}
        """External id → channel, case, and what was sent."""
        self.ticks: list[Tick] = []
        self._watch = Watch()
        self.notices: set[str] = set()
        self.everywhere = bytearray()
        """All that leaves the core: streams, units' topics, indices, pages, letters, files for others."""
        self.counts = Counter({"steps": 0})
        self.been: set[str] = set()
        """States in which a case was."""

    def number(self) -> int:
        self.counts["steps"] += 1
        return self.counts["steps"]

    def pick(self, chance: Random) -> CaseState:
        """Any case, most often the newest: so some get on."""
        cases = list(self.cases.values())
        return chance.choice([*cases, *cases[-1:] * len(cases)])

    def names(self, state: CaseState) -> tuple[str, ...]:
        """What the hub knows that the reporter is called."""
        return (NAME,) if "name" in state.known else ()

    # ── commands ──

    def hears(self, channel: str, inbound: Inbound) -> bool:
        """As the door and a batch have it."""
        named = self.cases.get(inbound.case_id or "")
        try:
            message = self.door.admit(
                self.book, channel, inbound, self.now, named, self.names(named) if named else ()
            )
        except Refused:
            return False
        self.everywhere += write_message(message)
        earlier = self.heard.get(inbound.replaces or "")
        if earlier is not None:
            state = self.cases[earlier[1]]
            known = said.find(state, message.replaces or "")
            command: Command = add_to(message, state)
            if known is not None and known.gone:
                return False
        else:
            command = self._meant(message)
        if not self.does(command):
            return False
        self.heard[inbound.external_id] = (channel, command.case_id, inbound)
        if inbound.case_id is None and earlier is None:
            self.talks[message.conversation] = command.case_id
        return True

    def _meant(self, message: Message) -> Command:
        latest = self.cases.get(message.case_id or self.talks.get(message.conversation, ""))
        return interpret(self.book, message, latest)

    def acts(
        self,
        state: CaseState,
        actor: Actor,
        name: str,
        form: dict[str, str],
        other: str | None = None,
        seen: int | None = None,
    ) -> bool:
        rules = self.book.of(state)
        return self.does(
            Act(
                id=f"act-{self.counts['steps']}-{name}",
                profile=state.profile,
                case_id=state.id,
                at=self.now,
                actor=actor,
                transition=name,
                fields=self.door.typed(
                    rules, state.reporter, name, form, self.now, lambda: self.names(state)
                ),
                seen=seen,
                other=other,
            )
        )

    def words(self, state: CaseState, text: str) -> Words:
        return self.door.words(self.book, state.reporter, text, self.now, self.names(state))

    def does(self, command: Command) -> bool:
        """Decides it with all that follows from it in other cases; False if it was refused."""
        before = self.cases.get(command.case_id)
        was = before and before.model_dump_json()
        reached: dict[str, CaseState] = {}
        done: list[tuple[CaseState | None, list[CaseEvent], CaseState, Command]] = []
        waiting: list[Command] = [command]
        try:
            while waiting:
                each = waiting.pop(0)
                state = reached.get(each.case_id) or self.cases.get(each.case_id)
                events, after = self._decided(state, each)
                reached[each.case_id] = after
                done.append((state, events, after, each))
                waiting += consequences(self.book, after, each, events)
        except Refused as refusal:
            assert str(refusal), "a refusal says why"
            assert traces(str(refusal).encode()) == []
            self.counts["refused"] += 1
            done = []
        assert was == (before and before.model_dump_json()), "what was decided on is as it was"
        for state, events, after, each in done:
            self._keep(state, events, after, each)
        return bool(done)

    def _decided(self, state: CaseState | None, command: Command) -> tuple[list[CaseEvent], CaseState]:
        opens = isinstance(command, OpenCase)
        ticket = ids.ticket("LG", "WA", command.case_id) if opens else None
        events, after = decided(self.book, state, command, self.classifier, ticket)
        assert after is not None
        assert decided(self.book, state, command, self.classifier, ticket) == (events, after), (
            "no chance in it"
        )
        if events:
            assert decided(self.book, after, command, self.classifier)[0] == [], "once is once"
        return events, after

    # ── what must be true ──

    def _keep(
        self, before: CaseState | None, events: list[CaseEvent], after: CaseState, command: Command
    ) -> None:
        state, start = before, before.seq if before else 0
        assert [event.sequence for event in events] == list(range(start + 1, start + len(events) + 1))
        for event in events:
            read = read_event(write_event(event))
            assert read == event
            self._watch.check(self.book.of(state) if state else self.book, state, event)
            state = evolve(state, read)
            self.been.add(state.status)
        assert state == after, "the state is the sum of its events"
        self._watch.check_all(self.book.of(after), after, events)
        self._check_deliveries(before, after)
        self._check_owner(after)
        assert self.can_end(after), f"{after.status} of {after.profile} cannot end"
        self.cases[after.id] = after
        self.history.setdefault(after.id, []).extend(events)
        self.counts["events"] += len(events)
        self.everywhere += write_command(command)
        if events:
            self._tell(before, events, after)

    def _check_deliveries(self, before: CaseState | None, after: CaseState) -> None:
        for name, was in (before.replies if before else {}).items():
            now = after.replies[name]
            assert RANK[now.status] >= RANK[was.status], "never downgraded"
            assert (was.status, now.status) != ("failed", "sent"), "our word does not undo the platform's"
            assert was.purpose == now.purpose

    def _check_owner(self, state: CaseState) -> None:
        place = self.book.of(state).profile.states[state.status]
        if place.final:
            ended = [name for name, clock in state.clocks.items() if clock.status != "stopped"]
            assert ended == [], f"{ended} still run though the case has ended as {state.status}"
            return
        assert place.owner is not None
        looking = [actor for actor in staff(self.book, state.unit, "x") if may_see(self.book, state, actor)]
        assert looking, "somebody sees it"
        if place.owner in ("reporter", "system"):  # somebody can go on without them
            assert any(allowed(self.book, state, actor) for actor in looking)
            return
        theirs = [actor for actor in looking if state.status in queue_statuses(self.book, actor.role)]
        assert theirs, f"{state.status} is {place.owner}'s turn, and nobody of them sees the case"
        for actor in theirs:
            assert actor.unit is None or actor.unit in self.book.units
        assert any(allowed(self.book, state, actor) for actor in theirs), "those whose turn it is can act"

    def can_end(self, state: CaseState) -> bool:
        """Whether people can bring it to an end, trying all that each may do."""
        todo, seen = [state], {self._likeness(state)}
        while todo:
            here = todo.pop(0)
            if is_final(self.book, here) or self._likeness(here) in _ENDS:
                _ENDS.add(self._likeness(state))
                return True
            for after in self._next(here):
                if self._likeness(after) not in seen:
                    seen.add(self._likeness(after))
                    todo.append(after)
        return False

    def _likeness(self, state: CaseState) -> object:
        steps = self.book.of(state).profile.transitions
        used = frozenset(
            name for name, (times, _) in state.taken.items() if times >= (steps[name].at_most or times + 1)
        )
        open_parts = frozenset(unit for unit, part in state.parts.items() if part.words is None)
        waits = any(reply.status == "queued" for reply in state.replies.values())
        about = (
            state.profile,
            state.profile_version,
            state.channel,
            state.status,
            state.private,
            state.main is None,
        )
        return (*about, state.unit, used, open_parts, bool(state.draft), waits)

    def _next(self, state: CaseState) -> Iterator[CaseState]:
        """The case after each step that somebody of the staff may take now."""
        rules = self.book.of(state)
        units = [state.unit, *state.parts]
        everybody = [actor for unit in units for actor in staff(self.book, unit, "another")]
        for actor in everybody:
            for name, step in allowed(self.book, state, actor):
                if step.merge:
                    continue
                form = filled(rules, state, step, Random(1), None)
                typed = self.door.typed(rules, state.reporter, name, form, self.now)
                about = {"profile": state.profile, "case_id": state.id, "at": self.now, "actor": actor}
                tried = Act(id="tried", transition=name, fields=typed, **about)  # type: ignore[arg-type]
                try:
                    after = decided(self.book, state, tried, self.classifier)[1]
                except Refused:
                    continue
                assert after is not None
                yield after.but({"applied": state.applied})

    # ── what leaves the core ──

    def _tell(self, before: CaseState | None, events: list[CaseEvent], after: CaseState) -> None:
        book, rules = self.book, self.book.of(after)
        records = [*forwarded(events, before, book), *work(after, book, before=before)]
        for_units = b"".join(record.key + (record.value or b"") for record in records)
        document = case_document(after)
        unseen = orjson.dumps(unit_document(document)) if after.unit else b""
        told = list(notices_of(book, after, events))
        for notice in told:
            assert notice.id not in self.notices, "each is told once"
            self.notices.add(notice.id)
            kind, _, name = notice.receiver.partition(":")
            known = rules.profile.roles
            assert (
                name in book.units
                if kind == "unit"
                else name in known or name in {r.group for r in known.values()}
            )
        letters = letters_of(book, after, told, Office("https://lapor.contoh.example", "hub@contoh.example"))
        self.everywhere += b"\n".join(
            [
                *(write_event(event) for event in events),
                after.model_dump_json().encode(),
                orjson.dumps(document),
                *(orjson.dumps(event_document(event)) for event in events),
                orjson.dumps(present.case(after, self.now)),
                *(orjson.dumps(present.event(event)) for event in events),
                orjson.dumps([f"{notice}" for notice in told]),
                orjson.dumps([letter.text for letter in letters]),
                orjson.dumps(handover.document(book, after, self.history[after.id], ())),
                for_units,
                unseen,
            ]
        )
        for sealed in (b"v1.", after.reporter.encode(), after.conversation.encode()):
            assert sealed not in for_units and sealed not in unseen, "units learn no person"

    # ── at the end ──

    def ring_all(self) -> None:
        """The hub rings all that is due by now: it must come to an end."""
        for case in list(self.cases):
            for _ in range(200):
                tick = clocks.tick(self.cases[case], self.now)
                if tick is None or tick.due_at > self.now:
                    break
                before = self.cases[case]
                assert self.does(tick) and self.cases[case] is not before, "the hub would ask for ever"
            else:
                raise AssertionError("the hub rings without end")

    def check_all(self) -> None:
        self.ring_all()
        self.counts["walked"] = self._watch.walked
        for case, state in self.cases.items():
            replayed: CaseState | None = None
            for event in self.history[case]:
                replayed = evolve(replayed, read_event(write_event(event)))
            assert replayed == state, "a replay gives the same state"
            for clock in state.clocks.values():
                assert clock.status != "running" or all(at > self.now for at in clock.alarms.values())
        assert traces(bytes(self.everywhere)) == []
