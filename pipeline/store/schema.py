"""Which form a database has, and how it gets today's: new ones at once from `tables`, old ones step by step.

The form is marked in Alembic's own table. A database that is as it should be costs one small query, and Alembic
is only loaded where there is something to change.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, Connection, Engine, MetaData, Table, Text, inspect, select, text

from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.store.tables import STORED, metadata

HEAD = "0013"
"""The newest step in `migrations`: what `tables` describes."""

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 5_267_672_448
"""Any number, the same in every process: who changes the tables holds PostgreSQL's advisory lock of that name."""

_marks = Table("alembic_version", MetaData(), Column("version_num", Text, primary_key=True))


def bring_up_to_date(engine: Engine) -> None:
    """Makes or changes tables until they are today's, in one transaction, however many processes start at once.

    Raises `Misconfigured` when the database is of a newer release, or not ours.
    """
    with engine.connect() as connection:
        if form(connection) == HEAD:
            return
    with engine.execution_options(writes=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        found = form(connection)
        if found is None and not _holds_our_tables(connection):
            _make(connection)
        elif found != HEAD:
            _check_ours(connection, found)
            take_steps(connection)


def form(connection: Connection) -> str | None:
    """The last step this database took; None if it is new, or of release 0.1, which left no mark."""
    if not inspect(connection).has_table(_marks.name):
        return None
    return connection.execute(select(_marks.c.version_num)).scalar()


def _holds_our_tables(connection: Connection) -> bool:
    return not {table.name for table in STORED}.isdisjoint(inspect(connection).get_table_names())


def _make(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        encoding = connection.execute(text("SHOW server_encoding")).scalar()
        if encoding != "UTF8":
            raise Misconfigured(f"The database keeps text as {encoding}: make one with ENCODING 'UTF8'")
    metadata.create_all(connection, tables=STORED)
    _marks.create(connection, checkfirst=True)
    connection.execute(_marks.insert().values(version_num=HEAD))


def _check_ours(connection: Connection, found: str | None) -> None:
    if found is None and connection.dialect.name == "postgresql":  # release 0.1 knew SQLite only
        raise Misconfigured(
            "The database holds tables of another program: give LaporHub a database of its own"
        )
    if found is not None and found > HEAD:
        raise Misconfigured(
            f"The database was used by a newer LaporHub (form {found}, this one knows up to {HEAD}): "
            "install that release, or restore the backup made before"
        )


def take_steps(connection: Connection, to: str = "head") -> None:
    """All steps from the database's form up to `to`, in the caller's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, to)
