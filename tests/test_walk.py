"""The main job, walked in a real browser: a complaint comes in, is passed on, answered, and the answer goes back.

The hub runs as `laporhub serve` runs it, background tasks and all, on a free port; behind WhatsApp and SMS stands
the simulated Twilio, whose page of phones is the citizen's. One browser walks all ways; nothing sleeps.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from laporhub.hub.compose import open_hub
from laporhub.hub.hub import Hub
from laporhub.hub.settings import Settings
from laporhub.hub.web import listening, web_server
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.staff import Account
from laporhub.simulators.serving import serving
from laporhub.simulators.twilio import TwilioSimulator

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

PROFILE, UNIT = "laporgub-jateng", "dinas-pupr"
ACCOUNT, TOKEN = "AC" + "0" * 32, "not-a-secret"
SMS, WHATSAPP = "+628112920200", "whatsapp:+628112920200"
PASSWORD = "kata-sandi-percobaan"
PHONE, DESK = (390, 844), (1280, 900)
PATIENCE = 20.0
"""Seconds after which what was awaited will not come."""
POLL = 0.02

NAME = "Warga Contoh"
WORDS = "jalan provinsi di depan Pasar Contoh Kabupaten Batang berlubang sejak minggu lalu, dua motor jatuh"
ANSWER = "Lubang di depan Pasar Contoh sudah kami tambal hari ini."
MENDED = "Lubang di depan Pasar Contoh sudah kami tambal pagi ini, dan rambu dipasang."

ADMIN, OFFICER, GOVERNOR = "admin-disposisi", "admin-pupr", "admin-gubernur"
STAFF = (
    Account(ADMIN, (PROFILE,), "admin_disposisi"),
    Account(OFFICER, (PROFILE,), "admin_unit", UNIT),
    Account(GOVERNOR, (PROFILE,), "admin_gubernur"),
)


@dataclass
class Town:
    """A hub, the phones of its citizens, and the browser in which both are seen."""

    hub: Hub
    url: str
    twilio: TwilioSimulator
    phones: str
    browser: Browser
    troubles: list[str] = field(default_factory=list)
    desks: dict[str, Page] = field(default_factory=dict)

    async def tab(self, size: tuple[int, int]) -> Page:
        """A tab of a browser that nobody used before."""
        context = await self.browser.new_context(
            viewport={"width": size[0], "height": size[1]}, locale="id-ID"
        )
        context.set_default_timeout(PATIENCE * 1000)
        page = await context.new_page()
        page.on("pageerror", lambda error: self.troubles.append(str(error)))
        page.on(
            "console",
            lambda said: self.troubles.append(said.text) if "Content Security" in said.text else None,
        )
        page.on("response", lambda got: self.troubles.append(got.url) if got.status >= 500 else None)
        return page

    async def desk(self, username: str) -> Page:
        """The tab of a member of staff, signed in."""
        if username not in self.desks:
            page = self.desks[username] = await self.tab(DESK)
            await page.goto(f"{self.url}/staff")
            await page.get_by_label("Nama pengguna").fill(username)
            await page.get_by_label("Kata sandi").fill(PASSWORD)
            await page.get_by_role("button", name="Masuk").click()
            await expect(page.get_by_role("navigation", name="Daftar")).to_be_visible()
        return self.desks[username]


@asynccontextmanager
async def town_in(folder: Path, chromium: Path) -> AsyncIterator[Town]:
    async with AsyncExitStack() as stack:
        listener = listening("127.0.0.1", 0)
        stack.callback(listener.close)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        hook = f"{url}/hooks/twilio"
        twilio = TwilioSimulator(
            ACCOUNT, TOKEN, [SMS, WHATSAPP], hook, f"{hook}/status", lambda: datetime.now(UTC), automatic=True
        )
        stack.push_async_callback(twilio.aclose)
        phones = await stack.enter_async_context(serving(twilio))
        settings = Settings(
            data=folder,
            profile=PROFILE,
            public_url=url,
            twilio_account_sid=ACCOUNT,
            twilio_auth_token=TOKEN,
            twilio_api_url=phones,
        )
        hub = await stack.enter_async_context(open_hub(settings))
        for account in STAFF:
            hub.accounts.save(account, PASSWORD)
        server = web_server(hub, settings)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(
                    executable_path=str(chromium),
                    args=["--no-sandbox", "--disable-background-networking"],
                )
                yield Town(hub, url, twilio, phones, browser)
                await browser.close()
        finally:
            server.should_exit = True
            await running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def town(tmp_path_factory: pytest.TempPathFactory, chromium: Path) -> AsyncIterator[Town]:
    async with town_in(tmp_path_factory.mktemp("hub"), chromium) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def nothing_breaks(town: Town) -> AsyncIterator[None]:
    """No script fails, the content policy stops nothing, no page is broken."""
    town.troubles.clear()
    yield
    assert town.troubles == []


async def until(is_so: Callable[[], bool], what: str) -> None:
    """Waits for something outside of the browser."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while not is_so():
        assert asyncio.get_running_loop().time() < deadline, f"never came: {what}"
        await asyncio.sleep(POLL)


