"""What staff meet: signing in, the queue of their role, the page of a case."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support import ADMIN, unit_admin
from web_hub import (
    ANSWER,
    NAME,
    OTHER_UNIT,
    PASSWORD,
    PHONE,
    UNIT,
    Web,
    a_day,
    web_on,
)

from laporhub.pipeline.hub_port import Receipt


def tickets(html: str) -> list[str]:
    return re.findall(r'<tr id="case-([^"]+)"', html)


def page_of(receipt: Receipt) -> str:
    return f"/staff/cases/{receipt.ticket}"


async def take(web: Web, receipt: Receipt, step: str, **fields: str) -> int:
    """Opens the case, fills in a step's form and sends it; the answer's status."""
    sent = await web.submit(page_of(receipt), f"{page_of(receipt)}/do/{step}", fields)
    return sent.status_code


async def audit(web: Web) -> list[str]:
    with web.hub.database.connect() as connection:
        return [str(row) for row in connection.exec_driver_sql("SELECT * FROM audit").all()]


async def test_signing_in_leads_back_to_where_one_was(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report()
        away = await web.browser.get(page_of(receipt))
        assert away.status_code == 303
        web.enrol("disposisi")
        form = (await web.browser.get(away.headers["location"])).text
        target = re.findall(r'name="next" value="([^"]+)"', form)[0]
        fields = {"username": "disposisi", "password": PASSWORD, "next": target}
        back = await web.browser.post("/staff/sign-in", data=fields)
        assert (back.status_code, back.headers["location"]) == (303, page_of(receipt))
        cookie = back.headers["set-cookie"]
        assert all(part in cookie for part in ("__Host-", "HttpOnly", "SameSite=lax", "Secure", "Path=/"))
        assert (await web.browser.get(page_of(receipt))).status_code == 200


async def test_signing_out_ends_the_session_everywhere(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        await web.sign_in("disposisi")
        stolen = dict(web.browser.cookies)
        assert (await web.browser.post("/staff/sign-out", data={"csrf": "wrong"})).status_code == 403
        assert (await web.submit("/staff", "/staff/sign-out")).status_code == 303
        async with web.another_browser() as other:
            other.cookies.update(stolen)
            assert (await other.get("/staff")).status_code == 303


async def test_too_many_wrong_passwords_make_one_wait_even_with_the_right_one(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        web.enrol("disposisi")
        wrong = {"username": "disposisi", "password": "salah", "next": "//evil.example"}
        for _ in range(5):
            page = await web.browser.post("/staff/sign-in", data=wrong)
            assert page.status_code == 401 and 'value="disposisi"' in page.text
            assert "evil.example" not in page.text and "salah" not in page.text
        assert (await web.sign_in("disposisi")).status_code == 429
        assert (await web.sign_in("pupr")).status_code == 303
        web.clock.forward(minutes=5)
        assert (await web.sign_in("disposisi")).status_code == 303


async def test_another_site_cannot_sign_anybody_in(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        web.enrol("disposisi")
        fields = {"username": "disposisi", "password": PASSWORD}
        page = await web.browser.post("/staff/sign-in", data=fields, headers={"sec-fetch-site": "cross-site"})
        assert page.status_code == 403 and "set-cookie" not in page.headers


async def test_each_role_finds_its_own_work(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        cases = await a_day(web)
        everything = {receipt.ticket for receipt in cases.values()}
        expected = {
            "disposisi": everything - {cases[name].ticket for name in ("disposed", "answered", "incomplete")},
            "x": set(),
            "pupr": {cases["disposed"].ticket},
            "perhubungan": set(),
            "tanpa-unit": set(),
        }
        for name, mine in expected.items():
            await web.sign_in(name)
            page = await web.browser.get("/staff")
            assert set(tickets(page.text)) == mine, name
        assert "Tidak ada yang menunggu tindakan Anda" in page.text
        await web.sign_in("pimpinan")
        assert set(tickets((await web.browser.get("/staff")).text)) == everything - {cases["private"].ticket}


@pytest.mark.parametrize(
    "query", ["tab=all", f"unit={OTHER_UNIT}", "channel=web", "q=berlubang", "status=received"]
)
async def test_no_filter_widens_what_a_role_may_see(tmp_path: Path, query: str) -> None:
    async with web_on(tmp_path) as web:
        await a_day(web)
        theirs = await web.disposed(20, unit=OTHER_UNIT)
        await web.sign_in("pupr")
        page = await web.browser.get(f"/staff?tab=all&{query}")
        assert page.status_code == 200 and theirs.ticket not in page.text
        await web.sign_in("x")
        assert tickets((await web.browser.get(f"/staff?tab=all&{query}")).text) == []


async def test_a_case_of_others_is_not_there(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        disposed, private = await web.disposed(1), await web.report(2, private=True)
        for name, receipt in (
            ("x", disposed),
            ("perhubungan", disposed),
            ("tanpa-unit", disposed),
            ("pimpinan", private),
            ("tetangga", disposed),
        ):
            await web.sign_in(name)
            assert (await web.browser.get(page_of(receipt))).status_code == 404, name
            for action in ("do/accept", "do/dispose", "notes", "identity"):
                sent = await web.browser.post(f"{page_of(receipt)}/{action}", data={"csrf": web.csrf()})
                assert sent.status_code in (403, 404), (name, action)


async def test_an_account_of_a_government_that_is_not_served_sees_nothing(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        await web.sign_in("tetangga")
        assert (await web.browser.get("/staff")).status_code == 403


async def test_the_queue_filters_by_links_and_shows_what_is_late_in_words(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        cases = await a_day(web)
        await web.sign_in("gubernur")
        page = await web.browser.get("/staff?tab=late")
        assert tickets(page.text) == [cases["late"].ticket]
        assert "Lewat tenggat 1 jam" in page.text
        everything = (await web.browser.get("/staff?tab=all")).text
        for name, href in re.findall(r'<li><a href="([^"]+)">([^<]+) <span', everything):
            found = await web.browser.get(name.replace("&amp;", "&"))
            assert found.status_code == 200 and tickets(found.text), href
        assert tickets((await web.browser.get("/staff?channel=whatsapp")).text) == [cases["whatsapp"].ticket]
        assert tickets((await web.browser.get("/staff?q=pungutan")).text) == [cases["private"].ticket]
        assert tickets((await web.browser.get("/staff?q=tidakadayangbegini")).text) == []
        assert (await web.browser.get("/staff?q=%00%22*(")).status_code == 200


async def test_a_long_queue_comes_in_pages_without_a_gap(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        sent = {(await web.report(number)).ticket for number in range(60)}
        await web.sign_in("disposisi")
        first = (await web.browser.get("/staff")).text
        link = re.search(r'href="([^"]+cursor=[^"]+)"', first)
        assert link is not None
        second = (await web.browser.get(link[1].replace("&amp;", "&"))).text
        assert len(tickets(first)) == 50 and len(tickets(second)) == 10
        assert {*tickets(first), *tickets(second)} == sent
        assert (await web.browser.get("/staff?cursor=nonsense")).status_code in (200, 422)


async def test_a_report_goes_all_the_way_through_the_pages(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report()
        await web.sign_in("disposisi")
        assert await take(web, receipt, "verify") == 303
        assert await take(web, receipt, "dispose", f_unit=UNIT, f_note="Mohon dicek") == 303
        await web.sign_in("pupr")
        assert "Mohon dicek" in (await web.browser.get(page_of(receipt))).text
        assert await take(web, receipt, "accept") == 303
        assert await take(web, receipt, "respond", f_response=ANSWER) == 303
        await web.sign_in("disposisi")
        page = (await web.browser.get(page_of(receipt))).text
        assert re.search(r'name="f_response"[^>]*>\n' + re.escape(ANSWER), page)
        assert await take(web, receipt, "approve", f_response=ANSWER) == 303
        assert web.case(receipt.ticket).status == "answered"
        assert ANSWER in (await web.browser.get(web.link(receipt))).text


async def test_a_draft_nobody_changed_keeps_what_is_sealed_in_it(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.disposed()
        answer = "Silakan hubungi petugas di 0811 0000 0002\nsampai jam tiga."
        await web.hub.act(receipt.case_id, "respond", {"response": answer}, unit_admin(UNIT))
        draft = web.case(receipt.ticket).draft
        assert draft is not None and draft.sealed is not None
        await web.sign_in("disposisi")
        assert await take(web, receipt, "approve", f_response=draft.text.replace("\n", "\r\n")) == 303
        assert "0811 0000 0002" in (await web.browser.get(web.link(receipt))).text


async def test_a_doubtful_suggestion_is_shown_but_chosen_for_nobody(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report()
        await web.sign_in("disposisi")
        page = (await web.browser.get(page_of(receipt))).text
        suggestion = web.case(receipt.ticket).suggestion
        assert suggestion is not None and suggestion.units
        best = suggestion.units[0]
        chosen = re.findall(r'<option value="([^"]+)" selected', page)
        assert chosen == ([best.unit] if suggestion.sure else [])
        first = re.search(r'<optgroup label="Saran">\s*<option value="([^"]+)"', page)
        assert first is not None and first[1] == best.unit
        assert f"{best.probability * 100:.0f}%" in page


async def test_what_changed_meanwhile_is_told_and_the_words_are_kept(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report()
        await web.sign_in("disposisi")
        action = f"{page_of(receipt)}/do/ask"
        csrf = web.csrf()
        fields = {
            "csrf": csrf,
            "seen": str(web.case(receipt.ticket).seq),
            "f_question": "Di depan toko mana?",
        }
        await web.hub.note(receipt.case_id, "Saya sedang menelepon pelapor.", ADMIN)
        page = await web.browser.post(action, data=fields)
        assert page.status_code == 409
        assert "sudah berubah" in page.text and "Yang berubah sejak Anda membuka halaman" in page.text
        assert "Di depan toko mana?" in page.text
        assert f'name="seen" value="{web.case(receipt.ticket).seq}"' in page.text
        await web.hub.act(receipt.case_id, "reject", {"reason": "unclear", "explanation": "-"}, ADMIN)
        page = await web.browser.post(action, data=fields)
        assert page.status_code == 409 and "untuk disalin" in page.text and "Di depan toko mana?" in page.text
        assert web.case(receipt.ticket).status == "rejected"


@pytest.mark.parametrize(
    ("step", "fields", "status"),
    [
        ("dispose", {"f_unit": ""}, 422),
        ("dispose", {"f_unit": "no-such-unit", "f_note": "Catatan yang panjang"}, 422),
        ("ask", {"f_question": ""}, 422),
        ("reject", {"f_reason": "nonsense", "f_explanation": "Catatan yang panjang"}, 422),
        ("accept", {}, 409),
        ("rate", {"f_rating": "5"}, 409),
        ("nonsense", {}, 404),
    ],
)
async def test_what_is_refused_is_explained_and_changes_nothing(
    tmp_path: Path, step: str, fields: dict[str, str], status: int
) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report()
        await web.sign_in("disposisi")
        before = web.case(receipt.ticket)
        csrf = web.csrf()
        page = await web.browser.post(f"{page_of(receipt)}/do/{step}", data={"csrf": csrf, **fields})
        assert page.status_code == status
        for typed in fields.values():
            assert " " not in typed or typed in page.text
        assert web.case(receipt.ticket) == before


async def test_a_form_without_this_sessions_token_does_nothing(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report()
        await web.sign_in("pupr")
        foreign = web.csrf()
        await web.sign_in("gubernur")
        before = web.case(receipt.ticket)
        for csrf in ("", "0", foreign, "é"):
            for action in ("do/verify", "notes", "identity"):
                fields = {"csrf": csrf, "text": "halo", "reason": "ingin tahu"}
                page = await web.browser.post(f"{page_of(receipt)}/{action}", data=fields)
                assert page.status_code == 403
        assert web.case(receipt.ticket) == before


async def test_a_session_that_ran_out_gives_back_what_was_written(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report()
        await web.sign_in("disposisi")
        web.clock.forward(hours=13)
        fields = {"csrf": "x" * 64, "seen": "3", "f_question": "Di depan toko mana?"}
        page = await web.browser.post(f"{page_of(receipt)}/do/ask", data=fields)
        assert page.status_code == 401 and "Di depan toko mana?" in page.text and "x" * 64 not in page.text


async def test_a_note_is_for_staff_only(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report()
        await web.sign_in("disposisi")
        empty = await web.submit(page_of(receipt), f"{page_of(receipt)}/notes", {"text": " "})
        assert empty.status_code == 422 and "Tulis catatan dulu" in empty.text
        saved = await web.submit(page_of(receipt), f"{page_of(receipt)}/notes", {"text": "Sudah ditelepon"})
        assert saved.status_code == 303
        page = await web.browser.get(saved.headers["location"])
        assert "Sudah ditelepon" in page.text and "Catatan internal disimpan" in page.text
        for outside in (web.link(receipt), f"/t/{receipt.ticket}"):
            assert "Sudah ditelepon" not in (await web.browser.get(outside)).text


async def test_who_reports_is_shown_only_to_the_role_that_may_with_a_reason_on_record(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.disposed()
        for name in ("disposisi", "pupr", "pimpinan"):
            await web.sign_in(name)
            page = await web.browser.get(page_of(receipt))
            assert NAME not in page.text and PHONE not in page.text and "Tampilkan identitas" not in page.text
            csrf = web.csrf()
            fields = {"csrf": csrf, "reason": "ingin tahu"}
            assert (await web.browser.post(f"{page_of(receipt)}/identity", data=fields)).status_code == 403
        await web.sign_in("gubernur")
        page = await web.browser.get(page_of(receipt))
        assert NAME not in page.text and "Tampilkan identitas" in page.text
        action = f"{page_of(receipt)}/identity"
        csrf = web.csrf()
        none = await web.browser.post(action, data={"csrf": csrf, "reason": " "})
        assert none.status_code == 422 and NAME not in none.text and not await audit(web)
        shown = await web.browser.post(action, data={"csrf": csrf, "reason": "Menelepon pelapor"})
        assert NAME in shown.text and PHONE in shown.text and shown.headers["cache-control"] == "no-store"
        (record,) = await audit(web)
        assert "gubernur" in record and "Menelepon pelapor" in record and receipt.ticket in record


async def test_a_message_that_was_not_sent_is_plain_to_see(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        cases = await a_day(web)
        state = web.case(cases["whatsapp"].ticket)
        assert state.replies
        await web.sign_in("disposisi")
        page = await web.browser.get(page_of(cases["whatsapp"]))
        assert "menunggu dikirim" in page.text and "Pelapor menerima pesan lewat WhatsApp" in page.text


async def test_staff_pages_speak_the_accounts_language_until_one_chooses(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report()
        await web.sign_in("disposisi")
        page = await web.browser.get(f"{page_of(receipt)}?lang=en")
        assert "Internal note" in page.text and "With a message to the reporter" in page.text
        assert "For me to do" in (await web.browser.get("/staff")).text
