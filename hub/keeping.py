"""Keeps the files that came with messages: fetched early (a platform's addresses expire), looked into, sealed.

A row is due from the moment its message is stored. Whoever claims it fetches it, tells its type from its bytes, reads
what a picture says of itself, and keeps the file under the reporter's key: erasing the reporter erases it. What may
still work is tried again with growing pauses; what never will is refused with a reason that staff can read.
What was taken back, or belonged to whoever was erased, it deletes.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import structlog
from sqlalchemy import Connection, Engine

from laporhub.connectors import download
from laporhub.hub.blobs import Blobs
from laporhub.pipeline import ids, media
from laporhub.pipeline.case_files import CaseFile
from laporhub.pipeline.commands import Command, Locate
from laporhub.pipeline.connector import Connector
from laporhub.pipeline.connector_abilities import HoldsMedia
from laporhub.pipeline.errors import Misconfigured, Refused, RetryLater
from laporhub.pipeline.messages import INLINE, about
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.store import cases, files, pictures
from laporhub.pipeline.store.keys import KeyRing
from laporhub.pipeline.vault import ReporterKey

_AT_ONCE: Final = 4
_LEASE: Final = timedelta(minutes=5)
_ATTEMPTS: Final = 12
"""With pauses that double up to six hours: about a day and a half."""
_LONGEST_PAUSE: Final = timedelta(hours=6)

logger = structlog.get_logger(__name__)


class Writer(Protocol):
    """What the keeper needs of an engine."""

    async def submit(
        self,
        *,
        command: Command | None = None,
        key: ReporterKey | None = None,
        job: Callable[[Connection], object] | None = None,
    ) -> object:
        """Durable when it returns."""
        ...


class Store:
    """Files sealed under their reporter's key, by the hash of their bytes. Blocking."""

    def __init__(self, blobs: Blobs, ring: KeyRing) -> None:
        self._blobs = blobs
        self._ring = ring

    def put(self, reporter: str, data: bytes, now: datetime, variant: str = "") -> str:
        """Keeps the bytes; durable when it returns, but for the key, which is the caller's to store if it is new.
        The hash of the bytes, or for a `variant` of a file its own.
        """
        digest = hashlib.sha256(data).hexdigest()
        self._blobs.put(_name(reporter, variant or digest), self._ring.seal_bytes(reporter, data, now))
        return digest

    def get(self, reporter: str, name: str) -> bytes | None:
        """None when it is not there, or the reporter was erased."""
        sealed = self._blobs.get(_name(reporter, name))
        return None if sealed is None else self._ring.open_bytes(sealed)

    def drop(self, reporter: str, digest: str) -> None:
        """Deletes one file, with its variants."""
        for name in (digest, f"{digest}.shown", f"{digest}.preview"):
            self._blobs.delete(_name(reporter, name))

    def erase(self, reporter: str) -> int:
        return self._blobs.delete_of(reporter)


def delete_bytes(database: Engine, store: Store, row: CaseFile) -> bool:
    """Deletes the bytes of a file that is kept no more, unless another of the same reporter has them; False where that
    cannot be said yet.
    """
    if not row.digest:
        return True
    with database.connect() as connection:
        if files.is_one_awaited(connection, row):
            return False
        needed = files.is_kept_elsewhere(connection, row)
    if not needed:
        store.drop(row.reporter, row.digest)
    return True


def _name(reporter: str, name: str) -> str:
    return f"{reporter}/{name}"