async def hides(page: Page, number: str) -> None:
    """Neither the name nor the number is anywhere in the page, seen or unseen, however it is written."""
    html = await page.content()
    subscriber = number.removeprefix("+62").lstrip("0")
    assert NAME.lower() not in html.lower()
    assert re.search(r"[\s.()-]*".join(subscriber), html) is None


def state_of(town: Town, ticket: str) -> CaseState:
    state = town.hub.case(ticket)
    assert state is not None
    return state


# ── what the people at the desks do ──────────────────────────────────────────────────────────────


async def open_case(page: Page, url: str, ticket: str) -> None:
    """From one's own list, where it waits, to the case."""
    await page.goto(f"{url}/staff")
    row = page.locator(f"#case-{ticket}")
    await expect(row).to_be_visible()
    await row.get_by_role("link", name=ticket).click()
    await expect(page.get_by_role("heading", level=1, name=ticket)).to_be_visible()


async def do(
    page: Page, step: str, status: str | re.Pattern[str], words: str | None = None, unit: str | None = None
) -> None:
    """Opens a step's form, fills it in and sends it; the case then has this status."""
    form = page.locator("details.action").filter(
        has=page.locator("summary", has_text=re.compile(f"^{step}$"))
    )
    await form.locator("summary").click()
    if words is not None:
        await form.locator("textarea").first.fill(words)
    if unit is not None:
        await form.locator("select").first.select_option(unit)
    await form.get_by_role("button", name=step, exact=True).click()
    await expect(page.get_by_role("status")).to_contain_text(step)
    await expect(page.locator(".case-head .status")).to_have_text(status)


async def dispose(town: Town, ticket: str, number: str) -> None:
    page = await town.desk(ADMIN)
    await page.goto(f"{town.url}/staff")
    await expect(page.locator(f"#case-{ticket}")).to_contain_text("Saran")
    await hides(page, number)
    await open_case(page, town.url, ticket)
    suggestions = page.locator("section", has=page.get_by_role("heading", name="Saran instansi")).get_by_role(
        "listitem"
    )
    await expect(suggestions.first).to_contain_text("%")
    await hides(page, number)
    await do(page, "Disposisi", "Disposisi", unit=UNIT)


async def respond(town: Town, ticket: str, number: str, answer: str = ANSWER) -> None:
    page = await town.desk(OFFICER)
    await open_case(page, town.url, ticket)
    await hides(page, number)
    await do(page, "Kirim rumusan tanggapan", "Menunggu persetujuan", words=answer)


async def approve(town: Town, ticket: str) -> None:
    """Where a platform has to take the answer first, the page may be quicker."""
    page = await town.desk(ADMIN)
    await open_case(page, town.url, ticket)
    await do(page, "Setujui dan kirim", re.compile("^(Tanggapan disetujui|Sudah ditanggapi)$"))


async def is_public(town: Town, ticket: str, number: str, status: str, answer: str) -> None:
    """What somebody who knows only the ticket reads."""
    page = await town.tab(PHONE)
    await page.goto(town.url)
    await page.get_by_label("Nomor laporan").fill(ticket.lower().replace("-", " "))
    await page.get_by_role("button", name="Lacak laporan").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(status)
    await expect(page.locator("main")).to_contain_text(answer)
    await hides(page, number)
    await page.context.close()


# ── by the form ──────────────────────────────────────────────────────────────────────────────────


