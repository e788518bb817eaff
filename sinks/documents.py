"""What is told about a case and about an event to those who search, count and draw charts. Pure.

Three kinds of flat documents, each with its fields and their types beside it:

- of a case, for the province: all there is to count, and what was said, redacted; never who said it
  (`reporter` is a pseudonym).
- of a case, for the unit that has it: without the pseudonym. A case that moved on leaves a small document with
  `active: false`.
- of an event: codes and times only, no words and no person.

What is unknown or empty is left out; times are UTC.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.classifier import Suggestion
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
    Opened,
    Rated,
    ReplyQueued,
    ReplyUpdated,
    Transitioned,
)
from laporhub.pipeline.messages import Location
from laporhub.pipeline.workflow import failed_replies, needs_attention

Document: TypeAlias = dict[str, Any]
Fields: TypeAlias = Mapping[str, Mapping[str, Any]]

URGENCY: Final = {"normal": 0, "high": 1, "critical": 2}
"""Ranks, least urgent first."""

WORDS_LONGEST: Final = 255
"""Characters of a word; a longer one is cut where it is indexed."""

_CODE: Final = {"type": "keyword"}
_NAME: Final = {"type": "keyword", "ignore_above": 256}  # typed by people: may be of any length
_FLAG: Final = {"type": "boolean"}
_TIME: Final = {"type": "date"}
_WHOLE: Final = {"type": "integer"}
_SMALL: Final = {"type": "byte"}
_REAL: Final = {"type": "float"}
_TEXT: Final = {"type": "text", "analyzer": "id_text"}

_SHARED: Final[Fields] = {
    **dict.fromkeys(
        (
            "case_id", "profile", "ticket", "status", "unit", "channel", "account", "topic", "urgency", "flags",
            "region", "missing", "review", "suggested_unit", "clocks_running", "clocks_late", "clocks_kept",
            "failed_replies", "automatic",
        ),
        _CODE,
    ),
    **dict.fromkeys(("place", "district", "village"), _NAME),
    **dict.fromkeys(
        (
            "final", "active", "private", "anonymous", "attention", "waiting", "late", "suggestion_sure",
            "suggestion_right", "suggestion_in_top3",
        ),
        _FLAG,
    ),
    **dict.fromkeys(("opened_at", "updated_at", "occurred_at", "closed_at", "due_at"), _TIME),
    **dict.fromkeys(("sequence", "messages", "attachments", "replies"), _WHOLE),
    **dict.fromkeys(("rating", "urgency_rank"), _SMALL),
    **dict.fromkeys(("suggested_probability", "hours_open"), _REAL),
    "point": {"type": "geo_point"},
    **dict.fromkeys(("text", "address"), _TEXT),
}  # fmt: skip

CASE_FIELDS: Final[Fields] = {
    **_SHARED,
    "reporter": _CODE,
    "helpers": _CODE,
    # Prepared by `searchable`, so that every server splits words alike; told apart by spaces, never ranked.
    "words": {"type": "text", "analyzer": "whitespace", "norms": False, "index_options": "docs"},
}
"""Of the province's documents."""

UNIT_FIELDS: Final[Fields] = _SHARED
"""Of a unit's documents: a document with anything else is refused by the server, too."""

EVENT_FIELDS: Final[Fields] = {
    **dict.fromkeys(
        (
            "event_id", "case_id", "profile", "kind", "channel", "unit", "actor_role", "actor_unit", "status_from",
            "status_to", "transition", "clock", "alarm", "escalate_to", "purpose", "delivery_status", "reason_code",
            "topic",
        ),
        _CODE,
    ),
    "late": _FLAG,
    "rating": _SMALL,
    "time": _TIME,
    "sequence": _WHOLE,
}  # fmt: skip

SEARCHED_ONLY: Final = ("words",)
"""Fields that are indexed and not kept."""


# ── cases ────────────────────────────────────────────────────────────────────────────────────────


def case_document(state: CaseState) -> Document:
    """All that the province may count and read of a case."""
    running = [clock.due_at for clock in state.clocks.values() if clock.status == "running"]
    failed = failed_replies(state)
    urgency = state.suggestion.urgency if state.suggestion else "normal"
    document: Document = {
        "case_id": state.id,
        "profile": state.profile,
        "ticket": state.ticket,
        "status": state.status,
        "channel": state.channel,
        "account": state.account,
        "reporter": state.reporter,
        "urgency": urgency,
        "urgency_rank": URGENCY[urgency],
        "final": state.closed_at is not None,
        "active": True,
        "private": state.private,
        "anonymous": state.anonymous,
        "attention": needs_attention(state),
        "waiting": state.waiting,
        "opened_at": state.opened_at,
        "updated_at": state.updated_at,
        "sequence": state.seq,
        "messages": state.messages,
        "attachments": state.attachments,
        "replies": len(state.replies),
        **_clocks(state),
    }
    if state.text:
        document["text"] = state.text
        document["words"] = searchable(state.text)
    if state.unit:
        document["unit"] = state.unit
    if state.automatic:
        document["automatic"] = state.automatic
    if state.parts:
        document["helpers"] = list(state.parts)
    if state.missing:
        document["missing"] = state.missing
    if state.review:
        document["review"] = state.review
    if failed:
        document["failed_replies"] = list(failed)
    if running:
        document["due_at"] = min(running)
    if state.occurred_at:
        document["occurred_at"] = state.occurred_at
    if state.closed_at:
        document["closed_at"] = state.closed_at
        document["hours_open"] = _hours(state.opened_at, state.closed_at)
    if state.rating is not None:
        document["rating"] = state.rating
    if state.location:
        document |= _where(state.location)
    if state.suggestion:
        document |= _suggested(state.suggestion, state.unit if state.automatic != "given" else None)
    return document


