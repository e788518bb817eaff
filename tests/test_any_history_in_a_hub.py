"""Random histories in a running hub: what lies on the disk, in the logs and in what it hands out names nobody.

What is checked of each step is in `any_history`; here the same people act on a hub with its real vault and database.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from io import StringIO
from pathlib import Path
from random import Random

import orjson
import pytest
import structlog
from any_people import (
    CONFIDED,
    MAIL,
    NAME,
    TEXTS,
    WRITTEN,
    any_actor,
    filled,
    numbers,
    says,
    spellings,
    spoiled,
    traces,
)
from test_erasing import photo
from web_hub import Web, web_on

from laporhub import profiles
from laporhub.hub.compose import keeper
from laporhub.hub.console import configure_logging
from laporhub.hub.settings import Settings
from laporhub.pipeline import handover
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor, Delivery
from laporhub.pipeline.embedded.ticker import Ticker
from laporhub.pipeline.errors import Refused
from laporhub.pipeline.evolve import evolve
from laporhub.pipeline.messages import Inbound
from laporhub.pipeline.staff import Account
from laporhub.pipeline.store import log
from laporhub.pipeline.tracking import Query
from laporhub.pipeline.workflow import allowed
from laporhub.web import present

STEPS = 300 if os.environ.get("LAPORHUB_FAULT_TESTS") == "1" else 50
"""Under each profile."""


class Street:
    """People, platforms and time at one hub's door."""

    def __init__(self, web: Web, profile: str) -> None:
        self.web, self.hub, self.profile = web, web.hub, profile
        self.chance = Random(6)
        self.counts: Counter[str] = Counter()
        self.said: list[tuple[str, str, Inbound]] = []
        self.ticker = Ticker(web.hub.database, web.hub.engine, (profile,), web.clock)  # type: ignore[arg-type]

    def cases(self) -> list[CaseState]:
        found = self.hub.tracking.find(Query(profiles=(self.profile,), limit=200), self.web.clock())
        return list(found.cases)

    async def step(self) -> None:
        whatever = [self.reports, self.goes_on, *[self.acts] * 5, self.delivers, self.talks, self.waits]
        step = whatever[self.counts["steps"] % 6 and self.chance.randrange(len(whatever))]
        self.counts["steps"] += 1
        try:
            await step()
        except Refused as refusal:
            assert traces(f"{refusal}".encode()) == []
            self.counts["refused"] += 1

    async def reports(self) -> None:
        book, number = self.hub.rulebooks[self.profile], self.counts["steps"]
        channel = self.chance.choice(list(book.profile.channels))
        inbound = says(book, channel, number, self.chance, attachments=())
        if self.chance.random() < 0.5:
            inbound = inbound.but({"files": (photo(number % 250),)})
        receipt = await self.hub.receive(self.profile, channel, inbound)
        self.said.append((channel, receipt.case_id, inbound))

    async def goes_on(self) -> None:
        channel, case, earlier = self.chance.choice(self.said)
        changes: dict[str, object] = {"external_id": f"in-{self.counts['steps']}"}
        changes["text"] = self.chance.choice(TEXTS)
        changes |= self.chance.choice(({"replaces": earlier.external_id}, {"case_id": case}, {}))
        await self.hub.receive(self.profile, channel, earlier.but({**changes, "files": ()}))

    async def acts(self) -> None:
        state, book = self.chance.choice(self.cases()), self.hub.rulebooks[self.profile]
        other = self.chance.choice(self.cases())
        for _ in range(10):
            actor = any_actor(book, state, self.chance)
            possible = allowed(book, state, actor)
            if possible:
                name, step = self.chance.choice(possible)
                form = filled(book, state, step, self.chance, other.ticket)
                photos = {each: [photo(7)] for each, field in step.fields.items() if field.type == "photo"}
                form = {each: value for each, value in form.items() if each not in photos}
                if self.chance.random() < 0.15:
                    form = spoiled(form, self.chance)
                await self.hub.act(state.id, name, form, actor, photos=photos)
                self.counts["acted"] += 1
                return

    async def delivers(self) -> None:
        state = self.chance.choice(self.cases())
        status = self.chance.choice(("sent", "delivered", "read", "failed"))
        for reply in list(state.replies)[-1:]:
            about = {"profile": state.profile, "case_id": state.id, "at": self.web.clock(), "reply_id": reply}
            command = Delivery(id=f"d-{self.counts['steps']}", status=status, **about)  # type: ignore[arg-type]
            await self.hub.engine.submit(command=command)

    async def talks(self) -> None:
        state = self.chance.choice(self.cases())
        book = self.hub.rulebooks[self.profile]
        actor = any_actor(book, state, self.chance)
        await self.hub.note(state.id, self.chance.choice(WRITTEN), actor)
        me = Actor(id=state.reporter, role="reporter")
        await self.hub.confide(state.id, f"{CONFIDED}, saya {NAME}", me, f"key-{self.counts['steps']}")
        if not state.anonymous:
            self.hub.unseal(state.id, "somebody", f"cek {numbers('12345')[2]} dan {MAIL}")

    async def waits(self) -> None:
        self.web.clock.forward(minutes=self.chance.choice((1, 61, 720, 1440, 7 * 1440)))
        await self.ticker.ring_due()

    async def rings_all(self) -> None:
        for _ in range(200):
            if not await self.ticker.ring_due():
                return
        raise AssertionError("the hub rings without end")


