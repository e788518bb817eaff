"""What officers write down on the phone and at the counter, through their own pages."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path

import pytest
from support import unit_admin
from web_hub import ANSWER, NAME, PHONE, PROFILE, STAFF, UNIT, Web, web_on

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.connector import BY_HAND
from laporhub.pipeline.events import Noted
from laporhub.pipeline.profile.load import find
from laporhub.pipeline.staff import Account

HOTLINE, COUNTER = "/staff/desk/hotline", "/staff/desk/counter"
CALL = {
    "text": "Jalan provinsi di depan Pasar Contoh berlubang sejak minggu lalu, dua motor jatuh",
    "place": "Jalan Contoh, Kecamatan Batang, Kabupaten Batang",
    "phone": "0811 0000 0001",
    "name": NAME,
}


def with_counter(folder: Path, delivery: str) -> str:
    """LaporGub's profile with a counter, as other standards have one."""
    profile = folder / "profile"
    shutil.copytree(find(PROFILE), profile)
    file = profile / "profile.yaml"
    text = file.read_text()
    here, role = "\nrequirements:", "  admin_unit:\n"
    text = text.replace(
        here,
        f"\n  counter:\n    {{code: LK, title: {{id: Loket, en: Counter}}, account: loket-contoh, "
        f"delivery: {delivery}, desk: counter}}\n{here}",
        1,
    )
    text = text.replace(
        role,
        f"  admin_loket:\n    {{title: Admin Loket, group: tppm, scope: channels, channels: [counter]}}\n{role}",
        1,
    )
    text = text.replace(
        "whatsapp, hotline]\n    start: [approve", "whatsapp, hotline, counter]\n    start: [approve"
    )
    file.write_text(text)
    return str(profile)


@pytest.fixture(autouse=True)
def officers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, role in (("hotline", "admin_hotline"), ("loket", "admin_loket")):
        monkeypatch.setitem(STAFF, name, Account(name, (PROFILE,), role))


@asynccontextmanager
async def at_the_counter(folder: Path, delivery: str = "push") -> AsyncIterator[Web]:
    async with web_on(folder / "data", profile=with_counter(folder, delivery)) as web:
        await web.sign_in("loket")
        yield web


@asynccontextmanager
async def on_the_phone(folder: Path) -> AsyncIterator[Web]:
    async with web_on(folder) as web:
        await web.sign_in("hotline")
        yield web


async def send(web: Web, desk: str, **fields: str) -> tuple[int, str]:
    answer = await web.submit(desk, f"{desk}?profile={PROFILE}", fields)
    return answer.status_code, unescape(answer.text)


def written(web: Web, page: str) -> CaseState:
    ticket = page.split('aria-label="LG')[1].split('"')[0]
    return web.case(f"LG{ticket}")


async def test_a_call_is_written_down_and_its_number_read_out(tmp_path: Path) -> None:
    async with on_the_phone(tmp_path) as web:
        status, page = await send(web, HOTLINE, **CALL)
        assert status == 200
        state = written(web, page)
        assert (state.channel, state.status, state.known) == ("hotline", "received", ("name", "phone"))
        assert "Bacakan nomor ini kepada penelepon" in page
        assert "k=" not in page.split("<main")[1].split("</main")[0]  # the reporter's secret is not staff's
        assert state.replies == {}  # nothing to be sent: it was said
        assert web.hub.unseal(state.id, "gub", "uji").phone == PHONE
        [note] = [event for event in web.hub.events(state.id) if isinstance(event.data, Noted)]
        assert note.actorid == "hotline"


async def test_saving_twice_is_one_report(tmp_path: Path) -> None:
    async with on_the_phone(tmp_path) as web:
        fields = {**CALL, "csrf": web.csrf(), "key": "kunci-1"}
        pages = [(await web.browser.post(HOTLINE, data=fields)).text for _ in range(2)]
        assert written(web, pages[0]).ticket == written(web, pages[1]).ticket
        events = web.hub.events(written(web, pages[0]).id)
        assert sum(isinstance(event.data, Noted) for event in events) == 1


