"""The audit log: who looked at whom, and why. Each record is chained to the one before it.

A record's mark is a keyed hash over its number, its words and the mark before it. Who changes, deletes or reorders
rows without the hub's secret cannot make the marks fit again. `audit_head` holds the last number and mark, so that
cutting off the end is found, too. An emptied log, one that is begun anew and an older database put back are whole in
themselves: they lack the head that is kept outside the database (`audit_kept`), or was noted and is given to `verify`.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection, Engine, Row, select, update

from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.redact import redact
from laporhub.pipeline.store.audit_kept import KeptHead
from laporhub.pipeline.store.database import writer
from laporhub.pipeline.store.prepared import insert_into
from laporhub.pipeline.store.tables import audit, audit_head, to_micros
from laporhub.pipeline.text import clean

_ONLY = 1
"""The one row of `audit_head`."""
BEGIN = "begin"
"""The action of the record that chains what an earlier release had left unchained."""
ACKNOWLEDGE = "acknowledge"
"""The action of the record by which an operator gives up records that are gone."""

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """One record. `subject` is a ticket, a pseudonym or a dead letter; `number` counts from 1 without gaps."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    reason: str
    mark: str

    @property
    def head(self) -> str:
        """What the log's head is when this is its last record."""
        return f"{self.number}:{self.mark}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found: nothing, if `faults` is empty. `head` is to be noted outside the database."""

    records: int
    head: str
    faults: tuple[str, ...]


