"""Dead letters, and taking them once more."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from laporhub.hub.receiving import Receiving, Tally
from laporhub.pipeline.connector import Raw
from laporhub.pipeline.errors import NotFound, Refused
from laporhub.pipeline.store import dead_letters
from laporhub.pipeline.store.dead_letters import DeadLetter


class Replaying(Receiving):
    """A hub as the operator sees it, who mends what was not understood."""

    def dead_letters(self) -> list[DeadLetter]:
        with self.database.connect() as connection:
            return dead_letters.waiting(connection)

    def dead_letter(self, name: str) -> tuple[DeadLetter, Raw | None]:
        """A dead letter and its payload; None if its key was erased. Raises `NotFound`."""
        letter, plain = self._opened(name)
        return letter, None if plain is None else _raw(json.loads(plain))

    def _opened(self, name: str) -> tuple[DeadLetter, str | None]:
        with self.database.connect() as connection:
            letter = dead_letters.find(connection, name)
        if letter is None:
            raise NotFound(f"there is no dead letter {name!r}: laporhub deadletter list")
        return letter, self.ring.open(letter.sealed) if letter.sealed else None

    async def replay(self, name: str) -> Tally:
        """Takes a dead letter's payload once more; if it fails again it stays, with the new reason."""
        letter, plain = self._opened(name)
        if plain is None:
            raise Refused("The payload was replayed before, or erased", code="erased")
        if await self.engine.replay(plain):
            await self._done_with(name)
            return Tally(accepted=1)
        provider = self._provider(letter.profile, letter.channel)
        channel = (
            letter.channel if letter.channel in self._rulebook(letter.profile).profile.channels else None
        )
        tally = await self.take(letter.profile, channel, provider, _raw(json.loads(plain)))
        if not tally.dead_lettered and not tally.rejected:
            await self._done_with(name)
        return tally

    async def _done_with(self, name: str) -> None:
        await self.engine.submit(job=lambda connection: dead_letters.replayed(connection, name, self.now()))

    def _provider(self, profile: str, channel: str) -> str:
        known = self._rulebook(profile).profile.channels.get(channel)
        return (known.provider or channel) if known else channel


def _raw(kept: Mapping[str, str]) -> Raw:
    if "topic" in kept:  # a record of a stream, not a payload
        return Raw(base64.b64decode(kept["value"] or ""), "application/json")
    return Raw(base64.b64decode(kept["body"]), kept["content_type"])
