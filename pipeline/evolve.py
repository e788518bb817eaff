"""`evolve(state, event) -> state`: a case is the sum of its events. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from laporhub.pipeline import ids, said
from laporhub.pipeline.base_model import trusted
from laporhub.pipeline.case_state import CaseState, Clock, Part, Reply
from laporhub.pipeline.commands import Repeated
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

_case, _running, _reply = trusted(CaseState), trusted(Clock), trusted(Reply)
_NEVER = (0, "")


def evolve(state: CaseState | None, event: CaseEvent) -> CaseState:
    """The state after the event. An event seen before changes nothing; a gap in the sequence is an error."""
    if state is None:
        return _open(event)
    if event.sequence <= state.seq:
        return state
    if event.sequence != state.seq + 1:
        raise ValueError(
            f"case {state.id} is at {state.seq}, the event is {event.sequence}: events are missing"
        )
    first, _ = state.applied.get(event.cause, (event.sequence, 0))
    return state.but(
        {
            "seq": event.sequence,
            "updated_at": event.time,
            "applied": {**state.applied, event.cause: (first, event.sequence)},
            **_changes(state, event),
        }
    )


def _open(event: CaseEvent) -> CaseState:
    data = event.data
    if not isinstance(data, Opened):
        raise ValueError(f"the first event of case {event.case_id} is {event.type}, not its opening")
    return _case(
        id=event.case_id,
        profile=event.profile,
        profile_version=data.profile_version,
        ticket=data.ticket,
        seq=event.sequence,
        status=data.status,
        channel=data.channel,
        account=data.account,
        conversation=data.conversation,
        reporter=data.reporter,
        private=data.private,
        anonymous=data.anonymous,
        opened_at=event.time,
        updated_at=event.time,
        occurred_at=data.occurred_at,
        applied={event.cause: (event.sequence, event.sequence)},
    )


def _changes(state: CaseState, event: CaseEvent) -> dict[str, Any]:
    match event.data:
        case MessageAdded() as message:
            return said.added(state, message)
        case Located() as photo:
            return said.located(state, photo)
        case MessageWithdrawn(message_id=name):
            return said.withdrawn(state, name)
        case Classified() as found:
            return {
                "suggestion": found.suggestion,
                "missing": found.missing,
                "advised": found.advised,
                "review": found.review,
            }
        case Asked(requirement=name, attempt=attempt):
            return {"asking": name, "asked": {**state.asked, name: attempt}}
        case Answered(requirement=name, met=met):
            return {"asking": None, "waived": state.waived if met else (*state.waived, name)}
        case Transitioned() as step:
            by_person = _by_person(event)
            confirmed = by_person and state.automatic == "given" and event.actorunit == state.unit
            return {
                **({"automatic": "kept"} if confirmed else {}),
                "asking": None if by_person or step.ends else state.asking,
                "status": step.target,
                "closed_at": (state.closed_at or event.time) if step.ends else None,
                # whoever says that it is over waits for nobody
                "waiting": state.waiting
                and not by_person
                and not (step.ends and event.actorrole == "reporter"),
                "taken": {
                    **state.taken,
                    step.transition: (_often(state, step.transition) + 1, event.actorid),
                    **_repeated(state, step.repeats),
                },
            }
        case Assigned(unit=unit):
            # a draft is its unit's own, and so are the parts that it asked others for
            return {"unit": unit, "draft": None, "parts": {}, "automatic": _automatic(state, event)}
        case Involved(unit=unit):
            return {"parts": {**state.parts, unit: Part(since=event.time)}}
        case Released(unit=unit):
            return {"parts": {name: part for name, part in state.parts.items() if name != unit}}
        case Contributed(unit=unit, words=words):
            return {"parts": {**state.parts, unit: state.parts[unit].but({"words": words})}}
        case Merged(into=main):
            return {"main": main}
        case Split():
            return {"main": None}
        case Followed(follower=case, ticket=ticket, left=left):
            others = {name: known for name, known in state.followers.items() if name != case}
            return {"followers": others if left else {**others, case: ticket}}
        case Evidenced():
            return {}
        case Drafted(words=words):
            return {"draft": words}
        case ReplyQueued() as reply:
            return {
                "replies": {
                    **state.replies,
                    reply.reply_id: _reply(
                        purpose=reply.purpose, status=reply.status, words=ids.words(reply.text)
                    ),
                }
            }
        case ReplyUpdated() as reply:
            before = state.replies[reply.reply_id]
            after = before.but({"status": reply.status, "reason": reply.reason})
            return {"replies": {**state.replies, reply.reply_id: after}}
        case Rated(rating=rating):
            return {"rating": rating}
        case Noted():
            return {"waiting": False}
        case Confided():
            by_reporter = event.actorrole == "reporter"
            return {"waiting": by_reporter, "confided": state.confided + by_reporter}
        case (
            ClockStarted()
            | ClockPaused()
            | ClockResumed()
            | ClockMoved()
            | ClockStopped()
            | ClockAlarmed() as tick
        ):
            return {"clocks": {**state.clocks, tick.clock: _clock(state.clocks.get(tick.clock), event)}}
        case Opened():
            raise ValueError(f"case {state.id} is opened a second time")


def _by_person(event: CaseEvent) -> bool:
    return event.actorrole not in ("system", "reporter")


def _often(state: CaseState, step: str) -> int:
    return state.taken.get(step, _NEVER)[0]


def _repeated(state: CaseState, step: Repeated | None) -> Mapping[str, tuple[int, str]]:
    """Whoever decided it in the followed case decided it here, too; it counts there only."""
    return {step.step: (_often(state, step.step), step.by)} if step else {}


def _automatic(state: CaseState, event: CaseEvent) -> str | None:
    """Once the unit is another one, or none."""
    if event.actorrole == "system" and event.unit is not None:
        return "given"
    return "returned" if state.automatic and _by_person(event) else state.automatic


def _clock(clock: Clock | None, event: CaseEvent) -> Clock:
    match event.data:
        case ClockStarted() as data:
            return _running(
                status="running",
                started_at=event.time,
                due_at=data.due_at,
                alarms=data.alarms,
                counted=data.counted,
                kept=clock.kept + (not clock.late) if clock else 0,
                missed=clock.missed + clock.late if clock else 0,
            )
        case _ if clock is None:
            raise ValueError(f"{event.type} of a clock that never started")
        case ClockPaused() as data:
            return clock.but(
                {
                    "status": "paused",
                    "remaining": data.remaining,
                    "measure": data.measure,
                    "counted": None,
                }
            )
        case ClockResumed() as data:
            return clock.but(
                {
                    "status": "running",
                    "due_at": data.due_at,
                    "alarms": data.alarms,
                    "counted": data.counted,
                    "remaining": {},
                }
            )
        case ClockMoved() as data:
            return clock.but({"due_at": data.due_at, "alarms": data.alarms})
        case ClockStopped() as data:
            return clock.but(
                {
                    "status": "stopped",
                    "alarms": {},
                    "counted": None,
                    "stopped_at": event.time,
                    "late": data.late,
                }
            )
        case ClockAlarmed() as data:
            left = {name: at for name, at in clock.alarms.items() if name != data.alarm}
            return clock.but(
                {"alarms": left, "rung": (*clock.rung, data.alarm), "late": clock.late or data.late}
            )
        case _:
            raise AssertionError(event.type)


def next_alarm(state: CaseState) -> tuple[str, str] | None:
    """(clock, alarm) that rings next, or None. Ties break by name, so that every engine picks the same."""
    pending = (
        (at, clock, alarm)
        for clock, kept in state.clocks.items()
        if kept.status == "running"
        for alarm, at in kept.alarms.items()
    )
    first = min(pending, default=None)
    return first and (first[1], first[2])