class AuditLog:
    """See the module. Thread-safe, and safe beside other processes. Blocking."""

    def __init__(self, engine: Engine, secret: bytes, kept: KeptHead | None = None) -> None:
        self._engine = engine
        self._kept = kept
        self._secret = hmac.digest(secret, b"laporhub audit", "sha256")

    def record(self, actor: str, action: str, subject: str, reason: str, now: datetime) -> Entry:
        """Durable when it returns. Raises `Misconfigured` when the log's head is not ours: then nobody may look."""
        entry = self._record(actor, action, subject, reason, now)
        self._keep_outside(entry)
        return entry

    def acknowledge(self, actor: str, reason: str, now: datetime) -> Entry:
        """Goes on without records that are gone, from the log as it is; that, too, is a record. Raises as `record`,
        and `OSError`.
        """
        entry = self._record(actor, ACKNOWLEDGE, "audit", reason, now)
        if self._kept is not None:
            self._kept.replace(entry.head)
        return entry

    def _record(self, actor: str, action: str, subject: str, reason: str, now: datetime) -> Entry:
        reason = redact(clean(reason))  # whoever says why may type a number
        with writer(self._engine).begin() as connection:
            number, mark = self._head(connection)
            if number == 0 and (earlier := self._chain_earlier(connection)):
                number, mark = self._append(
                    connection, earlier, "system", BEGIN, "audit", f"{earlier[0]} earlier records", now
                )
            number, mark = self._append(connection, (number, mark), actor, action, subject, reason, now)
            self._keep_head(connection, number, mark)
        return Entry(number, now, actor, action, subject, reason, mark)

    def entries(self) -> Iterator[Entry]:
        """All records, oldest first."""
        with self._engine.connect() as connection:
            for row in connection.execute(select(audit).order_by(audit.c.id)):
                yield Entry(
                    row.number or 0, row.at, row.actor, row.action, row.subject, row.reason, row.mark or ""
                )

    def verify(self, noted: str | None = None) -> Verdict:
        """Looks at every record. `noted` is a head that was given earlier: it must still be in the chain."""
        faults: list[str] = []
        kept, told = self._kept_head()  # first: it may be behind what is read, never ahead
        faults += told
        with self._engine.connect() as connection:
            head = connection.execute(
                select(audit_head)
            ).first()  # first: more may come while the rest is read
            marks, expected = {0: ""}, 1
            before: str | None = ""
            for row in connection.execute(select(audit).order_by(audit.c.number, audit.c.id)):
                if row.number is None:
                    faults.append(f"row {row.id} has no number: it was put in beside the hub")
                    continue
                if row.number != expected:
                    faults.append(_missing(expected, row.number - 1))
                    before = None
                if before is not None and not hmac.compare_digest(self._mark(row, before), row.mark or ""):
                    faults.append(f"record {row.number} was changed, or is not in its place")
                marks[row.number] = before = row.mark or ""
                expected = row.number + 1
        faults += self._head_faults(head, marks, expected - 1)
        last = f"{expected - 1}:{marks.get(expected - 1, '')}"
        if kept is not None and not _holds(kept, marks):
            faults.append(
                f"record {_number(kept)}, as kept outside the database, is not in the chain: the log was emptied, cut "
                "off or begun anew, or an older database was put back"
            )
        if noted is not None and not _holds(noted, marks):
            faults.append(f"the noted head {noted} is not in the chain: the log was cut off or made anew")
        return Verdict(len(marks) - 1, last, tuple(faults))

    # ── outside the database ─────────────────────────────────────────────────────────────────────

    def _keep_outside(self, entry: Entry) -> None:
        """What cannot be kept hinders nobody: the record is durable, and `verify` still knows an earlier head."""
        if self._kept is None:
            return
        try:
            held = self._kept.advance(entry.head, self._is_in_chain)
        except (OSError, Misconfigured) as error:
            logger.error("the head of the audit log was not kept outside the database", exc_info=error)
            return
        if not held:
            logger.error("records of the audit log are gone: laporhub audit verify")

    def _kept_head(self) -> tuple[str | None, list[str]]:
        """What is kept, and what is wrong with it."""
        try:
            return self._kept.read() if self._kept is not None else None, []
        except Misconfigured as error:
            return None, [str(error)]

    def _is_in_chain(self, head: str) -> bool:
        asked = select(audit.c.mark).where(audit.c.number == _number(head))
        with self._engine.connect() as connection:
            return _holds(head, {_number(head): connection.execute(asked).scalar() or ""})

    # ── inside ───────────────────────────────────────────────────────────────────────────────────

    def _head(self, connection: Connection) -> tuple[int, str]:
        """The last number and mark. Whoever has them keeps others from writing until the transaction ends."""
        first = {"id": _ONLY, "number": 0, "mark": "", "seal": self._seal(0, "")}
        if connection.execute(select(audit.c.id).where(audit.c.number.is_not(None)).limit(1)).first() is None:
            connection.execute(insert_into(connection, audit_head).values(first).on_conflict_do_nothing())
        row = connection.execute(select(audit_head).with_for_update()).first()
        if row is None or not hmac.compare_digest(self._seal(row.number, row.mark), row.seal):
            raise Misconfigured("The audit log's end was changed by somebody else: laporhub audit verify")
        return row.number, row.mark

    def _keep_head(self, connection: Connection, number: int, mark: str) -> None:
        connection.execute(update(audit_head).values(number=number, mark=mark, seal=self._seal(number, mark)))

    def _chain_earlier(self, connection: Connection) -> tuple[int, str] | None:
        """Chains the records of a release that did not: the last number and mark, None if there are none."""
        number, mark = 0, ""
        for row in connection.execute(select(audit).order_by(audit.c.id)).all():
            number, mark = number + 1, self._mark(row, mark, number + 1)
            connection.execute(update(audit).where(audit.c.id == row.id).values(number=number, mark=mark))
        return (number, mark) if number else None

    def _append(
        self,
        connection: Connection,
        after: tuple[int, str],
        actor: str,
        action: str,
        subject: str,
        reason: str,
        now: datetime,
    ) -> tuple[int, str]:
        number = after[0] + 1
        mark = self._digest(after[1], number, now, actor, action, subject, reason)
        row = {"at": now, "actor": actor, "action": action, "subject": subject, "reason": reason}
        connection.execute(audit.insert(), row | {"number": number, "mark": mark})
        return number, mark

    def _mark(self, row: Row[Any], before: str, number: int | None = None) -> str:
        return self._digest(
            before, number or row.number, row.at, row.actor, row.action, row.subject, row.reason
        )

    def _digest(self, before: str, number: int, at: datetime, *words: str) -> str:
        covered = json.dumps([before, number, to_micros(at), *words]).encode()
        return hmac.new(self._secret, covered, hashlib.sha256).hexdigest()

    def _seal(self, number: int, mark: str) -> str:
        return hmac.new(self._secret, f"head {number} {mark}".encode(), hashlib.sha256).hexdigest()

    def _head_faults(self, head: Row[Any] | None, marks: dict[int, str], last: int) -> Iterator[str]:
        if head is None:
            if last:
                yield "the log's head is gone"
        elif not hmac.compare_digest(self._seal(head.number, head.mark), head.seal):
            yield "the log's head was changed"
        elif head.number > last:
            yield _missing(last + 1, head.number)
        elif marks.get(head.number) != head.mark:
            yield f"record {head.number} is not the one that was written last"


def _missing(first: int, last: int) -> str:
    return f"record {first} is missing" if first == last else f"records {first} to {last} are missing"


def _number(head: str) -> int:
    return int(head.partition(":")[0])


def _holds(noted: str, marks: dict[int, str]) -> bool:
    number, _, mark = noted.partition(":")
    return number.isdecimal() and marks.get(int(number)) == mark
