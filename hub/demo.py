"""The demo: a hub with simulated platforms, made-up citizens who write and made-up staff who work.

First a day of traffic is lived through on a clock that starts yesterday; then the clock is the real one, and
somebody writes every few seconds. Whoever is at the screen can take any case over: staff of the demo only acts on
cases that nobody has touched for a while.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import typer

from laporhub.hub.compose import open_hub
from laporhub.hub.demo_staff import LETTER, neighbours, next_step, worked_on
from laporhub.hub.hub import Hub
from laporhub.hub.settings import Settings
from laporhub.hub.simulated import platforms_of, with_platform
from laporhub.hub.web import listening, web_server
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.errors import Misconfigured, Refused
from laporhub.pipeline.messages import Inbound
from laporhub.pipeline.profile.load import load
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.staff import Account
from laporhub.pipeline.store import outbox
from laporhub.pipeline.tracking import Query
from laporhub.simulators.citizens import DemoComplaint, complaints
from laporhub.simulators.platform import Platform

PASSWORD = "laporhub-demo"  # noqa: S105 - known on purpose; the demo listens on this machine only
_MARKER = "demo"
"""The file that tells a folder is the demo's own."""
_SEED = 20261122
_CITIZENS = 60
_UNITS = 5
_HISTORY = timedelta(hours=26)
_PATIENCE = timedelta(minutes=40)
"""How long a case lies before the demo's staff takes it, in the day that is lived through."""
_PAUSE = 15.0
"""Seconds between two citizens once the demo is live."""


@dataclass
class DemoClock:
    """Runs like the real one, but so much behind it."""

    behind: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) - self.behind


@dataclass(frozen=True, slots=True)
class Stage:
    """A hub that is being served, the town that it serves, and the addresses of those who play platforms."""

    town: Town
    phones: Mapping[str, str]
    settings: Settings
    serving: asyncio.Task[None]


async def run_demo(settings: Settings) -> None:
    """Runs until interrupted. Raises `Misconfigured` on a folder that is not the demo's."""
    if settings.data == Path("data"):
        settings = settings.model_copy(update={"data": Path("data/demo")})
    async with staged(settings) as stage:
        town = stage.town
        if not town.hub.tracking.find(Query(tuple(town.hub.rulebooks), limit=1), town.hub.now()).cases:
            await town.live_through(_HISTORY, _CITIZENS)
        _welcome(stage.settings, stage.phones, town.hire())
        living = asyncio.create_task(town.live_on())
        await stage.serving
        living.cancel()
        with suppress(asyncio.CancelledError):
            await living


@asynccontextmanager
async def staged(settings: Settings, *, side_by_side: bool = True) -> AsyncIterator[Stage]:
    """Whoever plays a platform is on the ports after the hub's, or wherever one is free. Raises as `run_demo`."""
    claim(settings.data)
    clock = DemoClock()
    async with AsyncExitStack() as stack:
        listener = listening(settings.host, settings.port)
        stack.callback(listener.close)
        cast = _cast([load(name) for name in settings.profiles], settings.base_url, clock)
        phones: dict[str, str] = {}
        for number, platform in enumerate(cast.platforms.values(), 1):
            running = platform.running(settings.port + number if side_by_side else 0)
            phones[platform.provider], told = await stack.enter_async_context(running)
            settings = with_platform(settings, platform.provider, told)
        hub = await stack.enter_async_context(open_hub(settings, now=clock))
        server = web_server(hub, settings, demo=True)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield Stage(Town(hub, cast, clock, random.Random(_SEED)), phones, settings, serving)
        finally:
            server.should_exit = True
            await serving