def _hours(start: datetime, end: datetime) -> float:
    return round((end - start).total_seconds() / 3600, 3)


def _clocks(state: CaseState) -> Document:
    """A clock is late when any of its runs was; kept when one ended in time and none late."""
    running, late, kept = [], [], []
    for name, clock in state.clocks.items():
        if clock.status == "running":
            running.append(name)
        if clock.late or clock.missed:
            late.append(name)
        elif clock.kept or clock.status == "stopped":
            kept.append(name)
    found: Document = {"late": bool(late)}
    for field, names in (("clocks_running", running), ("clocks_late", late), ("clocks_kept", kept)):
        if names:
            found[field] = sorted(names)
    return found


def _where(location: Location) -> Document:
    found: Document = {}
    if location.address:
        found["address"] = location.address
    if location.district:
        found["district"] = location.district
    if location.village:
        found["village"] = location.village
    if location.lat is not None and location.lon is not None:
        found["point"] = {"lat": location.lat, "lon": location.lon}
    return found


def _suggested(suggestion: Suggestion, unit: str | None) -> Document:
    """What the classifier said, and whether `unit`, which people gave the case to, is the one it named."""
    found: Document = {}
    if suggestion.topic:
        found["topic"] = suggestion.topic
    if suggestion.flags:
        found["flags"] = suggestion.flags
    if place := suggestion.place:
        found["place"] = place.name
        if place.region:
            found["region"] = place.region
    if suggestion.units:
        first = suggestion.units[0]
        found["suggested_unit"] = first.unit
        found["suggested_probability"] = first.probability
        found["suggestion_sure"] = suggestion.sure
        if unit:
            found["suggestion_right"] = first.unit == unit
            found["suggestion_in_top3"] = any(guess.unit == unit for guess in suggestion.units[:3])
    return found


def unit_document(case: Mapping[str, Any]) -> Document:
    """What the unit that has a case may see of it; `case` is its `case_document`."""
    return {name: value for name, value in case.items() if name in UNIT_FIELDS}


def gone_document(event: CaseEvent, ticket: str) -> Document:
    """What stays with the unit that `event` took a case from. The same whenever and however often it is made."""
    if not isinstance(event.data, Assigned) or event.data.previous is None:
        raise ValueError(f"event {event.id} takes no case from a unit")
    return {
        "case_id": event.case_id,
        "profile": event.profile,
        "ticket": ticket,
        "unit": event.data.previous,
        "channel": event.channel,
        "sequence": event.sequence,
        "updated_at": event.time,
        "active": False,
    }


# ── events ───────────────────────────────────────────────────────────────────────────────────────

_REASON = re.compile(r"[a-z][a-z0-9_-]{0,59}")


def event_document(event: CaseEvent) -> Document:
    """What may be counted of an event. No words, no person: a reason only where it is a choice of the profile."""
    data = event.data
    document: Document = {
        "event_id": event.id,
        "case_id": event.subject,
        "profile": event.profile,
        "kind": data.kind,
        "channel": event.channel,
        "actor_role": event.actorrole,
        "time": event.time,
        "sequence": event.sequence,
    }
    if event.unit:
        document["unit"] = event.unit
    if event.actorunit:
        document["actor_unit"] = event.actorunit
    match data:
        case Opened():
            document["status_to"] = data.status
        case Classified():
            if data.suggestion.topic:
                document["topic"] = data.suggestion.topic
        case Transitioned():
            document["transition"] = data.transition
            document["status_from"] = data.source
            document["status_to"] = data.target
            reason = data.fields.get("reason")
            if isinstance(reason, str) and _REASON.fullmatch(reason):
                document["reason_code"] = reason
        case ClockStarted() | ClockPaused() | ClockResumed() | ClockMoved():
            document["clock"] = data.clock
        case ClockStopped():
            document["clock"] = data.clock
            document["late"] = data.late
        case ClockAlarmed():
            document["clock"] = data.clock
            document["alarm"] = data.alarm
            document["late"] = data.late
            if data.escalate_to:
                document["escalate_to"] = data.escalate_to
        case ReplyQueued():
            document["purpose"] = data.purpose
            document["delivery_status"] = data.status
        case ReplyUpdated():
            document["delivery_status"] = data.status
        case Rated():
            document["rating"] = data.rating
        case _:  # what was said, suggested, drafted or noted is told by the case, or by nobody
            pass
    return document


# ── words ────────────────────────────────────────────────────────────────────────────────────────

_PLAIN = bytes(code if chr(code).isalnum() and code < 128 else ord(" ") for code in range(256))
_WORD = re.compile(r"[^\W_]+")


def searchable(text: str) -> str:
    """The words of a text, apart by spaces, small and without accents: the same for what was said and what is sought.

    >>> searchable("Jl.Sudirman, depan CAFÉ").split()
    ['jl', 'sudirman', 'depan', 'cafe']
    """
    if text.isascii():
        return text.lower().encode().translate(_PLAIN).decode()
    apart = unicodedata.normalize(
        "NFKD", text
    ).lower()  # after it: a letter for mathematicians becomes a plain one
    return " ".join(_WORD.findall("".join(sign for sign in apart if not unicodedata.combining(sign))))
