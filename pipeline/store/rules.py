"""The rules that the hub last ran under, and how its running cases stand to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from sqlalchemy import JSON, Connection, String, cast, delete, func, select, text

from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema import Profile
from laporhub.pipeline.profile.stranded import stranded
from laporhub.pipeline.store.prepared import insert_into
from laporhub.pipeline.store.tables import cases, rules


def conflicts(connection: Connection, book: Rulebook) -> list[str]:
    """Why running cases could not go on under these rules; empty if they can. Quick where they are the old ones."""
    kept = _kept(connection, book.name)
    if kept == _bodies(book):
        return []
    return stranded(book, _readable(kept), running(connection, book.name))


def keep(connection: Connection, book: Rulebook) -> None:
    """From now on these are the rules that it runs under. Needs a transaction that may write."""
    bodies = _bodies(book)
    if _kept(connection, book.name) == bodies:
        return
    gone = rules.c.version.not_in(list(bodies))
    connection.execute(delete(rules).where(rules.c.profile == book.name, gone))
    statement = insert_into(connection, rules)
    rows = [{"profile": book.name, "version": version, "body": body} for version, body in bodies.items()]
    changed = {"body": statement.excluded.body}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["profile", "version"], set_=changed), rows
    )


def of_lost_units(connection: Connection, book: Rulebook) -> Mapping[str, int]:
    """Unit that the profile does not know any more → how many cases it has that have not ended. Reads them all."""
    _may_take_long(connection)
    unit, ended = (_part(connection, name) for name in ("unit", "closed_at"))
    found = (
        select(unit, func.count())
        .where(cases.c.profile == book.name, ended.is_(None), unit.not_in(list(book.units)))
        .group_by(unit)
    )
    return {row[0]: row[1] for row in connection.execute(found)}


def running(connection: Connection, profile: str) -> Mapping[tuple[str, str], int]:
    """(version, state) → how many of the profile's cases that have not ended. Reads them all."""
    _may_take_long(connection)
    version, state, ended = (_part(connection, name) for name in ("profile_version", "status", "closed_at"))
    found = (
        select(version, state, func.count())
        .where(cases.c.profile == profile, ended.is_(None))
        .group_by(version, state)
    )
    return {(row[0], row[1]): row[2] for row in connection.execute(found)}


def _may_take_long(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))


def _part(connection: Connection, name: str) -> Any:
    if connection.dialect.name == "postgresql":
        return cast(cases.c.state, JSON)[name].as_string()
    return cast(func.json_extract(cases.c.state, f"$.{name}"), String)


def _bodies(book: Rulebook) -> dict[str, str]:
    return {
        edition.profile.version.isoformat(): edition.profile.model_dump_json(by_alias=True)
        for edition in book.every_edition
    }


def _kept(connection: Connection, profile: str) -> dict[str, str]:
    found = select(rules.c.version, rules.c.body).where(rules.c.profile == profile)
    return {row.version: row.body for row in connection.execute(found)}


def _readable(kept: Mapping[str, str]) -> dict[str, Profile]:
    """Rules of an earlier release may be in a form that is no more: they tell nothing."""
    found = {}
    for version, body in kept.items():
        try:
            found[version] = Profile.model_validate_json(body)
        except ValidationError:
            continue
    return found
