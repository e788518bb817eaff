"""What a sweep looks at again before it erases, on each database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from support import MONDAY

from laporhub.pipeline.store import files
from laporhub.pipeline.store.database import open_database, writer
from laporhub.pipeline.store.retention import Newer
from laporhub.pipeline.store.tables import files as rows


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    sqlite = request.param == "sqlite"
    engine = open_database(tmp_path / "hub.db" if sqlite else str(request.getfixturevalue("postgres")))
    yield engine
    engine.dispose()


def written(database: Engine, number: int) -> None:
    state = {"profile": "p", "ticket": f"T{number}", "reporter": f"p_{number}"}
    with writer(database).begin() as connection:
        connection.execute(
            text("INSERT INTO cases (id, profile, ticket, seq, state) VALUES (:id, 'p', :ticket, 1, :state)"),
            {"id": f"c{number}", "ticket": f"T{number}", "state": json.dumps(state)},
        )
        connection.execute(
            text("INSERT INTO events (id, opened, body) VALUES (:id, 1, :body)"),
            {"id": f"e{number}", "body": json.dumps({"subject": f"c{number}"})},
        )


def test_only_what_came_since_is_newer(database: Engine) -> None:
    written(database, 1)
    newer = Newer(database)
    written(database, 2)
    with writer(database).begin() as connection:
        assert [newer.has(connection, f"p_{number}") for number in (1, 2)] == [False, True]
    written(database, 1 + 2)
    with writer(database).begin() as connection:
        assert [newer.has(connection, f"p_{number}") for number in (1, 2, 3)] == [False, True, True]


def test_bytes_of_what_was_dropped_or_erased_have_a_row_until_they_are_deleted(database: Engine) -> None:
    given = {"position": 0, "case_id": "c", "profile": "p", "channel": "web", "attempts": 0, "lat": 1.0}
    with writer(database).begin() as connection:
        for name, status, digest in (("a", "kept", "d1"), ("b", "refused", None), ("c", "kept", "d2")):
            row = {"id": name, "message_id": name, "reporter": "p_1", "url": "https://files.example/1"}
            connection.execute(rows.insert(), given | row | {"status": status, "digest": digest})
        files.drop(connection, ["a"], MONDAY)
        files.forget(connection, "p_1", MONDAY)
        assert [each.id for each in files.of_case(connection, "c")] == ["b", "c"]
        due = files.claim(connection, MONDAY, 9, timedelta(minutes=5))
        assert [(each.id, each.status, each.digest, each.lat, each.url) for each in due] == [
            ("a", "dropped", "d1", None, ""),
            ("c", "refused", "d2", None, ""),
        ]
        for each in due:
            files.deleted(connection, each)
        left = [(each.id, each.digest, each.next_at) for each in files.of_case(connection, "c")]
        assert left == [("b", None, None), ("c", None, None)]
        assert connection.execute(rows.select().where(rows.c.id == "a")).first() is None
