"""The store keeps its word on SQLite and on PostgreSQL alike; one suite over both, each function of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from argon2 import extract_parameters
from argon2.exceptions import VerifyMismatchError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError
from support import MONDAY, Stub, form, laporgub, seeded, whatsapp

from laporhub.hub.settings import Settings
from laporhub.pipeline import ids
from laporhub.pipeline.case_state import CaseState, Clock
from laporhub.pipeline.commands import Words
from laporhub.pipeline.door import Door
from laporhub.pipeline.errors import Misconfigured, NotFound, Refused, WriteConflict
from laporhub.pipeline.events import EVENT_TYPE_PREFIX, CaseEvent, EventData, Noted, ReplyQueued
from laporhub.pipeline.intake import Conversation
from laporhub.pipeline.messages import Message
from laporhub.pipeline.staff import Account
from laporhub.pipeline.store import accounts, cases, dead_letters, log, outbox
from laporhub.pipeline.store.accounts import SESSION_LASTS, TOKEN_LASTS, AccountStore
from laporhub.pipeline.store.batch import Batch
from laporhub.pipeline.store.database import open_database, writer
from laporhub.pipeline.store.dead_letters import DeadLetter
from laporhub.pipeline.store.keys import KeyRing, save_keys
from laporhub.pipeline.store.outbox import Queued
from laporhub.pipeline.store.outcomes import Outcome, Refusal, forget_outcomes, load_outcomes, save_outcomes
from laporhub.pipeline.store.shared import conflicts_told, save_cases_as_loaded
from laporhub.pipeline.store.tables import events, messages
from laporhub.pipeline.store.writes import Government
from laporhub.pipeline.vault import Sealer, seal

PROFILE, OTHER = "laporgub-jateng", "kota-tetangga"
BOOK = laporgub()
GOVERNMENTS = {PROFILE: Government(BOOK, Stub(unit=next(iter(BOOK.units))))}
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
ODD = "“Baris 1”\r\n\tbaris 2 \\ \u2028 'kutip' {\"a\": null} 🕳️ e\u0301 %s :ids \ufffe"
TELLING = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


class PlainSeals:
    """Seals that tests can look through."""

    def seal(self, reporter: str, plain: str, now: object) -> str:
        return f"v1.key-of-{reporter}.{plain}"


DOOR = Door(PlainSeals(), b"pepper")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database."""
    sqlite = request.param == "sqlite"
    engine = open_database(tmp_path / "hub.db" if sqlite else request.getfixturevalue("postgres"))
    yield engine
    engine.dispose()


@pytest.fixture
def connection(database: Engine) -> Iterator[Connection]:
    """A transaction on it that may write."""
    with writer(database).begin() as begun:
        yield begun


@contextmanager
def writing(database: Engine) -> Iterator[Connection]:
    with writer(database).begin() as begun:
        yield begun


def case(name: str, seq: int = 1, due: timedelta | None = None, **more: Any) -> CaseState:
    """A made-up case; `due` after MONDAY its next alarm rings."""
    given: dict[str, Any] = {
        "id": name,
        "profile": PROFILE,
        "profile_version": "1",
        "ticket": f"LG-{name}",
        "seq": seq,
        "status": "received",
        "channel": "web",
        "account": "web",
        "conversation": f"talk-{name}",
        "reporter": f"p_{name}",
        "opened_at": MONDAY,
        "updated_at": MONDAY,
    }
    if due is not None:
        alarms = {"warn": MONDAY + due}
        clock = Clock(status="running", started_at=MONDAY, due_at=MONDAY + due, alarms=alarms)
        given["clocks"] = {"respond": clock}
    return CaseState.model_validate(given | more)


def names(found: Sequence[CaseState]) -> list[str]:
    return [state.id for state in found]


# ── cases ──


def test_a_connection_that_is_given_back_after_the_hub_closed_is_closed(database: Engine) -> None:
    """A thread may be reading when the hub closes; what is opened later works all the same."""
    with database.connect() as reading:
        reading.execute(text("SELECT 1"))
        driver: Any = reading.connection.driver_connection
        database.dispose()
        assert reading.execute(text("SELECT 1")).scalar() == 1
    with pytest.raises(Exception, match="closed"):
        driver.execute("SELECT 1")
    with database.connect() as later:
        assert later.execute(text("SELECT 1")).scalar() == 1


