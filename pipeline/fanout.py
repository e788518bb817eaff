"""What units and channel admins get of a case's events: the former without identity, the latter as work to do. Pure.

`forwarded` sends each event to the unit that has the case, and the one that takes it away to the unit that had
it. A unit that gets a case is first told all it needs to act, so it never has to ask for what was before.
`work` keeps one record a case in the queue of its channel while it is the turn of the channel's admins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile
from typing import Final, assert_never

from laporhub.pipeline.access import event_as_seen, eyes_of, eyes_of_units, state_as_seen
from laporhub.pipeline.base_model import trusted
from laporhub.pipeline.case_state import CaseState, Clock
from laporhub.pipeline.commands import Actor, Words
from laporhub.pipeline.events import (
    Answered,
    Asked,
    Assigned,
    CaseEvent,
    Classified,
    ClockAlarmed,
    ClockMoved,
    ClockPaused,
    ClockResumed,
    ClockStarted,
    ClockStopped,
    Confided,
    Contributed,
    Drafted,
    EventData,
    Evidenced,
    Followed,
    Involved,
    Located,
    Merged,
    MessageAdded,
    MessageWithdrawn,
    Noted,
    Opened,
    Rated,
    Released,
    ReplyQueued,
    ReplyUpdated,
    Split,
    Transitioned,
)
from laporhub.pipeline.evolve import evolve
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.streams import write_record
from laporhub.pipeline.topics import DEFAULT_PREFIX, Record, channel_roles, queue_topic, unit_topic
from laporhub.pipeline.unit_events import (
    UNIT_EVENT_TYPE,
    UnitCase,
    UnitClassified,
    UnitClock,
    UnitClockMoved,
    UnitDrafted,
    UnitEvent,
    UnitEventData,
    UnitMessage,
    UnitMessageWithdrawn,
    UnitNoted,
    UnitRated,
    UnitReply,
    UnitReplyUpdated,
    UnitTakenAway,
    UnitTransitioned,
    Work,
    WorkSuggestion,
)
from laporhub.pipeline.workflow import (
    failed_replies,
    is_final,
    is_unread,
    may_see,
    needs_attention,
    queue_statuses,
)

EXCERPT: Final = 280
"""Characters of the reporter's words in a queue."""

Fields = Mapping[str, Words | str | int]

_actor, _todo = trusted(Actor), trusted(Work)


# ── to units ─────────────────────────────────────────────────────────────────────────────────────


def forwarded(
    events: Sequence[CaseEvent], state: CaseState | None, rulebook: Rulebook, prefix: str = DEFAULT_PREFIX
) -> list[Record]:
    """What units get of these events of one case, in order.

    `state` is the case before the first of them, None for a new one: then the same events give the same bytes,
    however they were cut into batches, as long as what one command led to stays together (it is stored together,
    so it is). (A state that holds some of them already is told as it stands.)
    Units that the profile does not know get nothing: they have no topic.
    """
    if not any(event.unit or isinstance(event.data, Assigned) for event in events):
        return []
    records: list[Record] = []
    step: CaseEvent | None = None
    eyes = eyes_of_units(rulebook)
    for number, whole in enumerate(events):
        helpers = tuple(state.parts) if state is not None else ()
        state = evolve(state, whole)
        event = event_as_seen(rulebook, whole, eyes)
        if event is None:
            continue
        if isinstance(event.data, Transitioned):
            step = event
            leaves = _goes_elsewhere(event, events[number + 1 :])
        else:
            leaves = False
        for unit, data in _told(event, state_as_seen(state, eyes), step, leaves, helpers):
            if unit in rulebook.units and _units_may_see(rulebook, state):
                key = event.case_id.encode()
                value = write_record(_enveloped(event, unit, state.ticket, data))
                records.append(Record(unit_topic(event.profile, unit, prefix), key, value))
    return records


