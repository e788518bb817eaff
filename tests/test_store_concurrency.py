"""Several processes on one database: nothing is taken twice, nothing overwritten, and what passes is tried again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Lock

import pytest
from psycopg.pq import PGconn
from servers.plugin import StartOwn
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from support import MONDAY

from laporhub.pipeline.case_state import CaseState, Clock
from laporhub.pipeline.errors import Refused, RetryLater, WriteConflict
from laporhub.pipeline.store import cases, log, outbox
from laporhub.pipeline.store.database import is_transient, open_database, reason, writer
from laporhub.pipeline.store.shared import save_cases_as_loaded
from laporhub.pipeline.store.tables import messages
from laporhub.pipeline.store.tables import outbox as outbox_table

PROFILE = "kota-contoh"
SPOKEN = [(PROFILE, "sms")]
NOW, HOUR = MONDAY + timedelta(hours=1), timedelta(hours=1)
AT_ONCE = 4


@pytest.fixture
def postgresql(postgres: str) -> Iterator[Engine]:
    engine = open_database(postgres)
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "postgresql":
        yield request.getfixturevalue("postgresql")
        return
    engine = open_database(tmp_path / "hub.db")
    yield engine
    engine.dispose()


def case(name: str, seq: int = 1, *, rings: bool = True) -> CaseState:
    """A made-up case, with an alarm that is due NOW."""
    clock = Clock(status="running", started_at=MONDAY, due_at=NOW, alarms={"warn": NOW} if rings else {})
    return CaseState(
        id=name,
        profile=PROFILE,
        profile_version="1",
        ticket=f"LG-{name}",
        seq=seq,
        status="received",
        channel="sms",
        account="+62800",
        conversation=f"talk-{name}",
        reporter="p_1",
        opened_at=MONDAY,
        updated_at=MONDAY,
        clocks={"respond": clock},
    )


def save(database: Engine, *states: CaseState) -> None:
    with writer(database).begin() as connection:
        cases.save_cases(connection, states)


def queue(database: Engine, *talks: str) -> list[str]:
    """A reply in each of these conversations, due NOW. Their ids."""
    row = {"profile": PROFILE, "channel": "sms", "account": "+62800", "text": "Halo", "sealed": "[]"}
    row |= {"status": "pending", "attempts": 0, "next_at": NOW, "sent": "[]"}  # type: ignore[dict-item]
    rows = [
        row | {"reply_id": f"r_{number:04d}", "case_id": f"c_{talk}", "conversation": talk}
        for number, talk in enumerate(talks)
    ]
    with writer(database).begin() as connection:
        connection.execute(outbox_table.insert(), rows)
    return [str(each["reply_id"]) for each in rows]


def together(work: Callable[[], object]) -> None:
    """The same work from several threads that begin at once."""
    gate = Barrier(AT_ONCE)

    def begin() -> None:
        gate.wait()
        work()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in [pool.submit(begin) for _ in range(AT_ONCE)]:
            done.result()


# ── claims ──


def claim_alarms(connection: Connection, most: int = 9) -> list[str]:
    return [state.id for state in cases.claim_due(connection, [PROFILE], NOW, most, HOUR)]


def claim_replies(connection: Connection, most: int = 9) -> list[str]:
    return [reply.reply_id for reply in outbox.claim(connection, NOW, SPOKEN, most, HOUR)]


def test_a_ticker_passes_by_what_another_one_is_just_claiming(postgresql: Engine) -> None:
    save(postgresql, *(case(f"c_{number}") for number in range(4)))
    with postgresql.connect() as one, postgresql.connect() as other:
        assert claim_alarms(one, most=3) == ["c_0", "c_1", "c_2"]
        assert claim_alarms(other) == ["c_3"], "without waiting"
        other.commit()
        assert claim_alarms(other) == []
        one.rollback()  # it died: what it had is free at once
        assert claim_alarms(other) == ["c_0", "c_1", "c_2"]


def test_a_ticker_passes_by_a_case_that_is_being_written(postgresql: Engine) -> None:
    save(postgresql, case("c_0"), case("c_1"))
    with postgresql.connect() as worker, postgresql.connect() as ticker:
        assert cases.load_cases(worker, ["c_0"], lock=True)
        assert claim_alarms(ticker) == ["c_1"]
        save_cases_as_loaded(worker, [case("c_0", seq=2, rings=False)], {"c_0": 1})
        worker.commit()
        assert claim_alarms(ticker) == []


def test_a_sender_passes_by_a_conversation_another_one_is_just_claiming(postgresql: Engine) -> None:
    a1, b1, a2, _ = queue(postgresql, "a", "b", "a", "b")
    with postgresql.connect() as one, postgresql.connect() as other:
        assert claim_replies(one, most=1) == [a1]
        assert claim_replies(other) == [b1], "neither the one that is held, nor what comes after it"
        one.commit()
        assert claim_replies(one) == []
        other.rollback()
        assert claim_replies(one) == [b1]
        sent = outbox.where_is(one, a1)
        assert sent is not None
        outbox.mark(one, sent, "sent", next_at=None, attempts=1, attempted_at=NOW, sent=["SM1"])
        assert claim_replies(other) == [], "not before that is committed"
        other.rollback()
        one.commit()
        assert claim_replies(other) == [a2]


def test_many_tickers_at_once_take_each_alarm_once(database: Engine) -> None:
    save(database, *(case(f"c_{number:03d}") for number in range(120)))
    taken: list[str] = []

    def tick() -> None:
        while True:
            with writer(database).begin() as connection:
                claimed = claim_alarms(connection, most=7)
            if not claimed:
                return
            taken.extend(claimed)

    together(tick)
    assert Counter(taken) == Counter(f"c_{number:03d}" for number in range(120))


def test_many_senders_at_once_send_each_reply_once_and_each_conversation_in_order(database: Engine) -> None:
    queued = queue(database, *(f"talk-{number % 7}" for number in range(70)))
    said: dict[str, list[str]] = {}
    speaking: set[str] = set()
    guard = Lock()

    def send() -> None:
        while True:
            with writer(database).begin() as connection:
                if not outbox.backlog(connection):
                    return
                claimed = outbox.claim(connection, NOW, SPOKEN, 2, HOUR)
            for reply in claimed:
                with guard:
                    assert reply.conversation not in speaking
                    speaking.add(reply.conversation)
                    said.setdefault(reply.conversation, []).append(reply.reply_id)
                with guard:
                    speaking.remove(reply.conversation)
                with writer(database).begin() as connection:
                    assert outbox.mark(
                        connection,
                        reply,
                        "sent",
                        next_at=None,
                        attempts=1,
                        attempted_at=NOW,
                        sent=[],
                        held=True,
                    )

    together(send)
    assert said == {f"talk-{start}": queued[start::7] for start in range(7)}


# ── writes ──


def test_no_change_of_a_case_is_lost_however_many_write_it(database: Engine) -> None:
    """Each takes ten steps, from what it read a moment ago; whoever was too slow begins that step anew."""
    save(database, case("c_1"), case("c_2"))

    def step(name: str) -> bool:
        with database.connect() as connection:
            seen = cases.load_cases(connection, [name])[name].seq
        try:
            with writer(database).begin() as connection:
                save_cases_as_loaded(connection, [case(name, seq=seen + 1)], {name: seen})
        except WriteConflict:
            return False
        return True

    def work() -> None:
        for name in ("c_1", "c_2") * 10:
            while not step(name):
                pass

    together(work)
    with database.connect() as connection:
        kept = cases.load_cases(connection, ["c_1", "c_2"])
    assert {name: state.seq for name, state in kept.items()} == dict.fromkeys(kept, 1 + 10 * AT_ONCE)


def test_who_locks_a_case_reads_what_the_one_before_wrote(database: Engine) -> None:
    save(database, case("c_1"))

    def work() -> None:
        for _ in range(10):
            with writer(database).begin() as connection:
                (state,) = cases.load_cases(connection, ["c_1"], lock=True).values()
                cases.save_cases(connection, [case("c_1", seq=state.seq + 1)])

    together(work)
    with database.connect() as connection:
        assert cases.load_cases(connection, ["c_1"])["c_1"].seq == 1 + 10 * AT_ONCE


@pytest.mark.parametrize("first_commits", [True, False])
def test_of_two_who_open_the_same_case_at_once_exactly_one_wins(
    postgresql: Engine, first_commits: bool
) -> None:
    def open_it() -> None:
        with postgresql.begin() as connection:
            save_cases_as_loaded(connection, [case("c_1")], {})

    with ThreadPoolExecutor(1) as pool, postgresql.connect() as first:
        save_cases_as_loaded(first, [case("c_1")], {})
        second: Future[None] = pool.submit(open_it)  # waits for the first, or finds it done
        if first_commits:
            first.commit()
            assert isinstance(second.exception(), WriteConflict)
        else:
            first.rollback()
            assert second.result() is None
    with postgresql.connect() as connection:
        assert cases.load_cases(connection, ["c_1"]).keys() == {"c_1"}


def test_nothing_is_written_by_the_one_who_was_too_slow(database: Engine) -> None:
    save(database, case("c_1"))
    with pytest.raises(WriteConflict), writer(database).begin() as connection:
        log.append(connection, messages, [("m_1", "{}")])
        save_cases_as_loaded(connection, [case("c_0"), case("c_1", seq=9)], {"c_1": 8})
    with database.connect() as connection:
        assert log.tail(connection, messages) == 0
        assert cases.load_cases(connection, ["c_0", "c_1"]) == {"c_1": case("c_1")}


# ── which errors pass ──


def failure(work: Callable[[], object]) -> DBAPIError:
    with pytest.raises(DBAPIError) as raised:
        work()
    return raised.value


def run(database: Engine, *statements: str) -> None:
    with writer(database).begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_a_deadlock_passes(postgresql: Engine) -> None:
    save(postgresql, case("c_0"), case("c_1"))
    gate = Barrier(2)

    def cross(first: str, then: str) -> BaseException | None:
        try:
            with postgresql.begin() as connection:
                connection.execute(text("SET LOCAL deadlock_timeout = '20ms'"))
                cases.load_cases(connection, [first], lock=True)
                gate.wait()
                cases.load_cases(connection, [then], lock=True)
        except DBAPIError as error:
            return error
        return None

    with ThreadPoolExecutor(2) as pool:
        ways = [pool.submit(cross, "c_0", "c_1"), pool.submit(cross, "c_1", "c_0")]
        errors = [error for way in ways if (error := way.result()) is not None]
    assert errors
    assert all(is_transient(error) for error in errors)


def test_a_serialization_failure_passes(postgresql: Engine) -> None:
    save(postgresql, case("c_0"))
    strict = postgresql.execution_options(isolation_level="REPEATABLE READ")
    with strict.connect() as connection:
        cases.load_cases(connection, ["c_0"])
        save(postgresql, case("c_0", seq=2))
        assert is_transient(failure(lambda: cases.save_cases(connection, [case("c_0", seq=3)])))


def test_a_statement_that_takes_too_long_passes(postgresql: Engine) -> None:
    error = failure(lambda: run(postgresql, "SET LOCAL statement_timeout = 10", "SELECT pg_sleep(30)"))
    assert is_transient(error)


def test_a_lost_connection_passes_and_the_next_one_holds(postgresql: Engine) -> None:
    with postgresql.connect() as victim, postgresql.connect() as killer:
        number = victim.execute(text("SELECT pg_backend_pid()")).scalar()
        killer.execute(text("SELECT pg_terminate_backend(:number)"), {"number": number})
        killer.commit()
        assert is_transient(failure(lambda: victim.execute(text("SELECT 1"))))
    with postgresql.connect() as victim, postgresql.connect() as killer:
        number = victim.execute(text("SELECT pg_backend_pid()")).scalar()
        killer.execute(text("SELECT pg_terminate_backend(:number)"), {"number": number})
        error = failure(lambda: log.append(victim, messages, [("m_1", "{}")]))
        assert is_transient(error)
        assert error.connection_invalidated
    save(postgresql, case("c_0"))


def test_a_server_that_was_restarted_is_found_again(own_postgres: StartOwn) -> None:
    server = own_postgres()
    database = open_database(server.url)
    save(database, case("c_0"))
    server.stop()
    assert is_transient(failure(lambda: save(database, case("c_1"))))
    with pytest.raises(RetryLater, match="cannot be opened now"):
        open_database(server.url)
    server.start()
    save(database, case("c_2"))
    with database.connect() as connection:
        assert cases.load_cases(connection, ["c_0", "c_1", "c_2"]).keys() == {"c_0", "c_2"}
    database.dispose()


def test_a_locked_and_a_full_sqlite_file_pass(tmp_path: Path) -> None:
    database = open_database(tmp_path / "hub.db")
    with writer(database).begin() as connection, database.connect() as other:
        connection.execute(text("SELECT 1"))
        other.exec_driver_sql("PRAGMA busy_timeout = 0")
        assert is_transient(failure(lambda: other.exec_driver_sql("BEGIN IMMEDIATE")))
    with writer(database).begin() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        record = [("m_1", "x" * 100_000)]
        assert is_transient(failure(lambda: log.append(connection, messages, record)))
    database.dispose()


def test_a_fault_does_not_pass_and_is_told_without_the_rows_it_quotes(database: Engine) -> None:
    def twice() -> None:
        with writer(database).begin() as connection:
            log.append(connection, messages, [("m_rahasia", "{}"), ("m_rahasia", "{}")])

    def empty() -> None:
        with writer(database).begin() as connection:
            connection.execute(messages.insert().values(id="m_rahasia", body=None))

    for work in (twice, empty, lambda: run(database, "SELECT nothing FROM nowhere")):
        error = failure(work)
        assert not is_transient(error)
        assert "rahasia" not in reason(error)
        assert "\n" not in reason(error)
        assert reason(error)


def test_which_of_our_own_errors_pass() -> None:
    assert is_transient(RetryLater("x"))
    assert is_transient(WriteConflict("x"))
    assert is_transient(NoConnectionLeft())
    assert not is_transient(Refused("x"))
    assert not is_transient(ValueError("x"))


def test_a_session_on_postgresql_is_named_and_gives_up_in_time(postgres: str) -> None:
    def shown(url: str) -> list[object]:
        engine = open_database(url)
        asked = ("application_name", "statement_timeout", "idle_in_transaction_session_timeout")
        with engine.connect() as connection:
            values = [connection.execute(text(f"SHOW {name}")).scalar() for name in asked]
            values.append(connection.execute(text("SHOW transaction_isolation")).scalar())
        engine.dispose()
        return values

    assert shown(postgres) == ["laporhub", "30s", "1min", "read committed"]
    assert shown(f"{postgres}?application_name=pekerja")[0] == "pekerja"


def in_a_pipeline(session: PGconn) -> None:
    session.enter_pipeline_mode()
    session.send_query_params(b"BEGIN", None)
    session.send_query_params(b"INSERT INTO messages (id, body) VALUES ('m_1', '{}')", None)
    session.send_flush_request()


def in_a_copy(session: PGconn) -> None:
    session.exec_(b"BEGIN")
    session.exec_(b"COPY messages (id, body) FROM STDIN")
    for name in (b"m_1", b"m_2", b"m_3"):
        session.put_copy_data(name + b"\t" + b"x" * 100_000 + b"\n")


@pytest.mark.parametrize("half_sent", [in_a_pipeline, in_a_copy])
def test_rows_of_a_worker_that_was_stopped_while_it_sent_them_are_freed(
    postgres: str, half_sent: Callable[[PGconn], None]
) -> None:
    """PostgreSQL calls such a session active, and would wait for the rest for as long as the process exists."""
    database = open_database(f"{postgres}?options=-c%20statement_timeout%3D1s")
    url = postgres.replace("+psycopg", "") + "?application_name=laporhub"
    stopped = PGconn.connect(url.encode())
    half_sent(stopped)
    while stopped.flush():
        pass
    with database.connect() as connection:
        await_half(connection)
    tries = 1
    while not written(database, [("m_1", "{}")]):
        tries += 1
    assert tries > 1
    with database.connect() as connection:
        assert connection.execute(text("SELECT body FROM messages")).all() == [("{}",)]
    stopped.finish()
    database.dispose()


def await_half(connection: Connection) -> None:
    """Until somebody has written a row and the server waits for the rest."""
    asked = text("SELECT 1 FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND wait_event = 'ClientRead'")
    while connection.execute(asked).first() is None:
        connection.rollback()  # which forgets what it saw of the statistics


def written(database: Engine, records: list[tuple[str, str]]) -> bool:
    """Whether they could be: False when it may be tried again."""
    try:
        with writer(database).begin() as connection:
            log.append(connection, messages, records)
    except DBAPIError as error:
        assert is_transient(error)
        return False
    return True
