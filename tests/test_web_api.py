"""What programs meet: the API, the hooks, and what watches over them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from support import COMPLETE
from web_hub import ANSWER, NAME, OTHER_UNIT, PHONE, PROFILE, PUBLIC_URL, UNIT, Web, a_day, web_on

from laporhub.pipeline.tracking import Query

API = "/api/v1"
BODY: dict[str, Any] = {
    "text": COMPLETE,
    "phone": "0811 0000 0001",
    "name": NAME,
    "location": {"address": "Jalan Contoh", "district": "Batang"},
}


def is_problem(answer: Any, status: int) -> bool:
    body = answer.json()
    return bool(
        answer.status_code == status
        and answer.headers["content-type"] == "application/problem+json"
        and body["status"] == status
        and body["title"]
        and body["detail"]
        and body["type"]
    )


def count(web: Web) -> int:
    return len(web.hub.tracking.find(Query((PROFILE,)), web.clock()).cases)


async def test_a_complaint_is_taken_and_can_be_followed(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        sent = await web.browser.post(f"{API}/complaints", json=BODY, headers={"Idempotency-Key": "a"})
        assert sent.status_code == 201
        receipt = sent.json()
        assert {"ticket", "tracking_token", "status", "received_at"} <= set(receipt)
        assert receipt["status"] == "received"
        public = (await web.browser.get(f"{API}/complaints/{receipt['ticket']}")).json()
        assert public["status"] == "received" and public["status_title"] == "Diterima"
        assert NAME not in str(public) and PHONE not in str(public)
        path, token = f"{API}/complaints/{receipt['ticket']}", receipt["tracking_token"]
        by_header = await web.browser.get(path, headers={"Authorization": f"Bearer {token}"})
        by_query = await web.browser.get(path, params={"token": token})
        assert by_header.json() == by_query.json()
        assert by_header.json()["conversation"][0]["text"] == COMPLETE


async def test_a_complaint_by_app_is_taken_on_its_own_channel(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        sent = await web.browser.post(f"{API}/complaints?channel=app", json=BODY)
        assert sent.status_code == 201
        state = web.case(sent.json()["ticket"])
        assert (state.channel, state.ticket[:4]) == ("app", "LGAP")


async def test_the_same_key_gives_the_same_ticket_but_never_somebody_elses(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        key = {"Idempotency-Key": "1"}
        first = (await web.browser.post(f"{API}/complaints", json=BODY, headers=key)).json()
        again = await web.browser.post(f"{API}/complaints", json=BODY, headers=key)
        assert again.status_code == 201
        assert (again.json()["ticket"], again.json()["tracking_token"]) == (
            first["ticket"],
            first["tracking_token"],
        )
        other = {**BODY, "text": "Lampu jalan provinsi di Contoh mati sejak kemarin malam"}
        stranger = (await web.browser.post(f"{API}/complaints", json=other, headers=key)).json()
        assert stranger["ticket"] != first["ticket"] and count(web) == 2
        without = [
            (await web.browser.post(f"{API}/complaints", json=BODY)).json()["ticket"] for _ in range(2)
        ]
        assert len(set(without)) == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": ""}, "text"),
        ({"text": " \n\0 "}, "text"),
        ({"text": None}, "text"),
        ({"text": "a" * 100_001}, "text"),
        ({"text": 7}, "text"),
        ({"phone": "nol"}, "phone"),
        ({"email": "bukan email"}, "email"),
        ({"location": {"lat": 91, "lon": 0}}, "location.lat"),
        ({"location": "di sana"}, "location"),
        ({"occurred_at": "kemarin"}, "occurred_at"),
        ({"attachments": [{"url": "javascript:alert(1)"}]}, "attachments.0.url"),
        ({"private": "mungkin"}, "private"),
    ],
)
async def test_a_bad_complaint_names_the_field_at_fault(
    tmp_path: Path, change: dict[str, Any], field: str
) -> None:
    async with web_on(tmp_path) as web:
        answer = await web.browser.post(f"{API}/complaints", json={**BODY, **change})
        assert is_problem(answer, 422)
        assert [fault["field"] for fault in answer.json()["errors"]] == [field]
        assert count(web) == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"x"', b'{"text": "\\ud800"}', b"\xff\xfe", b"[" * 5000, b'{"text": NaN}'],
)
async def test_what_is_no_complaint_is_refused(tmp_path: Path, body: bytes) -> None:
    async with web_on(tmp_path) as web:
        headers = {"content-type": "application/json"}
        answer = await web.browser.post(f"{API}/complaints", content=body, headers=headers)
        assert is_problem(answer, 422) or is_problem(answer, 400)


async def test_strange_texts_are_kept_as_text(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        texts = [
            "a" * 100_000,
            "Jalan\0 rusak \u202eparah\u202c",
            "😀 رسالة",
            "<script>alert(1)</script> jalan rusak",
        ]
        for text in texts:
            sent = await web.browser.post(f"{API}/complaints", json={**BODY, "text": text})
            assert sent.status_code == 201
            view = (await web.browser.get(f"{API}/complaints/{sent.json()['ticket']}")).json()
            assert not {"\0", "\u202e"} & set(view["text"])


async def test_a_body_beyond_the_limit_is_413(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        for path in (f"{API}/complaints", "/hooks/twilio"):
            answer = await web.browser.post(path, content=b"x" * (1536 * 1024 + 1))
            assert is_problem(answer, 413)


async def test_a_wrong_token_is_told_and_opens_nothing(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report(private=True)
        path = f"{API}/complaints/{receipt.ticket}"
        for answer in (
            await web.browser.get(path, params={"token": "wrong"}),
            await web.browser.get(path, headers={"Authorization": "Bearer wrong"}),
            await web.browser.get(path, headers={"Authorization": "Basic eDp5"}),
        ):
            assert is_problem(answer, 401) and answer.headers["www-authenticate"].startswith("Bearer")
        assert "text" not in (await web.browser.get(path)).json()
        assert is_problem(await web.browser.get(f"{API}/complaints/LGWP-0000"), 404)


async def test_hatred_is_not_published_before_a_person_has_looked(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report()
        state = web.case(receipt.ticket).model_copy(update={"review": ("sara",)})
        web.hub.case = lambda _: state  # type: ignore[method-assign]
        assert "text" not in (await web.browser.get(f"{API}/complaints/{receipt.ticket}")).json()
        assert "berlubang" not in (await web.browser.get(f"/t/{receipt.ticket}")).text


@pytest.mark.parametrize("path", ["cases", "cases/LGWP-1", "cases/LGWP-1/events", "stats"])
async def test_staff_routes_want_a_token(tmp_path: Path, path: str) -> None:
    async with web_on(tmp_path) as web:
        for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Bearer "}):
            answer = await web.browser.get(f"{API}/{path}", headers=headers)
            assert is_problem(answer, 401) and "www-authenticate" in answer.headers


async def test_a_case_is_worked_through_the_api(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt, admin, unit = await web.report(), web.bearer("disposisi"), web.bearer("pupr")
        path = f"{API}/cases/{receipt.ticket}"
        case = (await web.browser.get(path, headers=admin)).json()
        assert "dispose" in case["actions"] and "respond" not in case["actions"]

        async def do(step: str, who: dict[str, str], **body: object) -> Any:
            return await web.browser.post(f"{path}/actions/{step}", json=body, headers=who)

        stale = await do("dispose", admin, unit=UNIT, seen=case["seq"] - 1)
        assert is_problem(stale, 409) and stale.json()["type"].endswith("conflict")
        disposed = await do("dispose", admin, unit=UNIT, seen=case["seq"])
        assert disposed.status_code == 200 and disposed.json()["unit"] == UNIT
        assert is_problem(await do("approve", unit), 409)
        assert is_problem(await do("respond", admin, response="x"), 403)
        assert is_problem(await do("respond", unit), 422)
        assert is_problem(await do("respond", unit, response=["x"]), 422)
        assert is_problem(await do("respond", unit, response="x", seen="soon"), 422)
        assert is_problem(await do("nonsense", unit), 404)
        assert (await do("respond", unit, fields={"response": ANSWER})).json()["status"] == "drafted"
        assert (await do("approve", admin)).json()["status"] == "answered"
        answered = (await web.browser.get(f"{API}/complaints/{receipt.ticket}")).json()
        assert ANSWER in answered["answers"][0]["text"]
        note = await web.browser.post(f"{path}/notes", json={"text": "Beres"}, headers=admin)
        assert note.status_code == 201


async def test_nothing_sealed_and_no_identity_leaves_by_the_staff_routes(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.answered(
            text=f"Saya {NAME}, HP 0811 0000 0001. Jalan provinsi di Batang berlubang parah"
        )
        who = web.bearer("gubernur")
        for path in ("cases", f"cases/{receipt.ticket}", f"cases/{receipt.ticket}/events"):
            answer = (await web.browser.get(f"{API}/{path}", headers=who)).text
            for hidden in (NAME, "0811 0000 0001", PHONE, "sealed"):
                assert hidden not in answer, path


async def test_lists_and_numbers_stay_within_the_callers_scope(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        cases = await a_day(web)
        theirs = await web.disposed(20, unit=OTHER_UNIT)

        async def listed(name: str, **query: str) -> set[str]:
            answer = await web.browser.get(f"{API}/cases", params=query, headers=web.bearer(name))
            assert answer.status_code == 200
            return {case["ticket"] for case in answer.json()["cases"]}

        mine = {cases["disposed"].ticket, cases["answered"].ticket}
        assert await listed("pupr") == mine
        assert await listed("pupr", unit=OTHER_UNIT) == set()
        assert await listed("perhubungan") == {theirs.ticket}
        assert await listed("x") == set() and await listed("x", channel="web") == set()
        assert await listed("tanpa-unit") == set()
        assert cases["private"].ticket not in await listed("pimpinan")
        assert await listed("gubernur", overdue="true") == {cases["late"].ticket}
        assert await listed("gubernur", channel="whatsapp") == {cases["whatsapp"].ticket}
        assert await listed("gubernur", q="pungutan", status="received") == {cases["private"].ticket}
        stats = (await web.browser.get(f"{API}/stats", headers=web.bearer("pupr"))).json()
        assert stats["total"] == 2 and stats["by_unit"] == {UNIT: 2}
        assert is_problem(await web.browser.get(f"{API}/cases", headers=web.bearer("tetangga")), 403)
        denied = await web.browser.get(f"{API}/cases/{theirs.ticket}", headers=web.bearer("pupr"))
        assert is_problem(denied, 404)


async def test_pages_of_cases_join_without_a_gap(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        sent = [(await web.report(number)).ticket for number in range(7)]
        found: list[str] = []
        cursor = None
        while True:
            query = {"limit": "3", **({"cursor": cursor} if cursor else {})}
            page = (
                await web.browser.get(f"{API}/cases", params=query, headers=web.bearer("gubernur"))
            ).json()
            found += [case["ticket"] for case in page["cases"]]
            cursor = page["cursor"]
            if cursor is None:
                break
        assert sorted(found) == sorted(sent)
        bad = await web.browser.get(f"{API}/cases?limit=0", headers=web.bearer("gubernur"))
        assert is_problem(bad, 422)


async def test_a_session_serves_the_api_from_this_site_only(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report()
        await web.sign_in("disposisi")
        path = f"{API}/cases/{receipt.ticket}"
        assert (await web.browser.get(path)).status_code == 200
        foreign = {"sec-fetch-site": "cross-site"}
        assert is_problem(await web.browser.get(path, headers=foreign), 401)
        form = await web.browser.post(f"{path}/actions/verify", data={"x": "1"})
        assert form.status_code == 422
        sneaky = await web.browser.post(f"{path}/actions/verify", json={}, headers=foreign)
        assert is_problem(sneaky, 401) and web.case(receipt.ticket).status == "received"


async def test_what_does_not_exist_is_a_problem_too(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        assert is_problem(await web.browser.get("/api/nowhere"), 404)
        assert is_problem(await web.browser.get("/hooks/nowhere"), 404)
        assert is_problem(await web.browser.delete(f"{API}/complaints"), 405)
        assert is_problem(await web.browser.post(f"{API}/complaints?profile=nowhere", json=BODY), 404)
        assert is_problem(await web.browser.post(f"{API}/complaints?channel=whatsapp", json=BODY), 422)
        page = await web.browser.get("/nowhere")
        assert page.status_code == 404 and "<html" in page.text


async def test_openapi_describes_the_api_and_not_the_pages(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        paths = (await web.browser.get("/api/openapi.json")).json()["paths"]
        assert {f"{API}/complaints", f"{API}/cases", f"{API}/stats"} <= set(paths)
        assert all(path.startswith(("/api/", "/hooks/")) for path in paths)


def signed(path: str, fields: dict[str, str], token: str = "t" * 32) -> dict[str, Any]:
    text = PUBLIC_URL + path + "".join(name + fields[name] for name in sorted(fields))
    signature = base64.b64encode(hmac.digest(token.encode(), text.encode(), hashlib.sha1)).decode()
    headers = {"X-Twilio-Signature": signature, "content-type": "application/x-www-form-urlencoded"}
    return {"content": urlencode(fields), "headers": headers}


MESSAGE = {
    "MessageSid": "SM" + "1" * 32,
    "AccountSid": "AC" + "0" * 32,
    "From": "whatsapp:+6281100000007",
    "To": "whatsapp:+628112920200",
    "Body": COMPLETE,
    "NumMedia": "0",
}


@pytest.mark.parametrize("path", ["/hooks/twilio", f"/hooks/twilio?profile={PROFILE}"])
async def test_a_signed_hook_becomes_a_case_once(tmp_path: Path, path: str) -> None:
    async with web_on(tmp_path) as web:
        for _ in range(2):
            answer = await web.browser.post(path, **signed(path, MESSAGE))
            assert (answer.status_code, answer.text) == (200, "<Response/>")
            assert answer.headers["content-type"].startswith("text/xml")
        assert count(web) == 1


async def test_a_forged_hook_is_refused_and_counted(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        for forged in (
            signed("/hooks/twilio", MESSAGE, token="guessed"),
            signed("/hooks/elsewhere", MESSAGE),
            {"data": MESSAGE},
        ):
            assert is_problem(await web.browser.post("/hooks/twilio", **forged), 403)
        assert count(web) == 0
        assert (
            'laporhub_hooks_forged_total{connector="twilio"} 3.0' in (await web.browser.get("/metrics")).text
        )


async def test_it_says_whether_it_lives_and_whether_it_can_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with web_on(tmp_path) as web:
        assert (await web.browser.get("/healthz")).status_code == 200
        assert (await web.browser.get("/readyz")).status_code == 200
        monkeypatch.setattr(web.hub, "ready", lambda: {"database": "ok", "engine": "disk full"})
        answer = await web.browser.get("/readyz")
        assert answer.status_code == 503 and answer.json()["parts"]["engine"] == "disk full"


async def test_requests_are_counted_by_route_not_by_ticket(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report()
        await web.browser.get(f"/t/{receipt.ticket}")
        await web.browser.get(f"{API}/complaints/{receipt.ticket}")
        await web.browser.request("BREW", "/nowhere/in/particular")
        text = (await web.browser.get("/metrics")).text
        assert 'laporhub_http_requests_total{method="GET",route="/t/{ticket}",status="200"} 1.0' in text
        assert 'route="/api/v1/complaints/{ticket}"' in text
        assert 'method="OTHER",route="unmatched"' in text
        assert receipt.ticket not in text
