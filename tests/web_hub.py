"""A hub behind its web pages, for tests: staff of every kind, and a few made-up cases in different states."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import cache
from html import unescape
from pathlib import Path
from unittest.mock import patch

import httpx
from argon2 import PasswordHasher
from fastapi import FastAPI
from support import ADMIN, Clock, form, hub_on, unit_admin, whatsapp

from laporhub.hub import ground
from laporhub.hub.hub import Hub
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.hub_port import Receipt
from laporhub.pipeline.profile.load import load
from laporhub.pipeline.staff import Account
from laporhub.pipeline.store import accounts
from laporhub.web.app import create_app
from laporhub.web.guard import csrf_token
from laporhub.web.settings import WebSettings

PROFILE = "laporgub-jateng"
PUBLIC_URL = "https://lapor.example"
SECRET = "a secret of tests"
PASSWORD = "kata-sandi-percobaan"
UNIT, OTHER_UNIT = "dinas-pupr", "dishub"
NAME, PHONE = "Warga Contoh", "+6281100000001"
ANSWER = "Lubang di depan Pasar Contoh sudah ditambal hari ini."
REPORT = {
    "text": "Jalan provinsi di depan Pasar Contoh berlubang sejak minggu lalu, dua motor jatuh",
    "place": "Jalan Contoh, Kecamatan Batang, Kabupaten Batang",
    "phone": "0811 0000 0001",
    "name": NAME,
}

STAFF = {
    "disposisi": Account("disposisi", (PROFILE,), "admin_disposisi"),
    "x": Account("x", (PROFILE,), "admin_x"),
    "pupr": Account("pupr", (PROFILE,), "admin_unit", UNIT),
    "perhubungan": Account("perhubungan", (PROFILE,), "admin_unit", OTHER_UNIT),
    "tanpa-unit": Account("tanpa-unit", (PROFILE,), "admin_unit"),
    "gubernur": Account("gubernur", (PROFILE,), "admin_gubernur"),
    "pimpinan": Account("pimpinan", (PROFILE,), "pimpinan"),
    "tetangga": Account("tetangga", ("kota-contoh",), "admin_gubernur"),
}

# The real hasher is slow on purpose.
QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class Web:
    """The application over a hub whose clock stands still, and a browser without scripts."""

    hub: Hub
    app: FastAPI
    clock: Clock
    browser: httpx.AsyncClient

    def another_browser(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL)

    async def report(self, number: int = 1, **more: object) -> Receipt:
        return await self.hub.receive(PROFILE, "web", form(number, **more))  # type: ignore[arg-type]

    def case(self, ticket: str) -> CaseState:
        state = self.hub.case(ticket)
        assert state is not None
        return state

    def link(self, receipt: Receipt) -> str:
        return f"/t/{receipt.ticket}?k={self.hub.tracking_token(receipt.case_id)}"

    async def disposed(self, number: int = 1, unit: str = UNIT, **more: object) -> Receipt:
        receipt = await self.report(number, **more)
        await self.hub.act(receipt.case_id, "dispose", {"unit": unit}, ADMIN)
        return receipt

    async def answered(self, number: int = 1, answer: str = ANSWER, **more: object) -> Receipt:
        receipt = await self.disposed(number, **more)
        await self.hub.act(receipt.case_id, "respond", {"response": answer}, unit_admin(UNIT))
        await self.hub.act(receipt.case_id, "approve", {}, ADMIN)
        return receipt

    def enrol(self, name: str) -> Account:
        account = STAFF[name]
        if account not in self.hub.accounts.all():
            self.hub.accounts.save(account, PASSWORD)
        return account

    async def sign_in(self, name: str) -> httpx.Response:
        self.enrol(name)
        return await self.browser.post("/staff/sign-in", data={"username": name, "password": PASSWORD})

    def csrf(self) -> str:
        """The token of the forms of whoever is signed in."""
        return csrf_token(SECRET, self.browser.cookies["__Host-laporhub"])

    def bearer(self, name: str) -> dict[str, str]:
        self.enrol(name)
        return {"Authorization": f"Bearer {self.hub.accounts.issue_token(name, self.clock())}"}

    async def submit(self, page: str, action: str, fields: Mapping[str, str] | None = None) -> httpx.Response:
        """Fills in a form of a page, as a browser would: hidden fields and all."""
        html = (await self.browser.get(page)).text
        return await self.browser.post(action, data={**hidden_fields(html, action), **(fields or {})})


def hidden_fields(html: str, action: str) -> dict[str, str]:
    """The hidden fields of the form with this action."""
    body = html.split(f'action="{action}"', 1)[1].split("</form>", 1)[0]
    return {
        n: unescape(v) for n, v in re.findall(r'type="hidden" name="([^"]+)"[^>]*? value="([^"]*)"', body)
    }


_load_once = cache(load)


@asynccontextmanager
async def web_on(folder: Path, *, profile: str = PROFILE, **settings: object) -> AsyncIterator[Web]:
    clock = Clock()
    twilio = {"twilio_account_sid": "AC" + "0" * 32, "twilio_auth_token": "t" * 32}
    async with AsyncExitStack() as stack:
        stack.enter_context(patch.object(accounts, "_hasher", QUICK_HASHER))
        stack.enter_context(patch.object(ground, "load", _load_once))
        hub = await stack.enter_async_context(hub_on(folder, clock, profile=profile, **twilio))
        keys = iter(f"key-{number}" for number in range(1_000_000))
        given = WebSettings(SECRET, PUBLIC_URL, now=clock, new_key=lambda: next(keys))
        app = create_app(hub, replace(given, **settings))  # type: ignore[arg-type]
        web = Web(hub, app, clock, httpx.AsyncClient())
        async with web.another_browser() as web.browser:
            yield web


async def a_day(web: Web) -> dict[str, Receipt]:
    """Cases in every state that a page shows differently."""
    long_ago = {"text": "Lampu jalan provinsi mati di Kecamatan Contoh, gelap dan rawan kecelakaan"}
    cases = {"late": await web.report(1, **long_ago)}
    web.clock.forward(hours=13)
    cases["new"] = await web.report(2)
    cases["incomplete"] = await web.report(3, text="Tolong pak", phone=None, location=None)
    cases["disposed"] = await web.disposed(4)
    cases["answered"] = await web.answered(5)
    cases["private"] = await web.report(
        6, private=True, text="Ada pungutan liar di loket Contoh sejak bulan lalu"
    )
    cases["whatsapp"] = await web.hub.receive(PROFILE, "whatsapp", whatsapp(7))
    cases["urgent"] = await web.report(
        8, text="Tanah longsor menimbun rumah di Banjarnegara, ada warga terjebak, tolong cepat"
    )
    await web.hub.note(cases["new"].case_id, "Sudah ditelepon, tidak diangkat.", ADMIN)
    return cases
