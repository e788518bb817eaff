"""The outbox: what must still be said on a platform, in order per conversation, and how far each reply got.

A row is `pending` (to be sent at `next_at`), `sending` (handed to the platform, no answer yet), `unknown` (no
answer came: look it up), `sent`, or `failed`. "sending" is durable before the platform hears of it, so after
a crash nothing is sent twice in good faith.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, bindparam, exists, select, tuple_, update

from laporhub.pipeline.connector import BY_HAND
from laporhub.pipeline.events import CaseEvent, ReplyQueued
from laporhub.pipeline.intake import Conversation
from laporhub.pipeline.store import cases
from laporhub.pipeline.store.tables import outbox

OPEN = ("pending", "sending", "unknown")


@dataclass(frozen=True, slots=True)
class Queued:
    """One reply on its way."""

    ordinal: int
    reply_id: str
    case_id: str
    conversation: str
    profile: str
    channel: str
    account: str
    text: str
    pattern: str | None
    sealed: tuple[str, ...]
    purpose: str
    human: bool
    status: str
    attempts: int
    attempted_at: datetime | None
    sent: tuple[str, ...]
    """Platform ids of the parts that arrived, in order."""
    talks: tuple[Conversation, ...] = ()
    """Of one that was claimed: the conversations about its case as they were when it was first tried, the latest first.
    Whatever is said meanwhile, it is looked for where it was tried.
    """

    def is_complete_with(self, part: int | None) -> bool:
        """Whether word of this part (from 0) is word of the whole reply: all were sent, and it is the last."""
        return self.status == "sent" and (part is None or part == len(self.sent) - 1)

    next_at: datetime | None = None
    address: str | None = None
    """Of a letter to staff; a reply goes to its reporter's sealed one."""


def enqueue(connection: Connection, events: Sequence[CaseEvent]) -> None:
    """Adds replies, due at once."""
    rows = []
    for event in events:
        reply = event.data
        if not isinstance(reply, ReplyQueued):
            continue
        rows.append(
            {
                "reply_id": reply.reply_id,
                "case_id": event.case_id,
                "conversation": reply.conversation,
                "profile": event.profile,
                "channel": reply.channel,
                "account": reply.account,
                "text": reply.text,
                "pattern": reply.pattern,
                "sealed": json.dumps(reply.sealed),
                "purpose": reply.purpose,
                "human": int(reply.human),
                "status": "pending",
                "attempts": 0,
                "next_at": event.time,
                "attempted_at": None,
                "sent": "[]",
                "reason": None,
            }
        )
    if rows:
        connection.execute(outbox.insert(), rows)


_earlier = outbox.alias("earlier")
_BLOCKED = exists().where(
    _earlier.c.conversation == outbox.c.conversation,
    _earlier.c.ordinal < outbox.c.ordinal,
    _earlier.c.next_at.is_not(None),
)
_DUE = (
    select(outbox)
    .where(
        outbox.c.next_at <= bindparam("now"),
        tuple_(outbox.c.profile, outbox.c.channel).in_(bindparam("spoken", expanding=True)),
        ~_BLOCKED,
    )
    .order_by(outbox.c.next_at, outbox.c.ordinal)
    .limit(bindparam("most"))
)
_CLAIMED = _DUE.with_for_update(skip_locked=True)


def due(connection: Connection, now: datetime, spoken: Sequence[tuple[str, str]], most: int) -> list[Queued]:
    """What may be sent now on these (profile, channel) pairs: the first unfinished reply of each conversation."""
    return [
        _queued(dict(row._mapping))
        for row in connection.execute(_DUE, {"now": now, "spoken": spoken, "most": most})
    ]


