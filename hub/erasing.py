"""Erasing: a person on demand, and whoever the profile's time limits no longer allow to be known.

A person is erased by deleting their keys: all that was ever sealed under them can be read by nobody, wherever it lies.
Cases, redacted words and numbers stay.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import Connection, Engine

from laporhub.hub.keeping import Store, delete_bytes
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.store import files, retention
from laporhub.pipeline.store.audit import AuditLog
from laporhub.pipeline.store.database import writer
from laporhub.pipeline.store.keys import KeyRing
from laporhub.pipeline.store.retention import Ended, Newer
from laporhub.pipeline.vault import PERSON

_HOUR: Final = 3600.0

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased: keys and files of a person; or, of a sweep, persons and files."""

    keys: int = 0
    files: int = 0
    persons: int = 0


@dataclass(frozen=True)
class Eraser:
    """See the module. Blocking, and safe to be killed at any time: what is half done is done by the next sweep.

    In one transaction a person's keys go, and all that rows say of their files. The bytes, which nobody can read any
    more, go after it; those that are left when it is interrupted are deleted by the files' keeper, or by asking again.
    """

    database: Engine
    ring: KeyRing
    store: Store
    audit: AuditLog
    rulebooks: Mapping[str, Rulebook]
    now: Callable[[], datetime]

    def erase(self, reporter: str, actor: str, reason: str) -> Erased:
        """Erases one person; on record before it is done. Harmless to repeat."""
        return self._erase(reporter, actor, reason) or Erased()

    def _erase(self, reporter: str, actor: str, reason: str, newer: Newer | None = None) -> Erased | None:
        """None where something newer is known of them by now: then they stay."""
        now = self.now()

        def first(connection: Connection) -> bool:
            if newer is not None and newer.has(connection, reporter):
                return False
            files.forget(connection, reporter, now)
            return True

        self.audit.record(actor, "erase", reporter, reason, now)
        keys = self.ring.erase(reporter, first)
        if keys is None:
            self.audit.record(actor, "not erased", reporter, "something new came meanwhile", self.now())
            return None
        gone = self.store.erase(reporter) if reporter.startswith(PERSON) else 0
        with writer(self.database).begin() as connection:
            files.all_deleted(connection, reporter)
        return Erased(keys, gone, 1)

    def sweep(self) -> Erased:
        """Erases what is kept for too long by now."""
        dropped = sum(self._drop_files(case) for case in self._files_past())
        for owner, days in self._others_past():
            self.erase(owner, "system", f"retention: {days} days after it came")
        newer, persons = Newer(self.database), 0
        for reporter, days in list(self._persons_past()):
            reason = f"retention: {days} days after the last case ended"
            if (done := self._erase(reporter, "system", reason, newer)) is not None:
                dropped, persons = dropped + done.files, persons + 1
        return Erased(files=dropped, persons=persons)

    def sweep_once_a_day(self) -> Erased | None:
        """None where it was done today, by this process or another."""
        with writer(self.database).begin() as connection:
            mine = retention.claim(connection, self.now().date().toordinal())
        return self.sweep() if mine else None

    # ── files ────────────────────────────────────────────────────────────────────────────────────

    def _files_past(self) -> Iterator[Ended]:
        for some in retention.cases_with_files(self.database):
            yield from (case for case in some if self._is_past(case, self._days(case, "files")))

    def _drop_files(self, case: Ended) -> int:
        """First the rows, if the case is still over, then the bytes: those that are left when it is interrupted are
        due, and deleted by the files' keeper. How many files.
        """
        days = self._days(case, "files")
        self._note("delete files", case, f"retention: {days} days after the case ended")
        with writer(self.database).begin() as connection:
            now = retention.as_it_is(connection, case.id)
            wanted = now is None or not self._is_past(now, days)
            rows = [] if wanted else files.expire(connection, case.id, self.now())
        if wanted:
            self._note("files not deleted", case, "it goes on again")
        for row in rows:
            if delete_bytes(self.database, self.store, row):
                with writer(self.database).begin() as connection:
                    files.deleted(connection, row)
        return len(rows)

    def _note(self, action: str, case: Ended, reason: str) -> None:
        self.audit.record("system", action, case.ticket, reason, self.now())

    # ── persons ──────────────────────────────────────────────────────────────────────────────────

    def _persons_past(self) -> Iterator[tuple[str, int]]:
        """Who has keys and only cases that ended long ago, and after how many days that is."""
        limits = [book.profile.privacy.retention.identity for book in self.rulebooks.values()]
        shortest = min((days for days in limits if days), default=None)
        if shortest is None:
            return
        for reporters in retention.reporters_since(self.database, self.now() - timedelta(days=shortest)):
            past, held = dict[str, int](), set[str]()
            for case in retention.every_case(self.database):
                if case.reporter not in reporters:
                    continue
                days = self._days(case, "identity")
                if days is not None and self._is_past(case, days):
                    past[case.reporter] = max(days, past.get(case.reporter, 0))
                else:
                    held.add(case.reporter)
            yield from ((name, days) for name, days in sorted(past.items()) if name not in held)

    def _others_past(self) -> Iterator[tuple[str, int]]:
        """Keys that are no person's, of dead letters and pieces of messages, once no profile would keep them."""
        limits = [book.profile.privacy.retention.identity for book in self.rulebooks.values()]
        longest = max((days for days in limits if days), default=0)
        if None in limits or not longest:
            return
        for owners in retention.reporters_since(self.database, self.now() - timedelta(days=longest)):
            yield from ((owner, longest) for owner in sorted(owners) if not owner.startswith(PERSON))

    def _days(self, case: Ended, what: str) -> int | None:
        book = self.rulebooks.get(case.profile)
        days: int | None = getattr(book.profile.privacy.retention, what) if book else None
        return days

    def _is_past(self, case: Ended, days: int | None) -> bool:
        return (
            days is not None
            and case.closed_at is not None
            and case.closed_at + timedelta(days=days) <= self.now()
        )


async def sweep_daily(eraser: Eraser, every_seconds: float = _HOUR) -> None:
    """Until cancelled; a failure is logged and tried again."""
    while True:
        try:
            done = await asyncio.to_thread(eraser.sweep_once_a_day)
            if done is not None and (done.persons or done.files):
                logger.info("erased what was kept long enough", persons=done.persons, files=done.files)
        except Exception as error:
            logger.error("nothing could be erased", exc_info=error)
        await asyncio.sleep(every_seconds)
