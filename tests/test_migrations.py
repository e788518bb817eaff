"""However old a database is, it ends with today's tables and all that was in it; a newer one is left alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from servers.postgres import native
from sqlalchemy import Connection, Engine, Identity, MetaData, create_engine, event, inspect, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool
from support import form, hub_on

from laporhub.pipeline.errors import Misconfigured, RetryLater
from laporhub.pipeline.store import schema
from laporhub.pipeline.store.database import open_database, writer
from laporhub.pipeline.store.tables import STORED

FIRST = "0001"


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database that has nothing in it."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'hub.db'}"
    return str(request.getfixturevalue("postgres"))


@contextmanager
def bare(where: str) -> Iterator[Connection]:
    """A transaction on a database as it is."""
    engine = create_engine(where, poolclass=NullPool)
    if engine.dialect.name == "sqlite":  # the driver would commit before each change of a table
        event.listen(engine, "connect", lambda connection, _: setattr(connection, "isolation_level", None))
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    with engine.begin() as connection:
        yield connection


@contextmanager
def opened(where: str | Path) -> Iterator[Engine]:
    engine = open_database(where)
    try:
        yield engine
    finally:
        engine.dispose()


def differences(connection: Connection) -> list[Any]:
    """What Alembic would still change. SQLite has no identity columns: its whole numbers count by themselves."""
    ours = MetaData()
    for table in STORED:
        copied = table.to_metadata(ours)
        for index in table.indexes:  # of those meant for the other dialect, Alembic knows nothing
            meant = index._ddl_if
            if meant is not None and meant.dialect != connection.dialect.name:
                copied.indexes.remove(next(each for each in copied.indexes if each.name == index.name))
    options = {"compare_type": True, "compare_server_default": True}
    found = compare_metadata(MigrationContext.configure(connection, opts=options), ours)
    if connection.dialect.name != "sqlite":
        return found
    return [each for each in found if not (isinstance(each, list) and isinstance(each[0][-1], Identity))]


def catalogue(connection: Connection) -> set[tuple[Any, ...]]:
    """Everything the database itself says of its tables, columns and indices, in the order of their names."""
    if connection.dialect.name == "sqlite":
        asked = ["SELECT name, sql FROM sqlite_master WHERE tbl_name <> 'alembic_version'"]
    else:
        asked = [
            "SELECT table_name, column_name, ordinal_position, data_type, collation_name, is_nullable,"
            " column_default, identity_generation FROM information_schema.columns"
            " WHERE table_schema = 'public' AND table_name <> 'alembic_version'",
            "SELECT indexname, indexdef FROM pg_indexes"
            " WHERE schemaname = 'public' AND tablename <> 'alembic_version'",
        ]
    rows = [row for each in asked for row in connection.execute(text(each))]
    return {tuple(" ".join(str(cell).split()).replace(" ,", ",") for cell in row) for row in rows}


def test_all_steps_lead_to_the_tables_of_today(where: str) -> None:
    with bare(where) as connection:
        schema.take_steps(connection)
    with bare(where) as connection:
        assert differences(connection) == []
        assert schema.form(connection) == schema.HEAD


def test_a_new_database_is_the_same_as_one_that_took_every_step(where: str, tmp_path: Path) -> None:
    with opened(where) as engine, engine.connect() as connection:
        made = catalogue(connection)
        assert differences(connection) == []
        assert schema.form(connection) == schema.HEAD
    with bare(where) as connection:
        for name in inspect(connection).get_table_names():
            connection.execute(text(f"DROP TABLE {name}"))
        schema.take_steps(connection)
        assert catalogue(connection) == made


def test_there_is_one_newest_step_and_it_is_what_the_code_expects() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    steps = ScriptDirectory.from_config(config)
    assert steps.get_heads() == [schema.HEAD]
    names = [step.revision for step in steps.walk_revisions()]
    assert names == sorted(names, reverse=True), "what is newer sorts later: `schema` compares them"


def test_opening_twice_changes_nothing(where: str) -> None:
    with opened(where) as engine, engine.connect() as connection:
        made = catalogue(connection)
    with opened(where) as engine, engine.connect() as connection:
        assert catalogue(connection) == made


async def test_a_hub_of_release_0_1_keeps_its_complaints(tmp_path: Path) -> None:
    """It has every table and column but the later ones, and no mark."""
    async with hub_on(tmp_path) as hub:
        receipt = await hub.receive("laporgub-jateng", "web", form(1))
        history = hub.events(receipt.case_id)
    with bare(f"sqlite:///{tmp_path / 'hub.db'}") as connection:
        connection.execute(text("DROP TABLE alembic_version"))
        connection.execute(text("DROP TABLE outcomes"))
        connection.execute(text("DROP TABLE polls"))
        connection.execute(text("DROP TABLE files"))
        connection.execute(text("DROP TABLE fragments"))
        connection.execute(text("DROP TABLE channel_health"))
        connection.execute(text("DROP TABLE rules"))
        connection.execute(text("DROP TABLE calendars"))
        connection.execute(text("DROP TABLE report_posts"))
        connection.execute(text("ALTER TABLE accounts DROP COLUMN posts"))
        connection.execute(text("ALTER TABLE accounts DROP COLUMN email"))
        connection.execute(text("DROP TABLE notices"))
        connection.execute(text("DROP TABLE notice_marks"))
        connection.execute(text("DROP TABLE picture_bands"))
        connection.execute(text("ALTER TABLE outbox DROP COLUMN address"))
        connection.execute(text("DROP TABLE persons"))
        connection.execute(text("DROP TABLE confidential"))
        connection.execute(text("DROP TABLE audit_head"))
        connection.execute(text("DROP INDEX audit_number"))
        connection.execute(text("ALTER TABLE audit DROP COLUMN number"))
        connection.execute(text("ALTER TABLE audit DROP COLUMN mark"))
        connection.execute(text("ALTER TABLE outbox DROP COLUMN purpose"))
        connection.execute(text("ALTER TABLE outbox DROP COLUMN human"))
        connection.execute(text("ALTER TABLE outbox DROP COLUMN talks"))
        connection.execute(text("ALTER TABLE cases DROP COLUMN streamed"))
    async with hub_on(tmp_path) as hub:
        state = hub.case(receipt.ticket)
        assert state is not None
        assert hub.events(state.id) == history
        assert (await hub.receive("laporgub-jateng", "web", form(1))).duplicate
    with bare(f"sqlite:///{tmp_path / 'hub.db'}") as connection:
        assert schema.form(connection) == schema.HEAD
        assert differences_but_of_sinks(connection) == []


def differences_but_of_sinks(connection: Connection) -> list[Any]:
    return [each for each in differences(connection) if not str(each[0]).startswith("remove_")]


def test_a_step_that_fails_leaves_the_database_as_it_was(tmp_path: Path) -> None:
    where = f"sqlite:///{tmp_path / 'hub.db'}"
    with bare(where) as connection:
        schema.take_steps(connection, FIRST)
        connection.execute(text("DROP TABLE alembic_version"))
        connection.execute(text("DROP TABLE accounts"))
        connection.execute(text("CREATE TABLE outcomes (mine TEXT)"))  # the second step will not like it
        before = catalogue(connection)
    with pytest.raises(OperationalError, match="already exists"):
        open_database(where)
    with bare(where) as connection:
        assert catalogue(connection) == before
        assert schema.form(connection) is None


def test_a_database_half_way_takes_the_steps_that_are_missing(where: str) -> None:
    with bare(where) as connection:
        schema.take_steps(connection, FIRST)
        connection.execute(text("INSERT INTO cursors (consumer, \"offset\") VALUES ('reader', 7)"))
    with opened(where) as engine, engine.connect() as connection:
        assert schema.form(connection) == schema.HEAD
        assert connection.execute(text("SELECT consumer FROM cursors")).scalar() == "reader"
        assert differences(connection) == []


def test_a_newer_database_is_refused_and_not_touched(where: str) -> None:
    with opened(where) as engine, writer(engine).begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Misconfigured, match="newer LaporHub .*9999.* restore the backup"):
        open_database(where)
    with bare(where) as connection:
        assert schema.form(connection) == "9999"


def test_many_processes_may_start_on_an_empty_database_at_once(where: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        engines = list(pool.map(open_database, [where] * 4))
    for engine in engines:
        engine.dispose()
    with bare(where) as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).all() == [(schema.HEAD,)]
        assert differences(connection) == []


def test_alembic_and_the_driver_of_postgresql_are_loaded_only_where_they_are_needed(tmp_path: Path) -> None:
    program = (
        "import sys; from laporhub.pipeline.store.database import open_database\n"
        "for _ in range(2): open_database(sys.argv[1]).dispose()\n"
        "print(sorted({'alembic', 'psycopg'} & sys.modules.keys()))"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "hub.db")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"


# ── PostgreSQL only ──


def test_the_tables_of_another_program_are_not_taken_over(postgres: str) -> None:
    with bare(postgres) as connection:
        connection.execute(text("CREATE TABLE accounts (id integer)"))
    with pytest.raises(Misconfigured, match="database of its own"):
        open_database(postgres)


def test_text_is_compared_byte_by_byte_whatever_language_the_server_speaks(postgres: str) -> None:
    asked = (
        "SELECT DISTINCT collation_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND data_type = 'text' AND table_name <> 'alembic_version'"
    )
    with opened(postgres) as engine, engine.connect() as connection:
        assert connection.execute(text(asked)).all() == [("C",)]


def test_a_database_that_cannot_hold_every_character_is_refused(postgres: str, postgres_server: str) -> None:
    name = create_engine(postgres).url.database
    with psycopg.connect(native(postgres_server), autocommit=True) as admin:
        admin.execute(f'DROP DATABASE "{name}"'.encode())
        admin.execute(f"CREATE DATABASE \"{name}\" ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0".encode())
    with pytest.raises(Misconfigured, match="LATIN1.*UTF8"):
        open_database(postgres)


# ── which database ──


@pytest.mark.parametrize(
    "url",
    [
        "mysql://hub:rahasia@127.0.0.1/hub",
        "postgresql://hub:rahasia@127.0.0.1:port/hub",
        "://hub:rahasia",
        "oracle://hub:rahasia@127.0.0.1/hub",
        "sqlite://",
    ],
)
def test_a_wrong_url_is_told_without_its_password(url: str) -> None:
    with pytest.raises(Misconfigured) as told:
        open_database(url)
    assert "rahasia" not in str(told.value)


def test_a_server_that_is_away_is_tried_again_later() -> None:
    with pytest.raises(RetryLater) as told:
        open_database("postgresql://hub:rahasia@127.0.0.1:1/hub")
    assert "refused" in str(told.value)
    assert "rahasia" not in str(told.value)
    assert "\n" not in str(told.value)
