"""The database: SQLite in a file, or PostgreSQL by URL; its settings, its transactions, and which errors pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.engine import Connection, ExceptionContext
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from laporhub.pipeline.errors import Misconfigured, RetryLater
from laporhub.pipeline.store.schema import bring_up_to_date
from laporhub.pipeline.store.silent import end_the_silent

_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # an answered message survives a power cut
    "PRAGMA busy_timeout = 15000",
    "PRAGMA cache_size = -8192",  # the writer asks for more: see `embedded.engine`
    "PRAGMA temp_store = MEMORY",
    "PRAGMA wal_autocheckpoint = 16000",
)

_POSTGRESQL = {
    "application_name": "laporhub",
    "connect_timeout": "10",
    # A statement that takes half a minute is stuck; a worker that stands still gives back the rows it holds.
    "options": "-c statement_timeout=30s -c idle_in_transaction_session_timeout=60s",
    # A server that vanished without a word is noticed within a minute.
    "keepalives_idle": "20",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "45000",
}
"""Unless the URL says otherwise, e.g. `?application_name=…`."""

_PASSING = ("08", "40", "53", "57P", "58")
"""Classes of SQLSTATE: connection, rollback (serialization, deadlock), resources, shutdown, the server's system."""
_PASSING_STATES = frozenset({"55P03", "57014", "25P03", "25006"})
"""Lock not to be had, statement timeout, idle for too long, and a server that only reads (it is being replaced)."""
_PASSING_SQLITE = (
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "SQLITE_FULL",
    "SQLITE_IOERR",
    "SQLITE_CANTOPEN",
    "SQLITE_NOMEM",
)


class _Pool(QueuePool):
    """Closes what comes back after it was disposed of: a thread may still be reading when a hub closes."""

    _over = False

    def dispose(self) -> None:
        self._over = True
        super().dispose()

    def _do_return_conn(self, record: ConnectionPoolEntry) -> None:
        if self._over:
            record.close()
        else:
            super()._do_return_conn(record)


def open_database(where: Path | str) -> Engine:
    """The database, with today's tables: a SQLite file, made if it does not exist, or the one that a URL names.

    Raises `Misconfigured` for what an operator must mend, `RetryLater` when the server cannot be reached now.
    """
    url = _url(where)
    engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
    try:
        bring_up_to_date(engine)
    except DBAPIError as error:
        engine.dispose()
        if is_transient(error):
            raise RetryLater(f"The database cannot be opened now: {reason(error)}") from None
        raise
    except BaseException:
        engine.dispose()
        raise
    if url.get_backend_name() == "sqlite" and url.database:
        Path(url.database).chmod(0o600)
    return engine


def writer(engine: Engine) -> Engine:
    """The same database for transactions that write: on SQLite they take the lock at once instead of half-way."""
    return engine.execution_options(writes=True)


def overwrite_what_is_deleted(connection: Connection) -> None:
    """SQLite leaves deleted rows in the file until their place is needed; from now on it blanks them."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete = ON")


def shred(engine: Engine) -> None:
    """Empties SQLite's log of pages as they were before, so that what was deleted is in no file any more.

    While somebody reads it must wait; then the pages go with the next one. PostgreSQL's server does it in its own time.
    """
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 500")  # who waits for it holds up all who write
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()
        connection.exec_driver_sql("PRAGMA busy_timeout = 15000")


def is_transient(error: BaseException) -> bool:
    """Whether the same transaction may go through when tried again from its beginning.

    So it is when the connection was lost or could not be had, after a deadlock, or while the server or its disk
    is full, starting or stopping. Everything else (a constraint, a statement the server does not understand) is a
    fault that repeats itself.
    """
    if isinstance(error, RetryLater | NoConnectionLeft):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    if (name := getattr(error.orig, "sqlite_errorname", None)) is not None:
        return str(name).startswith(_PASSING_SQLITE)
    state: str | None = getattr(error.orig, "sqlstate", None)
    if state is None:  # the server said nothing: it could not be reached, or was lost
        return type(error.orig).__name__ == "OperationalError"
    return state in _PASSING_STATES or state.startswith(_PASSING)


def reason(error: DBAPIError) -> str:
    """What went wrong, in a line for a log. The details PostgreSQL adds are left out: they quote rows."""
    said = getattr(getattr(error.orig, "diag", None), "message_primary", None)
    return str(said or error.orig).partition("\n")[0]


def _url(where: Path | str) -> URL:
    if isinstance(where, Path) or "://" not in where:
        return URL.create("sqlite", database=str(where))
    try:
        url = make_url(where)
    except (ArgumentError, ValueError):  # whose message may quote the password
        raise Misconfigured(
            "The database's URL cannot be read: postgresql://USER:PASSWORD@HOST:5432/NAME"
        ) from None
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "postgresql+psycopg"):
        raise Misconfigured(
            f"The database's URL is of {url.drivername}: only sqlite and postgresql are known"
        )
    if url.drivername == "sqlite" and not url.database:
        raise Misconfigured("The database's URL names no file: sqlite:////folder/hub.db")
    return url


def _sqlite(url: URL) -> Engine:
    engine = create_engine(
        url,
        poolclass=_Pool,
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

    return engine


def _postgresql(url: URL) -> Engine:
    try:
        engine = create_engine(
            url,
            poolclass=_Pool,
            pool_size=5,
            max_overflow=15,
            pool_pre_ping=True,  # a server that was restarted meanwhile costs no caller an error
            isolation_level="READ COMMITTED",
            connect_args={name: value for name, value in _POSTGRESQL.items() if name not in url.query},
            hide_parameters=True,
        )
    except ModuleNotFoundError:
        raise Misconfigured("PostgreSQL needs its driver: pip install 'laporhub[distributed]'") from None

    @event.listens_for(engine, "handle_error")
    def _failed(context: ExceptionContext) -> None:
        if context.engine is not None:
            end_the_silent(context.engine, context.original_exception)

    return engine
