"""Reports on staff's pages: who sees which, in which forms, and how a wrong period is answered."""

from __future__ import annotations

import io
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import Connection
from web_hub import NAME, OTHER_UNIT, PHONE, PROFILE, UNIT, Web, a_day, web_on

from laporhub.pipeline.report_post import Receiver
from laporhub.pipeline.store import report_posts

MONTH = "2026-11"


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with web_on(tmp_path) as web:
        await a_day(web)
        yield web


def tiles(html: str) -> dict[str, str]:
    """The numbers at the top of the report."""
    found = re.findall(r'<span class="name">(.*?)</span>\s*<strong>(.*?)</strong>', html, re.DOTALL)
    return dict(found)


async def test_leaders_read_the_report_and_take_it_along_in_every_form(web: Web) -> None:
    await web.sign_in("pimpinan")
    page = await web.browser.get(f"/staff/reports?period={MONTH}")
    assert page.status_code == 200
    stats = (await web.browser.get("/api/v1/stats")).json()
    public = (await web.browser.get(f"/api/v1/reports/{MONTH}")).json()
    assert tiles(page.text)["Aduan masuk"] == str(public["cases"])
    assert public["by_channel"] == {"web": 7, "whatsapp": 1}
    assert public["cases"] == stats["total"] + 1, (
        "what leaders may not read, a private complaint, still counts"
    )
    links = re.findall(r'href="(/staff/reports/[^"]+)" download', page.text)
    files = {
        link.split("?")[0].rpartition("/")[2]: await web.browser.get(link.replace("&amp;", "&"))
        for link in links
    }
    assert {form: file.status_code for form, file in files.items()} == dict.fromkeys(files, 200)
    assert json.loads(files["json"].content) == public
    assert files["pdf"].content.startswith(b"%PDF-")
    assert files["html"].text.startswith("<!doctype html>")
    book = load_workbook(io.BytesIO(files["xlsx"].content))
    summary = {row[0].value: row[1].value for row in book["Ringkasan"].iter_rows() if len(row) > 1}
    assert summary["Aduan masuk"] == public["cases"]
    assert f'filename="{PROFILE}-{MONTH}.pdf"' in files["pdf"].headers["content-disposition"]
    for file in files.values():
        assert not [said for said in (NAME, PHONE, "Pasar Contoh", "LG-") if said.encode() in file.content]


async def test_numbers_are_those_of_the_lists_when_the_report_is_made_at_once(web: Web) -> None:
    await web.sign_in("gubernur")
    report = (await web.browser.get(f"/api/v1/reports/{MONTH}")).json()
    stats = (await web.browser.get("/api/v1/stats")).json()
    assert report["cases"] == stats["total"]
    assert report["overdue"] == stats["overdue"]
    for name in ("channel", "status", "urgency"):
        assert report[f"by_{name}"] == {key: number for key, number in stats[f"by_{name}"].items() if number}
    assert {name: number for name, number in report["by_unit"].items() if name} == {
        name: number for name, number in stats["by_unit"].items() if name
    }


async def test_a_units_people_see_their_own_units_report_and_no_other(web: Web) -> None:
    await web.sign_in("pupr")
    page = await web.browser.get(f"/staff/reports?period={MONTH}")
    assert tiles(page.text)["Aduan masuk"] == "2"
    assert 'name="unit"' not in page.text
    assert (await web.browser.get(f"/staff/reports?period={MONTH}&unit={UNIT}")).status_code == 200
    for address in (
        f"/staff/reports?period={MONTH}&unit={OTHER_UNIT}",
        f"/staff/reports/{MONTH}/pdf?unit={OTHER_UNIT}",
        f"/api/v1/reports/{MONTH}?unit={OTHER_UNIT}",
    ):
        assert (await web.browser.get(address)).status_code == 403, address
    own = (await web.browser.get(f"/api/v1/reports/{MONTH}")).json()
    assert (own["unit"], own["cases"], list(own["units"])) == (UNIT, 2, [UNIT])


