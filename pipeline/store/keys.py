"""The vault's key ring: reporters' keys, opened and kept at hand, wrapped anew, and erased."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from threading import Lock
from typing import TypeVar

from sqlalchemy import Connection, Engine, func, select, update

from laporhub.pipeline.store import log, persons
from laporhub.pipeline.store.database import overwrite_what_is_deleted, shred, writer
from laporhub.pipeline.store.prepared import adding, insert_into
from laporhub.pipeline.store.tables import cursors, reporter_keys
from laporhub.pipeline.vault import (
    ReporterKey,
    Sealer,
    key_of,
    key_of_bytes,
    seal,
    seal_bytes,
    unseal,
    unseal_bytes,
)

_AT_HAND = 20_000
_AT_ONCE = 500
"""Keys that one transaction wraps anew."""
_ERASURES = "erasures"
"""The cursor that counts them."""
_TRUSTED_SECONDS = 1.0
_V = TypeVar("_V")


class KeyRing:
    """Seals and opens under reporters' keys. Thread-safe.

    A new key is only safe to rely on once it is in the database: `pending` hands it to the caller, who stores
    it in the transaction that stores the first value sealed with it, and then calls `stored`.

    `shared`: other processes erase too. What is at hand is then trusted for a second; `elapsed` counts them.
    """

    def __init__(
        self,
        engine: Engine,
        sealer: Sealer,
        *,
        shared: bool = False,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._sealer = sealer
        self._shared = shared
        self._elapsed = elapsed
        self._looked_at = float("-inf")
        self._erasures = 0
        self._lock = Lock()
        self._current: OrderedDict[str, str] = OrderedDict()
        self._opened: OrderedDict[str, bytes] = OrderedDict()
        self._pending: dict[str, ReporterKey] = {}

    def seal(self, reporter: str, plain: str, now: datetime) -> str:
        key_id = self._key_for(reporter, now)
        return seal(key_id, self._open(key_id) or b"", plain)

    def open(self, sealed: str) -> str | None:
        """The plain text; None when the reporter's key was erased."""
        self._notice_erasures()
        key = self._open(key_of(sealed))
        return None if key is None else unseal(key, sealed)

    def seal_bytes(self, reporter: str, plain: bytes, now: datetime) -> bytes:
        key_id = self._key_for(reporter, now)
        return seal_bytes(key_id, self._open(key_id) or b"", plain)

    def open_bytes(self, sealed: bytes) -> bytes | None:
        """The file; None when the reporter's key was erased."""
        self._notice_erasures()
        key = self._open(key_of_bytes(sealed))
        return None if key is None else unseal_bytes(key, sealed)

    def pending(self, reporter: str) -> ReporterKey | None:
        with self._lock:
            return self._pending.get(self._current.get(reporter, ""))

    def stored(self, key: ReporterKey) -> None:
        with self._lock:
            self._pending.pop(key.id, None)

    def erase(self, reporter: str, first: Callable[[Connection], bool] = lambda _: True) -> int | None:
        """Deletes all keys of a reporter: what was sealed with them can never be read again. How many.

        `first` is done in the same transaction; where it says no, nothing is deleted: None.
        """
        with writer(self._engine).begin() as connection:
            overwrite_what_is_deleted(connection)
            if not first(connection):
                return None
            gone = connection.execute(reporter_keys.delete().where(reporter_keys.c.reporter == reporter))
            persons.forget(connection, reporter)
            counted = insert_into(connection, cursors).values(consumer=_ERASURES, offset=1)
            one_more = {"offset": cursors.c.offset + 1}
            connection.execute(counted.on_conflict_do_update(index_elements=["consumer"], set_=one_more))
        shred(self._engine)
        with self._lock:
            self._current.pop(reporter, None)
            self._opened.clear()
        return gone.rowcount

    def _key_for(self, reporter: str, now: datetime) -> str:
        """The key at hand, or a new one: a second key costs a row, looking for the first one a query."""
        self._notice_erasures()
        with self._lock:
            if (known := self._current.get(reporter)) is not None:
                return known
            key = self._sealer.new_key(reporter, now)
            self._pending[key.id] = key
            _keep(self._opened, key.id, self._sealer.open_key(key))
            _keep(self._current, reporter, key.id)
            return key.id

    def _notice_erasures(self) -> None:
        """Forgets what is at hand when another process has erased somebody since the last look."""
        if not self._shared or self._elapsed() - self._looked_at < _TRUSTED_SECONDS:
            return
        with self._engine.connect() as connection:
            erasures = log.cursor(connection, _ERASURES)
        with self._lock:
            self._looked_at = self._elapsed()
            if erasures != self._erasures:
                self._erasures = erasures
                self._current.clear()
                self._opened.clear()

    def _open(self, key_id: str) -> bytes | None:
        with self._lock:
            if (key := self._opened.get(key_id)) is not None:
                return key
            pending = self._pending.get(key_id)
        if pending is None:
            with self._engine.connect() as connection:
                row = connection.execute(select(reporter_keys).where(reporter_keys.c.id == key_id)).first()
            if row is None:
                return None
            pending = ReporterKey(**row._mapping)
        key = self._sealer.open_key(pending)
        with self._lock:
            _keep(self._opened, key_id, key)
        return key


def _keep(cache: OrderedDict[str, _V], name: str, value: _V) -> None:
    cache[name] = value
    while len(cache) > _AT_HAND:
        cache.popitem(last=False)


def wrapped_otherwise(connection: Connection, sealer: Sealer) -> dict[str, int]:
    """Master key → how many reporters' keys it still wraps; today's is left out."""
    counted = select(reporter_keys.c.master, func.count()).group_by(reporter_keys.c.master)
    return {master: number for master, number in connection.execute(counted).all() if master != sealer.master}


def rewrap(engine: Engine, sealer: Sealer, at_once: int = _AT_ONCE) -> Iterator[int]:
    """Wraps every reporter's key by today's master key, and tells how many after each transaction.

    What is done stays done: whoever has both master keys can read all of it at any time, and it goes on where it was
    interrupted. Raises `Misconfigured` for a key that none of the sealer's master keys opens.
    """
    others = select(reporter_keys).where(reporter_keys.c.master != sealer.master).with_for_update()
    last = ""
    while True:
        some = others.where(reporter_keys.c.id > last).order_by(reporter_keys.c.id).limit(at_once)
        with writer(engine).begin() as connection:
            overwrite_what_is_deleted(connection)
            rows = connection.execute(some).all()
            for row in rows:
                key = sealer.rewrapped(ReporterKey(**row._mapping))
                anew = update(reporter_keys).where(reporter_keys.c.id == key.id)
                connection.execute(anew.values(master=key.master, wrapped=key.wrapped))
        if rows:
            last = rows[-1].id
            yield len(rows)
        elif last:
            last = ""  # once more: others may have stored keys meanwhile
        else:
            shred(engine)
            return


_NEW_KEYS = adding(reporter_keys)


def save_keys(connection: Connection, keys: Iterable[ReporterKey]) -> None:
    rows = [
        {
            "id": k.id,
            "reporter": k.reporter,
            "master": k.master,
            "wrapped": k.wrapped,
            "created_at": k.created_at,
        }
        for k in keys
    ]
    if rows:
        _NEW_KEYS.run(connection, rows)
