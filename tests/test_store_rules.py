"""The rules that a hub ran under, and its running cases, on both kinds of database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine
from support import MONDAY, Stub, shipped

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.decide import decided
from laporhub.pipeline.intake import interpret
from laporhub.pipeline.messages import Message
from laporhub.pipeline.store import cases, rules
from laporhub.pipeline.store.database import open_database, writer

BOOK = shipped("wadul-aladin")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    where = tmp_path / "hub.db" if request.param == "sqlite" else str(request.getfixturevalue("postgres"))
    engine = open_database(where)
    yield engine
    engine.dispose()


def a_case(number: int, at: datetime) -> CaseState:
    message = Message(
        id=f"m_{number}",
        profile=BOOK.name,
        channel="web",
        account="kominfo.pekalongankota.go.id",
        external_id=str(number),
        conversation=f"v_{number}",
        reporter=f"p_{number}",
        text="Jalan di depan Pasar Contoh berlubang sejak minggu lalu",
        sealed_identity="-",
        known=("phone", "name"),
        received_at=at,
    )
    opening = interpret(BOOK, message, None)
    _, state = decided(BOOK, None, opening, Stub(unit="dpupr"), f"PWWB{number:011d}")
    assert state is not None
    return state


def test_running_cases_are_counted_by_version_and_state(database: Engine) -> None:
    old, new = datetime(2022, 5, 9, 5, 0, tzinfo=UTC), MONDAY
    states = [a_case(1, old), a_case(2, old), a_case(3, new), a_case(4, new)]
    states[3] = states[3].but({"status": "closed", "closed_at": new})
    with writer(database).begin() as connection:
        cases.save_cases(connection, states)
    with database.connect() as connection:
        assert rules.running(connection, BOOK.name) == {
            ("2022-04-11", "received"): 2,
            ("2025-03-01", "received"): 1,
        }
        assert rules.running(connection, "batiknet") == {}


def test_rules_are_kept_and_only_a_change_is_looked_at(
    database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writer(database).begin() as connection:
        cases.save_cases(connection, [a_case(1, datetime(2022, 5, 9, 5, 0, tzinfo=UTC))])
        assert rules.conflicts(connection, BOOK) == []
        rules.keep(connection, BOOK)
        rules.keep(connection, BOOK)
    newest = replace(BOOK, editions={})  # as if the older versions had been taken out of the file
    with database.connect() as connection:
        (reason,) = rules.conflicts(connection, newest)
        assert "1 running case began under the version of 2022-04-11" in reason
        monkeypatch.setattr(
            rules, "running", lambda *_: pytest.fail("nothing has changed: nobody is counted")
        )
        assert rules.conflicts(connection, BOOK) == []
    with writer(database).begin() as connection:
        rules.keep(connection, newest)
        rules.keep(connection, BOOK)
