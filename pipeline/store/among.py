"""`column among ids`: one parameter however many ids there are, so the statement is prepared once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Self

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Dialect,
    Row,
    Select,
    Text,
    TypeDecorator,
    bindparam,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeEngine


class _Ids(TypeDecorator[Iterable[str]]):
    """An array to PostgreSQL, JSON to SQLite."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(Text) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Iterable[str] | None, dialect: Dialect) -> list[str] | str:
        ids = [each.replace("\0", "\ufffd") for each in sorted(set(value or ()))]
        return ids if dialect.name == "postgresql" else json.dumps(ids)


class _Among(FunctionElement[bool]):
    type = Boolean()
    name = "among"
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> Self:  # noqa: ARG002
        """Itself: SQLite would be asked for `… = 1` otherwise, and go through the whole table for it."""
        return self


def look_up(
    connection: Connection, statement: Select[Any], ids: Iterable[str], **others: Any
) -> Sequence[Row[Any]]:
    """The rows of a statement with `among(…)`; none, without a question, for no ids."""
    wanted = set(ids)
    return connection.execute(statement, {"ids": wanted, **others}).all() if wanted else ()


def among(column: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether the column holds one of the ids that the parameter `ids` is given: any iterable of str."""
    return _Among(column, bindparam("ids", type_=_Ids))


@compiles(_Among, "postgresql")
def _postgresql(element: _Among, compiler: Any, **options: Any) -> str:
    column, ids = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} = ANY ({ids})"


@compiles(_Among, "sqlite")
def _sqlite(element: _Among, compiler: Any, **options: Any) -> str:
    column, ids = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({ids}))"  # noqa: S608 - both come from the compiler