def test_a_case_comes_back_as_it_was(connection: Connection) -> None:
    state = case("c_1", due=HOUR, text=ODD + "\0", unit="dinas-contoh", occurred_at=MONDAY - HOUR)
    cases.save_cases(connection, [state])
    assert cases.load_cases(connection, ["c_1", "c_1", "c_2"]) == {"c_1": state}
    assert cases.load_cases(connection, ["c_1"], lock=True) == {"c_1": state}
    assert cases.case_by_ticket(connection, "LG-c_1") == state
    assert cases.case_by_ticket(connection, "lg-c_1") is None
    assert cases.taken_tickets(connection, ["LG-c_1", "LG-c_2"]) == {"LG-c_1"}
    assert cases.load_cases(connection, []) == {}
    assert cases.taken_tickets(connection, []) == set()


@TELLING
@given(st.text())
def test_the_words_of_a_case_are_kept_to_the_byte(database: Engine, said: str) -> None:
    name = ids.derive("c", said)
    state = case(name, text=said, status="received")
    with writing(database) as connection:
        cases.save_cases(connection, [state])
        kept = connection.execute(text("SELECT state FROM cases WHERE id = :id"), {"id": name}).scalar()
        assert kept == state.model_dump_json(exclude_defaults=True)
        assert cases.load_cases(connection, [name]) == {name: state}


def test_a_case_that_is_saved_again_replaces_itself(connection: Connection) -> None:
    cases.save_cases(connection, [case("c_1", due=HOUR)])
    later = case("c_1", seq=2, status="verified")
    cases.save_cases(connection, [later])
    assert cases.load_cases(connection, ["c_1"]) == {"c_1": later}
    assert cases.due_cases(connection, [PROFILE], MONDAY + 2 * HOUR, 9) == []
    cases.save_cases(connection, [])


def test_a_batch_of_cases_may_be_larger_than_one_query(connection: Connection) -> None:
    states = {f"c_{number}": case(f"c_{number}") for number in range(1201)}
    cases.save_cases(connection, states.values())
    assert cases.load_cases(connection, states) == states
    assert cases.load_cases(connection, states, lock=True) == states


def test_all_cases_are_listed_once_in_the_order_of_their_bytes(connection: Connection) -> None:
    mixed = ["c_B", "c_a", "c_A", "c_-", "c_.", "c_/", "c_10", "c_9", "c_é", "c_~", "c_ b", "c_"]
    cases.save_cases(connection, [case(name) for name in mixed])
    listed = list(cases.every_case(connection, batch=5))
    assert [len(some) for some in listed] == [5, 5, 2]
    assert [state.id for some in listed for state in some] == sorted(mixed)


# ── the due index ──


def test_what_is_due_comes_longest_due_first_and_of_these_profiles_only(connection: Connection) -> None:
    dues = {"c_late": 1, "c_later": 3, "c_a": 2, "c_b": 2, "c_tomorrow": 99}
    states = [case(name, due=hours * HOUR) for name, hours in dues.items()]
    cases.save_cases(connection, [*states, case("c_calm"), case("c_other", due=HOUR, profile=OTHER)])
    now = MONDAY + 3 * HOUR
    expected = ["c_late", "c_a", "c_b", "c_later"]
    assert names(cases.due_cases(connection, [PROFILE], now, 9)) == expected
    assert names(cases.due_cases(connection, [PROFILE], now, 2)) == expected[:2]
    assert names(cases.due_cases(connection, [PROFILE, OTHER], now, 9)) == [
        "c_late",
        "c_other",
        *expected[1:],
    ]
    assert cases.due_cases(connection, [], now, 9) == []


def test_an_alarm_that_was_put_off_is_due_later(connection: Connection) -> None:
    cases.save_cases(connection, [case("c_1", due=HOUR)])
    cases.postpone(connection, "c_1", MONDAY + 3 * HOUR)
    assert cases.due_cases(connection, [PROFILE], MONDAY + 2 * HOUR, 9) == []
    assert names(cases.due_cases(connection, [PROFILE], MONDAY + 3 * HOUR, 9)) == ["c_1"]


