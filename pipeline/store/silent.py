"""Sessions on PostgreSQL that stopped in the middle of sending, and the rows they keep from everybody else.

A worker that is stopped while it writes (its machine sleeps, its disk hangs) is replaced by another, which writes
the same rows. A session that is idle in its transaction is ended by the server; one that stopped half-way through a
COPY or a row of statements counts as active, without a limit (`transaction_timeout` of PostgreSQL 17 is the first).
"""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionLeft

_WAITED_TOO_LONG = "57014"
_END = text("""
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE usename = current_user AND datname = current_database()
      AND application_name = current_setting('application_name')
      AND state = 'active' AND wait_event = 'ClientRead'
      AND state_change < clock_timestamp() - current_setting('statement_timeout')::interval
""")


def end_the_silent(engine: Engine, error: BaseException) -> None:
    """After a statement that waited too long: ends our sessions that have said nothing for as long as that."""
    if getattr(error, "sqlstate", None) == _WAITED_TOO_LONG:
        # If that cannot be done now, the next one who waits too long does it: nothing is lost but time.
        with suppress(DBAPIError, NoConnectionLeft), engine.connect() as connection:
            connection.execute(_END)