def _told(
    event: CaseEvent, state: CaseState, step: CaseEvent | None, leaves: bool, helpers: Sequence[str]
) -> Iterator[tuple[str, UnitEventData]]:
    """(unit, what it is told). `step` is the latest transition; `leaves`: it hands the case to another unit.

    `helpers` were asked for a part before the event: they are told as much as the responsible unit.
    """
    brought_by = step if step and step.cause == event.cause else None
    match event.data:
        case Assigned(unit=given, previous=previous):
            for unit in dict.fromkeys((*((previous,) if previous else ()), *helpers)):
                if unit != given:
                    yield unit, UnitTakenAway()
            if given:
                yield given, _snapshot(state, brought_by)
        case Involved(unit=unit):
            yield unit, _snapshot(state, brought_by)
        case Released(unit=unit):
            yield unit, UnitTakenAway()
        case _:
            for unit in (*((event.unit,) if event.unit else ()), *helpers):
                if data := _without_identity(event.data, event.actorunit == unit, leaves):
                    yield unit, _with_all_said(data, state)


def _with_all_said(data: UnitEventData, state: CaseState) -> UnitEventData:
    """What was rewritten or taken back cannot be found in words that were told together."""
    changed = isinstance(data, UnitMessageWithdrawn) or (isinstance(data, UnitMessage) and data.replaces)
    is_whole = len(state.said) == state.messages  # not in a case of an earlier release
    return data.but({"said": state.text}) if changed and is_whole else data


def _goes_elsewhere(step: CaseEvent, following: Sequence[CaseEvent]) -> bool:
    """Whether the step gives the case to another unit: then its note is for that one."""
    led_to = takewhile(
        lambda each: each.cause == step.cause and not isinstance(each.data, Transitioned), following
    )
    given = [each.data.unit for each in led_to if isinstance(each.data, Assigned)]
    return any(unit is not None and unit != step.unit for unit in given)


def _snapshot(state: CaseState, step: CaseEvent | None) -> UnitCase:
    found = state.suggestion
    taken = step.data if step and isinstance(step.data, Transitioned) else None
    return UnitCase(
        status=state.status,
        text=state.text,
        location=state.location,
        occurred_at=state.occurred_at,
        opened_at=state.opened_at,
        attachments=state.attachments,
        messages=state.messages,
        topic=found and found.topic,
        urgency=found.urgency if found else "normal",
        place=found and found.place,
        private=state.private,
        anonymous=state.anonymous,
        clocks={name: _clock(clock) for name, clock in state.clocks.items()},
        rating=state.rating,
        transition=taken and taken.transition,
        fields=_plain(taken.fields) if taken else {},
    )


def _clock(clock: Clock) -> UnitClock:
    return UnitClock(status=clock.status, due_at=clock.due_at, late=clock.late)


def _plain(fields: Fields) -> dict[str, str | int]:
    return {name: value.text if isinstance(value, Words) else value for name, value in fields.items()}


def _without_identity(data: EventData, own: bool, leaves: bool) -> UnitEventData | None:
    """The same without identity; None for what is not the unit's. `own`: the unit itself did it."""
    match data:
        case MessageAdded():
            return UnitMessage(
                message_id=data.message_id,
                replaces=data.replaces,
                message_kind=data.message_kind,
                text=data.text,
                attachments=len(data.attachments),
                location=data.location,
                sent_at=data.sent_at,
            )
        case MessageWithdrawn(message_id=name):
            return UnitMessageWithdrawn(message_id=name)
        case Classified(suggestion=found):
            return UnitClassified(topic=found.topic, urgency=found.urgency, place=found.place)
        case Transitioned():
            return UnitTransitioned(
                transition=data.transition,
                source=data.source,
                target=data.target,
                ends=data.ends,
                fields={} if leaves and not own else _plain(data.fields),
            )
        case Drafted(words=words):
            return UnitDrafted(text=words.text)
        case ReplyQueued():
            return UnitReply(reply_id=data.reply_id, purpose=data.purpose, text=data.text)
        case ReplyUpdated():
            return UnitReplyUpdated(reply_id=data.reply_id, status=data.status)
        case ClockStarted():
            return UnitClockMoved(clock=data.clock, moved="started", due_at=data.due_at)
        case ClockPaused():
            return UnitClockMoved(clock=data.clock, moved="paused")
        case ClockResumed():
            return UnitClockMoved(clock=data.clock, moved="resumed", due_at=data.due_at)
        case ClockMoved():
            return UnitClockMoved(clock=data.clock, moved="moved", due_at=data.due_at)
        case ClockStopped():
            return UnitClockMoved(clock=data.clock, moved="stopped", late=data.late)
        case ClockAlarmed():
            return UnitClockMoved(clock=data.clock, moved="alarmed", alarm=data.alarm, late=data.late)
        case Rated(rating=rating):
            return UnitRated(rating=rating)
        case Noted(words=words):
            return UnitNoted(text=words.text) if own else None
        # What is asked and answered is told in words; what is said in confidence is told to nobody's system.
        case Opened() | Assigned() | Asked() | Answered() | Confided():
            return None
        case Involved() | Released() | Contributed() | Evidenced():  # told with the step, by its fields
            return None
        case Located() | Merged() | Split() | Followed():  # the first by what was made of it
            return None
        case _:
            assert_never(data)


