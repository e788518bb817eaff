"""`decide(rulebook, state, command, …) -> events`: every rule of the workflow, applied. Pure.

The only time it knows is the command's. A command that the case has seen before yields nothing; one that the
rules do not allow raises `Refused`, and nothing has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import assert_never

from laporhub.pipeline import clocks, dialogue, ids, said
from laporhub.pipeline.base_model import trusted
from laporhub.pipeline.case_state import CaseState, Reply
from laporhub.pipeline.classifier import Classifier
from laporhub.pipeline.commands import (
    SYSTEM,
    Act,
    Actor,
    AddMessage,
    Command,
    Convey,
    Delivery,
    Note,
    OpenCase,
    Redirect,
    Tick,
    Withdraw,
    Words,
)
from laporhub.pipeline.connector import BY_HAND
from laporhub.pipeline.errors import Conflict, Forbidden, NotFound, Refused
from laporhub.pipeline.events import (
    Answered,
    Asked,
    Assigned,
    CaseEvent,
    Classified,
    ClockAlarmed,
    ClockPaused,
    ClockResumed,
    ClockStarted,
    ClockStopped,
    Drafted,
    EventData,
    MessageAdded,
    MessageWithdrawn,
    Noted,
    Opened,
    Rated,
    ReplyQueued,
    ReplyUpdated,
    Transitioned,
    cloud_type,
)
from laporhub.pipeline.evolve import evolve
from laporhub.pipeline.messages import Message
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema import BUILT_IN_ROLES, OPENED, FormField, Transition
from laporhub.pipeline.requirements import unmet
from laporhub.pipeline.wording import compose
from laporhub.pipeline.workflow import allowed, is_final, is_past, may_note, may_speak

_DELIVERY_RANK = {"queued": 0, "sent": 1, "delivered": 2, "read": 3}
_ASKED_AT_MOST = 2
"""How often the system itself asks for what is missing; then a person takes over."""

_ANSWERED_WITHIN = timedelta(days=1)
"""How old a message may be to be answered by itself: nobody is written to about last year's complaint."""

Fields = Mapping[str, Words | str | int]

_event, _opened, _message_added = trusted(CaseEvent), trusted(Opened), trusted(MessageAdded)
_classified, _transitioned, _assigned = trusted(Classified), trusted(Transitioned), trusted(Assigned)
_reply_queued, _clock_started, _clock_stopped = (
    trusted(ReplyQueued),
    trusted(ClockStarted),
    trusted(ClockStopped),
)


def decide(
    rulebook: Rulebook,
    state: CaseState | None,
    command: Command,
    classifier: Classifier,
    ticket: str | None = None,
) -> list[CaseEvent]:
    """The events the command leads to. `ticket` is given for `OpenCase`, free in the store."""
    return decided(rulebook, state, command, classifier, ticket)[0]


def decided(
    rulebook: Rulebook,
    state: CaseState | None,
    command: Command,
    classifier: Classifier,
    ticket: str | None = None,
) -> tuple[list[CaseEvent], CaseState | None]:
    """The events, and the state that they add up to: what `evolve` makes of them, worked out on the way."""
    if state is not None and command.id in state.applied:
        return [], state
    turn = _Turn(rulebook, state, command, classifier)
    turn.run(command, ticket)
    return turn.events, turn.last


def _heard(message: Message) -> MessageAdded:
    return _message_added(
        message_id=message.id,
        replaces=message.replaces,
        message_kind=message.kind,
        text=message.text,
        sealed_text=message.sealed_text,
        sealed_identity=message.sealed_identity,
        known=message.known,
        attachments=message.attachments,
        location=message.location,
        sent_at=message.sent_at,
    )