def test_a_due_alarm_is_claimed_by_one_ticker_until_its_lease_is_over(database: Engine) -> None:
    states = [case(f"c_{number}", due=number * MINUTE) for number in range(5)]
    with writing(database) as connection:
        cases.save_cases(connection, [*states, case("c_other", due=MINUTE, profile=OTHER)])
    now = MONDAY + HOUR

    def claim(at: timedelta, most: int = 9) -> list[str]:
        with writing(database) as connection:
            return names(cases.claim_due(connection, [PROFILE], now + at, most, MINUTE))

    assert claim(timedelta(), most=2) == ["c_0", "c_1"]
    assert claim(timedelta(seconds=30)) == ["c_2", "c_3", "c_4"]
    assert claim(timedelta(seconds=59)) == []
    assert claim(timedelta(seconds=60)) == ["c_0", "c_1"], "whoever claimed them did not come back"
    with writing(database) as connection:
        assert cases.claim_due(connection, [], now + HOUR, 9, MINUTE) == []


def test_a_claimed_case_that_is_saved_rings_at_its_next_alarm(database: Engine) -> None:
    with writing(database) as connection:
        cases.save_cases(connection, [case("c_1", due=MINUTE)])
        (claimed,) = cases.claim_due(connection, [PROFILE], MONDAY + HOUR, 9, 5 * HOUR)
    assert claimed == case("c_1", due=MINUTE), "as it is stored: the lease is no part of it"
    with writing(database) as connection:
        save_cases_as_loaded(connection, [case("c_1", seq=2, due=2 * HOUR)], {"c_1": 1})
        assert cases.due_cases(connection, [PROFILE], MONDAY + HOUR, 9) == []
        assert names(cases.due_cases(connection, [PROFILE], MONDAY + 2 * HOUR, 9)) == ["c_1"]


def test_a_claim_that_is_rolled_back_was_none(database: Engine) -> None:
    with writing(database) as connection:
        cases.save_cases(connection, [case("c_1", due=MINUTE)])
    with pytest.raises(ZeroDivisionError), writing(database) as connection:
        assert cases.claim_due(connection, [PROFILE], MONDAY + HOUR, 9, HOUR)
        raise ZeroDivisionError
    with writing(database) as connection:
        assert names(cases.claim_due(connection, [PROFILE], MONDAY + HOUR, 9, HOUR)) == ["c_1"]


# ── several writers ──


def test_a_case_is_saved_only_as_it_was_loaded(database: Engine) -> None:
    with writing(database) as connection:
        save_cases_as_loaded(connection, [case("c_1"), case("c_2")], {})
        save_cases_as_loaded(connection, [case("c_1", seq=3), case("c_3")], {"c_1": 1})
        save_cases_as_loaded(connection, [], {})
    for state, loaded in [
        (case("c_1", seq=2), {"c_1": 1}),  # another one was faster
        (case("c_1", seq=4), {"c_1": 4}),  # never was like that
        (case("c_1"), {}),  # opened twice
        (case("c_new", ticket="LG-c_2"), {}),  # the ticket went to another case meanwhile
        (case("c_gone", seq=2), {"c_gone": 1}),
    ]:
        with pytest.raises(WriteConflict), writing(database) as connection:
            save_cases_as_loaded(connection, [case("c_2", seq=9), state], {"c_2": 1} | loaded)
    with database.connect() as connection:
        kept = cases.load_cases(connection, ["c_1", "c_2", "c_3", "c_new", "c_gone"])
    assert {name: state.seq for name, state in kept.items()} == {"c_1": 3, "c_2": 1, "c_3": 1}


def test_a_record_that_is_there_already_is_a_conflict_and_other_faults_are_not(database: Engine) -> None:
    with writing(database) as connection:
        log.append(connection, messages, [("m_1", "{}")])
    with pytest.raises(WriteConflict), writing(database) as connection, conflicts_told():
        log.append(connection, messages, [("m_1", "{}")])
    with pytest.raises(IntegrityError), writing(database) as connection, conflicts_told():
        connection.execute(messages.insert().values(id="m_2", body=None))


