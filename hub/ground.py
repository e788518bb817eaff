"""What hubs and workers of either engine stand on: profiles, secrets, the database, the reporters' keys."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Engine

from laporhub.hub.secrets import HubSecrets, load_secrets
from laporhub.hub.settings import Settings
from laporhub.pipeline.door import Door
from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.profile.load import load
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.store import rules
from laporhub.pipeline.store.audit import AuditLog
from laporhub.pipeline.store.audit_kept import KeptHead
from laporhub.pipeline.store.database import open_database, writer
from laporhub.pipeline.store.keys import KeyRing
from laporhub.pipeline.vault import Sealer


@dataclass(frozen=True)
class Ground:
    """See the module."""

    rulebooks: Mapping[str, Rulebook]
    secrets: HubSecrets
    database: Engine
    ring: KeyRing
    audit: AuditLog
    base_url: str

    @property
    def door(self) -> Door:
        return Door(self.ring, self.secrets.pepper)


def collect_rarely() -> None:
    """Values of frozen models make no cycles: at the usual 700 the collector takes a fifth of the time for nothing."""
    gc.set_threshold(50_000, 20, 50)


def lay_ground(settings: Settings, entropy: Callable[[int], bytes] = os.urandom) -> Ground:
    """Reads the profiles, opens the database. Raises `Misconfigured`."""
    collect_rarely()
    rulebooks = {book.name: book for book in (load(name) for name in settings.profiles)}
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = settings.data / "keys"
    secrets = load_secrets(keys, settings.master_key, settings.master_key_earlier)
    url = settings.database_url
    database = open_database(url.get_secret_value() if url else settings.data / "hub.db")
    return Ground(
        rulebooks,
        secrets,
        database,
        KeyRing(database, Sealer(secrets.master, entropy, secrets.earlier), shared=url is not None),
        AuditLog(database, secrets.pepper, KeptHead(keys / "audit.head", secrets.pepper)),
        settings.base_url,
    )


def hold_to_rules(ground: Ground) -> None:
    """Before anything is decided: running cases keep their rules. Raises `Misconfigured` where one could not."""
    with writer(ground.database).begin() as connection:
        found = [reason for book in ground.rulebooks.values() for reason in rules.conflicts(connection, book)]
        if found:
            raise Misconfigured(" ".join(found))
        for book in ground.rulebooks.values():
            rules.keep(connection, book)
