"""What is told about cases and events to those who search and count: enough to count by, and nobody's secret."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from histories import (
    HOUR,
    IDENTITY,
    PROFILE,
    SAID,
    SECRET,
    histories,
    history,
    last,
    moved,
    reply,
    said,
    started,
    states,
    suggested,
)
from hypothesis import given
from hypothesis import strategies as st
from support import MONDAY

from laporhub.pipeline.case_state import Clock
from laporhub.pipeline.commands import Words
from laporhub.pipeline.events import Assigned, CaseEvent, ClockAlarmed, ClockStopped, Rated, ReplyUpdated
from laporhub.sinks.documents import (
    CASE_FIELDS,
    EVENT_FIELDS,
    UNIT_FIELDS,
    Document,
    Fields,
    case_document,
    event_document,
    gone_document,
    searchable,
    unit_document,
)

JSON_TYPES: dict[str, tuple[type, ...]] = {
    "keyword": (str,),
    "text": (str,),
    "date": (str,),
    "boolean": (bool,),
    "byte": (int,),
    "integer": (int,),
    "float": (float, int),
    "geo_point": (dict,),
}


def written(document: Document) -> dict[str, Any]:
    """As it goes over the wire."""
    return orjson.loads(orjson.dumps(document, option=orjson.OPT_UTC_Z))  # type: ignore[no-any-return]


def gone_documents(events: list[CaseEvent]) -> list[Document]:
    return [
        gone_document(event, "LG-1")
        for event in events
        if isinstance(event.data, Assigned) and event.data.previous
    ]


def assert_fits(document: Document, fields: Fields) -> None:
    for name, value in written(document).items():
        assert name in fields, name
        for each in value if isinstance(value, list) else [value]:
            assert type(each) in JSON_TYPES[fields[name]["type"]], name
            if fields[name]["type"] == "byte":
                assert -128 <= each <= 127
        assert value not in (None, "", []), f"{name} is empty: then it is left out"


@given(histories)
def test_a_document_has_only_fields_that_are_described_and_as_they_are_described(
    events: list[CaseEvent],
) -> None:
    for state in states(events):
        document = case_document(state)
        assert_fits(document, CASE_FIELDS)
        assert_fits(unit_document(document), UNIT_FIELDS)
    for event in events:
        assert_fits(event_document(event), EVENT_FIELDS)
    for document in gone_documents(events):
        assert_fits(document, UNIT_FIELDS)


@given(histories)
def test_a_unit_learns_nothing_of_who_the_reporter_is(events: list[CaseEvent]) -> None:
    told = [unit_document(case_document(state)) for state in states(events)] + gone_documents(events)
    for document in told:
        text = orjson.dumps(document).decode()
        assert IDENTITY not in text and SECRET not in text


@given(histories)
def test_a_case_is_told_without_what_is_sealed_and_an_event_without_words_or_persons(
    events: list[CaseEvent],
) -> None:
    for state in states(events):
        assert SECRET not in orjson.dumps(case_document(state)).decode()
    for event in events:
        text = orjson.dumps(event_document(event)).decode()
        assert IDENTITY not in text and SECRET not in text and SAID not in text


def test_all_that_a_case_document_tells() -> None:
    events = history(
        1,
        [
            suggested("dishub", "pdam", urgency="high", sure=True, flags=("sara",)),
            started("first_response"),
            Assigned(unit="pdam"),
            reply("r1"),
            ReplyUpdated(reply_id="r1", status="failed"),
            said("lagi", location=None),
            Rated(rating=4),
            ClockStopped(clock="first_response", late=False),
            started("unit_response"),
            moved("closed", ends=True),
        ],
    )
    state = last(events)
    assert written(case_document(state)) == {
        "case_id": state.id,
        "profile": PROFILE,
        "ticket": state.ticket,
        "status": "closed",
        "unit": "pdam",
        "channel": "whatsapp",
        "account": "whatsapp:contoh",
        "reporter": f"{IDENTITY}-1",
        "topic": "jalan",
        "urgency": "high",
        "urgency_rank": 1,
        "flags": ["sara"],
        "region": "33.25",
        "place": "Contoh",
        "district": "Contoh",
        "village": "Contohan",
        "missing": ["phone"],
        "review": ["sara"],
        "suggested_unit": "dishub",
        "suggested_probability": 0.8,
        "suggestion_sure": True,
        "suggestion_right": False,
        "suggestion_in_top3": True,
        "clocks_running": ["unit_response"],
        "clocks_kept": ["first_response"],
        "late": False,
        "failed_replies": ["ack"],
        "final": True,
        "active": True,
        "private": False,
        "anonymous": False,
        "attention": True,
        "waiting": False,
        "opened_at": "2026-11-23T02:01:00Z",
        "updated_at": "2026-11-23T02:12:00Z",
        "occurred_at": "2026-11-23T01:00:00Z",
        "closed_at": "2026-11-23T02:12:00Z",
        "hours_open": 0.183,
        "due_at": "2026-11-23T08:00:00Z",
        "sequence": 12,
        "messages": 2,
        "attachments": 2,
        "replies": 1,
        "rating": 4,
        "point": {"lat": -7.0, "lon": 110.4},
        "text": f"{SAID} pertama 1\n{SAID} lagi",
        "words": f"{SAID} pertama 1 {SAID} lagi",
        "address": f"{SAID} jalan",
    }


@pytest.mark.parametrize(
    ("unit", "right", "in_top3"),
    [("dishub", True, True), ("pdam", False, True), ("lain", False, False), (None, None, None)],
)
def test_a_suggestion_is_right_or_wrong_only_once_somebody_has_disposed(
    unit: str | None, right: bool | None, in_top3: bool | None
) -> None:
    document = case_document(
        last(history(1, [suggested("dishub", "dinas-pupr", "pdam", "lain"), Assigned(unit=unit)]))
    )
    assert (document.get("suggestion_right"), document.get("suggestion_in_top3")) == (right, in_top3)


def test_without_a_suggestion_a_case_is_of_normal_urgency() -> None:
    document = case_document(last(history(1)))
    assert (document["urgency"], document["urgency_rank"]) == ("normal", 0)
    assert "suggestion_right" not in document


@pytest.mark.parametrize(
    ("clock", "told"),
    [
        ({"status": "running"}, {"running"}),
        ({"status": "running", "late": True}, {"running", "late"}),
        ({"status": "paused"}, set()),
        ({"status": "stopped"}, {"kept"}),
        ({"status": "stopped", "late": True}, {"late"}),
        ({"status": "running", "kept": 2}, {"running", "kept"}),
        ({"status": "stopped", "missed": 1}, {"late"}),
        ({"status": "running", "missed": 1, "kept": 1}, {"running", "late"}),
    ],
)
def test_a_clock_is_late_if_it_ever_was_and_kept_if_it_always_ended_in_time(
    clock: dict[str, Any], told: set[str]
) -> None:
    made = Clock.model_validate({"started_at": MONDAY, "due_at": MONDAY + HOUR, **clock})
    document = case_document(last(history(1)).but({"clocks": {"c": made}}))
    assert {name for name in ("running", "late", "kept") if document.get(f"clocks_{name}") == ["c"]} == told
    assert document["late"] is ("late" in told)
    assert document.get("due_at") == (made.due_at if made.status == "running" else None)


def test_what_an_event_is_counted_by() -> None:
    events = history(
        1,
        [
            moved("disposed", unit="dishub", order=Words(text=SAID)),
            Assigned(unit="dishub"),
            ClockAlarmed(clock="c", alarm="0", late=True, escalate_to="pimpinan"),
            reply("r1"),
            ReplyUpdated(reply_id="r1", status="sent", reason=SAID),
            moved("rejected", ends=True, reason="unclear"),
            moved("rejected", ends=True, reason=Words(text="unclear")),
            moved("rejected", ends=True, reason=f"{SAID}, bebas"),
        ],
    )
    common = {
        "event_id",
        "case_id",
        "profile",
        "channel",
        "actor_role",
        "actor_unit",
        "time",
        "sequence",
        "unit",
    }
    told = [
        {name: value for name, value in event_document(event).items() if name not in common}
        for event in events
    ]
    assert told == [
        {"kind": "opened", "status_to": "received"},
        {"kind": "message_added"},
        {
            "kind": "transitioned",
            "transition": "to_disposed",
            "status_from": "received",
            "status_to": "disposed",
        },
        {"kind": "assigned"},
        {"kind": "clock_alarmed", "clock": "c", "alarm": "0", "late": True, "escalate_to": "pimpinan"},
        {"kind": "reply_queued", "purpose": "ack", "delivery_status": "queued"},
        {"kind": "reply_updated", "delivery_status": "sent"},
        {
            "kind": "transitioned",
            "transition": "to_rejected",
            "status_from": "received",
            "status_to": "rejected",
            "reason_code": "unclear",
        },
        *[
            {
                "kind": "transitioned",
                "transition": "to_rejected",
                "status_from": "received",
                "status_to": "rejected",
            }
        ]
        * 2,
    ]
    assert [event_document(event).get("unit") for event in events[2:4]] == [None, "dishub"]


def test_what_stays_with_a_unit_follows_from_the_event_alone() -> None:
    *_, event = history(1, [Assigned(unit="pdam"), Assigned(unit="dishub", previous="pdam")])
    assert written(gone_document(event, "LG-1")) == {
        "case_id": event.case_id,
        "profile": PROFILE,
        "ticket": "LG-1",
        "unit": "pdam",
        "channel": "whatsapp",
        "sequence": 4,
        "updated_at": "2026-11-23T02:04:00Z",
        "active": False,
    }
    for other in history(1, [Assigned(unit="pdam"), said("lagi")]):
        with pytest.raises(ValueError, match="takes no case"):
            gone_document(other, "LG-1")


@given(st.text())
def test_words_are_split_the_same_whatever_they_look_like(text: str) -> None:
    words = searchable(text).split()
    assert searchable(searchable(text)).split() == words
    assert all(word.isalnum() for word in words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Jl.Sudirman No.5", ["jl", "sudirman", "no", "5"]),
        ("CAFÉ “Contoh”…", ["cafe", "contoh"]),
        ("İstanbul", ["istanbul"]),
        ("𝘈duan ＬＡＭＰＵ", ["aduan", "lampu"]),
        ("a_b-c/d", ["a", "b", "c", "d"]),
        ("ꦗꦭꦤ꧀ jalan", ["ꦗꦭꦤ", "jalan"]),
        ("🙏🙏", []),
    ],
)
def test_words_are_small_plain_and_apart(text: str, words: list[str]) -> None:
    assert searchable(text).split() == words