# ── conversations and what was received ──


def test_a_conversation_is_remembered_with_what_changed(connection: Connection) -> None:
    first = Conversation("talk-1", PROFILE, "sms", "+62800", "p_1", "c_1", MONDAY, "v1.k1.a")
    then = replace(first, case_id="c_2", last_inbound_at=MONDAY + HOUR, sealed_identity="v1.k1.b")
    cases.save_conversations(connection, [first, replace(first, id="talk-2")])
    cases.save_conversations(connection, [then])
    cases.save_conversations(connection, [])
    assert cases.load_conversations(connection, ["talk-1", "talk-3"]) == {"talk-1": then}


def test_a_message_is_received_once(database: Engine) -> None:
    row = {"message_id": "m_1", "case_id": "c_1", "received_at": MONDAY}
    with writing(database) as connection:
        cases.save_received(connection, [row])
        cases.save_received(connection, [])
        assert cases.already_received(connection, ["m_1", "m_2"]) == {"m_1": ("c_1", MONDAY)}
    with pytest.raises(IntegrityError), writing(database) as connection:
        cases.save_received(connection, [row | {"case_id": "c_2"}])


# ── streams ──


def receive(connection: Connection, number: int, *, shared: bool = False, **more: Any) -> Batch:
    """One message of a made-up citizen, through the core, saved."""
    return receive_all(connection, [message(number, **more)], shared=shared)


def message(number: int, **more: Any) -> Message:
    return DOOR.admit(BOOK, "web", form(number, **more), MONDAY)


def receive_all(connection: Connection, heard: Sequence[Message], *, shared: bool = False) -> Batch:
    batch = Batch(connection, GOVERNMENTS, shared=shared)
    batch.prepare(heard, [])
    for each in heard:
        batch.receive(each)
    batch.save()
    outbox.enqueue(connection, batch.writes.events)
    return batch


def test_a_stream_keeps_its_records_in_order_and_each_once(database: Engine) -> None:
    with writing(database) as connection:
        assert log.tail(connection, messages) == 0
        log.append(
            connection, messages, [(f"m_{n}", json.dumps({"n": n, "x": ODD + "\0"})) for n in range(700)]
        )
        log.append(connection, messages, [])
        kept = connection.execute(messages.select().order_by(messages.c.offset)).all()
        assert [row.id for row in kept] == [f"m_{number}" for number in range(700)]
        assert [json.loads(row.body)["x"] for row in kept] == [ODD + "\0"] * 700
        assert log.tail(connection, messages) == kept[-1].offset
        assert log.tail(connection, events) == 0
    with pytest.raises(IntegrityError), writing(database) as connection:
        log.append(connection, messages, [("m_new", "{}"), ("m_3", "{}")])
    with database.connect() as connection:
        assert log.tail(connection, messages) == kept[-1].offset


def test_a_consumer_stands_where_it_was_advanced_to(connection: Connection) -> None:
    assert log.cursor(connection, "reader") == 0
    for place in (5, 9, 2**40):
        log.advance(connection, "reader", place)
        log.advance(connection, "other", 1)
        assert log.cursor(connection, "reader") == place


def event(name: str, sequence: int = 1, data: EventData | None = None, **more: Any) -> CaseEvent:
    """Something made up that happened to a case."""
    given: dict[str, Any] = {
        "id": ids.event_id(name, sequence),
        "source": f"/laporhub/{PROFILE}",
        "type": EVENT_TYPE_PREFIX + "noted",
        "subject": name,
        "time": MONDAY + timedelta(seconds=sequence - 1),
        "dataschema": "https://laporhub.example/schemas/1",
        "sequence": sequence,
        "profile": PROFILE,
        "channel": "sms",
        "cause": "d_1",
        "actorid": "system",
        "actorrole": "system",
        "data": data or Noted(words=Words(text=ODD)),
    }
    return CaseEvent.model_validate(given | more)


def history(connection: Connection, name: str, length: int) -> list[CaseEvent]:
    made = [event(name, number) for number in range(1, length + 1)]
    log.append_events(connection, [(e.id, MONDAY, e.model_dump_json(exclude_none=True)) for e in made])
    return made


