"""A new master key: what the old one wrapped is wrapped anew, a piece at a time. Killed half-way, all can be read."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from laporhub.hub.ground import lay_ground
from laporhub.hub.secrets import forget_old_masters, load_secrets, renew_master
from laporhub.hub.settings import Settings
from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.store.keys import rewrap, wrapped_otherwise
from laporhub.pipeline.vault import Sealer


@dataclass(frozen=True, slots=True)
class Rotated:
    """The name of the master key that now wraps everything, and how many keys were wrapped anew for it."""

    master: str
    keys_wrapped: int


def rotate(
    settings: Settings,
    actor: str,
    now: Callable[[], datetime],
    entropy: Callable[[int], bytes] = os.urandom,
) -> Rotated:
    """With a key of the hub's own making: makes a new one first, unless a rotation is under way. With one that is given
    (LAPORHUB_MASTER_KEY): to that one, from those in LAPORHUB_MASTER_KEY_EARLIER. Raises `Misconfigured`.

    With the embedded engine no hub may run; with the distributed one every process must know both keys.
    """
    ours = settings.master_key is None
    if ours and settings.kafka_servers:
        raise Misconfigured(
            "Give every process the new key as LAPORHUB_MASTER_KEY and the old one as LAPORHUB_MASTER_KEY_EARLIER, "
            "restart them, and then rotate"
        )
    folder = settings.data / "keys"
    if ours:
        load_secrets(folder, None)
        renew_master(folder)
    ground = lay_ground(settings, entropy)
    try:
        sealer = Sealer(ground.secrets.master, entropy, ground.secrets.earlier)
        ground.audit.record(actor, "rotate", sealer.master, "a new master key", now())
        wrapped = sum(rewrap(ground.database, sealer))
        with ground.database.connect() as connection:
            left = wrapped_otherwise(connection, sealer)
        if left:
            raise Misconfigured(
                f"{sum(left.values())} keys are still wrapped by {', '.join(sorted(left))}: "
                "some process goes on using it"
            )
        if ours:
            forget_old_masters(folder)
    finally:
        ground.database.dispose()
    return Rotated(sealer.master, wrapped)
