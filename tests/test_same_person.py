"""One person on two channels is offered to staff as one only where that is proven; and where a photo was taken."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from support import COMPLETE, whatsapp
from web_hub import NAME, PROFILE, Web, web_on

from laporhub.hub.reading import Reading
from laporhub.pipeline.case_files import CaseFile
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.hub_port import Receipt
from laporhub.pipeline.messages import Inbound, Location

PHONE = "+6281100000007"
HEADING = "Laporan lain dari orang yang sama"


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with web_on(tmp_path) as web:
        yield web


async def chat(web: Web, number: int = 7, **more: object) -> Receipt:
    return await web.hub.receive(PROFILE, "whatsapp", whatsapp(number, **more))  # type: ignore[arg-type]


async def sms(web: Web, number: int = 7, **more: object) -> Receipt:
    phone = f"+62811000{number:05d}"
    given = {
        "external_id": f"sms-{number}",
        "author_id": phone,
        "phone": phone,
        "verified": True,
        "text": COMPLETE,
    }
    return await web.hub.receive(PROFILE, "sms", Inbound.model_validate(given | more))


async def post(web: Web, name: str, author: str = "11", **more: object) -> Receipt:
    given = {"external_id": name, "author_id": author, "thread": name, "text": COMPLETE, "verified": True}
    return await web.hub.receive(PROFILE, "x", Inbound.model_validate(given | {"name": NAME} | more))


async def page(web: Web, receipt: Receipt, who: str = "gubernur") -> str:
    await web.sign_in(who)
    return (await web.browser.get(f"/staff/cases/{receipt.ticket}")).text


def offered(html: str) -> str:
    """The section with other cases; empty if there is none."""
    found = re.search(r'<section class="same-person".*?</section>', html, re.DOTALL)
    return found[0] if found else ""


async def test_the_same_verified_phone_on_two_channels_is_one_person(web: Web) -> None:
    first, second = await chat(web), await sms(web)
    for here, there, channel in ((first, second, "SMS"), (second, first, "WhatsApp")):
        shown = offered(await page(web, here))
        assert f'<a href="/staff/cases/{there.ticket}">{there.ticket}</a>' in shown
        assert here.ticket not in shown
        assert channel in shown
        assert "Bukti: nomor HP yang sama, terbukti di kedua kanal." in shown
        assert "6281100000007" not in shown, "who it is stays sealed"


async def test_the_same_account_on_one_channel_is_one_person(web: Web) -> None:
    first, second = await post(web, "1"), await post(web, "2")
    assert "Bukti: akun yang sama di X." in offered(await page(web, first))
    assert second.ticket in offered(await page(web, first))


async def test_names_and_numbers_that_are_typed_in_prove_nothing(web: Web) -> None:
    receipts = [
        await chat(web, name=NAME),
        await web.report(1, phone=PHONE, name=NAME),
        await web.report(2, phone=PHONE, author_id=f"tel:{PHONE}", name=NAME),
        await web.report(3, phone=PHONE, author_id=f"tel:{PHONE}", name=NAME),
        await post(web, "1", phone=None),
        await sms(web, 8, name=NAME),
        await sms(web, 7, verified=False, external_id="sms-forged"),
    ]
    for receipt in receipts:
        html = await page(web, receipt)
        assert receipt.ticket in html
        assert HEADING not in html


async def test_who_stays_anonymous_is_nobodys_other_self(web: Web) -> None:
    open_one, hidden = await chat(web), await sms(web, anonymous=True)
    assert offered(await page(web, open_one)) == ""
    assert offered(await page(web, hidden)) == ""


async def test_only_cases_that_one_may_see_are_offered(web: Web) -> None:
    first, second = await chat(web), await post(web, "1")
    third, private = await sms(web), await post(web, "2", private=True)
    assert third.ticket in offered(await page(web, first, "disposisi"))
    assert private.ticket in offered(await page(web, second, "gubernur"))
    await web.browser.post("/staff/sign-out")
    assert private.ticket not in offered(await page(web, second, "pimpinan"))


async def test_an_erased_person_leads_nowhere(web: Web) -> None:
    first, second = await chat(web), await sms(web)
    assert second.ticket in offered(await page(web, first))
    web.hub.ring.erase(web.case(first.ticket).reporter)
    assert offered(await page(web, first)) == ""


async def test_the_newest_come_first_and_there_is_an_end_to_it(web: Web) -> None:
    first = await post(web, "0")
    later = []
    for number in range(1, 23):
        web.clock.forward(minutes=1)
        later.append(await post(web, str(number)))
    shown = re.findall(r"/staff/cases/([\w-]+)", offered(await page(web, first)))
    assert shown == [each.ticket for each in reversed(later)][:20]


# ── where a photo was taken ──


def photo(**more: object) -> CaseFile:
    kept = CaseFile(
        "f_1", "m_1", 0, "c_1", PROFILE, "whatsapp", "p_1", "https://foto.example/1", status="kept"
    )
    seen: dict[str, object] = {"width": 4, "height": 3, "lat": -6.9, "lon": 109.75}
    return replace(kept, **(seen | more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("files", "place", "shown"),
    [
        ([photo()], None, "-6.90000, 109.75000"),
        ([photo(lat=None), photo(lat=-7.5)], Location(address="Jalan Contoh"), "-7.50000, 109.75000"),
        ([photo()], Location(lat=-7.0, lon=110.0), ""),
        ([photo(status="refused")], None, ""),
        ([], None, ""),
    ],
)
async def test_a_photo_suggests_a_place_where_nobody_gave_one(
    web: Web, monkeypatch: pytest.MonkeyPatch, files: list[CaseFile], place: Location | None, shown: str
) -> None:
    def with_files(hub: Reading, case_id: str) -> list[CaseFile]:
        return files

    def with_place(hub: Reading, ticket: str) -> CaseState:
        return case.but({"location": place})

    receipt = await chat(web)
    case = web.case(receipt.ticket)
    monkeypatch.setattr(Reading, "files", with_files)
    monkeypatch.setattr(Reading, "case", with_place)
    html = await page(web, receipt)
    assert (f"<dt>Tempat menurut foto</dt><dd>{shown}" in html) == bool(shown)
    assert ("Tempat menurut foto" in html) == bool(shown)