def test_a_cases_history_is_its_own_whatever_the_others_are_called(connection: Connection) -> None:
    histories = {name: history(connection, name, 12) for name in ("c_1", "c_10", "c_1-", "C_1", "c_")}
    for name, made in histories.items():
        assert log.case_events(connection, name, MONDAY) == made
        assert log.events_of(connection, name, MONDAY, 1, 12) == made
        assert log.events_of(connection, name, MONDAY, 3, 10) == made[2:10]
        assert log.events_of(connection, name, MONDAY, 12, 40) == made[11:]
        assert log.events_of(connection, name, MONDAY, 13, 40) == []
        assert log.events_of(connection, name, MONDAY, 5, 4) == []


# ── a batch ──


def test_a_batch_leads_to_a_case_with_its_events_and_reply_once(database: Engine) -> None:
    with writing(database) as connection:
        done = receive(connection, 1)
    assert done.writes.events
    (state,) = done.changed()
    with writing(database) as connection:
        assert log.case_events(connection, state.id, state.opened_at) == done.writes.events
        assert cases.load_cases(connection, [state.id]) == {state.id: state}
        assert cases.case_by_ticket(connection, state.ticket) == state
        again = receive(connection, 1)
        assert (again.writes.events, again.writes.messages) == ([], [])
        assert len(log.case_events(connection, state.id, state.opened_at)) == state.seq


def test_what_follows_joins_the_case_that_is_open(database: Engine) -> None:
    def says(number: int, sid: str) -> Message:
        return DOOR.admit(BOOK, "whatsapp", whatsapp(number, sid=sid), MONDAY)

    with writing(database) as connection:
        first = receive_all(connection, [says(1, "SM1"), says(2, "SM2")], shared=True)
    with writing(database) as connection:
        then = receive_all(connection, [says(1, "SM3"), says(1, "SM4"), says(1, "SM1")], shared=True)
    (joined,) = then.changed()
    assert joined.id in {state.id for state in first.changed()}
    assert joined.messages == 3
    with database.connect() as connection:
        assert [e.sequence for e in log.case_events(connection, joined.id, joined.opened_at)] == list(
            range(1, joined.seq + 1)
        )


def test_of_two_batches_that_loaded_the_same_case_one_is_told_to_load_again(database: Engine) -> None:
    first, second = message(1), message(1, external_id="form-1b", text="Ada tambahan: lubangnya makin dalam")
    with writing(database) as connection:
        receive_all(connection, [first])
    late = Batch(database.connect(), GOVERNMENTS, shared=True)
    with late.connection:
        late.prepare([second], [])
    with writing(database) as connection:
        receive(connection, 1, shared=True, external_id="form-1c", text="Sudah ada yang jatuh")
    with pytest.raises(WriteConflict), writing(database) as connection:
        late.connection = connection
        late.receive(second)
        late.save()
    with writing(database) as connection:
        assert receive_all(connection, [second], shared=True).writes.events


def test_of_two_batches_that_open_the_same_case_one_is_told_to_load_again(database: Engine) -> None:
    early, late = (Batch(database.connect(), GOVERNMENTS, shared=True) for _ in range(2))
    for batch in (early, late):
        with batch.connection:
            batch.prepare([message(1)], [])
        batch.receive(message(1))
    with writing(database) as connection:
        early.connection = connection
        early.save()
    with pytest.raises(WriteConflict), writing(database) as connection:
        late.connection = connection
        late.save()


# ── outbox ──

SPOKEN = [(PROFILE, "sms"), (PROFILE, "whatsapp")]


def queue(connection: Connection, *talks: str, channel: str = "sms", profile: str = PROFILE) -> list[str]:
    """A reply in each of these conversations, a second apart. Their ids."""
    queued = []
    for number, talk in enumerate(talks, 1):
        reply = ReplyQueued(
            reply_id=f"r_{talk}{talks[:number].count(talk)}",
            purpose="ack",
            channel=channel,
            account="+62800",
            conversation=talk,
            text=ODD,
            pattern="{}",
            sealed=("v1.k.a", "v1.k.b"),
        )
        queued.append(event(f"c_{talk}", number, reply, profile=profile))
    outbox.enqueue(connection, [event("c_1"), *queued])
    return [e.data.reply_id for e in queued if isinstance(e.data, ReplyQueued)]


