"""Files that came with messages: what is to be fetched, how far it got, and what is known of what is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from laporhub.pipeline import ids
from laporhub.pipeline.case_files import CaseFile
from laporhub.pipeline.events import CaseEvent, Evidenced
from laporhub.pipeline.messages import Message
from laporhub.pipeline.store.tables import files


def add(connection: Connection, messages: Sequence[Message], case_of: Mapping[str, str]) -> None:
    """Rows for what came with these messages, due at once."""
    rows = [
        {
            "id": ids.derive("f", message.id, str(position)),
            "message_id": message.id,
            "position": position,
            "case_id": case_of[message.id],
            "profile": message.profile,
            "channel": message.channel,
            "reporter": message.reporter,
            "url": file.url,
            "media_type": file.media_type,
            "name": file.name,
            "status": "waiting",
            "attempts": 0,
            "next_at": message.received_at,
        }
        for message in messages
        for position, file in enumerate(message.attachments)
    ]
    if rows:
        connection.execute(files.insert(), rows)


def add_evidence(connection: Connection, events: Sequence[CaseEvent], reporter_of: Mapping[str, str]) -> None:
    """Rows for photos that came with steps, due at once. They lie under the key of the case's reporter."""
    rows = [
        {
            "id": ids.derive("f", event.id, str(position)),
            "message_id": event.id,
            "position": position,
            "case_id": event.case_id,
            "profile": event.profile,
            "channel": event.channel,
            "reporter": reporter_of[event.case_id],
            "url": file.url,
            "status": "waiting",
            "attempts": 0,
            "next_at": event.time,
            "field": event.data.field,
        }
        for event in events
        if isinstance(event.data, Evidenced)
        for position, file in enumerate(event.data.files)
    ]
    if rows:
        connection.execute(files.insert(), rows)


_DUE = (
    select(files)
    .where(files.c.next_at <= bindparam("now"))
    .order_by(files.c.next_at, files.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)


def claim(connection: Connection, now: datetime, most: int, lease: timedelta) -> list[CaseFile]:
    """What is due, handed to the caller until `lease` is over. Needs a transaction that may write."""
    found = [_row(dict(each._mapping)) for each in connection.execute(_DUE, {"now": now, "most": most})]
    if found:
        held = files.c.id.in_([each.id for each in found])
        connection.execute(update(files).where(held).values(next_at=now + lease))
    return [replace(each, next_at=now + lease) for each in found]


def save(connection: Connection, row: CaseFile) -> None:
    """Writes how far it got; None as `next_at` is the end."""
    names = [column.name for column in files.c if column.name != "id"]
    connection.execute(
        update(files).where(files.c.id == row.id).values({name: getattr(row, name) for name in names})
    )


def drop(connection: Connection, messages: Sequence[str]) -> None:
    """Of messages that were taken back: not fetched any more, and found by nobody."""
    if messages:
        connection.execute(files.delete().where(files.c.message_id.in_(messages)))


def is_kept_elsewhere(connection: Connection, row: CaseFile) -> bool:
    """Whether another file of the same reporter has the same bytes: they are kept once."""
    same = (files.c.reporter == row.reporter) & (files.c.digest == row.digest) & (files.c.id != row.id)
    asked = select(files.c.id).where(same, files.c.status == "kept").limit(1)
    return connection.execute(asked).first() is not None


def of_case(connection: Connection, case_id: str) -> list[CaseFile]:
    """In the order in which they came."""
    found = select(files).where(files.c.case_id == case_id).order_by(files.c.message_id, files.c.position)
    return [_row(dict(each._mapping)) for each in connection.execute(found)]


def _row(row: Mapping[str, Any]) -> CaseFile:
    return CaseFile(**{name: row[name] for name in CaseFile.__dataclass_fields__})