def _enveloped(event: CaseEvent, unit: str, ticket: str, data: UnitEventData) -> UnitEvent:
    return UnitEvent(
        id=event.id,
        source=f"{event.source}/unit/{unit}",
        type=UNIT_EVENT_TYPE + data.kind,
        subject=event.case_id,
        time=event.time,
        sequence=event.sequence,
        profile=event.profile,
        unit=unit,
        channel=event.channel,
        ticket=ticket,
        actorrole=event.actorrole,
        actorunit=event.actorunit,
        data=data,
    )


def _units_may_see(rulebook: Rulebook, state: CaseState) -> bool:
    """A private case only where a role of units may see such cases."""
    roles = [role for role in rulebook.profile.roles.values() if role.scope == "unit"]
    return not state.private or any(role.sees_private for role in roles)


# ── to channel admins ────────────────────────────────────────────────────────────────────────────


def work(
    state: CaseState, rulebook: Rulebook, prefix: str = DEFAULT_PREFIX, before: CaseState | None = None
) -> list[Record]:
    """The record of the case in its channel's queue, or the one that takes it away; nothing for other channels.

    `before` is the case as it was, where the caller has it: what was not in the queue is then not taken away.
    """
    if not channel_roles(rulebook, state.channel):
        return []
    if not is_work(rulebook, state):
        if before is not None and not is_work(rulebook, before):
            return []
        value = None
    else:
        value = write_record(_work(rulebook, _as_admins_see(rulebook, state)))
    return [Record(queue_topic(state.profile, state.channel, prefix), state.id.encode(), value)]


def is_work(rulebook: Rulebook, state: CaseState) -> bool:
    """Whether the channel's admins have something to do.

    It is the turn of one who may see it, the reporter wrote again, or a reply failed while the case is open.
    """
    admins = [
        name
        for name in channel_roles(rulebook, state.channel)
        if may_see(rulebook, state, _actor(id="", role=name))
    ]
    if any(state.status in queue_statuses(rulebook, name) for name in admins):
        return True
    unheard = bool(failed_replies(state)) and not is_final(rulebook, state)
    return bool(admins) and (unheard or is_unread(state))


def _as_admins_see(rulebook: Rulebook, state: CaseState) -> CaseState:
    """What all of the channel's admins may see: they read one topic."""
    for role in channel_roles(rulebook, state.channel):
        state = state_as_seen(state, eyes_of(rulebook, role))
    return state


def _work(rulebook: Rulebook, state: CaseState) -> Work:
    found, place = state.suggestion, rulebook.of(state).profile.states.get(state.status)
    due = [clock.due_at for clock in state.clocks.values() if clock.status == "running"]
    return _todo(
        case_id=state.id,
        sequence=state.seq,
        profile=state.profile,
        channel=state.channel,
        ticket=state.ticket,
        status=state.status,
        turn=place and place.owner,
        unit=state.unit,
        urgency=found.urgency if found else "normal",
        opened_at=state.opened_at,
        due_at=min(due, default=None),
        attention=needs_attention(state),
        failed_replies=failed_replies(state),
        missing=state.missing,
        review=state.review,
        suggestions=tuple(
            WorkSuggestion(unit=guess.unit, probability=guess.probability)
            for guess in (found.units[:3] if found else ())
        ),
        private=state.private,
        text=state.text[:EXCERPT],
    )