def test_replies_are_due_in_order_one_a_conversation_on_our_channels(connection: Connection) -> None:
    a1, b1, a2, c1 = queue(connection, "a", "b", "a", "c")
    queue(connection, "x", channel="fax")
    queue(connection, "y", profile=OTHER)
    (w1,) = queue(connection, "w", channel="whatsapp")

    def due(after: float, most: int = 9) -> list[str]:
        now = MONDAY + timedelta(seconds=after)
        return [each.reply_id for each in outbox.due(connection, now, SPOKEN, most)]

    assert due(-1) == []
    assert due(1) == [a1, w1, b1]
    assert due(9) == [a1, w1, b1, c1]
    assert due(9, most=2) == [a1, w1]
    assert outbox.due(connection, MONDAY + HOUR, [], 9) == []
    settle(connection, outbox.where_is(connection, a1))
    assert due(9) == [w1, b1, a2, c1]


def settle(connection: Connection, reply: Queued | None, status: str = "sent", held: bool = False) -> bool:
    assert reply is not None
    return outbox.mark(
        connection,
        reply,
        status,
        next_at=None,
        attempts=reply.attempts + 1,
        attempted_at=reply.attempted_at,
        sent=["SM1", "SM2"],
        held=held,
    )


def test_a_reply_keeps_all_that_it_says(connection: Connection) -> None:
    (name,) = queue(connection, "a")
    reply = outbox.where_is(connection, name)
    assert reply is not None
    assert (reply.text, reply.pattern, reply.sealed) == (ODD, "{}", ("v1.k.a", "v1.k.b"))
    assert (reply.status, reply.attempts, reply.sent, reply.attempted_at) == ("pending", 0, (), None)
    assert reply.next_at == MONDAY
    assert outbox.where_is(connection, "r_none") is None
    assert settle(connection, reply)
    done = outbox.where_is(connection, name)
    assert done is not None
    assert (done.status, done.attempts, done.sent, done.next_at) == ("sent", 1, ("SM1", "SM2"), None)
    assert done.is_complete_with(1)
    assert outbox.platform_ids(connection, "a") == {"SM1", "SM2"}
    assert outbox.platform_ids(connection, "b") == frozenset()


def test_a_reply_is_queued_once(database: Engine) -> None:
    with writing(database) as connection:
        queue(connection, "a")
    with pytest.raises(IntegrityError), writing(database) as connection:
        queue(connection, "a")


def test_a_claimed_reply_and_its_conversation_are_nobody_elses_until_the_lease_is_over(
    database: Engine,
) -> None:
    with writing(database) as connection:
        a1, a2, b1 = queue(connection, "a", "a", "b")

    def claim(after: timedelta, most: int = 9) -> list[Queued]:
        with writing(database) as connection:
            return outbox.claim(connection, MONDAY + after, SPOKEN, most, HOUR)

    (first,) = claim(MINUTE, most=1)
    assert (first.reply_id, first.status, first.attempted_at) == (a1, "sending", MONDAY + MINUTE)
    assert first.next_at == MONDAY + MINUTE + HOUR
    assert [each.reply_id for each in claim(MINUTE)] == [b1]
    assert claim(30 * MINUTE) == []
    (again, other) = claim(2 * HOUR)
    assert (again.reply_id, again.status) == (a1, "unknown"), "nobody came back: it may have been sent"
    assert again.attempted_at == first.attempted_at, "looked for from when it was first tried"
    assert other.reply_id == b1
    with writing(database) as connection:
        assert not settle(connection, first, "failed", held=True), "too late: somebody else has it"
        assert settle(connection, again, held=True)
        assert not settle(connection, again, held=True)
        found = outbox.where_is(connection, a1)
        assert found is not None
        assert found.status == "sent"
    assert [each.reply_id for each in claim(2 * HOUR)] == [a2]


