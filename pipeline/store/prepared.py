"""Statements whose SQL is written once.

SQLAlchemy works out the parameters of a statement anew for each row of each execution, which takes longer than SQLite
takes for the row itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from sqlalchemy import Connection, CursorResult, Dialect, Table
from sqlalchemy.dialects import postgresql, sqlite

Values: TypeAlias = Mapping[str, Any]
Rows: TypeAlias = CursorResult[tuple[Any, ...]]
Insert: TypeAlias = sqlite.Insert
_Process: TypeAlias = Callable[[Any], Any]
_Written: TypeAlias = tuple[str, list[tuple[str, _Process | None]], Values]


def insert_into(connection: Connection, table: Table) -> Insert:
    """An INSERT that knows ON CONFLICT, in the connection's dialect (both spell it alike)."""
    made = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return made(table)  # type: ignore[return-value]


class Prepared:
    """A statement without lists of varying length (see `among`), built when it is first run.

    An INSERT fills the columns of its first row. Rows of a SELECT come as the driver gives them: on SQLite times are
    whole microseconds.
    """

    def __init__(self, build: Callable[[Connection], Any]) -> None:
        self._build = build
        self._statements: dict[str, Any] = {}
        self._sqlite: _Written | None = None

    def run(self, connection: Connection, values: Values | Sequence[Values]) -> Rows:
        """Once, or for each of several rows."""
        dialect = connection.dialect
        if dialect.name not in self._statements:
            self._statements[dialect.name] = self._build(connection)
        if dialect.name != "sqlite":
            found: Rows = connection.execute(self._statements[dialect.name], values)
            return found
        if self._sqlite is None:
            first = values if isinstance(values, Mapping) else values[0]
            self._sqlite = _written(self._statements["sqlite"], dialect, list(first))
        sql, takes, constants = self._sqlite
        if isinstance(values, Mapping):
            return connection.exec_driver_sql(sql, _taken(takes, {**constants, **values}))
        return connection.exec_driver_sql(sql, [_taken(takes, row) for row in values])


def adding(table: Table) -> Prepared:
    """Adds rows; those whose key is there already stay as they are."""
    return Prepared(lambda connection: insert_into(connection, table).on_conflict_do_nothing())


def saving(table: Table, key: str, changing: Sequence[str]) -> Prepared:
    """Adds rows; of those whose key is there already it changes these columns."""

    def build(connection: Connection) -> Insert:
        made = insert_into(connection, table)
        changed = {name: made.excluded[name] for name in changing}
        return made.on_conflict_do_update(index_elements=[key], set_=changed)

    return Prepared(build)


def _written(statement: Any, dialect: Dialect, given: list[str]) -> _Written:
    """The SQL; which value goes where, with what makes of it what the driver takes; and values that never change."""
    compiled = statement.compile(dialect=dialect, column_keys=given if statement.is_dml else None)
    if compiled.post_compile_params:
        raise ValueError("a list of varying length cannot be prepared: use `among`")
    takes = [(name, _process(compiled.binds[name], dialect)) for name in compiled.positiontup]
    constants = {name: each.value for name, each in compiled.binds.items() if not each.required}
    return str(compiled), takes, constants


def _process(parameter: Any, dialect: Dialect) -> _Process | None:
    found: _Process | None = parameter.type.dialect_impl(dialect).bind_processor(dialect)
    return found


def _taken(takes: Sequence[tuple[str, _Process | None]], row: Values) -> tuple[Any, ...]:
    return tuple([process(row[name]) if process else row[name] for name, process in takes])