@pytest.mark.parametrize("profile", profiles.shipped())
async def test_a_hub_that_lived_through_anything_names_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, profile: str
) -> None:
    logged = StringIO()
    monkeypatch.setattr(sys, "stderr", logged)
    configure_logging(Settings(data=tmp_path, log_format="json"))
    folder = tmp_path / "data"
    try:
        async with web_on(folder, profile=profile) as web:
            street = Street(web, profile)
            while street.counts["steps"] < STEPS:
                await street.step()
            await keeper(web.hub, {}).keep_due()
            web.clock.forward(days=400)
            await street.rings_all()
            handed_out = await handed_out_by(web, profile)
    finally:
        structlog.reset_defaults()
    print(f"{profile}: {dict(street.counts)}, {len(handed_out)} bytes handed out")
    disk = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert street.counts["acted"] > STEPS // 10 and len(disk) > 100_000 and len(handed_out) > 20_000
    assert (traces(disk), traces(handed_out), traces(logged.getvalue().encode())) == ([], [], [])
    assert any(spelling in TEXTS[1].encode() for spelling in spellings())


async def handed_out_by(web: Web, profile: str) -> bytes:
    """Pages and API of the public and of every role that is spared who the reporter is; files for others."""
    hub, book, found = web.hub, web.hub.rulebooks[profile], bytearray()
    tickets = {each.ticket for each in Street(web, profile).cases()}
    for ticket in tickets:
        state = hub.case(ticket)
        assert state is not None
        with hub.database.connect() as connection:
            history = log.case_events(connection, state.id, state.opened_at)
        replayed: CaseState | None = None
        for event in history:
            replayed = evolve(replayed, event)
        assert replayed == state
        assert all(
            at > web.clock()
            for c in state.clocks.values()
            if c.status == "running"
            for at in c.alarms.values()
        )
        found += orjson.dumps(present.case(state, web.clock()))
        found += b"".join(orjson.dumps(present.event(event)) for event in history)
        found += orjson.dumps(handover.document(book, state, history, ()))
        for address in (f"/t/{ticket}", f"/api/v1/complaints/{ticket}"):
            found += (await web.browser.get(address)).content
    roles = {name: role for name, role in book.profile.roles.items() if not role.sees_identity}
    for name, role in roles.items():
        unit = next(iter(book.units)) if role.scope == "unit" else None
        hub.accounts.save(Account(name, (profile,), name, unit), "kata-sandi-percobaan")
        token = {"Authorization": f"Bearer {hub.accounts.issue_token(name, web.clock())}"}
        for address in ("cases?limit=200", "stats", *(f"cases/{ticket}" for ticket in sorted(tickets))):
            answer = await web.browser.get(f"/api/v1/{address}", headers=token)
            assert answer.status_code in (200, 403, 404), answer.text
            found += answer.content
    found += b"".join(f"{each}".encode() for each in hub.audit.entries())
    return bytes(found + (await web.browser.get("/metrics")).content)