def claim(folder: Path) -> None:
    """Marks a new folder as the demo's own. Raises `Misconfigured` for one that holds another hub.

    The demo makes accounts whose password everybody knows.
    """
    marker = folder / _MARKER
    if (folder / "hub.db").exists() and not marker.exists():
        raise Misconfigured(
            f"{folder} holds a hub that the demo did not make, and the demo's passwords are known to everybody: "
            "give the demo another --data"
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    marker.touch()


@dataclass(frozen=True, slots=True)
class Cast:
    """`platforms`: provider → who plays it; `channels`: profile → those on which citizens can write."""

    platforms: Mapping[str, Platform]
    channels: Mapping[str, Sequence[str]]


def _cast(books: Sequence[Rulebook], hub_url: str, clock: DemoClock) -> Cast:
    """Each platform is played for the first profile that is on it, with its accounts: the hub has one of each."""
    platforms: dict[str, Platform] = {}
    channels: dict[str, list[str]] = {}
    for book in books:
        others = {each.provider: each for each in platforms_of(book, hub_url, clock)}
        new = {name: platform for name, platform in others.items() if name not in platforms}
        channels[book.name] = [
            name
            for name, rules in book.profile.channels.items()
            if (provider := rules.provider or name) in new or provider not in others
        ]
        platforms |= new
    return Cast(platforms, channels)


@dataclass
class Town:
    """Citizens and staff of all profiles, all made up."""

    hub: Hub
    cast: Cast
    clock: DemoClock
    rng: random.Random
    _people: Mapping[str, Iterator[DemoComplaint]] = field(init=False)
    _silent: Mapping[str, set[str]] = field(init=False)
    _sent: int = 0

    def __post_init__(self) -> None:
        self._silent = {name: set(channels) for name, channels in self.cast.channels.items()}
        self._people = {
            book.name: neighbours(
                book, complaints(self.rng.randrange(1 << 30)), self.rng, self.cast.channels[book.name]
            )
            for book in self.books
        }

    @property
    def books(self) -> Sequence[Rulebook]:
        return list(self.hub.rulebooks.values())

    def hire(self) -> list[Account]:
        """An account for each role, and for the units that have most to do. Names of the first profile's are short."""
        first, *others = self.books
        hired = [
            *self._hired(first, ""),
            *(each for book in others for each in self._hired(book, f"{book.name}.")),
        ]
        known = {account.username for account in self.hub.accounts.all()}
        for account in hired:
            if account.username not in known:
                self.hub.accounts.save(account, PASSWORD)
        return hired

    def _hired(self, book: Rulebook, prefix: str) -> Iterator[Account]:
        for role, rules in book.profile.roles.items():
            if rules.scope == "unit":
                for unit in self._some_units(book):
                    yield Account(f"{prefix}{role}.{unit}", (book.name,), role, unit)
            else:
                yield Account(f"{prefix}{role}", (book.name,), role)

    def _some_units(self, book: Rulebook) -> list[str]:
        busy = self.hub.tracking.count(Query((book.name,)), "unit", self.hub.now())
        units = sorted((unit for unit in busy if unit in book.units), key=lambda unit: -busy[unit])
        return units[:_UNITS] or list(book.units)[:_UNITS]

    # ── the day that is lived through ──

    async def live_through(self, span: timedelta, citizens: int) -> None:
        """`citizens` write, evenly spread over `span`; staff works on what has lain for a while."""
        step = span / citizens
        for number in range(citizens):
            self.clock.behind = span - step * number
            _progress(f"menyiapkan sehari lalu lintas: {number + 1}/{citizens} laporan")
            await self._somebody_writes()
            await self._staff_works(_PATIENCE, share=0.8)
            await self._everything_is_sent()
        self.clock.behind = timedelta()
        _progress("")

    async def _everything_is_sent(self) -> None:
        """Also what the hub itself is sending: the clock jumps next, and whatever is under way would look abandoned."""
        while await self.hub.publisher.send_due() or self._is_sending():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)

    def _is_sending(self) -> bool:
        with self.hub.database.connect() as connection:
            return "sending" in outbox.backlog(connection)

    # ── afterwards ──

    async def live_on(self) -> None:
        """Somebody writes every few seconds; staff takes what nobody has touched for some minutes."""
        while True:
            await asyncio.sleep(_PAUSE)
            await self._somebody_writes()
            await self._staff_works(timedelta(minutes=3), share=0.3)

    async def _somebody_writes(self) -> None:
        books = self.books
        book = books[self._sent % len(books)]
        person = self._next_person(book)
        self._sent += 1
        rules = book.profile.channels[person.channel]
        if (platform := self.cast.platforms.get(rules.provider or person.channel)) is not None:
            await platform.citizen_writes(person.channel, person)
            return
        name = f"demo-{self.hub.now().timestamp()}-{self._sent}"
        inbound = Inbound(
            external_id=name,
            author_id=f"tel:{person.phone}" if person.phone else f"anon:{name}",
            thread=name,
            text=person.text,
            phone=person.phone,
            name=person.name,
            location=person.location,
            private=person.private,
            files=(LETTER,) if _wants_letters(book) else (),
        )
        with suppress(Refused):
            await self.hub.receive(book.name, person.channel, inbound)

    def _next_person(self, book: Rulebook) -> DemoComplaint:
        """At first one on each channel, so that all are alive; then as it comes."""
        silent = self._silent[book.name]
        person = next(each for each in self._people[book.name] if not silent or each.channel in silent)
        silent.discard(person.channel)
        return person

    async def _staff_works(self, patience: timedelta, share: float) -> None:
        """Each case that has lain long enough is taken one step on, by `share` of chance."""
        now = self.hub.now()
        for book in self.books:
            query = Query((book.name,), statuses=worked_on(book), order="oldest", limit=200)
            for state in self.hub.tracking.find(query, now).cases:
                if now - state.updated_at > patience and self.rng.random() < share:
                    with suppress(Refused):
                        await self._step(book, state)

    async def _step(self, book: Rulebook, state: CaseState) -> None:
        chosen = next_step(book, state, self.rng)
        if chosen is not None:
            await self.hub.act(state.id, *chosen)


def _wants_letters(book: Rulebook) -> bool:
    return any(
        rule.check == "evidence" and rule.level == "ask" for rule in book.profile.requirements.values()
    )


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text}")
        sys.stderr.flush()


def _welcome(settings: Settings, phones: Mapping[str, str], accounts: list[Account]) -> None:
    typer.echo(f"\nLaporHub siap · LaporHub is ready\n\n  Formulir, lacak laporan   {settings.base_url}/")
    typer.echo(f"  Petugas                   {settings.base_url}/staff")
    for provider, address in phones.items():
        typer.echo(f"  Simulasi {provider:<16} {address}/")
    typer.echo(f"\n  Akun petugas, kata sandi semua: {PASSWORD}")
    for profile in dict.fromkeys(account.profiles[0] for account in accounts):
        typer.echo(f"  {profile}:")
        for account in accounts:
            if account.profiles[0] == profile:
                typer.echo(f"    {account.username}")
    typer.echo("\n  Semua warga dan petugas di sini rekaan. Berhenti dengan Ctrl-C.\n")