def test_what_was_being_sent_when_the_only_sender_died_is_looked_up(database: Engine) -> None:
    with writing(database) as connection:
        a1, _, b1 = queue(connection, "a", "a", "b")
        outbox.claim(connection, MONDAY, SPOKEN, 1, HOUR)
        assert outbox.backlog(connection) == {"sending": 1, "pending": 2}
        assert outbox.interrupted(connection, MONDAY + MINUTE) == 1
        assert outbox.interrupted(connection, MONDAY + MINUTE) == 0
        assert outbox.backlog(connection) == {"unknown": 1, "pending": 2}
        found = outbox.claim(connection, MONDAY + MINUTE, SPOKEN, 9, HOUR)
    assert {(each.reply_id, each.status) for each in found} == {(a1, "unknown"), (b1, "sending")}


# ── outcomes ──


def test_what_became_of_a_command_is_told_once_and_forgotten_in_time(connection: Connection) -> None:
    done = Outcome("d_1", "c_1", None, MONDAY)
    error = Refused("Tidak bisa: “sudah” selesai", code="conflict", field="seen")
    refused = Outcome("d_2", None, Refusal.of(error), MONDAY + HOUR)
    save_outcomes(connection, [done, refused])
    save_outcomes(
        connection,
        [replace(done, case_id=None, refusal=Refusal("late", "x")), Outcome("d_3", "c_3", None, MONDAY)],
    )
    save_outcomes(connection, [])
    assert load_outcomes(connection, ["d_1", "d_2", "d_9"]) == {"d_1": done, "d_2": refused}
    assert refused.refusal == Refusal("conflict", "Tidak bisa: “sudah” selesai", "seen")
    assert forget_outcomes(connection, MONDAY + HOUR) == 2
    assert load_outcomes(connection, ["d_1", "d_2", "d_3"]) == {"d_2": refused}


# ── vault ──


def ring_on(database: Engine, seed: int = 7) -> KeyRing:
    return KeyRing(database, Sealer(bytes(range(32)), seeded(seed)))


def test_a_stored_key_opens_what_it_sealed_elsewhere_until_it_is_erased(database: Engine) -> None:
    ring = ring_on(database)
    sealed = ring.seal("p_1", ODD, MONDAY)
    key = ring.pending("p_1")
    assert key is not None
    with writing(database) as connection:
        save_keys(connection, [key])
        save_keys(connection, [key])  # a second time, after a retry
        save_keys(connection, [])
    ring.stored(key)
    assert ring.pending("p_1") is None
    elsewhere = ring_on(database, seed=8)
    assert elsewhere.open(sealed) == ODD
    assert ring.erase("p_1") == 1
    assert ring.erase("p_1") == 0
    assert ring.open(sealed) is None
    assert ring_on(database, seed=9).open(sealed) is None


def test_who_was_erased_in_another_process_is_forgotten_here_within_a_second(database: Engine) -> None:
    seconds = [0.0]
    sealer = Sealer(bytes(range(32)), seeded(7))
    here = KeyRing(database, sealer, shared=True, elapsed=lambda: seconds[0])
    other = ring_on(database, seed=8)
    for reporter in ("p_1", "p_2"):
        sealed = here.seal(reporter, "x", MONDAY)
        key = here.pending(reporter)
        assert key is not None
        with writing(database) as connection:
            save_keys(connection, [key])
        here.stored(key)
        assert here.open(sealed) == "x"
        assert other.erase(reporter) == 1
        seconds[0] += 1
        assert here.open(sealed) is None
        anew = here.seal(reporter, "x", MONDAY)
        assert anew != sealed, "under a key that is kept"
        assert here.pending(reporter) is not None
        assert here.open(anew) == "x"


def test_a_key_that_never_was_opens_nothing(database: Engine) -> None:
    assert ring_on(database).open(seal("k_none", bytes(32), "x")) is None


def test_the_wrong_master_key_is_told(database: Engine) -> None:
    ring = ring_on(database)
    sealed = ring.seal("p_1", "x", MONDAY)
    key = ring.pending("p_1")
    assert key is not None
    with writing(database) as connection:
        save_keys(connection, [key])
    with pytest.raises(Misconfigured, match="LAPORHUB_MASTER_KEY"):
        KeyRing(database, Sealer(bytes(32), seeded())).open(sealed)


# ── accounts ──

SECRET = "sangat-rahasia-1"


