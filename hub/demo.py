"""The demo: a hub with simulated platforms, made-up citizens who write and made-up staff who work.

First a day of traffic is lived through on a clock that starts yesterday; then the clock is the real one, and
somebody writes every few seconds. Whoever is at the screen can take any case over: staff of the demo only acts on
cases that nobody has touched for a while.
"""

from __future__ import annotations

import asyncio
import random
import sys
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, suppress
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


async def run_demo(settings: Settings) -> None:
    """Runs until interrupted. Raises `Misconfigured` on a folder that is not the demo's."""
    if settings.data == Path("data"):
        settings = settings.model_copy(update={"data": Path("data/demo")})
    claim(settings.data)
    clock = DemoClock()
    async with AsyncExitStack() as stack:
        listener = listening(settings.host, settings.port)
        stack.callback(listener.close)
        book = load(settings.profiles[0])
        phones: dict[str, str] = {}
        played: dict[str, Platform] = {}
        for number, platform in enumerate(platforms_of(book, settings.base_url, clock), 1):
            running = platform.running(settings.port + number)
            phones[platform.provider], told = await stack.enter_async_context(running)
            played[platform.provider] = platform
            settings = with_platform(settings, platform.provider, told)
        hub = await stack.enter_async_context(open_hub(settings, now=clock))
        server = web_server(hub, settings, demo=True)
        serving_web = asyncio.create_task(server.serve(sockets=[listener]))
        town = _Town(hub, played, clock, random.Random(20261122))
        if not hub.tracking.find(Query(tuple(hub.rulebooks), limit=1), hub.now()).cases:
            await town.live_through(_HISTORY, _CITIZENS)
        _welcome(settings, phones, town.hire())
        living = asyncio.create_task(town.live_on())
        await serving_web
        living.cancel()
        with suppress(asyncio.CancelledError):
            await living


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


@dataclass
class _Town:
    """Citizens and staff, all made up."""

    hub: Hub
    platforms: Mapping[str, Platform]
    clock: DemoClock
    rng: random.Random
    _people: Iterator[DemoComplaint] = field(init=False)
    _sent: int = 0

    def __post_init__(self) -> None:
        self._people = neighbours(self.book, complaints(self.rng.randrange(1 << 30)), self.rng)

    @property
    def book(self) -> Rulebook:
        return next(iter(self.hub.rulebooks.values()))

    def hire(self) -> list[Account]:
        """An account for each role, and for the units that have most to do."""
        names = tuple(self.hub.rulebooks)
        hired = []
        for role, rules in self.book.profile.roles.items():
            if rules.scope == "unit":
                hired += [Account(f"{role}.{unit}", names, role, unit) for unit in self._some_units()]
            else:
                hired.append(Account(role, names, role))
        known = {account.username for account in self.hub.accounts.all()}
        for account in hired:
            if account.username not in known:
                self.hub.accounts.save(account, PASSWORD)
        return hired

    def _some_units(self) -> list[str]:
        busy = self.hub.tracking.count(Query((self.book.name,)), "unit", self.hub.now())
        units = sorted((unit for unit in busy if unit in self.book.units), key=lambda unit: -busy[unit])
        return units[:_UNITS] or list(self.book.units)[:_UNITS]

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
        person = next(self._people)
        self._sent += 1
        rules = self.book.profile.channels[person.channel]
        if (platform := self.platforms.get(rules.provider or person.channel)) is not None:
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
            files=(LETTER,) if self._wants_letters() else (),
        )
        with suppress(Refused):
            await self.hub.receive(self.book.name, person.channel, inbound)

    def _wants_letters(self) -> bool:
        rules = self.book.profile.requirements.values()
        return any(rule.check == "evidence" and rule.level == "ask" for rule in rules)

    async def _staff_works(self, patience: timedelta, share: float) -> None:
        """Each case that has lain long enough is taken one step on, by `share` of chance."""
        now = self.hub.now()
        query = Query(tuple(self.hub.rulebooks), statuses=worked_on(self.book), order="oldest", limit=200)
        for state in self.hub.tracking.find(query, now).cases:
            if now - state.updated_at > patience and self.rng.random() < share:
                with suppress(Refused):
                    await self._step(state)

    async def _step(self, state: CaseState) -> None:
        chosen = next_step(self.book, state, self.rng)
        if chosen is not None:
            await self.hub.act(state.id, *chosen)


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
    for account in accounts:
        typer.echo(f"    {account.username}")
    typer.echo("\n  Semua warga dan petugas di sini rekaan. Berhenti dengan Ctrl-C.\n")
