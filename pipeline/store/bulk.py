"""Many rows at once into PostgreSQL, by COPY: four times as fast as INSERT, for a fraction of the client's time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from laporhub.pipeline.store.silent import end_the_silent


def copy_in(
    connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[str | int | None]]
) -> None:
    """Adds rows, all or none. Text holds no U+0000. Raises as SQLAlchemy's own statements do."""
    dialect: Any = connection.dialect
    quote = dialect.identifier_preparer.quote
    statement = f"COPY {quote(table)} ({', '.join(map(quote, columns))}) FROM STDIN"
    if not connection.in_transaction():
        connection.begin()  # as the first statement would
    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as target:
            for row in rows:
                target.write_row(row)
    except dialect.dbapi.Error as error:
        end_the_silent(connection.engine, error)
        lost = dialect.is_disconnect(error, driver, None)
        if lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            statement,
            None,
            error,
            dialect.dbapi.Error,
            hide_parameters=True,
            connection_invalidated=lost,
            dialect=dialect,
        ) from error