async def test_a_report_by_the_form_is_answered_on_its_page_and_rated(town: Town) -> None:
    number = "+6280000000011"
    citizen = await town.tab(PHONE)
    await citizen.goto(town.url)
    for label, typed in {
        "Isi laporan": f"Saya {NAME}, HP 0800 0000 0011: {WORDS}",
        "Lokasi kejadian": "Jalan Contoh, Kecamatan Batang, Kabupaten Batang",
        "Nomor HP": "0800 0000 0011",
        "Nama": NAME,
    }.items():
        await citizen.get_by_role("textbox", name=label).fill(typed)
    await citizen.get_by_role("button", name="Kirim laporan").click()
    await expect(citizen.get_by_role("heading", level=1)).to_have_text("Laporan Anda sudah diterima")
    await hides(citizen, number)
    ticket = await citizen.locator(".ticket").inner_text()
    link = await citizen.locator(".link a").inner_text()
    assert re.fullmatch(r"LGWP-\d{4}-\d{4}-\d{4}", ticket)
    assert link.startswith(f"{town.url}/t/{ticket}?k=")

    await citizen.goto(link)
    await expect(citizen.get_by_role("heading", level=1)).to_have_text("Diterima")
    await expect(citizen.locator(".talk")).to_contain_text(NAME)  # the reporter reads their own words whole
    await dispose(town, ticket, number)
    await citizen.reload()
    await expect(citizen.get_by_role("heading", level=1)).to_have_text("Diteruskan ke instansi")
    await respond(town, ticket, number)
    await citizen.reload()
    await expect(citizen.get_by_role("heading", level=1)).to_have_text("Sedang ditangani")
    await expect(citizen.locator("main")).not_to_contain_text(ANSWER)
    await approve(town, ticket)

    await citizen.reload()
    await expect(citizen.get_by_role("heading", level=1)).to_have_text("Sudah ditanggapi")
    await expect(citizen.locator(".talk li").last).to_contain_text(ANSWER)
    await is_public(town, ticket, number, "Sudah ditanggapi", ANSWER)
    await citizen.locator("summary", has_text="Nilai layanan").click()
    await citizen.get_by_label("5", exact=True).check()
    await citizen.get_by_role("button", name="Nilai layanan").click()
    await expect(citizen.get_by_role("status")).to_contain_text("Terima kasih")
    await expect(citizen.get_by_role("heading", level=1)).to_have_text("Selesai")
    await is_public(town, ticket, number, "Selesai", ANSWER)
    assert (state_of(town, ticket).status, state_of(town, ticket).rating) == ("closed", 5)
    await citizen.context.close()
    await only_the_governor_sees_who_it_was(town, ticket)


async def only_the_governor_sees_who_it_was(town: Town, ticket: str) -> None:
    page = await town.desk(GOVERNOR)
    await page.goto(f"{town.url}/staff/cases/{ticket}")
    await expect(page.locator("main")).not_to_contain_text(NAME)
    await page.get_by_label("Alasan membuka").fill("Pelapor minta dihubungi")
    await page.get_by_role("button", name="Tampilkan identitas").click()
    await expect(page.locator("#identity")).to_contain_text(NAME)
    await expect(page.locator("#identity")).to_contain_text("0800 0000 0011")
    await expect(page.locator("#identity")).not_to_contain_text("tel:")
    for other in (ADMIN, OFFICER):
        desk = await town.desk(other)
        await desk.goto(f"{town.url}/staff/cases/{ticket}")
        await expect(desk.get_by_role("heading", level=1)).to_have_text(ticket)
        await expect(desk.get_by_label("Alasan membuka")).to_have_count(0)


# ── by phone ─────────────────────────────────────────────────────────────────────────────────────


class Handset:
    """A citizen's phone, on the page where the simulated Twilio shows them."""

    def __init__(self, town: Town, page: Page, number: str, *, sms: bool) -> None:
        self.town, self.page, self.number = town, page, number
        self.by = "SMS" if sms else "WhatsApp"
        self.address = number if sms else f"whatsapp:{number}"
        self.heard = 0

    async def write(self, said: str) -> None:
        await self.page.goto(self.town.phones)
        await self.page.get_by_label("Nomor HP warga").fill(self.number)
        await self.page.get_by_label("Lewat").select_option(self.by)
        await self.page.get_by_label("Pesan").fill(said)
        await self.page.get_by_role("button", name="Kirim sebagai warga").click()
        await expect(self.page.locator("iframe")).to_be_visible()

    @property
    def received(self) -> list[str]:
        return [words for side, words in self.town.twilio.conversation(self.address) if side == "outbound"]

    async def hears(self, *words: str) -> str:
        """The next message: it is in the conversation, it is the only new one, and it is seen on the phone."""
        await until(lambda: len(self.received) > self.heard, "a message")
        self.heard += 1
        said = self.received[-1]
        assert len(self.received) == self.heard
        for each in words:
            assert each in said
        await self.page.goto(f"{self.town.phones}/percakapan?dengan={self.address.replace('+', '%2B')}")
        await expect(self.page.locator("li").first).to_contain_text(said.splitlines()[-1])
        return said


