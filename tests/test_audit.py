"""Who changes, deletes, reorders or adds rows of the audit log without the hub's secret is found, on each database."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from audit_writer import write_records
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from support import MONDAY

from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.store.audit import ACKNOWLEDGE, BEGIN, AuditLog
from laporhub.pipeline.store.audit_kept import KeptHead
from laporhub.pipeline.store.database import open_database, writer

SECRET = b"a secret of tests"
TELLING = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hub.db'}"
    return str(request.getfixturevalue("postgres"))


@pytest.fixture
def database(where: str) -> Iterator[Engine]:
    engine = open_database(where)
    yield engine
    engine.dispose()


def filled(database: Engine, many: int = 6, kept: KeptHead | None = None) -> AuditLog:
    log = AuditLog(database, SECRET, kept)
    for number in range(many):
        log.record(
            "gubernur", "unseal", f"LGWB-{number}", f"alasan {number}", MONDAY + timedelta(minutes=number)
        )
    return log


def tamper(database: Engine, *statements: str) -> None:
    with writer(database).begin() as connection:
        for each in statements:
            connection.execute(text(each))


def test_an_untouched_log_is_whole(database: Engine) -> None:
    log = filled(database)
    verdict = log.verify()
    assert (verdict.records, verdict.faults) == (6, ())
    assert [(each.number, each.subject) for each in log.entries()][:2] == [(1, "LGWB-0"), (2, "LGWB-1")]
    assert AuditLog(database, SECRET).verify(verdict.head).faults == ()


def test_an_empty_log_is_whole(database: Engine) -> None:
    assert AuditLog(database, SECRET).verify().faults == ()


@pytest.mark.parametrize("column", ["actor", "action", "subject", "reason"])
def test_a_changed_word_is_found(database: Engine, column: str) -> None:
    log = filled(database)
    tamper(database, f"UPDATE audit SET {column} = 'lain' WHERE number = 3")
    assert any("record 3 was changed" in fault for fault in log.verify().faults)


def test_a_changed_time_is_found(database: Engine) -> None:
    log = filled(database)
    tamper(database, "UPDATE audit SET at = at + 1 WHERE number = 3")
    assert any("record 3 was changed" in fault for fault in log.verify().faults)


@pytest.mark.parametrize(("gone", "told"), [(1, "record 1 is"), (4, "record 4 is"), (6, "record 6 is")])
def test_a_deleted_record_is_found_wherever_it_stood(database: Engine, gone: int, told: str) -> None:
    log = filled(database)
    tamper(database, f"DELETE FROM audit WHERE number = {gone}")
    assert any(f"{told} missing" in fault for fault in log.verify().faults)


def test_a_cut_off_end_is_found(database: Engine) -> None:
    log = filled(database)
    tamper(database, "DELETE FROM audit WHERE number > 3")
    assert log.verify().faults == ("records 4 to 6 are missing",)


def test_an_emptied_log_is_found(database: Engine) -> None:
    log = filled(database)
    tamper(database, "DELETE FROM audit")
    assert log.verify().faults == ("records 1 to 6 are missing",)


def test_a_gap_that_is_closed_by_counting_anew_is_found(database: Engine) -> None:
    log = filled(database)
    tamper(
        database,
        "DELETE FROM audit WHERE number = 3",
        *(f"UPDATE audit SET number = {number - 1} WHERE number = {number}" for number in (4, 5, 6)),
        "UPDATE audit_head SET number = 5",
    )
    faults = log.verify().faults
    assert any("record 3 was changed" in fault for fault in faults)
    assert "the log's head was changed" in faults


def test_two_records_that_change_places_are_found(database: Engine) -> None:
    log = filled(database)
    tamper(
        database,
        "UPDATE audit SET number = 99 WHERE number = 2",
        "UPDATE audit SET number = 2 WHERE number = 4",
        "UPDATE audit SET number = 4 WHERE number = 99",
    )
    faults = log.verify().faults
    assert any("record 2 was changed, or is not in its place" in fault for fault in faults)
    assert any("record 4 was changed, or is not in its place" in fault for fault in faults)


@pytest.mark.parametrize("number", ["NULL", "7"])
def test_an_added_row_is_found(database: Engine, number: str) -> None:
    log = filled(database)
    tamper(
        database,
        "INSERT INTO audit (at, actor, action, subject, reason, number, mark)"
        f" VALUES (1, 'orang-lain', 'unseal', 'LGWB-1', 'x', {number}, 'x')",
    )
    assert log.verify().faults


def test_a_log_with_a_forged_end_takes_no_more_records(database: Engine) -> None:
    """Nobody is shown anything that would not be on record."""
    log = filled(database)
    tamper(database, "DELETE FROM audit WHERE number = 6", "UPDATE audit_head SET number = 5")
    with pytest.raises(Misconfigured, match="audit verify"):
        log.record("gubernur", "unseal", "LGWB-9", "alasan", MONDAY)


def test_an_older_copy_put_back_is_found_by_the_head_noted_elsewhere(database: Engine) -> None:
    log = filled(database, 3)
    with database.connect() as connection:
        head = connection.execute(text("SELECT number, mark, seal FROM audit_head")).one()
    log.record("gubernur", "unseal", "LGWB-7", "yang disembunyikan", MONDAY)
    noted = log.verify().head
    tamper(
        database,
        "DELETE FROM audit WHERE number = 4",
        f"UPDATE audit_head SET number = {head.number}, mark = '{head.mark}', seal = '{head.seal}'",
    )
    assert log.verify().faults == ()  # the copy is whole in itself
    assert any("is not in the chain" in fault for fault in log.verify(noted).faults)


@pytest.fixture
def kept(tmp_path: Path) -> KeptHead:
    return KeptHead(tmp_path / "audit.head", SECRET)


def begun_anew(database: Engine, log: AuditLog, many: int) -> None:
    """What somebody who can write the database, and waits for the hub's next records, gets."""
    tamper(database, "DELETE FROM audit", "DELETE FROM audit_head")
    for number in range(many):
        log.record("gubernur", "unseal", f"LGWB-{number}", "alasan", MONDAY)


