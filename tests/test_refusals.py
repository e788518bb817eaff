"""What is not possible is refused in words that people understand, with all they typed, and nothing has changed."""

from __future__ import annotations

import html
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from support import ADMIN, unit_admin
from web_hub import OTHER_UNIT, PROFILE, UNIT, Web, web_on

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor

TYPED = "Kata-kata yang sudah diketik."


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    async with web_on(tmp_path) as opened:
        yield opened


async def post(web: Web, who: str, ticket: str, step: str, **fields: str) -> httpx.Response:
    await web.sign_in(who)
    named = {f"f_{name}": value for name, value in fields.items() if name != "seen"}
    seen = {"seen": fields["seen"]} if "seen" in fields else {}
    address = f"/staff/cases/{ticket}/do/{step}"
    return await web.browser.post(address, data={"csrf": web.csrf(), **named, **seen})


def said(answer: httpx.Response) -> str:
    return html.unescape(answer.text)


async def test_a_step_that_the_state_does_not_allow(web: Web) -> None:
    receipt = await web.report(1)
    before = web.case(receipt.ticket)
    answer = await post(web, "disposisi", receipt.ticket, "revise", reason=TYPED)
    assert answer.status_code == 409
    assert "tidak lagi mungkin karena status laporan sudah berubah" in said(answer)
    assert TYPED in said(answer), "what was typed can be copied"
    assert web.case(receipt.ticket) == before


async def test_a_step_that_the_role_does_not_allow(web: Web) -> None:
    receipt = await web.disposed(1)
    before = web.case(receipt.ticket)
    answer = await post(web, "pupr", receipt.ticket, "redispose", unit=OTHER_UNIT, note=TYPED)
    assert answer.status_code == 403
    assert "Peran Anda tidak boleh melakukan langkah ini" in said(answer)
    assert web.case(receipt.ticket) == before


async def test_a_field_that_is_missing(web: Web) -> None:
    receipt = await web.report(1)
    answer = await post(web, "disposisi", receipt.ticket, "reject", reason="unclear")
    assert answer.status_code == 422 and "Isian ini wajib diisi." in said(answer)
    assert web.case(receipt.ticket).status == "received"


async def test_a_stale_form(web: Web) -> None:
    receipt = await web.report(1)
    seen = str(web.case(receipt.ticket).seq)
    await web.hub.note(receipt.case_id, "Sudah ditelepon.", ADMIN)
    answer = await post(web, "disposisi", receipt.ticket, "verify", seen=seen)
    assert answer.status_code == 409
    assert "sudah berubah sejak Anda membukanya" in said(answer)
    assert "Catatan internal" in said(answer), "and what has changed"


async def test_a_unit_that_is_no_longer_there(web: Web) -> None:
    receipt = await web.report(1)
    answer = await post(web, "disposisi", receipt.ticket, "dispose", unit="dinas-yang-dibubarkan", note=TYPED)
    assert answer.status_code == 422
    assert "Instansi itu tidak ada, atau tidak ada lagi." in said(answer) and TYPED in said(answer)
    assert web.case(receipt.ticket).unit is None


async def test_a_case_whose_unit_was_dissolved_goes_on_with_another(web: Web) -> None:
    receipt = await web.disposed(1)
    book = web.hub.rulebooks[PROFILE]
    gone = book.units.pop(UNIT)  # type: ignore[attr-defined]
    try:
        await web.sign_in("disposisi")
        assert UNIT in (await web.browser.get(f"/staff/cases/{receipt.ticket}")).text
        answer = await post(web, "disposisi", receipt.ticket, "redispose", unit=OTHER_UNIT, note="Dilebur.")
        assert answer.status_code == 303
        assert web.case(receipt.ticket).unit == OTHER_UNIT
    finally:
        book.units[UNIT] = gone  # type: ignore[index]


async def returned(web: Web) -> CaseState:
    """Sent back as often as is allowed, and decided."""
    receipt = await web.report(1)
    for _ in range(3):
        await web.hub.act(receipt.case_id, "dispose", {"unit": UNIT}, ADMIN)
        await web.hub.act(receipt.case_id, "return", {"reason": "Bukan kami."}, unit_admin(UNIT))
    decided = {"unit": UNIT, "note": "Jalan provinsi."}
    return await web.hub.act(receipt.case_id, "settle", decided, Actor(id="gub", role="admin_gubernur"))


async def test_sending_back_once_too_often(web: Web) -> None:
    state = await returned(web)
    answer = await post(web, "pupr", state.ticket, "return", reason=TYPED)
    assert answer.status_code == 409
    assert "sebanyak yang diperbolehkan" in said(answer) and TYPED in said(answer)
    assert web.case(state.ticket) == state


async def test_a_ticket_that_is_none_and_one_that_follows_another(web: Web) -> None:
    main, double, third = await web.report(1), await web.report(2), await web.report(3)
    await web.hub.act(double.case_id, "merge", {"into": main.ticket}, ADMIN)
    answer = await post(web, "disposisi", third.ticket, "merge", into="bukan nomor")
    assert answer.status_code == 422 and "Tidak ada laporan dengan nomor itu" in said(answer)
    answer = await post(web, "disposisi", third.ticket, "merge", into=double.ticket)
    assert answer.status_code == 409 and "sebut nomor laporan utamanya" in said(answer)
    assert web.case(third.ticket).status == "received"


async def test_the_reporter_who_objects_a_second_time_is_told_why_not(web: Web) -> None:
    receipt = await web.report(1)
    await web.hub.act(receipt.case_id, "reject", {"reason": "unclear", "explanation": "Kurang jelas."}, ADMIN)
    link, page = web.link(receipt), f"/t/{receipt.ticket}"
    first = await web.submit(link, f"{page}/do/appeal", {"f_reason": "Sudah jelas."})
    assert first.status_code == 303
    assert "Keberatan Anda sedang diperiksa" in (await web.browser.get(link)).text
    uphold = {"explanation": "Tetap kurang jelas."}
    await web.hub.act(receipt.case_id, "uphold", uphold, Actor(id="gub", role="admin_gubernur"))
    token = {"k": link.partition("k=")[2], "f_reason": TYPED}
    second = await web.browser.post(f"{page}/do/appeal", data=token)
    assert second.status_code == 409 and "sebanyak yang diperbolehkan" in said(second)
