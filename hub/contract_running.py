"""A real hub with one connector in it, for the contract suite."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import httpx
import pytest

from laporhub.connectors.contract import messages_in
from laporhub.connectors.specimen import HUB, FakePlatform, Said, Specimen
from laporhub.hub import ground as hub_ground
from laporhub.hub.compose import open_hub
from laporhub.hub.contract_ground import Clock, Killed, profile_with
from laporhub.hub.hub import Hub
from laporhub.hub.polling import Poller, polled_accounts
from laporhub.hub.settings import Settings
from laporhub.hub.web import web_server
from laporhub.pipeline import ids
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.connector import Connector, Raw
from laporhub.pipeline.messages import Message
from laporhub.pipeline.store.cases import already_received, load_cases
from laporhub.pipeline.store.tables import messages

PROFILE = "laporgub-jateng"
"""The shipped profile that the suite copies, with the specimen's channel in it and nothing asked of a complaint."""


@dataclass(frozen=True)
class Ground:
    """The profile to serve, and how to come by an empty folder."""

    profile: Path
    new_folder: Callable[[], Path]


@dataclass
class Running:
    """A hub with the connector in it, reached as a platform reaches it; `restart` ends it and opens it again."""

    specimen: Specimen
    settings: Settings
    clock: Clock
    stack: AsyncExitStack
    hub: Hub
    http: httpx.AsyncClient

    @property
    def connector(self) -> Connector:
        return self.hub._connectors[self.specimen.provider]

    async def post(self, raw: Raw) -> int:
        """As it is, already signed. The status that the platform is answered."""
        headers = {"content-type": raw.content_type, **(raw.headers or {})}
        return (await self.http.post(raw.url, content=raw.body, headers=headers)).status_code

    async def deliver(self, raw: Raw) -> None:
        if self.specimen.hook == "files":
            await self.hub.take(PROFILE, self.specimen.channel, self.specimen.provider, raw)
            return
        status = await self.post(self.specimen.posted(raw))
        assert status == 200, f"the hub answered {status} to a sound payload"

    async def poll(self, *, dies_after: int | None = None) -> None:
        """Asks the platform until it has no more; `dies_after`: the process ends after so many payloads."""
        self.clock.forward(days=1)
        accounts = polled_accounts(self.hub.rulebooks, {self.specimen.provider: self.connector})
        taker = self.hub if dies_after is None else Dying(self.hub, dies_after)
        for account in accounts:
            with suppress(Killed):
                await Poller(self.hub.database, taker, accounts, self.clock).ask(account)

    async def send(self) -> None:
        """Until nothing is left to send or to look up."""
        for _ in range(20):
            while await self.hub.publisher.send_due():
                pass
            self.clock.forward(minutes=1)

    def stored(self) -> list[Message]:
        with self.hub.database.connect() as connection:
            rows = connection.execute(messages.select()).mappings().all()
        return [Message.model_validate_json(row["body"]) for row in rows]

    def case_of(self, said: Said) -> CaseState:
        (item,) = messages_in(self.connector.parse(self.specimen.payload(said)))
        name = ids.message_id(PROFILE, self.specimen.channel, self.specimen.account, item.external_id)
        with self.hub.database.connect() as connection:
            case_id, _ = already_received(connection, [name])[name]
            return load_cases(connection, [case_id])[case_id]

    async def restart(self) -> None:
        await self.stack.aclose()
        self.stack = AsyncExitStack()
        self.hub, self.http = await _opened(self.stack, self.settings, self.clock)


@dataclass
class Dying:
    """A hub whose process ends after so many payloads: some are stored, the cursor is not."""

    hub: Hub
    left: int

    async def take(self, profile: str, channel: str | None, provider: str, raw: Raw) -> object:
        if self.left == 0:
            raise Killed
        self.left -= 1
        return await self.hub.take(profile, channel, provider, raw)

    async def write(self, job: Callable[[Any], object]) -> None:
        await self.hub.write(job)


async def _opened(stack: AsyncExitStack, settings: Settings, clock: Clock) -> tuple[Hub, httpx.AsyncClient]:
    hub = await stack.enter_async_context(
        open_hub(settings, now=clock, entropy=random.Random(7).randbytes, background=False)
    )
    app = web_server(hub, settings).config.app
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)  # type: ignore[arg-type]
    http = await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url=HUB))
    return hub, http


class ThroughHub:
    """Messages through hooks, or polls, into a hub's database."""

    specimen: ClassVar[Specimen]

    @pytest.fixture(scope="class")
    @classmethod
    def profile(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
        """Read once: a hub is opened many times."""
        folder = profile_with(cls.specimen, PROFILE, tmp_path_factory.mktemp("profile") / PROFILE)
        book = hub_ground.load(str(folder))  # type: ignore[attr-defined]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(hub_ground, "load", lambda _: book)
            yield folder

    @pytest.fixture
    def ground(self, profile: Path, tmp_path_factory: pytest.TempPathFactory) -> Ground:
        return Ground(profile, lambda: tmp_path_factory.mktemp("hub"))

    @asynccontextmanager
    async def hub(self, ground: Ground) -> AsyncIterator[tuple[Running, FakePlatform | None]]:
        """A hub, and the platform it talks to where there is one."""
        clock = Clock()
        async with AsyncExitStack() as outer:
            playing = self.specimen.platform(clock)
            platform = None if playing is None else await outer.enter_async_context(playing)
            told = self.specimen.settings if platform is None else platform.settings
            settings = Settings(
                data=ground.new_folder(),
                profile=str(ground.profile),
                public_url=HUB,
                **self.specimen.hub_settings(told),
            )
            stack = AsyncExitStack()
            hub, http = await _opened(stack, settings, clock)
            running = Running(self.specimen, settings, clock, stack, hub, http)
            try:
                yield running, platform
            finally:
                await running.stack.aclose()

    @contextmanager
    def lasting(self, ground: Ground) -> Iterator[tuple[asyncio.Runner, Running, FakePlatform | None]]:
        """The same, through many examples: opening one takes long."""
        with asyncio.Runner() as runner:
            stack = AsyncExitStack()
            running, platform = runner.run(stack.enter_async_context(self.hub(ground)))
            try:
                yield runner, running, platform
            finally:
                runner.run(stack.aclose())

    def crowd(self, clock: Clock, tag: str = "") -> list[Said]:
        """Two messages of one conversation, another one of the same author where there can be, and another author's."""
        said = [("satu", 0, 0), ("dua", 0, 0), ("tiga", 1, 0)] + [("empat", 0, 1)] * self.specimen.threads
        return [
            Said(
                f"{tag}{name}",
                author,
                f"Jalan di depan Pasar Contoh Batang rusak, bagian {name}",
                clock(),
                thread,
            )
            for name, author, thread in said
        ]

    def expected(self, said: Sequence[Said]) -> list[str]:
        """The external ids of these."""
        parsed = (self.specimen.connector.parse(self.specimen.payload(each)) for each in said)
        return sorted(item.external_id for items in parsed for item in messages_in(items))