class Keeper:
    """See the module."""

    def __init__(
        self,
        database: Engine,
        engine: Writer,
        store: Store,
        ring: KeyRing,
        rulebooks: Mapping[str, Rulebook],
        connectors: Mapping[str, Connector],
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._engine = engine
        self._store = store
        self._ring = ring
        self._rulebooks = rulebooks
        self._connectors = connectors
        self._now = now
        self._wake = asyncio.Event()

    def wake(self) -> None:
        self._wake.set()

    async def run(self, idle_seconds: float = 2.0) -> None:
        """Until cancelled; a failure is logged and tried again."""
        while True:
            self._wake.clear()
            try:
                handled = await self.keep_due()
            except Exception as error:
                logger.error("files could not be kept", exc_info=error)
                handled = 0
            if not handled:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), idle_seconds)

    async def keep_due(self) -> int:
        """Fetches what is due now. How many there were."""
        claimed: list[CaseFile] = []

        def claim(connection: Connection) -> None:
            claimed[:] = files.claim(connection, self._now(), _AT_ONCE, _LEASE)

        await self._engine.submit(job=claim)
        await asyncio.gather(*(self._keep(row) for row in claimed))
        return len(claimed)

    async def _keep(self, row: CaseFile) -> None:
        if row.status != "waiting":
            await self._delete(row)
            return
        try:
            done = await self._kept(row)
        except Refused as error:
            done = replace(row, status="refused", next_at=None, reason=error.code)
        except RetryLater as error:
            done = self._later(row, error)
        except Exception as error:
            logger.error("a file could not be kept", file=row.id, reason=type(error).__name__)
            done = self._later(row, RetryLater(type(error).__name__))
        await self._settle(done)

    async def _settle(self, row: CaseFile) -> None:
        """Writes how far it got, and tells the case where a photo was taken, as far as a stream may."""
        command = _where_taken(row, self._now())
        try:
            await self._engine.submit(
                command=command, job=lambda connection: _write(connection, row, self._now())
            )
        except (Refused, Misconfigured) as error:
            if command is None:
                raise
            logger.warning("a case was not told where a photo was taken", file=row.id, reason=str(error))
            await self._engine.submit(job=lambda connection: _write(connection, row, self._now()))

    async def _delete(self, row: CaseFile) -> None:
        """What was taken back, or was an erased person's. Given up never."""
        try:
            gone = await asyncio.to_thread(delete_bytes, self._database, self._store, row)
        except Exception as error:
            logger.error("a file could not be deleted", file=row.id, reason=type(error).__name__)
            gone = False
        if gone:
            await self._engine.submit(job=lambda connection: files.deleted(connection, row))
        else:
            until = self._now() + _pause(row.attempts + 1)
            await self._engine.submit(job=lambda connection: files.postpone(connection, row, until))

    def _later(self, row: CaseFile, error: RetryLater) -> CaseFile:
        attempts = row.attempts + 1
        if attempts >= _ATTEMPTS:
            return replace(row, status="refused", attempts=attempts, next_at=None, reason="unreachable")
        hint = timedelta(seconds=error.after or 0)
        return replace(row, attempts=attempts, next_at=self._now() + max(_pause(attempts), hint), reason=None)

    async def _kept(self, row: CaseFile) -> CaseFile:
        data = await self._bytes(row)
        media_type = media.type_of(data)
        if media_type is None:
            raise Refused("not a kind of file that is kept", code="type" if data else "empty")
        if not row.url.startswith(INLINE) and await asyncio.to_thread(self._is_anonymous, row):
            data = await asyncio.to_thread(media.without_traces, data)
            media_type = media.type_of(data) or media_type
        digest, facts = await asyncio.to_thread(self._seal, row, data, media_type)
        if (key := self._ring.pending(row.reporter)) is not None:
            await self._engine.submit(key=key)
            self._ring.stored(key)
        kept = replace(
            row,
            status="kept",
            next_at=None,
            reason=None,
            digest=digest,
            size=len(data),
            media_type=media_type,
        )
        if facts is None:
            return kept
        return replace(
            kept,
            width=facts.width,
            height=facts.height,
            taken_at=facts.taken_at,
            lat=facts.lat,
            lon=facts.lon,
            fingerprint=facts.fingerprint,
        )

    def _is_anonymous(self, row: CaseFile) -> bool:
        with self._database.connect() as connection:
            state = cases.load_cases(connection, [row.case_id]).get(row.case_id)
        return state is not None and state.anonymous

    def _seal(self, row: CaseFile, data: bytes, media_type: str) -> tuple[str, media.Facts | None]:
        now, book = self._now(), self._rulebooks.get(row.profile)
        zone = book.calendar.zone if book else UTC
        looked = media.look_into(data, zone) if media_type in media.PICTURES else None
        digest = self._store.put(row.reporter, data, now)
        if looked is not None:
            self._store.put(row.reporter, looked.shown, now, f"{digest}.shown")
            self._store.put(row.reporter, looked.preview, now, f"{digest}.preview")
        return digest, looked.facts if looked else None

    async def _bytes(self, row: CaseFile) -> bytes:
        if row.url.startswith(INLINE):
            found = await asyncio.to_thread(self._store.get, row.reporter, row.url.removeprefix(INLINE))
            if found is None:
                raise Refused("the file is not there any more", code="gone")
            return found
        if not row.url.lower().startswith(("http://", "https://")):
            raise Refused("the file was not sent along", code="address")
        connector = self._connectors.get(self._provider(row))
        if isinstance(connector, HoldsMedia):
            fetched = await download.fetch(
                row.url, media.LIMIT, connector.media_headers, connector.media_origins
            )
        else:
            fetched = await download.fetch(row.url, media.LIMIT)
        return fetched.data

    def _provider(self, row: CaseFile) -> str:
        book = self._rulebooks.get(row.profile)
        rules = book.profile.channels.get(row.channel) if book else None
        return (rules.provider or row.channel) if rules else row.channel


def _where_taken(row: CaseFile, at: datetime) -> Locate | None:
    """Of a photo that the reporter sent and that was fetched: of others intake has told it."""
    if row.status != "kept" or row.field is not None or row.url.startswith(INLINE):
        return None
    if row.lat is None or row.lon is None:
        return None
    return Locate(
        id=ids.derive("d", "locate", row.id),
        profile=row.profile,
        case_id=row.case_id,
        at=at,
        message_id=row.message_id,
        taken=about(row.lat, row.lon),
    )


def _pause(attempts: int) -> timedelta:
    return min(timedelta(seconds=5 * 2.0 ** min(attempts, _ATTEMPTS)), _LONGEST_PAUSE)


def _write(connection: Connection, file: CaseFile, now: datetime) -> None:
    if files.settle(connection, file, now):
        pictures.remember(connection, file)
