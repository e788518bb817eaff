"""The database: one place for its pragmas and its transactions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.pool import QueuePool

from laporhub.pipeline.store.tables import metadata

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # an answered message survives a power cut
    "PRAGMA busy_timeout = 15000",
    "PRAGMA cache_size = -8192",  # the writer asks for more: see `embedded.engine`
    "PRAGMA temp_store = MEMORY",
    "PRAGMA wal_autocheckpoint = 4000",
)


def open_database(path: Path) -> Engine:
    """The SQLite database at `path`, with its tables; made if it does not exist."""
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=QueuePool,
        pool_size=8,
        max_overflow=24,
        connect_args={"check_same_thread": False},
        hide_parameters=True,  # an error's text must not hold what a citizen wrote
    )

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        for pragma in _PRAGMAS:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("writes", False):
            connection.exec_driver_sql(
                "BEGIN IMMEDIATE"
            )  # readers need none: each statement sees one snapshot

    with writer(engine).begin() as connection:
        metadata.create_all(connection)
    path.chmod(0o600)
    return engine


def writer(engine: Engine) -> Engine:
    """The same database for transactions that write: they take the lock at once instead of half-way."""
    return engine.execution_options(writes=True)
