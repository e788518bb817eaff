"""Asks the platforms that are polled for what came in, and keeps how far it got once that is durable.

Any number of processes may do it at once: whoever claims an account asks for it, the others leave it alone until its
time has come again. What comes twice, by a hook and by a poll, is the same message.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy import Connection, Engine

from laporhub.pipeline.connector import Connector, Raw
from laporhub.pipeline.connector_abilities import Polled, Polls, speaks_for
from laporhub.pipeline.errors import LaporHubError, RetryLater, StopChannel
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.store import polls

_STOPPED_FOR = timedelta(minutes=5)
_LONGEST_REST = 1.0
"""Seconds between two looks at whose time has come."""

logger = structlog.get_logger(__name__)


class Taker(Protocol):
    """What a poller needs of a hub."""

    async def take(self, profile: str, channel: str | None, provider: str, raw: Raw) -> object:
        """One payload; durable when it returns. Raises only what asking again may mend."""
        ...

    async def write(self, job: Callable[[Connection], object]) -> None:
        """Durable when it returns."""
        ...


@dataclass(frozen=True, slots=True)
class Account:
    """Our account on a platform that is polled, and the channel it serves."""

    profile: str
    channel: str
    provider: str
    name: str
    connector: Polls


def polled_accounts(
    rulebooks: Mapping[str, Rulebook], connectors: Mapping[str, Connector]
) -> Sequence[Account]:
    """All accounts of the profiles on platforms that can be polled, where we have what it takes.

    One that several profiles name is asked once, for the first of them.
    """
    found = [
        Account(book.name, channel, provider, rules.account, connector)
        for book in rulebooks.values()
        for channel, rules in book.profile.channels.items()
        if (connector := connectors.get(provider := rules.provider or channel)) is not None
        and isinstance(connector, Polls)
        and speaks_for(connectors[provider], rules.account)
    ]
    return list({(each.provider, each.name): each for each in reversed(found)}.values())[::-1]


class Poller:
    """See the module."""

    def __init__(
        self, database: Engine, hub: Taker, accounts: Sequence[Account], now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._hub = hub
        self._accounts = accounts
        self._now = now

    async def run(self) -> None:
        """Until cancelled: each account on its own, so that a slow platform delays no other."""
        await asyncio.gather(*(self._follow(account) for account in self._accounts))

    async def _follow(self, account: Account) -> None:
        while True:
            try:
                await self.ask(account)
            except Exception as error:
                logger.error("an account could not be polled", provider=account.provider, exc_info=error)
            await asyncio.sleep(min(account.connector.poll_every, _LONGEST_REST))

    async def ask(self, account: Account) -> int:
        """Asks once, page by page, if its time has come. How many payloads there were."""
        every = timedelta(seconds=account.connector.poll_every)
        claimed: list[bool] = []
        await self._hub.write(
            lambda connection: claimed.append(
                polls.claim(connection, account.provider, account.name, self._now(), every)
            )
        )
        if not claimed[-1]:
            return 0
        try:
            return await self._pages(account)
        except (RetryLater, StopChannel) as error:
            pause = _STOPPED_FOR if isinstance(error, StopChannel) else timedelta(seconds=error.after or 0)
            await self._note(account, None, trouble=str(error), pause=pause)
            logger.warning("poll", provider=account.provider, channel=account.channel, reason=str(error))
            return 0
        except LaporHubError as error:
            await self._note(account, None, trouble=str(error), pause=_STOPPED_FOR)
            raise

    async def _pages(self, account: Account) -> int:
        with self._database.connect() as connection:
            cursor = polls.cursor(connection, account.provider, account.name)
        taken = 0
        while True:
            page: Polled = await account.connector.poll(account.name, cursor)
            for raw in page.payloads:
                await self._hub.take(account.profile, account.channel, account.provider, raw)
            taken += len(page.payloads)
            await self._note(account, page.cursor)
            if not page.more or page.cursor in (None, cursor):
                return taken
            cursor = page.cursor

    async def _note(
        self,
        account: Account,
        cursor: str | None,
        trouble: str | None = None,
        pause: timedelta = timedelta(),
    ) -> None:
        at = self._now() + pause
        await self._hub.write(
            lambda connection: polls.advance(connection, account.provider, account.name, at, cursor, trouble)
        )
