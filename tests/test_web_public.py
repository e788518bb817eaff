"""What citizens meet: the form, the receipt, the tracking page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support import ADMIN, unit_admin
from web_hub import ANSWER, NAME, PHONE, PROFILE, REPORT, UNIT, Web, a_day, hidden_fields, web_on

from laporhub.pipeline.errors import RetryLater
from laporhub.pipeline.messages import Inbound
from laporhub.pipeline.tracking import Query

SCRIPT = "<script>alert(1)</script>"


def field_values(html: str) -> dict[str, str]:
    return dict(re.findall(r'<input id="(\w+)"[^>]*? value="([^"]*)"', html))


def tracked(web: Web) -> int:
    return len(web.hub.tracking.find(Query((PROFILE,)), web.clock()).cases)


async def test_a_report_leads_to_a_receipt_with_number_link_and_next_steps(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.submit("/", "/", REPORT)
        assert receipt.status_code == 200
        ticket = re.search(r'class="ticket">([^<]+)<', receipt.text)
        assert ticket is not None and re.fullmatch(r"LGWP-\d{4}-\d{4}-\d{4}", ticket[1])
        link = re.search(r'class="link"><a href="(/t/[^"]+)">(https://lapor\.example/t/[^<]+)<', receipt.text)
        assert link is not None
        assert "Respons awal: paling lambat 23 Nov 2026 21.00 WIB" in receipt.text
        assert receipt.headers["cache-control"] == "no-store"
        own = await web.browser.get(link[1])
        assert "Percakapan" in own.text and REPORT["text"] in own.text
        state = web.case(ticket[1])
        assert state.known == ("name", "phone") and state.location is not None
        assert state.location.address == REPORT["place"]


async def test_the_same_form_sent_twice_is_one_report_but_a_changed_one_is_another(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        key = hidden_fields((await web.browser.get("/")).text, "/")["key"]
        sent = [await web.browser.post("/", data={**REPORT, "key": key}) for _ in range(2)]
        tickets = {re.findall(r'class="ticket">([^<]+)<', page.text)[0] for page in sent}
        assert len(tickets) == 1 and tracked(web) == 1
        await web.browser.post(
            "/", data={**REPORT, "key": key, "text": "Lampu jalan di desa Contoh juga mati"}
        )
        assert tracked(web) == 2


async def test_an_incomplete_form_says_so_and_keeps_what_was_typed(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        typed = {
            "text": "",
            "place": "Jalan <b>Contoh</b>",
            "phone": "nol delapan",
            "name": NAME,
            "private": "1",
        }
        typed["occurred_at"] = "2031-01-01T10:00"
        page = await web.submit("/", "/", typed)
        assert page.status_code == 422
        for name in ("text", "phone", "occurred_at"):
            assert f'<a href="#{name}">' in page.text
            assert re.search(rf'id="{name}"[^>]*aria-invalid="true"', page.text)
        assert 'role="alert"' in page.text and 'href="#place"' not in page.text
        assert field_values(page.text)["place"] == "Jalan &lt;b&gt;Contoh&lt;/b&gt;"
        assert field_values(page.text)["phone"] == "nol delapan"
        assert 'name="private" value="1" checked' in page.text
        assert tracked(web) == 0


async def test_a_report_that_the_hub_cannot_take_now_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with web_on(tmp_path) as web:

        async def busy(*_: object) -> None:
            raise RetryLater("busy")

        monkeypatch.setattr(web.hub, "receive", busy)
        page = await web.submit("/", "/", REPORT)
        assert page.status_code == 503
        assert REPORT["text"] in page.text and "coba kirim lagi" in page.text


async def test_a_machine_that_fills_every_field_is_stopped_and_a_person_can_go_on(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        page = await web.submit("/", "/", {**REPORT, "website": "https://spam.example"})
        assert page.status_code == 422 and "spam.example" not in page.text
        assert tracked(web) == 0


@pytest.mark.parametrize(
    "text",
    [
        "a" * 100_000,
        "Jalan\0rusak parah di desa Contoh",
        "Jalan \u202erusak\u202c di desa Contoh",
        "😀" * 50,
        "%s {{7*7}}",
    ],
)
async def test_strange_texts_are_taken_and_shown_as_text(tmp_path: Path, text: str) -> None:
    async with web_on(tmp_path) as web:
        page = await web.submit("/", "/", {**REPORT, "text": text})
        assert page.status_code == 200
        assert "\0" not in page.text and "\u202e" not in page.text
        own = await web.browser.get(re.findall(r'class="link"><a href="([^"]+)"', page.text)[0])
        assert (
            own.status_code == 200
            and "\u202e" not in own.text
            and "49" not in re.findall(r'class="words reporter"[^>]*>([^<]*)<', own.text)
        )


async def test_a_text_without_end_is_refused_with_the_limit(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        page = await web.submit("/", "/", {**REPORT, "text": "a" * 100_001})
        assert page.status_code == 422 and "100.000" in page.text


async def test_a_body_beyond_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    async with web_on(tmp_path, max_body_bytes=1000) as web:
        page = await web.browser.post("/", data={"text": "a" * 2000})
        assert page.status_code == 413 and "Kiriman terlalu besar" in page.text
        read = 0

        async def endless():  # type: ignore[no-untyped-def]
            nonlocal read
            while True:
                read += 100
                yield b"x" * 100

        form = {"content-type": "application/x-www-form-urlencoded"}
        assert (await web.browser.post("/", content=endless(), headers=form)).status_code == 413
        assert read <= 1200


async def test_nobody_reads_more_than_they_should_on_the_public_page(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.answered(
            text=f"Saya {NAME}, HP 0811 0000 0001. Jalan provinsi di Batang berlubang parah"
        )
        await web.hub.note(receipt.case_id, "Catatan untuk petugas saja", ADMIN)
        page = await web.browser.get(f"/t/{receipt.ticket}")
        assert page.status_code == 200
        for hidden in (NAME, PHONE, "0811 0000 0001", "Catatan untuk petugas", ADMIN.id, "unit-demo"):
            assert hidden not in page.text
        assert ANSWER in page.text and "berlubang parah" in page.text
        assert "Admin Disposisi" in page.text and "Dinas Pekerjaan Umum" in page.text
        assert page.headers["x-robots-tag"].startswith("noindex")
        assert page.headers["referrer-policy"] == "no-referrer"


async def test_a_private_report_shows_its_way_but_not_its_words(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.answered(private=True)
        page = await web.browser.get(f"/t/{receipt.ticket}")
        assert "Isi laporan ini rahasia" in page.text and "Sudah ditanggapi" in page.text
        assert "berlubang" not in page.text and ANSWER not in page.text
        assert "berlubang" in (await web.browser.get(web.link(receipt))).text


async def test_the_reporter_reads_their_own_words_unredacted(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        text = "Jalan provinsi di Batang berlubang, hubungi 0811 0000 0001 jika perlu"
        receipt = await web.report(text=text)
        assert "0811 0000 0001" not in (await web.browser.get(f"/t/{receipt.ticket}")).text
        assert text in (await web.browser.get(web.link(receipt))).text


@pytest.mark.parametrize("k", ["", "salah", "é" * 24, "\0"])
async def test_a_wrong_token_opens_nothing(tmp_path: Path, k: str) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report(private=True)
        page = await web.browser.get(f"/t/{receipt.ticket}", params={"k": k})
        assert page.status_code == 403 and "Kode tidak cocok" in page.text
        assert "berlubang" not in page.text
        for action in ("messages", "do/reopen"):
            sent = await web.browser.post(f"/t/{receipt.ticket}/{action}", data={"k": k, "text": "halo"})
            assert sent.status_code == 404
        assert web.case(receipt.ticket).messages == 1


async def test_the_code_can_be_typed_instead_of_following_the_link(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report()
        token = web.hub.tracking_token(receipt.case_id)
        sent = await web.browser.post(f"/t/{receipt.ticket}", data={"k": f" {token} "})
        assert sent.status_code == 303 and sent.headers["location"] == web.link(receipt)


@pytest.mark.parametrize(
    "ticket", ["LGWP-0000-0000-0001", "x", "..%2f..", "%00", "a" * 500, "LGWP%E2%80%AE1"]
)
async def test_an_unknown_ticket_is_a_helpful_404(tmp_path: Path, ticket: str) -> None:
    async with web_on(tmp_path) as web:
        page = await web.browser.get(f"/t/{ticket}")
        assert page.status_code == 404
        assert "Lacak laporan" in page.text and "\u202e" not in page.text


async def test_a_ticket_is_found_however_it_is_typed(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report()
        typed = receipt.ticket.lower().replace("-", " ")
        found = await web.browser.get("/lacak", params={"nomor": typed})
        assert found.status_code == 303 and found.headers["location"] == f"/t/{receipt.ticket}"
        assert (await web.browser.get("/lacak")).status_code == 200
        missed = await web.browser.get("/lacak", params={"nomor": SCRIPT})
        assert missed.status_code == 404 and SCRIPT not in missed.text


async def test_the_reporter_completes_answers_and_is_heard_once(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report(text="Tolong pak", location=None)
        page = await web.browser.get(web.link(receipt))
        assert "Masih perlu dilengkapi" in page.text and "apa yang terjadi" in page.text
        action = f"/t/{receipt.ticket}/messages"
        fields = {
            **hidden_fields(page.text, action),
            "text": "Lampu jalan provinsi mati di Jalan Contoh, Batang",
        }
        for _ in range(2):
            sent = await web.browser.post(action, data=fields)
            assert sent.status_code == 303
        assert "Pesan Anda sudah kami terima" in (await web.browser.get(sent.headers["location"])).text
        state = web.case(receipt.ticket)
        assert (state.messages, state.status, state.missing) == (2, "received", ())


async def test_what_is_missing_is_asked_for_by_fields_of_its_own(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report(
            phone=None, name=None, location=None, text="Lampu jalan mati sejak kemarin malam"
        )
        action = f"/t/{receipt.ticket}/messages"
        wrong = await web.submit(web.link(receipt), action, {"phone": "nol", "place": "Jalan Contoh, Batang"})
        assert (
            wrong.status_code == 422 and 'value="nol"' in wrong.text and "Jalan Contoh, Batang" in wrong.text
        )
        given = {"phone": "0811 0000 0001", "place": "Jalan Contoh, Batang"}
        assert (await web.submit(web.link(receipt), action, given)).status_code == 303
        state = web.case(receipt.ticket)
        assert (state.missing, state.status, state.known) == ((), "received", ("phone",))
        assert "0811" not in (await web.browser.get(f"/t/{receipt.ticket}")).text.split("<footer>")[0]


async def test_an_empty_message_is_refused_with_words(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report()
        page = await web.submit(web.link(receipt), f"/t/{receipt.ticket}/messages", {"text": "  "})
        assert page.status_code == 422 and "Bagian ini perlu diisi" in page.text


async def test_the_reporter_rates_once_it_is_answered(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.answered()
        action = f"/t/{receipt.ticket}/do/rate"
        nothing = await web.submit(web.link(receipt), action, {"f_comment": "Terima kasih <3"})
        assert nothing.status_code == 422 and "Terima kasih &lt;3" in nothing.text
        rated = await web.submit(web.link(receipt), action, {"f_rating": "5"})
        assert rated.status_code == 303
        assert (web.case(receipt.ticket).rating, web.case(receipt.ticket).status) == (5, "closed")


async def test_the_reporter_reopens_only_within_its_time(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.answered()
        await web.hub.act(receipt.case_id, "close", {}, ADMIN)
        web.clock.forward(days=11)
        action = f"/t/{receipt.ticket}/do/reopen"
        late = await web.submit(web.link(receipt), action, {"f_reason": "Lubangnya muncul lagi"})
        assert late.status_code == 409
        assert "Batas waktu" in late.text and "Lubangnya muncul lagi" in late.text
        web.clock.forward(days=-10)
        assert (
            await web.submit(web.link(receipt), action, {"f_reason": "Lubangnya muncul lagi"})
        ).status_code == 303
        assert web.case(receipt.ticket).status == "verified"


async def test_the_reporter_cannot_do_what_is_staffs(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report()
        token = web.hub.tracking_token(receipt.case_id)
        for transition, status in (("dispose", 403), ("close", 409), ("nonsense", 404)):
            sent = await web.browser.post(
                f"/t/{receipt.ticket}/do/{transition}", data={"k": token, "f_unit": UNIT}
            )
            assert sent.status_code == status
        assert web.case(receipt.ticket).status == "received"


async def test_what_anybody_writes_is_never_markup(tmp_path: Path) -> None:
    evil = f'Jalan rusak di Batang {SCRIPT} "><img src=x onerror=alert(1)>'
    async with web_on(tmp_path) as web:
        receipt = await web.report(text=evil)
        await web.hub.act(receipt.case_id, "dispose", {"unit": UNIT, "note": evil}, ADMIN)
        await web.hub.act(receipt.case_id, "respond", {"response": evil}, unit_admin(UNIT))
        await web.hub.act(receipt.case_id, "approve", {}, ADMIN)
        await web.hub.note(receipt.case_id, evil, ADMIN)
        await web.sign_in("gubernur")
        for page in (
            f"/t/{receipt.ticket}",
            web.link(receipt),
            "/staff",
            f"/staff?q={SCRIPT}",
            f"/staff/cases/{receipt.ticket}",
            f"/staff/sign-in?next={SCRIPT}",
        ):
            html = (await web.browser.get(page)).text
            assert SCRIPT not in html and "<img" not in html, page


async def test_the_language_is_switched_and_remembered(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        assert '<html lang="id">' in (await web.browser.get("/")).text
        page = await web.browser.get("/?lang=en")
        assert '<html lang="en">' in page.text and "Send report" in page.text
        assert "Send report" in (await web.browser.get("/")).text
        receipt = await web.report()
        own = await web.browser.get(web.link(receipt))
        assert "Received" in own.text and f"/t/{receipt.ticket}?k=" in own.text and "lang=id" in own.text
        assert "Kirim laporan" in (await web.browser.get("/?lang=id")).text
        assert '<html lang="id">' in (await web.browser.get("/?lang=xx")).text


async def test_several_governments_have_a_form_each(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        assert (await web.browser.get(f"/p/{PROFILE}/")).status_code == 200
        assert (await web.browser.get("/p/nowhere/")).status_code == 404


async def test_every_page_is_shielded_and_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        cases = await a_day(web)
        await web.sign_in("gubernur")
        pages = [
            "/",
            "/lacak",
            "/t/none",
            web.link(cases["answered"]),
            "/staff",
            f"/staff/cases/{cases['new'].ticket}",
        ]
        for path in [*pages, "/healthz", "/api/v1/complaints/none", "/nowhere"]:
            page = await web.browser.get(path)
            policy = page.headers["content-security-policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy and "*" not in policy
            assert page.headers["x-content-type-options"] == "nosniff"
            assert page.headers["strict-transport-security"]
        for path in pages:
            html = (await web.browser.get(path)).text
            assert not re.search(r"<style|<script(?! src=\"/static)| style=| on\w+=\"", html), path
            assert not re.search(r'(?:src|href|action)="(?:https?:)?//', html), path
            assert html.count("<h1") == 1, path


async def test_styles_and_scripts_are_kept_and_a_page_is_small(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        page = await web.browser.get("/", headers={"accept-encoding": "gzip"})
        size = int(page.headers["content-length"])
        for link in re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text):
            part = await web.browser.get(link, headers={"accept-encoding": "gzip"})
            assert "immutable" in part.headers["cache-control"]
            size += int(part.headers["content-length"])
            again = await web.browser.get(link, headers={"if-none-match": part.headers["etag"]})
            assert again.status_code == 304
        assert size <= 60_000
        assert (await web.browser.get("/static/hub.css?v=old")).headers["cache-control"] == "no-cache"
        assert (await web.browser.get("/static/nothing.css")).status_code == 404


async def test_a_broken_hub_answers_with_a_calm_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with web_on(tmp_path) as web:

        def broken(_: str) -> None:
            raise RuntimeError("disk full at /secret/path")

        monkeypatch.setattr(web.hub, "case", broken)
        page = await web.browser.get("/t/LGWP-0000-0000-0000")
        assert page.status_code == 500 and "secret" not in page.text
        assert "Terjadi kesalahan" in page.text and "default-src" in page.headers["content-security-policy"]
        problem = await web.browser.get("/api/v1/complaints/LGWP-0000-0000-0000")
        assert problem.headers["content-type"] == "application/problem+json" and "secret" not in problem.text


async def test_the_same_phone_is_the_same_reporter_however_it_is_written(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        seen: list[Inbound] = []
        receive = web.hub.receive

        async def spy(profile: str, channel: str, inbound: Inbound) -> object:
            seen.append(inbound)
            return await receive(profile, channel, inbound)

        web.hub.receive = spy  # type: ignore[assignment, method-assign]
        for phone in ("0811 1000 0001", "+62811-1000-0001"):
            await web.browser.post("/", data={**REPORT, "phone": phone})
        assert len({inbound.author_id for inbound in seen}) == 1
        assert len({inbound.thread for inbound in seen}) == 2
