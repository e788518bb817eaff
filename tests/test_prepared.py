"""Statements that are written once: they do what SQLAlchemy's own do, row by row."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import bindparam, select

from laporhub.pipeline.store.database import open_database, writer
from laporhub.pipeline.store.prepared import Prepared, adding, saving
from laporhub.pipeline.store.tables import received

AT = datetime(2026, 3, 2, 8, 0, 0, 123456, UTC)
SAVED = saving(received, "message_id", ("case_id",))
FOUND = Prepared(lambda _: select(received).where(received.c.message_id == bindparam("name")))


def row(name: str, case: str) -> dict[str, object]:
    return {"message_id": name, "case_id": case, "received_at": AT}


def test_rows_are_added_once_and_changed_where_that_is_asked(tmp_path: Path) -> None:
    database = open_database(tmp_path / "hub.db")
    with writer(database).begin() as connection:
        SAVED.run(connection, [row("m1", "c1"), row("m2", "c2")])
        SAVED.run(connection, [row("m1", "c3")])
        adding(received).run(connection, [row("m2", "c4")])
    with database.connect() as connection:
        assert {each.message_id: each.case_id for each in connection.execute(select(received))} == {
            "m1": "c3",
            "m2": "c2",
        }
        assert connection.execute(select(received.c.received_at)).scalars().all() == [AT, AT]
        (found,) = FOUND.run(connection, {"name": "m1"}).all()
        assert found.case_id == "c3"
    database.dispose()


def test_a_list_of_varying_length_is_refused_when_it_is_written(tmp_path: Path) -> None:
    database = open_database(tmp_path / "hub.db")
    listed = Prepared(
        lambda _: select(received).where(received.c.message_id.in_(bindparam("names", expanding=True)))
    )
    with database.connect() as connection, pytest.raises(ValueError, match="varying length"):
        listed.run(connection, {"names": ["m1"]})
    database.dispose()
