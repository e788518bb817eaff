"""The same incident again: suggested to staff, and to whoever is about to report it; nothing merges by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from support import ADMIN, COMPLETE, whatsapp
from test_evidence import jpeg, street
from test_media import taken
from web_hub import PROFILE, REPORT, UNIT, Web, web_on

from laporhub.hub.compose import keeper
from laporhub.pipeline.hub_port import Receipt
from laporhub.pipeline.messages import InlineFile, Location
from laporhub.pipeline.tracking import Query

AGAIN = "jalan di depan Pasar Contoh Batang berlubang, kemarin motor jatuh"
PLACE = Location(address="Jalan Contoh, Kecamatan Batang, Kabupaten Batang")


def tracked(web: Web) -> int:
    return len(web.hub.tracking.find(Query((PROFILE,)), web.clock()).cases)


async def test_staff_sees_what_may_be_the_same_with_an_estimate(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        first = await web.report(1, text=REPORT["text"], location=PLACE)
        web.clock.forward(days=1)
        again = await web.report(2, text=AGAIN, location=PLACE)
        other = await web.report(3, text="Antrean di Samsat Batang lama sekali, petugas hanya satu orang")
        await web.sign_in("disposisi")
        page = (await web.browser.get(f"/staff/cases/{again.ticket}")).text
        assert "Mungkin tentang hal yang sama" in page
        assert f'href="/staff/cases/{first.ticket}"' in page and other.ticket not in page
        assert "%" in page.partition("Mungkin tentang hal yang sama")[2]
        alone = (await web.browser.get(f"/staff/cases/{other.ticket}")).text
        assert "Mungkin tentang hal yang sama" not in alone
        assert tracked(web) == 3


async def test_a_unit_is_shown_none_that_it_may_not_see(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        first = await web.report(1, text=REPORT["text"], location=PLACE)
        again = await web.report(2, text=AGAIN, location=PLACE)
        await web.sign_in("pupr")
        assert first.ticket not in (await web.browser.get(f"/staff/cases/{again.ticket}")).text


HEADING = "Mungkin tentang hal yang sama"
OTHER_WORDS = "Tolong segera dicek kondisi ini, sudah lama dibiarkan, Kabupaten Batang"


async def sent_with(web: Web, number: int, text: str, picture: Image.Image, quality: int = 90) -> Receipt:
    files = (InlineFile(data=jpeg(picture, quality=quality)),)
    receipt = await web.report(number, text=text, location=PLACE, files=files)
    while await keeper(web.hub, {}).keep_due():
        pass
    return receipt


async def similar(web: Web, ticket: str) -> str:
    page = (await web.browser.get(f"/staff/cases/{ticket}")).text
    return page.partition(HEADING)[2].partition("</section>")[0]


async def test_nearly_the_same_photo_of_somebody_else_suggests_a_duplicate(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        first = await sent_with(web, 1, REPORT["text"], street(1))
        again = await sent_with(web, 2, OTHER_WORDS, street(1).resize((400, 300)), quality=50)
        other = await sent_with(web, 3, OTHER_WORDS.replace("dicek", "periksa"), street(2))
        await web.sign_in("disposisi")
        shown = await similar(web, again.ticket)
        assert first.ticket in shown and "foto sama" in shown
        assert first.ticket not in await similar(web, other.ticket)
        assert tracked(web) == 3, "suggested, never merged"


async def test_a_photo_of_a_private_case_is_shown_to_nobody_who_may_not_see_it(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        files = (InlineFile(data=jpeg(street(1))),)
        secret = await web.report(1, text=REPORT["text"], location=PLACE, files=files, private=True)
        again = await sent_with(web, 2, OTHER_WORDS, street(1))
        await web.hub.act(again.case_id, "dispose", {"unit": UNIT}, ADMIN)
        await web.sign_in("pupr")
        assert secret.ticket not in (await web.browser.get(f"/staff/cases/{again.ticket}")).text


async def test_the_same_person_is_named_as_a_reason_only_where_that_is_proven(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        first = await web.report(1, text=REPORT["text"], location=PLACE)
        typed = await web.report(1, text=AGAIN, location=PLACE, external_id="form-again", thread="again")
        await web.sign_in("disposisi")
        shown = await similar(web, typed.ticket)
        assert first.ticket in shown and "pelapor yang sama" not in shown, "anybody can type a number"
        vouched = [
            await web.hub.receive(PROFILE, "whatsapp", whatsapp(7, text=REPORT["text"], location=PLACE)),
            await web.hub.receive(
                PROFILE,
                "sms",
                whatsapp(7, text=AGAIN, location=PLACE, sid="sms-7", author_id="+6281100000007"),
            ),
        ]
        assert len({each.ticket for each in vouched}) == 2
        shown = await similar(web, vouched[1].ticket)
        assert vouched[0].ticket in shown and "pelapor yang sama" in shown


async def test_whoever_is_about_to_report_it_again_is_asked_once(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        first = await web.submit("/", "/", REPORT)
        ticket = first.text.partition('class="ticket">')[2].partition("<")[0]
        web.clock.forward(hours=2)
        same = {**REPORT, "phone": "0811 0000 0002", "name": "Tetangga Contoh"}
        asked = await web.submit("/", "/", same)
        assert "Mungkin sudah ada yang melaporkan ini" in asked.text and f"/t/{ticket}" in asked.text
        assert same["text"] in asked.text
        assert tracked(web) == 1
        sent = await web.submit("/", "/", {**same, "different": "1"})
        assert 'class="ticket">' in sent.text
        assert tracked(web) == 2


async def test_a_private_report_is_held_against_nobody(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        await web.submit("/", "/", {**REPORT, "private": "1"})
        web.clock.forward(hours=2)
        sent = await web.submit("/", "/", {**REPORT, "phone": "0811 0000 0002"})
        assert "Mungkin sudah ada" not in sent.text
        assert tracked(web) == 2


async def test_a_rude_report_is_masked_for_everybody_else(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report(1, text=f"Goblok! {COMPLETE}", location=PLACE)
        state = web.case(receipt.ticket)
        assert state.review == ("polite",)
        await web.sign_in("disposisi")
        queue = (await web.browser.get("/staff")).text
        assert "G*****!" in queue and "Goblok" not in queue


def chosen(picture: Image.Image, **saved: Any) -> list[tuple[str, tuple[str, bytes, str]]]:
    """A photo as a browser sends it with the form."""
    return [("files", ("foto.jpg", jpeg(picture, **saved), "image/jpeg"))]


SAW = {"text": OTHER_WORDS, "place": "depan pasar", "phone": "0811 0000 0009", "key": "saw-it-too"}


async def test_the_photo_chosen_in_the_form_tells_that_it_was_reported_and_is_not_kept(
    tmp_path: Path,
) -> None:
    async with web_on(tmp_path) as web:
        first = await sent_with(web, 1, REPORT["text"], street(1))
        web.clock.forward(hours=2)
        before = sorted(tmp_path.rglob("files/**/*"))
        smaller = chosen(street(1).resize((400, 300)), quality=50)
        asked = await web.browser.post("/", data=SAW, files=smaller)
        assert "Mungkin sudah ada yang melaporkan ini" in asked.text and f"/t/{first.ticket}" in asked.text
        assert "Pilih lagi foto" in asked.text, "no browser chooses it again by itself"
        assert sorted(tmp_path.rglob("files/**/*")) == before and tracked(web) == 1
        sent = await web.browser.post("/", data={**SAW, "different": "1"}, files=smaller)
        assert 'class="ticket">' in sent.text and tracked(web) == 2


async def test_another_photo_or_none_asks_nobody(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        await sent_with(web, 1, REPORT["text"], street(1))
        web.clock.forward(hours=2)
        assert 'class="ticket">' in (await web.browser.post("/", data=SAW, files=chosen(street(2)))).text
        alone = {**SAW, "text": OTHER_WORDS + " sekali", "key": "none"}
        assert 'class="ticket">' in (await web.browser.post("/", data=alone)).text


@pytest.mark.parametrize("hidden", ["private", "review"])
async def test_the_photo_of_a_report_that_is_not_public_is_held_against_nobody(
    tmp_path: Path, hidden: str
) -> None:
    async with web_on(tmp_path) as web:
        words = f"Goblok! {COMPLETE}" if hidden == "review" else COMPLETE
        files = (InlineFile(data=jpeg(street(1))),)
        await web.report(1, text=words, location=PLACE, files=files, private=hidden == "private")
        while await keeper(web.hub, {}).keep_due():
            pass
        web.clock.forward(hours=2)
        sent = await web.browser.post("/", data=SAW, files=chosen(street(1)))
        assert "Mungkin sudah ada" not in sent.text and tracked(web) == 2


async def test_whoever_tries_out_places_learns_nothing_of_where_somebody_took_a_photo(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        files = (InlineFile(data=jpeg(street(1), exif=taken())),)
        await web.report(1, text=REPORT["text"], location=PLACE, files=files)
        while await keeper(web.hub, {}).keep_due():
            pass
        web.clock.forward(hours=2)
        half = " ".join(REPORT["text"].split()[:6])
        there = {**SAW, "text": half, "place": "di sana"}
        at_the_spot = await web.browser.post("/", data=there, files=chosen(street(2), exif=taken()))
        nowhere = await web.browser.post("/", data=there, files=chosen(street(3)))
        said = ["Mungkin sudah ada" in each.text for each in (at_the_spot, nowhere)]
        assert said == [False, False]