def lanes(connection: Connection, now: datetime, spoken: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The (profile, channel) pairs of these on which something is due."""
    found = (
        select(outbox.c.profile, outbox.c.channel)
        .where(outbox.c.next_at <= now, tuple_(outbox.c.profile, outbox.c.channel).in_(spoken))
        .distinct()
        .order_by(outbox.c.profile, outbox.c.channel)
    )
    return [(row.profile, row.channel) for row in connection.execute(found)]


def claim(
    connection: Connection, now: datetime, spoken: Sequence[tuple[str, str]], most: int, lease: timedelta
) -> list[Queued]:
    """As `due`, and handed to the caller: "sending" until `lease` is over, and until then nobody else gets them, nor
    any other reply of their conversations. Needs a transaction that may write; send when it is committed.

    One that was "sending" already, by somebody who did not come back in time, is "unknown" to the caller: to be
    looked up before it is sent. That keeps two senders apart as long as a conversation's replies are queued by one
    writer.
    """
    found = connection.execute(_CLAIMED, {"now": now, "spoken": spoken, "most": most}).all()
    claimed = [_handed_over(_queued(dict(row._mapping)), now, now + lease) for row in found]
    claimed = [each if each.talks or each.address else _addressed(connection, each) for each in claimed]
    if claimed:
        rows = [
            {
                "claimed": each.ordinal,
                "next_at": each.next_at,
                "attempted_at": each.attempted_at,
                "talks": _TALKS.dump_json(each.talks).decode(),
            }
            for each in claimed
        ]
        connection.execute(_HAND_OVER, rows)
    return claimed


_HAND_OVER = (
    update(outbox)
    .where(outbox.c.ordinal == bindparam("claimed"))
    .values({"status": "sending"} | {name: bindparam(name) for name in ("next_at", "attempted_at", "talks")})
)
_TALKS = TypeAdapter(tuple[Conversation, ...])


def _addressed(connection: Connection, reply: Queued) -> Queued:
    talks = cases.conversations_about(connection, reply.conversation, reply.case_id)
    return replace(reply, talks=tuple(talks))


def _handed_over(reply: Queued, now: datetime, until: datetime) -> Queued:
    uncertain = reply.status in ("unknown", "sending")
    since = reply.attempted_at if uncertain and reply.attempted_at else now
    status = "unknown" if uncertain else "sending"
    return replace(reply, status=status, attempted_at=since, next_at=until)


def _queued(row: Mapping[str, Any]) -> Queued:
    kept: dict[str, Any] = {name: row[name] for name in Queued.__dataclass_fields__}
    kept["sealed"] = tuple(json.loads(str(row["sealed"])))
    kept["purpose"], kept["human"] = row["purpose"] or "", bool(row["human"])
    kept["sent"] = tuple(json.loads(str(row["sent"])))
    kept["talks"] = _TALKS.validate_json(row["talks"]) if row["talks"] else ()
    return Queued(**kept)


def tried(connection: Connection, reply_ids: Collection[str]) -> frozenset[str]:
    """Which of these a platform may have taken although it is not known yet: being sent, or of unknown outcome."""
    table = outbox.c
    found = select(table.reply_id).where(
        table.reply_id.in_(reply_ids), table.status.in_(("sending", "unknown"))
    )
    return frozenset(connection.execute(found).scalars())


def mark(
    connection: Connection,
    reply: Queued,
    status: str,
    *,
    next_at: datetime | None,
    attempts: int,
    attempted_at: datetime | None,
    sent: Sequence[str],
    reason: str | None = None,
    held: bool = False,
) -> bool:
    """Writes how far a reply got. `next_at` None means that nothing more is tried.

    `held`: only if it is still as `claim` gave it. False when the lease was over and somebody else has it now: then
    nothing is written, and what came of the reply is theirs to tell.
    """
    where = [outbox.c.ordinal == reply.ordinal]
    if held:
        where += [outbox.c.status == "sending", outbox.c.next_at == reply.next_at]
    done = connection.execute(
        update(outbox)
        .where(*where)
        .values(
            status=status,
            next_at=next_at,
            attempts=attempts,
            attempted_at=attempted_at,
            sent=json.dumps(list(sent)),
            reason=reason,
            **({} if status in ("sending", "unknown") else {"talks": None}),
        )
    )
    return done.rowcount > 0


def interrupted(connection: Connection, next_at: datetime) -> int:
    """After a crash: what was being sent has an unknown outcome, to be looked up at `next_at`. How many.

    Only for a sender that is alone: where there are several, a lease that is over says the same of one reply.
    """
    changed = connection.execute(
        update(outbox).where(outbox.c.status == "sending").values(status="unknown", next_at=next_at)
    )
    return changed.rowcount


def platform_ids(connection: Connection, conversation: str) -> frozenset[str]:
    """Ids of all messages that replies of this conversation are known to have become."""
    rows = connection.execute(select(outbox.c.sent).where(outbox.c.conversation == conversation))
    return frozenset(str(name) for row in rows for name in json.loads(row.sent))


def take_back(connection: Connection, reply_id: str) -> bool:
    """Nothing more is tried with a reply that waits. False if it is being sent right now, or may have been."""
    waits = outbox.update().where(outbox.c.reply_id == reply_id, outbox.c.status == "pending")
    if connection.execute(waits.values(status="failed", next_at=None, reason=BY_HAND)).rowcount:
        return True
    found = connection.execute(select(outbox.c.next_at).where(outbox.c.reply_id == reply_id)).first()
    return found is None or found.next_at is None


def where_is(connection: Connection, reply_id: str) -> Queued | None:
    row = connection.execute(select(outbox).where(outbox.c.reply_id == reply_id)).first()
    return None if row is None else _queued(dict(row._mapping))


def backlog(connection: Connection) -> dict[str, int]:
    """Status → how many, of what is not finished."""
    rows = connection.execute(select(outbox.c.status).where(outbox.c.next_at.is_not(None)))
    found: dict[str, int] = {}
    for row in rows:
        found[row.status] = found.get(row.status, 0) + 1
    return found
