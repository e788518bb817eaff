"""What staff is told, as it is kept: an inbox for each unit and role, and letters on their way (in the outbox)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from laporhub.pipeline import ids
from laporhub.pipeline.notices import Letter, Notice
from laporhub.pipeline.store.prepared import adding, insert_into
from laporhub.pipeline.store.tables import notice_marks, notices, outbox

_TOLD, _POSTED = adding(notices), adding(outbox)
_COLUMNS = tuple(Notice.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose inbox: what the account is addressed as in a profile, and the cases it may see."""

    account: str
    profile: str
    receivers: Sequence[str]
    channels: Sequence[str] = ()
    """Only cases of these; of all when empty."""
    sees_private: bool = True


def add(connection: Connection, told: Sequence[Notice], letters: Sequence[Letter]) -> None:
    """In the transaction of the events that they tell of; what is there already stays as it is."""
    if told:
        rows = [
            {name: getattr(each, name) for name in _COLUMNS} | {"private": int(each.private)} for each in told
        ]
        _TOLD.run(connection, rows)
    if letters:
        _POSTED.run(connection, [_row(each) for each in letters])


def _row(letter: Letter) -> dict[str, Any]:
    """Letters to one address go out in order, as replies of one conversation do."""
    return {
        "reply_id": letter.id,
        "case_id": letter.case_id,
        "conversation": ids.derive("v", "staff", letter.profile, letter.channel, letter.address),
        "profile": letter.profile,
        "channel": letter.channel,
        "account": letter.account,
        "text": letter.text,
        "pattern": None,
        "sealed": "[]",
        "purpose": letter.purpose,
        "human": 0,
        "status": "pending",
        "attempts": 0,
        "next_at": letter.at,
        "attempted_at": None,
        "sent": "[]",
        "reason": None,
        "address": letter.address,
    }


def inbox(connection: Connection, reader: Reader, most: int) -> list[tuple[int, Notice]]:
    """The newest first, each with its number."""
    found = select(notices).where(*_theirs(reader)).order_by(notices.c.ordinal.desc()).limit(most)
    return [(row.ordinal, _notice(dict(row._mapping))) for row in connection.execute(found)]


def unread(connection: Connection, reader: Reader) -> int:
    """How many came since they last said that they have read."""
    since = notices.c.ordinal > seen(connection, reader)
    found = select(func.count()).select_from(notices).where(*_theirs(reader), since)
    return int(connection.execute(found).scalar_one())


def seen(connection: Connection, reader: Reader) -> int:
    mark = notice_marks.c
    found = select(mark.seen).where(mark.account == reader.account, mark.profile == reader.profile)
    return int(connection.execute(found).scalar() or 0)


def mark(connection: Connection, reader: Reader, upto: int) -> None:
    """They have read all up to this number. It only rises."""
    if upto <= seen(connection, reader):
        return
    statement = insert_into(connection, notice_marks)
    row = {"account": reader.account, "profile": reader.profile, "seen": upto}
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["account", "profile"], set_={"seen": statement.excluded.seen}
        ),
        row,
    )


def _theirs(reader: Reader) -> list[ColumnElement[bool]]:
    where = [notices.c.profile == reader.profile, notices.c.receiver.in_(reader.receivers)]
    if reader.channels:
        where.append(notices.c.channel.in_(reader.channels))
    if not reader.sees_private:
        where.append(notices.c.private == 0)
    return where


def _notice(row: dict[str, Any]) -> Notice:
    return Notice(**{name: row[name] for name in _COLUMNS} | {"private": bool(row["private"])})