class _Turn:
    """One command being decided: emits events and sees, at each step, the state they add up to."""

    def __init__(
        self, rulebook: Rulebook, state: CaseState | None, command: Command, classifier: Classifier
    ) -> None:
        self.rules = rulebook
        self.profile = rulebook.profile
        self.last = state
        self.command = command
        self.now = command.at
        self.classifier = classifier
        self.events: list[CaseEvent] = []

    def run(self, command: Command, ticket: str | None) -> None:
        if isinstance(command, OpenCase):
            if self.last is not None:
                raise Conflict(f"case {self.last.id} is open already")
            if ticket is None:
                raise ValueError("a case needs a ticket to open")
            self.open(command, ticket)
            return
        if self.last is None:
            raise NotFound(f"there is no case {command.case_id}")
        match command:
            case AddMessage():
                self.add_message(command.message)
            case Withdraw():
                self.withdraw(command.message_id)
            case Act():
                self.act(command)
            case Tick():
                self.tick(command)
            case Delivery():
                self.deliver(command)
            case Convey():
                self.convey(command)
            case Redirect():
                self.redirect(command)
            case Note():
                self.note(command)
            case _:
                assert_never(command)

    @property
    def state(self) -> CaseState:
        if self.last is None:
            raise AssertionError("no event yet")
        return self.last

    def emit(self, data: EventData, actor: Actor | None = None) -> CaseEvent:
        actor = actor or self.command.actor
        sequence = 1 if self.last is None else self.last.seq + 1
        event = _event(
            id=ids.event_id(self.command.case_id, sequence),
            source=f"/laporhub/{self.command.profile}",
            type=cloud_type(data),
            subject=self.command.case_id,
            time=self.now,
            dataschema="urn:laporhub:case-event:1",
            sequence=sequence,
            profile=self.command.profile,
            channel=data.channel if isinstance(data, Opened) else self.state.channel,
            unit=data.unit if isinstance(data, Assigned) else self.last and self.last.unit,
            cause=self.command.id,
            actorid=actor.id,
            actorrole=actor.role,
            actorunit=actor.unit,
            data=data,
        )
        self.last = evolve(self.last, event)
        self.events.append(event)
        return event

    # ── the reporter speaks ──────────────────────────────────────────────────────────────────────

    def open(self, command: OpenCase, ticket: str) -> None:
        message, intake = command.message, self.profile.intake
        self.emit(
            _opened(
                ticket=ticket,
                channel=message.channel,
                account=message.account,
                conversation=message.conversation,
                reporter=message.reporter,
                status=intake.initial,
                profile_version=self.profile.version.isoformat(),
                private=message.private,
                anonymous=message.anonymous,
                occurred_at=message.occurred_at,
            )
        )
        self._hear(message)
        self._move_clocks({OPENED, intake.initial})
        if self.state.missing and intake.incomplete:
            guided = dialogue.rules_for(self.rules, self.state)
            self._step(intake.incomplete, quiet=guided is not None)
            if guided:
                self._ask(dialogue.following(self.rules, self.state), guided.first)
            return
        if intake.reply:
            self._mention_what_is_advised()
            self._reply(intake.reply)
        self._route()

    def add_message(self, message: Message) -> None:
        rewrites = message.replaces is not None and said.find(self.state, message.replaces) is not None
        if rewrites and said.is_stale(self.state, _heard(message)):
            return  # a later version of it is here already
        earlier = dialogue.corrected(self.rules, self.state, message)
        self._hear(message.but({"replaces": earlier}) if earlier else message)
        if is_final(self.rules, self.state):
            if self.profile.intake.after_end and not rewrites:
                self._reply(self.profile.intake.after_end)
            return
        step = self.profile.intake.complete
        waits = step is not None and self.state.status in self.profile.transitions[step].source
        if rewrites and self.state.missing:
            return  # they may be at it still: nobody is asked for each letter
        if self._asks_on(message, waits=waits) or step is None or not waits:
            return
        self._mention_what_is_advised()
        self._step(step)
        self._route()

    def withdraw(self, message_id: str) -> None:
        """The case stays, with its clocks; whether anything is left to do is for a person to say."""
        known = said.find(self.state, message_id)
        if known is None:
            raise NotFound(f"case {self.state.ticket} has no message {message_id}")
        if known.gone:
            return
        self.emit(MessageWithdrawn(message_id=message_id))
        self._classify(forget=True)

    def _hear(self, message: Message) -> None:
        self.emit(_heard(message))
        self._classify(forget=message.replaces is not None)

    def _classify(self, *, forget: bool) -> None:
        """What the words mean as they are now. `forget`: some are no longer there, and none may be quoted."""
        if is_final(self.rules, self.state) and not (forget and self.state.suggestion):
            return
        suggestion = self.classifier.suggest(self.state.text, self.state.location)
        if self.state.unit is not None and self.state.suggestion is not None:
            # What led to the disposition stays; what a person must look at is always of today.
            units = self.state.suggestion.units
            if forget:
                units = tuple(unit.but({"reasons": ()}) for unit in units)
            suggestion = self.state.suggestion.but(
                {"flags": suggestion.flags, "urgency": suggestion.urgency, "units": units}
            )
        gaps = unmet(self.profile, self.state, suggestion)
        self.emit(
            _classified(
                suggestion=suggestion,
                missing=gaps["ask"],
                advised=gaps["advise"],
                review=gaps["review"],
            ),
            SYSTEM,
        )

    def _asks_on(self, message: Message, *, waits: bool) -> bool:
        """Whether the system has more to say to the reporter: not once a person has asked, nor without end.

        `waits`: the case stands still until they have answered.
        """
        guided = dialogue.rules_for(self.rules, self.state)
        asked = self.state.asking
        if guided is None or asked is None:
            return waits and self._asks_for_all_again()
        answer = dialogue.heard(self.state, message, guided)
        if answer == "again":
            return self._ask(asked, guided.again)
        self.emit(Answered(requirement=asked, met=answer == "met"), SYSTEM)
        if asked in self.state.missing:
            return False  # asked often enough: a person goes on
        more = dialogue.following(self.rules, self.state)
        if waits:
            return more in self.state.missing and self._ask(more, guided.next)
        if answer == "met" and not self._ask(more, guided.next):
            self._reply(guided.next)
        return True

    def _ask(self, requirement: str | None, template: str) -> bool:
        """Asks for one thing, if there is one. Nobody is asked about what they wrote long ago."""
        if requirement is None or self._is_old_news():
            return False
        self._has_asked(requirement)
        self._reply(template)
        return True

    def _mention_what_is_advised(self) -> None:
        """The reply that follows asks for it in passing: so the answer is understood."""
        advised = dialogue.following(self.rules, self.state)
        guided = dialogue.rules_for(self.rules, self.state)
        if guided and not self.state.missing and advised in self.state.advised and not self._is_old_news():
            self._has_asked(str(advised))

    def _has_asked(self, requirement: str) -> None:
        attempt = self.state.asked.get(requirement, 0) + 1
        self.emit(Asked(requirement=requirement, attempt=attempt), SYSTEM)

    def _asks_for_all_again(self) -> bool:
        step = self.profile.intake.incomplete
        question = self.profile.transitions[step].reply if step else None
        said = [reply.purpose for reply in self.state.replies.values()]
        if not self.state.missing or question is None or said[-1:] != [question]:
            return False  # complete, or a person has asked meanwhile
        if said.count(question) >= _ASKED_AT_MOST:
            return False
        self._reply(question)
        return True

    def _route(self) -> None:
        """Disposes by itself where the profile allows it and the classifier is sure enough."""
        routing, suggestion = self.profile.routing, self.state.suggestion
        if routing.automatic is None or suggestion is None or not suggestion.units or self.state.review:
            return
        best, step = suggestion.units[0], self.profile.transitions[routing.transition]
        fits = self.state.status in step.source and best.unit in self.rules.units and step.assign is not None
        if fits and suggestion.sure and best.probability >= routing.automatic:
            self._step(routing.transition, {str(step.assign): best.unit})

    # ── somebody acts ────────────────────────────────────────────────────────────────────────────

    def act(self, command: Act) -> None:
        step = self.profile.transitions.get(command.transition)
        if step is None:
            raise NotFound(f"There is no transition {command.transition!r} in profile {self.profile.name}")
        if command.seen is not None and command.seen != self.state.seq:
            raise Conflict("The case has changed since you opened it: look at it again")
        if command.transition not in {name for name, _ in allowed(self.rules, self.state, command.actor)}:
            if self.state.status not in step.source:
                raise Conflict(
                    f"{command.transition!r} is not possible in the state {self.state.status!r}",
                    code="wrong_state",
                )
            raise Forbidden(f"The role {command.actor.role!r} may not do {command.transition!r} on this case")
        if (
            step.within
            and self.state.closed_at
            and is_past(self.rules, self.state.closed_at, step.within, self.now)
        ):
            raise Conflict("The time for this is over", code="too_late")
        if step.reply and step.target == self.state.status and self._is_on_its_way(step.reply):
            raise Conflict(
                "The same reply is still on its way: wait until it is sent or has failed", code="on_its_way"
            )
        self._check_fields(step, command.fields)
        self._step(command.transition, command.fields, command.actor)

    def _is_on_its_way(self, purpose: str) -> bool:
        return any(r.purpose == purpose and r.status == "queued" for r in self.state.replies.values())

    def _check_fields(self, step: Transition, fields: Fields) -> None:
        for name in fields.keys() - step.fields.keys():
            raise Refused(f"There is no field {name!r} here", code="unknown_field", field=name)
        for name, field in step.fields.items():
            value = fields.get(name)
            empty = value is None or value == "" or (isinstance(value, Words) and not value.text.strip())
            if empty and field.required and not (field.default == "draft" and self.state.draft):
                raise Refused(f"The field {name!r} is needed", code="missing_field", field=name)
            if not empty and not self._fits(field, value):
                raise Refused(f"{value!r} does not fit the field {name!r}", code="bad_field", field=name)

    def _fits(self, field: FormField, value: Words | str | int | None) -> bool:
        match field.type:
            case "text":
                return isinstance(value, Words)
            case "unit":
                return value in self.rules.units
            case "choice":
                return value in (field.options or {})
            case "rating":
                return isinstance(value, int) and 1 <= value <= 5

    def _step(
        self, name: str, fields: Fields | None = None, actor: Actor = SYSTEM, *, quiet: bool = False
    ) -> None:
        """Takes a transition with all its effects; the caller has checked that it may, and says more if `quiet`."""
        step, fields = self.profile.transitions[name], fields or {}
        self.emit(
            _transitioned(
                transition=name,
                source=self.state.status,
                target=step.target,
                ends=self.profile.states[step.target].final,
                fields=fields,
            ),
            actor,
        )
        if step.assign and (unit := fields.get(step.assign)):
            self.emit(_assigned(unit=str(unit), previous=self.state.unit), actor)
        if step.unassign and self.state.unit is not None:
            self.emit(_assigned(unit=None, previous=self.state.unit), actor)
        if step.draft and isinstance(words := fields.get(step.draft), Words) and words.text.strip():
            self.emit(Drafted(words=words), actor)
        if step.rate and isinstance(rating := fields.get(step.rate), int):
            self.emit(Rated(rating=rating), actor)
        self._move_clocks({name, step.target})
        if step.reply and not quiet:
            self._reply(step.reply, fields)

    def note(self, command: Note) -> None:
        if not may_note(self.rules, self.state, command.actor):
            raise Forbidden(f"The role {command.actor.role!r} may not write notes on this case")
        if not command.words.text.strip():
            raise Refused("The note is empty", code="missing_field", field="text")
        self.emit(Noted(words=command.words))

    # ── clocks ───────────────────────────────────────────────────────────────────────────────────

    def _move_clocks(self, triggers: set[str]) -> None:
        """Stops, starts, pauses and resumes what the step's name and its target state call for."""
        for name, dropped in self.state.clocks.items():
            if name not in self.profile.clocks and dropped.status != "stopped":
                self.emit(_clock_stopped(clock=name, late=dropped.late), SYSTEM)
        for name, rule in self.profile.clocks.items():
            if rule.channels is not None and self.state.channel not in rule.channels:
                continue
            clock = self.state.clocks.get(name)
            ticking = clock is not None and clock.status != "stopped"
            if clock and ticking and triggers.intersection(rule.stop):
                late = clocks.is_late(clock, rule, self.now)
                self.emit(_clock_stopped(clock=name, late=clock.late or late), SYSTEM)
                ticking = False
            elif not ticking and triggers.intersection(rule.start):
                due_at, alarms = clocks.schedule(rule, self.rules.calendar, self.now)
                self.emit(_clock_started(clock=name, due_at=due_at, alarms=alarms), SYSTEM)
                ticking = True
            if ticking:
                self._pause_or_resume(name)

    def _pause_or_resume(self, name: str) -> None:
        rule, clock = self.profile.clocks[name], self.state.clocks[name]
        rests = self.state.status in rule.pause
        if rests and clock.status == "running":
            remaining = clocks.pause(clock, rule, self.rules.calendar, self.now)
            self.emit(ClockPaused(clock=name, measure=clocks.measure(rule), remaining=remaining), SYSTEM)
        elif not rests and clock.status == "paused":
            if clock.measure == clocks.measure(rule):
                due_at, alarms = clocks.resume(clock.remaining, rule, self.rules.calendar, self.now)
            else:  # the profile measures otherwise than when it stopped: seconds are no working days
                due_at, alarms = clocks.schedule(rule, self.rules.calendar, self.now)
            self.emit(ClockResumed(clock=name, due_at=due_at, alarms=alarms), SYSTEM)

    def tick(self, command: Tick) -> None:
        clock, rule = self.state.clocks.get(command.clock), self.profile.clocks.get(command.clock)
        if clock is None or clock.status != "running":
            return
        if clock.alarms.get(command.alarm) != command.due_at or self.now < command.due_at:
            return
        if rule is None:  # the profile no longer has this clock: it must not ring for ever
            self.emit(_clock_stopped(clock=command.clock, late=clock.late), SYSTEM)
            return
        step = int(command.alarm) if command.alarm.isdigit() else -1
        receiver = rule.escalate[step].to if 0 <= step < len(rule.escalate) else None
        late = self.now >= clock.due_at and command.alarm != clocks.WARN
        self.emit(
            ClockAlarmed(clock=command.clock, alarm=command.alarm, late=late, escalate_to=receiver), SYSTEM
        )
        if command.alarm == clocks.THEN:
            self._follow(rule.then)
        elif command.alarm == clocks.WARN:
            self._follow(rule.at_warning)

    # ── replies ──────────────────────────────────────────────────────────────────────────────────

    def _reply(self, purpose: str, fields: Fields | None = None) -> None:
        if self._is_old_news():
            return
        said = compose(self.rules, self.state, purpose, fields or {})
        if not said.text:  # this channel's template is only a comment: nothing is to be said there
            return
        channel = self.profile.channels.get(self.state.channel)
        on_page = channel is not None and channel.delivery == "page"
        self.emit(
            _reply_queued(
                reply_id=ids.reply_id(ids.event_id(self.state.id, self.state.seq + 1)),
                purpose=purpose,
                channel=self.state.channel,
                account=self.state.account,
                conversation=self.state.conversation,
                text=said.text,
                pattern=said.pattern,
                sealed=said.sealed,
                human=self._is_a_persons_word(fields or {}),
                status="sent" if on_page else "queued",
            ),
            SYSTEM,
        )
        if on_page:
            self._follow(self.profile.publication.on_sent.get(purpose))

    def _is_a_persons_word(self, fields: Fields) -> bool:
        """Whether the reply says what a member of staff wrote, in this step or in the draft that it sends."""
        by_staff = self.command.actor.role not in BUILT_IN_ROLES
        return by_staff and (
            self.state.draft is not None or any(isinstance(v, Words) for v in fields.values())
        )

    def _is_old_news(self) -> bool:
        """A message that comes in long after it was written (a backfill) gets no automatic answer."""
        if not isinstance(self.command, OpenCase | AddMessage):
            return False
        written = self.command.message.sent_at
        return written is not None and self.now - written > _ANSWERED_WITHIN

    def convey(self, command: Convey) -> None:
        if self._undelivered(command.reply_id).status not in ("queued", "failed"):
            raise Conflict("It has reached the reporter already", code="arrived")
        told = ReplyUpdated(reply_id=command.reply_id, status="delivered", reason=BY_HAND)
        self._update_reply(command.reply_id, told, command.actor)

    def redirect(self, command: Redirect) -> None:
        failed = self._undelivered(command.reply_id)
        if failed.status != "failed" or self._newest(failed.purpose) != command.reply_id:
            raise Conflict("It has been said again meanwhile, or has arrived", code="arrived")
        self.emit(
            ReplyQueued(
                reply_id=ids.reply_id(ids.event_id(self.state.id, self.state.seq + 1)),
                purpose=failed.purpose,
                channel=command.channel,
                account=command.account,
                conversation=command.conversation,
                text=command.text,
                pattern=command.pattern,
                sealed=command.sealed,
                human=command.human,
            )
        )

    def _undelivered(self, reply_id: str) -> Reply:
        """For one of those who answer reporters. Raises `Forbidden`, `NotFound`."""
        if not may_speak(self.rules, self.state, self.command.actor):
            raise Forbidden(f"The role {self.command.actor.role!r} does not answer reporters on this case")
        if reply_id not in self.state.replies:
            raise NotFound(f"case {self.state.ticket} has no reply {reply_id}")
        return self.state.replies[reply_id]

    def _newest(self, purpose: str) -> str:
        return [name for name, each in self.state.replies.items() if each.purpose == purpose][-1]

    def deliver(self, command: Delivery) -> None:
        if command.reply_id not in self.state.replies:
            raise NotFound(f"case {self.state.ticket} has no reply {command.reply_id}")
        self._update_reply(
            command.reply_id,
            ReplyUpdated(
                reply_id=command.reply_id,
                status=command.status,
                platform_id=command.platform_id,
                reason=command.reason,
            ),
        )

    def _update_reply(self, reply_id: str, update: ReplyUpdated, actor: Actor = SYSTEM) -> None:
        """Statuses only rise. "failed" counts unless it arrived before; then only the platform's word that it did
        arrive after all counts, not that we had handed it over.
        """
        before = self.state.replies[reply_id]
        if update.status == "failed":
            if before.status in ("failed", "delivered", "read"):
                return
        elif before.status == "failed":
            if update.status not in ("delivered", "read"):
                return
        elif _DELIVERY_RANK[update.status] <= _DELIVERY_RANK[before.status]:
            return
        self.emit(update, actor)
        if self._newest(before.purpose) != reply_id:
            return  # a later one with the same purpose says where the case stands
        rules = self.profile.publication
        if update.status == "failed":
            self._follow(rules.on_failed.get(before.purpose))
        elif before.status in ("queued", "failed"):
            self._follow(rules.on_sent.get(before.purpose))

    def _follow(self, transition: str | None) -> None:
        if transition and self.state.status in self.profile.transitions[transition].source:
            self._step(transition)