def ticket_in(said: str) -> str:
    found = re.search(r"LG(?:WA|SM)-\d{4}-\d{4}-\d{4}", said)
    assert found is not None
    return found[0]


async def test_an_answer_by_whatsapp_comes_back_in_the_same_conversation(town: Town) -> None:
    phone = Handset(town, await town.tab(PHONE), "+6280000000021", sms=False)
    await phone.write(f"Saya {NAME}. {WORDS}")
    ticket = ticket_in(await phone.hears("sudah kami terima dengan nomor"))
    await dispose(town, ticket, phone.number)
    await phone.hears(ticket, "sudah kami teruskan kepada")
    await respond(town, ticket, phone.number)
    desk = await town.desk(ADMIN)
    await open_case(desk, town.url, ticket)
    await do(desk, "Kembalikan untuk diperbaiki", "Proses", words="Tulis juga kapan dikerjakan.")
    await respond(town, ticket, phone.number, MENDED)
    await approve(town, ticket)
    await phone.hears("Tanggapan", ticket, MENDED)
    await is_answered(town, ticket, phone, MENDED)


async def test_who_leaves_something_out_is_asked_and_goes_on_in_the_same_case(town: Town) -> None:
    phone = Handset(town, await town.tab(PHONE), "+6280000000022", sms=False)
    await phone.write("Tolong pak")
    ticket = ticket_in(await phone.hears("Kami perlu sedikit keterangan lagi", "Di mana kejadiannya?"))
    assert state_of(town, ticket).status == "needs_info"
    await phone.write(WORDS)
    assert ticket_in(await phone.hears("sudah kami terima dan kami teruskan ke petugas")) == ticket
    assert state_of(town, ticket).status == "received"
    await dispose(town, ticket, phone.number)
    await phone.hears(ticket, "sudah kami teruskan kepada")
    await respond(town, ticket, phone.number)
    await approve(town, ticket)
    await phone.hears("Tanggapan", ticket, ANSWER)
    await is_answered(town, ticket, phone, ANSWER)
    sides = [side for side, _ in town.twilio.conversation(phone.address)]
    assert sides == ["inbound", "outbound", "inbound", "outbound", "outbound", "outbound"]


async def test_a_question_of_the_office_is_answered_by_sms(town: Town) -> None:
    phone = Handset(town, await town.tab(PHONE), "+6280000000031", sms=True)
    await phone.write(WORDS)
    ticket = ticket_in(await phone.hears("kami terima dengan nomor"))
    desk = await town.desk(ADMIN)
    await open_case(desk, town.url, ticket)
    await hides(desk, phone.number)
    await do(desk, "Tanya pelapor", "Perlu info tambahan", words="Di sisi mana jalannya?")
    await phone.hears(ticket, "Di sisi mana jalannya?")
    await phone.write("Sisi timur, dekat gerbang Pasar Contoh")
    await phone.hears(ticket)
    await dispose(town, ticket, phone.number)
    await phone.hears(ticket, "kami teruskan kepada")
    await respond(town, ticket, phone.number)
    await approve(town, ticket)
    await phone.hears("Tanggapan", ticket, ANSWER)
    await is_answered(town, ticket, phone, ANSWER)


async def is_answered(town: Town, ticket: str, phone: Handset, answer: str) -> None:
    """The answer has left, once, and only then the case says so, to everybody."""
    await until(lambda: state_of(town, ticket).status == "answered", "the answer has left")
    await is_public(town, ticket, phone.number, "Sudah ditanggapi", answer)
    assert sum(answer in said for said in phone.received) == 1
    assert len(phone.received) == phone.heard
    assert town.hub.dead_letters() == []
    await phone.page.context.close()