async def test_an_account_of_a_unit_without_a_unit_sees_none(web: Web) -> None:
    await web.sign_in("tanpa-unit")
    assert (await web.browser.get("/staff/reports")).status_code == 403


async def test_nobody_sees_reports_of_a_service_that_is_not_theirs(web: Web) -> None:
    signed_out = await web.browser.get("/staff/reports/2026-11/pdf")
    assert (signed_out.status_code, signed_out.headers["location"].split("?")[0]) == (303, "/staff/sign-in")
    await web.sign_in("tetangga")
    assert (await web.browser.get(f"/staff/reports?profile={PROFILE}")).status_code == 403


async def test_the_office_narrows_it_to_a_unit_and_to_days(web: Web) -> None:
    await web.sign_in("disposisi")
    asked = {"period": "days", "first": "2026-11-23", "last": "2026-11-24", "unit": UNIT}
    page = await web.browser.get("/staff/reports", params=asked)
    assert page.status_code == 200
    assert "23 November 2026 – 24 November 2026" in page.text
    assert tiles(page.text)["Aduan masuk"] == "2"


@pytest.mark.parametrize(
    "asked",
    [
        "period=2026-13",
        "period=kemarin",
        "period=days&first=2026-11-24&last=2026-11-23",
        "period=days&first=&last=2026-11-23",
        "period=days&first=2001-01-01&last=2026-11-23",
    ],
)
async def test_a_wrong_period_is_named_and_the_form_stays(web: Web, asked: str) -> None:
    await web.sign_in("disposisi")
    page = await web.browser.get(f"/staff/reports?{asked}")
    assert page.status_code == 422
    assert "Periode itu tidak ada" in page.text
    assert 'aria-invalid="true"' in page.text


async def test_what_is_not_there_is_said_so(web: Web) -> None:
    await web.sign_in("disposisi")
    assert (await web.browser.get("/staff/reports/2026-11/docx")).status_code == 404
    assert (await web.browser.get("/staff/reports?unit=nowhere")).status_code == 404
    assert (await web.browser.get("/staff/reports/2026-13/pdf")).status_code == 422
    refused = await web.browser.get("/api/v1/reports/2026-13")
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:laporhub:problem:bad_period")


async def test_a_period_without_anything_says_so(web: Web) -> None:
    await web.sign_in("pimpinan")
    page = await web.browser.get("/staff/reports?period=2025-03")
    assert "Tidak ada aduan dalam periode ini" in page.text
    assert (await web.browser.get("/staff/reports/2025-03/pdf")).content.startswith(b"%PDF-")


async def test_the_pages_own_style_and_no_other_is_used(web: Web) -> None:
    await web.sign_in("pimpinan")
    page = await web.browser.get(f"/staff/reports?period={MONTH}&lang=en")
    assert "<svg" in page.text and "Complaints received" in page.text
    assert " style=" not in page.text, "the site's policy forbids it"
    sheet = await web.browser.get("/staff/reports/report.css")
    assert sheet.headers["content-type"].startswith("text/css") and ".report" in sheet.text


async def test_leaders_see_to_whom_a_report_went_and_units_do_not(web: Web) -> None:
    receivers = [Receiver("kepala@contoh.test"), Receiver("pupr@contoh.test", UNIT)]
    at = web.clock()

    def post(connection: Connection) -> None:
        report_posts.plan(connection, PROFILE, MONTH, receivers, at)
        first = report_posts.due(connection, at, [PROFILE])
        assert first is not None
        report_posts.settle(connection, first.id, "failed", at, reason="bounced (5.1.1)")

    await web.hub.write(post)
    await web.sign_in("pimpinan")
    page = (await web.browser.get(f"/staff/reports?period={MONTH}")).text
    assert "kepala@contoh.test" in page and "pupr@contoh.test (Dinas PUPR)" in page
    assert "bounced (5.1.1)" in page and ">menunggu<" in page
    assert "kepala@contoh.test" not in (await web.browser.get("/staff/reports?period=2026-10")).text
    await web.sign_in("pupr")
    assert "@contoh.test" not in (await web.browser.get(f"/staff/reports?period={MONTH}")).text
