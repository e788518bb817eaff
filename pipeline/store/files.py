"""Files that came with messages: what is to be fetched, how far it got, and what is known of what is kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, bindparam, or_, select, update

from laporhub.pipeline import ids
from laporhub.pipeline.case_files import CaseFile
from laporhub.pipeline.events import CaseEvent, Evidenced
from laporhub.pipeline.messages import INLINE, Message
from laporhub.pipeline.store.tables import files, picture_bands

ERASED: Final = "erased"
"""Why a file is not there any more: its reporter was erased."""
EXPIRED: Final = "expired"
"""The same: the profile's time for it is over."""
_NOTHING_KNOWN: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("name", "width", "height", "taken_at", "lat", "lon", "fingerprint")),
    "url": "",
}


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


def settle(connection: Connection, row: CaseFile, now: datetime) -> bool:
    """`save` for whoever fetched it. False where it was dropped or erased meanwhile: then its bytes are to go."""
    names = [column.name for column in files.c if column.name != "id"]
    mine = update(files).where(files.c.id == row.id)
    saved = mine.where(files.c.status == "waiting").values({name: getattr(row, name) for name in names})
    if connection.execute(saved).rowcount:
        return True
    if row.digest:
        connection.execute(mine.values(digest=row.digest, next_at=now))
    return False


def drop(connection: Connection, messages: Sequence[str], at: datetime) -> None:
    """Of messages that were taken back: not fetched any more, found by nobody, and their bytes due to be deleted."""
    if messages:
        _forget(connection, files.c.message_id.in_(messages), at, "dropped")


def forget(connection: Connection, reporter: str, at: datetime) -> None:
    """Of an erased person: that there was a file stays; what it was and told does not, and its bytes are due to go."""
    _forget(connection, files.c.reporter == reporter, at, "refused")


def expire(connection: Connection, case_id: str, at: datetime) -> list[CaseFile]:
    """What is kept of a case is kept no more, and its bytes are due to go: those rows."""
    which = (files.c.case_id == case_id) & (files.c.status == "kept")
    rows = [_row(dict(each._mapping)) for each in connection.execute(select(files).where(which))]
    _forget(connection, which, at, "refused", EXPIRED)
    return rows


def _forget(
    connection: Connection, which: ColumnElement[bool], at: datetime, status: str, why: str = ERASED
) -> None:
    columns = files.c.id, files.c.url, files.c.digest, files.c.status, files.c.reason, files.c.next_at
    rows = connection.execute(select(*columns).where(which, files.c.status != "dropped")).all()
    for row in rows:
        # Whoever fetches it at this moment may still write its bytes: they are deleted after that.
        digest = row.digest or (row.url.removeprefix(INLINE) if row.url.startswith(INLINE) else None)
        later = row.next_at if row.status == "waiting" else None
        due = (later or at) if digest or later or status == "dropped" else None
        known = {"status": status, "digest": digest, "next_at": due, "attempts": 0}
        reason = row.reason or (why if status == "refused" else None)
        held = update(files).where(files.c.id == row.id)
        connection.execute(held.values({**_NOTHING_KNOWN, **known, "reason": reason}))
        connection.execute(picture_bands.delete().where(picture_bands.c.file_id == row.id))


def deleted(connection: Connection, row: CaseFile) -> None:
    """Its bytes are there no more."""
    mine = (files.c.id == row.id) & files.c.digest.is_not_distinct_from(row.digest)
    connection.execute(files.delete().where(mine, files.c.status == "dropped"))
    connection.execute(update(files).where(mine).values(digest=None, next_at=None))


def all_deleted(connection: Connection, reporter: str) -> None:
    """All that was kept of an erased person is there no more."""
    gone = (files.c.reporter == reporter) & (files.c.status == "refused")
    connection.execute(
        update(files).where(gone, files.c.digest.is_not(None)).values(digest=None, next_at=None)
    )


def postpone(connection: Connection, row: CaseFile, until: datetime) -> None:
    """Its bytes could not be deleted yet."""
    again = update(files).where(files.c.id == row.id, files.c.status == row.status)
    connection.execute(again.values(attempts=row.attempts + 1, next_at=until))


def is_kept_elsewhere(connection: Connection, row: CaseFile) -> bool:
    """Whether another file of the same reporter has the same bytes: they are kept once."""
    inline = (files.c.status == "waiting") & (files.c.url == f"{INLINE}{row.digest}")
    same = or_((files.c.status == "kept") & (files.c.digest == row.digest), inline)
    return _has_other(connection, row, same)


def is_one_awaited(connection: Connection, row: CaseFile) -> bool:
    """Whether something of the same reporter is still to be fetched: it may turn out to be the same bytes."""
    return _has_other(connection, row, files.c.status == "waiting")


def _has_other(connection: Connection, row: CaseFile, which: ColumnElement[bool]) -> bool:
    others = (files.c.reporter == row.reporter) & (files.c.id != row.id)
    return connection.execute(select(files.c.id).where(others, which).limit(1)).first() is not None


def of_case(connection: Connection, case_id: str) -> list[CaseFile]:
    """In the order in which they came."""
    theirs = (files.c.case_id == case_id) & (files.c.status != "dropped")
    found = select(files).where(theirs).order_by(files.c.message_id, files.c.position)
    return [_row(dict(each._mapping)) for each in connection.execute(found)]


def of_cases(connection: Connection, case_ids: Collection[str]) -> dict[str, list[CaseFile]]:
    """As `of_case`, for some cases; those without any are left out."""
    theirs = files.c.case_id.in_(case_ids) & (files.c.status != "dropped")
    found: dict[str, list[CaseFile]] = defaultdict(list)
    for each in connection.execute(
        select(files).where(theirs).order_by(files.c.message_id, files.c.position)
    ):
        found[each.case_id].append(_row(dict(each._mapping)))
    return dict(found)


def _row(row: Mapping[str, Any]) -> CaseFile:
    return CaseFile(**{name: row[name] for name in CaseFile.__dataclass_fields__})