def test_an_unknown_name_is_checked_at_the_same_cost_as_a_known_one() -> None:
    """Else the time that the answer takes tells who has an account."""
    real, nobodys = accounts._hasher.hash(SECRET), accounts._nobodys_password()
    assert extract_parameters(nobodys) == extract_parameters(real)
    with pytest.raises(VerifyMismatchError):  # it was really calculated
        accounts._hasher.verify(nobodys, SECRET)


def test_staff_sign_in_until_their_session_ends(database: Engine) -> None:
    store = AccountStore(database)
    account = Account("dewi-demo", (PROFILE, OTHER), "admin_unit", "dinas-contoh", "id")
    store.save(account, SECRET)
    assert store.all() == [account]
    assert store.sign_in("dewi-demo", "salah", MONDAY) is None
    for nobody in ("siapa", "", "dewi\0demo", "Dewi-Demo"):
        assert store.sign_in(nobody, SECRET, MONDAY) is None
    session = store.sign_in("dewi-demo", SECRET, MONDAY)
    assert session is not None
    assert store.session(session, MONDAY) == account
    assert store.session(session, MONDAY + SESSION_LASTS) is None
    assert store.bearer(session, MONDAY) is None
    store.sign_out(session)
    assert store.session(session, MONDAY) is None


def test_a_token_holds_until_the_account_changes_or_ends(database: Engine) -> None:
    store = AccountStore(database)
    account = Account("dewi-demo", (PROFILE,), "admin_disposisi")
    store.save(account, SECRET)
    token = store.issue_token("dewi-demo", MONDAY)
    assert store.bearer(token, MONDAY) == account
    assert store.session(token, MONDAY) is None
    assert store.bearer(token, MONDAY + TOKEN_LASTS) is None
    changed = replace(account, role="pimpinan")
    store.save(changed, SECRET + "2")
    assert store.bearer(token, MONDAY) is None
    assert store.all() == [changed]
    token = store.issue_token("dewi-demo", MONDAY)
    store.deactivate("dewi-demo")
    assert store.bearer(token, MONDAY) is None
    assert store.sign_in("dewi-demo", SECRET + "2", MONDAY) is None
    assert store.all() == []
    for missing in (store.deactivate, lambda name: store.issue_token(name, MONDAY)):
        with pytest.raises(NotFound):
            missing("siapa")
    with pytest.raises(Refused) as refused:
        store.save(account, "pendek")
    assert refused.value.code == "weak_password"


def test_accounts_are_listed_in_the_order_of_their_bytes(database: Engine) -> None:
    store = AccountStore(database)
    for name in ("b", "a-2", "B", "a1"):
        store.save(Account(name, (PROFILE,), "pimpinan"), SECRET)
    assert [account.username for account in store.all()] == ["B", "a-2", "a1", "b"]


# ── dead letters ──


def test_a_dead_letter_waits_until_it_is_replayed(connection: Connection) -> None:
    letter = DeadLetter("l_1", MONDAY, PROFILE, "sms", "parse", "no such format", "v1.k.sealed")
    dead_letters.bury(connection, letter)
    dead_letters.bury(connection, replace(letter, id="l_0", at=MONDAY - HOUR))
    assert [each.id for each in dead_letters.waiting(connection)] == ["l_0", "l_1"]
    assert dead_letters.find(connection, "l_1") == letter
    assert dead_letters.find(connection, "l_9") is None
    dead_letters.replayed(connection, "l_1", MONDAY + HOUR)
    assert dead_letters.find(connection, "l_1") == replace(letter, replayed_at=MONDAY + HOUR, sealed="")
    assert [each.id for each in dead_letters.waiting(connection)] == ["l_0"]
    again = replace(letter, at=MONDAY + 2 * HOUR, stage="admit", reason="too long", sealed="v1.k.anew")
    dead_letters.bury(connection, again)
    assert dead_letters.find(connection, "l_1") == again


# ── settings ──


def test_the_databases_url_is_a_secret_that_may_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://hub:rahasia@127.0.0.1/hub\n")
    settings = Settings(database_url_file=tmp_path / "url")
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://hub:rahasia@127.0.0.1/hub"
    assert "rahasia" not in repr(settings)
    assert Settings().database_url is None