async def test_what_the_standard_asks_for_is_pointed_out_once_and_nobody_is_sent_away(tmp_path: Path) -> None:
    async with on_the_phone(tmp_path) as web:
        status, page = await send(web, HOTLINE, text="Air keruh, baunya menyengat sekali")
        assert status == 422
        assert (
            page.count("Tanyakan kepada pelapor. Jika memang tidak ada") == 4
        )  # phone and place, above and beside
        assert "Air keruh, baunya menyengat sekali" in page
        status, page = await send(web, HOTLINE, text="Air keruh, baunya menyengat sekali", asked="1")
        assert status == 200
        assert "Masih perlu dilengkapi" in page
        while await web.hub.publisher.send_due():
            pass
        state = written(web, page)
        assert state.status == "received"  # an officer's turn, not the reporter's: nobody can write to them
        [question] = state.replies.values()
        assert (question.purpose, question.reason) == ("incomplete", BY_HAND)


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"text": ""}, "Bagian ini perlu diisi."),
        ({"phone": "nol"}, "Tulis nomor HP"),
        ({"occurred_at": "2030-01-01T10:00"}, "belum terjadi"),
        ({"text": "a" * 100_001}, "terlalu panjang"),
    ],
)
async def test_faults_are_told_as_on_the_public_form(
    tmp_path: Path, fields: dict[str, str], fault: str
) -> None:
    async with on_the_phone(tmp_path) as web:
        status, page = await send(web, HOTLINE, **(CALL | fields))
        assert status == 422
        assert 'role="alert"' in page
        assert fault in page


@pytest.mark.parametrize("who", ["x", "disposisi", "pupr", "pimpinan", "tetangga"])
async def test_only_who_works_on_the_channel_writes_for_it(tmp_path: Path, who: str) -> None:
    async with web_on(tmp_path) as web:
        await web.sign_in(who)
        assert (await web.browser.get(HOTLINE)).status_code in (403, 404)
        fields = {**CALL, "csrf": web.csrf()}
        assert (await web.browser.post(HOTLINE, data=fields)).status_code in (403, 404)
        assert "/staff/desk/hotline" not in (await web.browser.get("/staff")).text


async def test_channels_without_a_desk_have_none(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        await web.sign_in("gubernur")
        assert (await web.browser.get("/staff/desk/web")).status_code == 404
        assert (await web.browser.get(HOTLINE)).status_code == 200
        assert HOTLINE in (await web.browser.get("/staff")).text


async def test_without_a_session_or_its_token_nothing_is_written(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        assert (await web.browser.post(HOTLINE, data=CALL)).status_code == 401
        await web.sign_in("hotline")
        assert (await web.browser.post(HOTLINE, data=CALL)).status_code == 403


async def test_a_receipt_is_printed_at_the_counter(tmp_path: Path) -> None:
    async with at_the_counter(tmp_path) as web:
        status, page = await send(web, COUNTER, **CALL, answer_by="page")
        assert status == 200
        state = written(web, page)
        assert f"/t/{state.ticket}?k={web.hub.tracking_token(state.id)}" in page
        assert "Tanda terima laporan" in page
        while await web.hub.publisher.send_due():
            pass
        [ack] = web.case(state.ticket).replies.values()
        assert (ack.purpose, ack.status) == ("ack", "sent")  # on the page, as the web form's


@pytest.mark.parametrize(
    ("answer_by", "status", "case"), [("page", "sent", "answered"), ("phone", "failed", "approved")]
)
async def test_the_answer_goes_the_way_the_reporter_chose(
    tmp_path: Path, answer_by: str, status: str, case: str
) -> None:
    async with at_the_counter(tmp_path) as web:
        _, page = await send(web, COUNTER, **CALL, answer_by=answer_by)
        state = written(web, page)
        officer = Actor(id="loket", role="admin_loket")
        await web.hub.act(state.id, "dispose", {"unit": UNIT}, officer)
        await web.hub.act(state.id, "respond", {"response": ANSWER}, unit_admin(UNIT))
        await web.hub.act(state.id, "approve", {}, officer)
        while await web.hub.publisher.send_due():
            pass
        state = web.case(state.ticket)
        reply = list(state.replies.values())[-1]
        assert (reply.purpose, reply.status, state.status) == ("response", status, case)


async def test_who_wants_to_be_rung_gives_a_number(tmp_path: Path) -> None:
    async with at_the_counter(tmp_path) as web:
        status, page = await send(web, COUNTER, **(CALL | {"phone": "", "answer_by": "phone", "asked": "1"}))
        assert status == 422
        assert "Nomor HP: Bagian ini perlu diisi." in page


async def test_where_the_page_is_the_answer_there_is_nothing_to_choose(tmp_path: Path) -> None:
    async with at_the_counter(tmp_path, "page") as web:
        assert "answer_by" not in (await web.browser.get(COUNTER)).text
        _, page = await send(web, COUNTER, **CALL, answer_by="phone")
        assert "Jawaban muncul di halaman laporan." in page
        assert [reply.status for reply in written(web, page).replies.values()] == ["sent"]


async def test_the_pages_speak_english_too(tmp_path: Path) -> None:
    async with on_the_phone(tmp_path) as web:
        page = (await web.browser.get(HOTLINE, params={"lang": "en"})).text
        assert "Write down: Hotline" in page
        assert "read out the report number" in page
