"""Made-up histories of cases: any order of events that a case can live through, each a proper `CaseEvent`.

What must not be told to everyone carries a mark: `IDENTITY` who the reporter is, `SECRET` what is sealed, `SAID` what
somebody wrote.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import reduce
from typing import Any

from hypothesis import strategies as st
from support import MONDAY

from laporhub.pipeline import ids
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.classifier import Place, Suggestion, UnitGuess
from laporhub.pipeline.commands import Words
from laporhub.pipeline.events import (
    Assigned,
    CaseEvent,
    Classified,
    ClockAlarmed,
    ClockMoved,
    ClockPaused,
    ClockResumed,
    ClockStarted,
    ClockStopped,
    Drafted,
    EventData,
    Located,
    MessageAdded,
    Noted,
    Opened,
    Rated,
    ReplyQueued,
    ReplyUpdated,
    Transitioned,
    cloud_type,
)
from laporhub.pipeline.evolve import evolve
from laporhub.pipeline.messages import Attachment, Location, Spot

PROFILE = "kota-contoh"
UNITS = ("dishub", "dinas-pupr", "pdam")
IDENTITY, SECRET, SAID = "p-reporter-mark", "sealed-mark", "ucapan"
HOUR = timedelta(hours=1)


def history(
    number: int, steps: Iterable[EventData] = (), *, profile: str = PROFILE, at: datetime = MONDAY
) -> list[CaseEvent]:
    """The events of case `number`: opening, first message, then `steps`, a minute apart."""
    case = ids.case_id(f"m{number}")
    opened = Opened(
        ticket=ids.ticket("LG", "WA", case),
        channel="whatsapp",
        account="whatsapp:contoh",
        conversation=f"{IDENTITY}-conversation-{number}",
        reporter=f"{IDENTITY}-{number}",
        status="received",
        profile_version="1",
        occurred_at=at - HOUR,
    )
    events: list[CaseEvent] = []
    unit: str | None = None
    for sequence, data in enumerate((opened, said(f"pertama {number}"), *steps), start=1):
        unit = data.unit if isinstance(data, Assigned) else unit
        events.append(
            CaseEvent(
                id=ids.event_id(case, sequence),
                source=f"/laporhub/{profile}",
                type=cloud_type(data),
                subject=case,
                time=at + timedelta(minutes=sequence),
                dataschema="contoh",
                sequence=sequence,
                profile=profile,
                channel="whatsapp",
                unit=unit,
                cause=f"command-{sequence}",
                actorid=f"{IDENTITY}-actor",
                actorrole="admin_disposisi",
                actorunit=unit,
                data=data,
            )
        )
    return events


def said(words: str, **more: Any) -> MessageAdded:
    given = {
        "message_id": "m",
        "text": f"{SAID} {words}",
        "sealed_text": SECRET,
        "sealed_identity": SECRET,
        "known": ("phone",),
        "attachments": (Attachment(url="https://contoh.example/1"),),
        "location": Location(
            address=f"{SAID} jalan", lat=-7.0, lon=110.4, district="Contoh", village="Contohan"
        ),
        "taken": Spot(lat=-7.01, lon=110.41),
    }
    return MessageAdded.model_validate(given | more)


def suggested(*units: str, **more: Any) -> Classified:
    guesses = tuple(
        UnitGuess(unit=unit, probability=0.8 / rank, reasons=(SAID,)) for rank, unit in enumerate(units, 1)
    )
    given = {
        "units": guesses,
        "topic": "jalan",
        "place": Place(name="Contoh", region="33.25"),
        "model": "m-1",
    }
    return Classified(
        suggestion=Suggestion.model_validate(given | more), missing=("phone",), review=("sara",)
    )


def moved(target: str, *, ends: bool = False, **fields: Any) -> Transitioned:
    return Transitioned(transition=f"to_{target}", source="received", target=target, ends=ends, fields=fields)


def reply(name: str, status: Any = "queued") -> ReplyQueued:
    return ReplyQueued(
        reply_id=name,
        purpose="ack",
        channel="whatsapp",
        account="a",
        conversation=f"{IDENTITY}-conversation",
        text=f"{SAID} jawaban",
        sealed=(SECRET,),
        status=status,
    )


def started(clock: str, at: datetime = MONDAY) -> ClockStarted:
    return ClockStarted(clock=clock, due_at=at + 6 * HOUR, alarms={"warn": at + 3 * HOUR})


def states(events: Iterable[CaseEvent]) -> list[CaseState]:
    """The state after each event."""
    found: list[CaseState] = []
    reduce(lambda state, event: found.append(now := evolve(state, event)) or now, events, None)  # type: ignore[func-returns-value, return-value]
    return found


def last(events: Iterable[CaseEvent]) -> CaseState:
    return states(events)[-1]


@st.composite
def _steps(draw: st.DrawFn) -> list[EventData]:
    """Up to 12 steps that may follow one another; only what a case can live through."""
    steps: list[EventData] = []
    unit: str | None = None
    clocks: set[str] = set()
    replies: list[str] = []
    for number in range(draw(st.integers(0, 12))):
        kinds = [
            "assign",
            "assign",
            "move",
            "end",
            "say",
            "locate",
            "suggest",
            "rate",
            "note",
            "draft",
            "reply",
            "clock",
        ]
        kind = draw(st.sampled_from(kinds + ["delivered"] * bool(replies) + ["ticks"] * bool(clocks)))
        match kind:
            case "assign":
                previous, unit = unit, draw(st.sampled_from((None, *UNITS)))
                steps.append(Assigned(unit=unit, previous=previous))
            case "move":
                steps.append(moved(draw(st.sampled_from(("received", "disposed"))), unit="dishub"))
            case "end":
                steps.append(moved("rejected", ends=True, reason="unclear", explanation=Words(text=SAID)))
            case "say":
                steps.append(said(f"lagi {number} é" if number % 2 else f"lagi {number}"))
            case "locate":
                steps.append(Located(message_id="m", taken=Spot(lat=-7.02, lon=110.42)))
            case "suggest":
                urgency = draw(st.sampled_from(("normal", "high", "critical")))
                steps.append(suggested(*draw(st.permutations(UNITS)), urgency=urgency, flags=("sara",)))
            case "rate":
                steps.append(Rated(rating=draw(st.integers(1, 5))))
            case "note":
                steps.append(Noted(words=Words(text=SAID, sealed=SECRET)))
            case "draft":
                steps.append(Drafted(words=Words(text=SAID, sealed=SECRET)))
            case "reply":
                replies.append(f"r{number}")
                steps.append(reply(replies[-1]))
            case "delivered":
                status = draw(st.sampled_from(("sent", "failed")))
                steps.append(
                    ReplyUpdated(reply_id=draw(st.sampled_from(replies)), status=status, reason=SAID)
                )
            case "clock":
                clocks.add(clock := draw(st.sampled_from(("first_response", "unit_response"))))
                steps.append(started(clock))
            case "ticks":
                steps.append(draw(_tick(draw(st.sampled_from(sorted(clocks))))))
    return steps


def _tick(clock: str) -> st.SearchStrategy[EventData]:
    return st.one_of(
        st.just(ClockPaused(clock=clock, remaining={"due": 60})),
        st.just(ClockResumed(clock=clock, due_at=MONDAY + 9 * HOUR, alarms={})),
        st.just(ClockMoved(clock=clock, due_at=MONDAY + 8 * HOUR, alarms={})),
        st.builds(ClockStopped, clock=st.just(clock), late=st.booleans()),
        st.builds(ClockAlarmed, clock=st.just(clock), alarm=st.just("warn"), late=st.booleans()),
    )


histories = st.builds(history, st.integers(0, 10**6), _steps())
"""Any history of one case."""
some_histories = st.lists(_steps(), min_size=1, max_size=5).map(
    lambda many: [history(number, steps) for number, steps in enumerate(many)]
)
"""Those of several cases."""