@pytest.mark.parametrize("many", [0, 2, 6, 9])
def test_a_log_that_was_emptied_and_begun_anew_is_found_however_long_it_is_by_now(
    database: Engine, kept: KeptHead, many: int
) -> None:
    log = filled(database, kept=kept)
    assert log.verify().faults == ()
    begun_anew(database, log, many)
    (fault,) = log.verify().faults
    assert "record 6, as kept outside the database, is not in the chain" in fault


def test_an_older_copy_put_back_is_found_by_the_head_kept_outside(database: Engine, kept: KeptHead) -> None:
    log = filled(database, 3, kept)
    with database.connect() as connection:
        head = connection.execute(text("SELECT number, mark, seal FROM audit_head")).one()
    log.record("gubernur", "unseal", "LGWB-7", "yang disembunyikan", MONDAY)
    tamper(
        database,
        "DELETE FROM audit WHERE number = 4",
        f"UPDATE audit_head SET number = {head.number}, mark = '{head.mark}', seal = '{head.seal}'",
    )
    assert any("record 4, as kept" in fault for fault in log.verify().faults)


def test_records_that_are_gone_are_given_up_by_name_only(database: Engine, kept: KeptHead) -> None:
    log = filled(database, kept=kept)
    begun_anew(database, log, 2)
    log.acknowledge("shell:operator", "cadangan kemarin dipasang", MONDAY)
    assert log.verify().faults == ()
    last = list(log.entries())[-1]
    assert (last.action, last.reason) == (ACKNOWLEDGE, "cadangan kemarin dipasang")
    begun_anew(database, log, 1)
    assert log.verify().faults


@pytest.mark.parametrize("written", ["", "0: x", "9:abc", "\udcff"])
def test_a_kept_head_that_somebody_else_wrote_is_told_and_hinders_nobody(
    database: Engine, kept: KeptHead, tmp_path: Path, written: str
) -> None:
    log = filled(database, kept=kept)
    (tmp_path / "audit.head").write_bytes(written.encode(errors="surrogateescape"))
    log.record("gubernur", "unseal", "LGWB-9", "alasan", MONDAY)
    assert any("audit.head was changed by somebody else" in fault for fault in log.verify().faults)


