"""Pieces of long messages, kept until all are there.

A long message is a `whole` (a hash: which author, which account, which reference of the platform) and a `round`:
platforms use references again, so a piece that comes anew with other words begins the next round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from laporhub.pipeline.store.prepared import insert_into
from laporhub.pipeline.store.tables import fragments

REMEMBERED = timedelta(days=1)
"""How long the pieces of a finished message are known, so that a late repeat is one."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece as it is kept; `piece` is the name it is known by, `sealed` its message and the payload it came in."""

    whole: str
    round: int
    number: int
    total: int
    piece: str
    profile: str
    channel: str
    sealed: str
    overdue_at: datetime
    done: int = 0


def add(connection: Connection, piece: Piece) -> int:
    """Keeps a piece, once. The round that it belongs to. Needs a writing transaction."""
    known = _of(connection, piece.whole)
    for each in known:
        if each.piece == piece.piece:
            return each.round
    last = max((each.round for each in known), default=1)
    taken = {each.number for each in known if each.round == last}
    of_another = any(each.round == last and each.total != piece.total for each in known)
    round_ = last + 1 if piece.number in taken or of_another else last
    row = {name: getattr(piece, name) for name in Piece.__dataclass_fields__} | {"round": round_}
    connection.execute(insert_into(connection, fragments).values(row).on_conflict_do_nothing())
    return round_


def pieces(connection: Connection, whole: str, round_: int) -> list[Piece]:
    """The pieces of one message that are there, in order."""
    return [each for each in _of(connection, whole) if each.round == round_]


def overdue(connection: Connection, now: datetime) -> list[tuple[str, int]]:
    """Unfinished messages whose rest has been waited for long enough: (whole, round)."""
    late = select(fragments.c.whole, fragments.c.round).where(
        fragments.c.done == 0, fragments.c.overdue_at <= now
    )
    return [(row.whole, row.round) for row in connection.execute(late.distinct())]


def finish(connection: Connection, done: Sequence[Piece], now: datetime) -> None:
    """These are now a message: what they held is gone from here, only that they came is still known."""
    for each in done:
        connection.execute(
            update(fragments)
            .where(
                fragments.c.whole == each.whole,
                fragments.c.round == each.round,
                fragments.c.number == each.number,
            )
            .values(done=1, sealed="", overdue_at=now + REMEMBERED)
        )


def drop(connection: Connection, refused: Sequence[Piece]) -> None:
    """These became no message, and are kept elsewhere: if they come again they are new."""
    for each in refused:
        connection.execute(
            fragments.delete().where(
                fragments.c.whole == each.whole,
                fragments.c.round == each.round,
                fragments.c.number == each.number,
            )
        )


def forgettable(connection: Connection, now: datetime) -> bool:
    """Whether there is something to forget."""
    old = select(fragments.c.whole).where(fragments.c.done == 1, fragments.c.overdue_at <= now)
    return connection.execute(old.limit(1)).first() is not None


def forget(connection: Connection, now: datetime) -> None:
    """Removes what need not be known any more."""
    connection.execute(fragments.delete().where(fragments.c.done == 1, fragments.c.overdue_at <= now))


def _of(connection: Connection, whole: str) -> list[Piece]:
    rows = connection.execute(
        select(fragments).where(fragments.c.whole == whole).order_by(fragments.c.round, fragments.c.number)
    )
    return [Piece(**row._mapping) for row in rows]
