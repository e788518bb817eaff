"""The pages in a real browser: the form by hand, by keyboard, without scripts, on a small phone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import Browser, Page, async_playwright
from web_hub import PASSWORD, REPORT, Web, a_day, web_on

pytestmark = pytest.mark.browser

CHROMIUM = Path("chromium")
PHONE, DESK = (360, 740), (1280, 800)


@pytest.fixture(autouse=True)
def browser_of_this_machine(chromium: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no browser, these tests are listed as not run."""
    monkeypatch.setitem(globals(), "CHROMIUM", chromium)


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[Web, str]]:
    """The application on a free port of this machine."""
    async with web_on(folder, cookie_secure=False) as web:
        config = uvicorn.Config(web.app, port=0, log_level="warning", lifespan="off")
        listener = config.bind_socket()
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield web, f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await running
            listener.close()


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-background-networking"],
        )
        try:
            yield browser
        finally:
            await browser.close()


@asynccontextmanager
async def tab(browser: Browser, size: tuple[int, int], *, scripts: bool = True) -> AsyncIterator[Page]:
    """A page that fails the test if a script breaks or the content policy stops something."""
    troubles: list[str] = []
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]}, java_script_enabled=scripts
    )
    page = await context.new_page()
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: troubles.append(said.text) if "Content Security" in said.text else None)
    yield page
    await context.close()
    assert troubles == []


async def fill_in(page: Page) -> None:
    for name, value in REPORT.items():
        await page.fill(f"#{name}", value)


@pytest.mark.parametrize("scripts", [True, False])
async def test_a_citizen_reports_corrects_and_tracks_on_a_phone(tmp_path: Path, scripts: bool) -> None:
    async with (
        served(tmp_path) as (web, url),
        chromium() as browser,
        tab(browser, PHONE, scripts=scripts) as page,
    ):
        await page.goto(url)
        await fill_in(page)
        await page.fill("#phone", "nol")
        await page.click("text=Kirim laporan")
        await page.wait_for_selector("[role=alert]")
        if scripts:
            assert await page.evaluate("document.activeElement.id") == "summary"
            await page.click("[role=alert] a")
            assert await page.evaluate("document.activeElement.id") == "phone"
        assert await page.input_value("#text") == REPORT["text"]
        await page.fill("#phone", REPORT["phone"])
        await page.click("text=Kirim laporan")
        ticket = await page.inner_text(".ticket")
        await page.click("text=Lihat laporan")
        await page.wait_for_selector("#answer")
        assert REPORT["text"] in await page.inner_text(".talk")
        assert web.case(ticket).status == "received"


async def test_nothing_is_wider_than_the_screen_and_targets_are_large(tmp_path: Path) -> None:
    async with served(tmp_path) as (web, url), chromium() as browser:
        cases = await a_day(web)
        web.enrol("gubernur")
        for size in (PHONE, DESK):
            async with tab(browser, size) as page:
                public = ["/", "/lacak", f"/t/{cases['answered'].ticket}", web.link(cases["answered"])]
                for path in public:
                    await page.goto(url + path)
                    await fits(page, path)
                    assert await small_targets(page) == [], path
                await page.goto(f"{url}/staff/sign-in")
                await page.fill("#username", "gubernur")
                await page.fill("#password", PASSWORD)
                await page.click("main button")
                await page.wait_for_selector(".tabs")
                for path in ("/staff?tab=all", f"/staff/cases/{cases['answered'].ticket}"):
                    await page.goto(url + path)
                    await fits(page, path)


async def test_a_call_is_written_down_on_a_phone_and_a_receipt_is_read_at_a_glance(tmp_path: Path) -> None:
    async with served(tmp_path) as (web, url), chromium() as browser:
        web.enrol("gubernur")
        for size in (PHONE, DESK):
            async with tab(browser, size) as page:
                await page.goto(f"{url}/staff/sign-in?next=/staff/desk/hotline")
                await page.fill("#username", "gubernur")
                await page.fill("#password", PASSWORD)
                await page.click("main button")
                await page.wait_for_selector("#phone")
                await fits(page, "desk")
                assert await page.evaluate(FAINT) == []
                await page.fill("#text", f"{REPORT['text']} ({size[0]})")
                await page.click("main button.main")
                await page.wait_for_selector("[role=alert]")
                for name in ("phone", "place"):
                    await page.fill(f"#{name}", REPORT[name])
                await page.click("main button.main")
                await page.wait_for_selector(".ticket")
                await fits(page, "receipt")
                assert await page.evaluate(FAINT) == []


async def fits(page: Page, path: str) -> None:
    wide = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, path


async def small_targets(page: Page) -> list[str]:
    """What a reporter must hit and is lower than 44 px; links inside sentences and the skip link may be."""
    found: list[str] = await page.evaluate(
        """() => [...document.querySelectorAll(
            "button, .button, input:not([type=hidden]):not([type=checkbox]):not([type=radio]), textarea, "
            + "label.check, summary, header a")]
            .filter(part => part.offsetParent && part.id !== "website")
            .filter(part => part.getBoundingClientRect().height < 44)
            .map(part => part.outerHTML.slice(0, 80))"""
    )
    return found


async def test_the_queue_is_walked_with_keys_that_can_be_switched_off(tmp_path: Path) -> None:
    async with served(tmp_path) as (web, url), chromium() as browser, tab(browser, DESK) as page:
        await a_day(web)
        web.enrol("disposisi")
        await page.goto(f"{url}/staff/sign-in")
        await page.fill("#username", "disposisi")
        await page.fill("#password", PASSWORD)
        await page.click("main button")
        await page.wait_for_selector(".queue")
        for key in "jjk":
            await page.keyboard.press(key)
        rows = await page.eval_on_selector_all(".queue tbody tr", "rows => rows.map(row => row.id)")
        assert await page.eval_on_selector_all("tr.here", "rows => rows.map(row => row.id)") == [rows[0]]
        await page.fill("#q", "j")
        assert await page.input_value("#q") == "j"
        await page.focus("tr.here a")
        await page.keyboard.press("Enter")
        await page.wait_for_selector(".case")
        assert rows[0].removeprefix("case-") in page.url
        await page.click("text=Kembali ke antrean")
        await page.wait_for_selector("tr:target")
        await page.uncheck("#keys")
        await page.reload()
        await page.keyboard.press("j")
        assert await page.query_selector("tr.here") is None
        assert not await page.is_checked("#keys")


async def test_text_keeps_its_contrast(tmp_path: Path) -> None:
    async with served(tmp_path) as (web, url), chromium() as browser, tab(browser, DESK) as page:
        cases = await a_day(web)
        web.enrol("gubernur")
        await page.goto(f"{url}/staff/sign-in")
        await page.fill("#username", "gubernur")
        await page.fill("#password", PASSWORD)
        await page.click("main button")
        await page.wait_for_selector(".tabs")
        paths = ["/", "/lacak?nomor=x", web.link(cases["incomplete"]), "/staff?tab=all"]
        for path in [*paths, f"/staff/cases/{cases['late'].ticket}", f"/staff/cases/{cases['new'].ticket}"]:
            await page.goto(url + path)
            assert await page.evaluate(FAINT) == [], path


FAINT = """() => {
  const parse = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = part => {
    for (let up = part; up; up = up.parentElement) {
      const colour = parse(getComputedStyle(up).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll("body *")]
    .filter(part => part.offsetParent && [...part.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
    .map(part => {
      const [a, b] = [light(parse(getComputedStyle(part).color)), light(behind(part))];
      return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), part.outerHTML.slice(0, 80)];
    })
    .filter(([ratio]) => ratio < 4.5);
}"""