def test_killed_before_the_head_is_kept_the_log_is_whole_and_it_catches_up(
    database: Engine, kept: KeptHead
) -> None:
    filled(database, 2, kept)
    filled(database, 3)  # durable in the database, and nothing is kept
    log = AuditLog(database, SECRET, kept)
    assert log.verify().faults == () and (kept.read() or "").startswith("2:")
    log.record("gubernur", "unseal", "LGWB-9", "alasan", MONDAY)
    assert kept.read() == log.verify().head


def test_where_the_head_cannot_be_kept_records_are_written_all_the_same(
    database: Engine, tmp_path: Path
) -> None:
    log = filled(database, 2, KeptHead(tmp_path / "nowhere" / "audit.head", SECRET))
    assert log.verify().records == 2


def test_without_the_secret_nobody_makes_a_chain_that_fits(database: Engine) -> None:
    log = filled(database)
    tamper(database, "DELETE FROM audit", "DELETE FROM audit_head")
    filled_by_somebody_else = AuditLog(database, b"guessed")
    filled_by_somebody_else.record("gubernur", "unseal", "LGWB-0", "alasan", MONDAY)
    assert log.verify().faults


def test_records_of_an_earlier_release_are_chained_before_the_next_one(database: Engine) -> None:
    tamper(
        database,
        *(
            f"INSERT INTO audit (at, actor, action, subject, reason) VALUES ({n}, 'a', 'unseal', 'T{n}', 'r')"
            for n in (1, 2)
        ),
    )
    log = AuditLog(database, SECRET)
    log.record("gubernur", "unseal", "T3", "alasan", MONDAY)
    kept = [(each.number, each.action, each.subject) for each in log.entries()]
    assert kept == [(1, "unseal", "T1"), (2, "unseal", "T2"), (3, BEGIN, "audit"), (4, "unseal", "T3")]
    assert log.verify().faults == ()
    tamper(database, "UPDATE audit SET subject = 'T9' WHERE number = 1")
    assert any("record 1 was changed" in fault for fault in log.verify().faults)


def test_two_processes_that_write_at_once_keep_one_chain_and_its_last_head(
    where: str, kept: KeptHead
) -> None:
    open_database(where).dispose()
    start = multiprocessing.get_context("spawn")
    writers = [
        start.Process(target=write_records, args=(where, SECRET, name, 25, kept)) for name in ("satu", "dua")
    ]
    for each in writers:
        each.start()
    for each in writers:
        each.join(60)
    assert [each.exitcode for each in writers] == [0, 0]
    engine = open_database(where)
    verdict = AuditLog(engine, SECRET).verify()
    by = [each.actor for each in AuditLog(engine, SECRET).entries()]
    engine.dispose()
    assert (verdict.records, verdict.faults, verdict.head) == (50, (), kept.read())
    assert (by.count("satu"), by.count("dua")) == (25, 25)


_COLUMNS = st.sampled_from(["at", "actor", "action", "subject", "reason", "mark", "number"])


@TELLING
@given(row=st.integers(1, 6), column=_COLUMNS, value=st.integers(100, 10**6))
def test_no_single_cell_can_be_changed_unseen(database: Engine, row: int, column: str, value: int) -> None:
    tamper(database, "DELETE FROM audit", "DELETE FROM audit_head")
    log = filled(database)
    shown = value if column in ("at", "number") else f"'{value}'"
    tamper(database, f"UPDATE audit SET {column} = {shown} WHERE number = {row}")
    assert log.verify().faults


@TELLING
@given(words=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), min_size=4, max_size=4))
def test_any_words_are_kept_and_found_whole(database: Engine, words: list[str]) -> None:
    log = AuditLog(database, SECRET)
    log.record(
        *(words[0].replace("\0", ""), words[1].replace("\0", ""), words[2].replace("\0", "")),
        words[3],
        MONDAY,
    )
    assert log.verify().faults == ()
