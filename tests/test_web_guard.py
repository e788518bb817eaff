"""What keeps the pages working, and to their word, when they are pressed or misused."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Awaitable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from structlog.testing import capture_logs
from support import MONDAY
from web_hub import NAME, PHONE, REPORT, Web, web_on

from laporhub.hub.hub import Hub
from laporhub.pipeline.errors import LaporHubError, Misconfigured, RetryLater, StopChannel
from laporhub.pipeline.hub_port import Receipt
from laporhub.web.guard import Attempts, Line

SIGN_IN = "/staff/sign-in"
API = "/api/v1"


def page_of(receipt: Receipt) -> str:
    return f"/staff/cases/{receipt.ticket}"


class SlowPasswords:
    """Instead of looking at passwords: says no, but not before it is let go."""

    def __init__(self, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
        self.looked_at: Counter[str] = Counter()
        self.at_once, self.most_at_once = 0, 0
        self._lock, self._go = threading.Lock(), threading.Event()
        monkeypatch.setattr(web.hub.accounts, "sign_in", self)

    def __call__(self, username: str, *_: object) -> None:
        with self._lock:
            self.looked_at[username] += 1
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        self._go.wait()
        with self._lock:
            self.at_once -= 1

    @contextmanager
    def held(self) -> Any:
        try:
            yield
        finally:
            self._go.set()


def guess(web: Web, username: str) -> Awaitable[Response]:
    return asyncio.create_task(
        web.browser.post(SIGN_IN, data={"username": username, "password": "salah"})  # type: ignore[arg-type]
    )


# ── signing in ──


async def test_guesses_that_come_together_are_counted_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with web_on(tmp_path) as web:
        passwords = SlowPasswords(web, monkeypatch)
        with passwords.held():
            guesses = [guess(web, "disposisi") for _ in range(15)]
            for number, answer in enumerate(asyncio.as_completed(guesses), start=1):
                assert (await answer).status_code == 429
                if number == 10:
                    break
        answers = await asyncio.gather(*guesses)
        assert Counter(answer.status_code for answer in answers) == {401: 5, 429: 10}
        assert passwords.looked_at == {"disposisi": 5}


async def test_citizens_are_served_while_a_crowd_signs_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with web_on(tmp_path) as web:
        passwords = SlowPasswords(web, monkeypatch)
        with passwords.held():
            crowd = [guess(web, f"petugas-{number}") for number in range(60)]
            # Those for whom the line is too long hear it at once.
            for number, answer in enumerate(asyncio.as_completed(crowd), start=1):
                page = await asyncio.wait_for(answer, 60)
                assert page.status_code == 429 and page.headers["retry-after"] == "5"
                assert "Sedang banyak yang masuk" in page.text
                if number == 60 - web.app.state.site.sign_ins.most:
                    break
            page = await asyncio.wait_for(web.browser.get("/"), 60)
            assert page.status_code == 200
        await asyncio.gather(*crowd)
        assert passwords.most_at_once <= 2
        assert (
            await web.sign_in("gubernur")
        ).status_code == 401  # still the stand-in; the line is free again


async def test_a_line_gives_what_the_work_gives_and_is_free_again_after_a_fault() -> None:
    line = Line(threads=1, most=1)
    assert await line.run(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await line.run(divmod, 7, 0)
    go = threading.Event()
    try:
        working = asyncio.create_task(line.run(go.wait))
        await asyncio.sleep(0)
        assert line.full
        with pytest.raises(RetryLater):
            await line.run(divmod, 7, 2)
    finally:
        go.set()
    assert await working and not line.full


def test_one_address_cannot_try_many_names() -> None:
    attempts = Attempts(by_address=10)
    for number in range(10):
        assert not attempts.blocked(f"user-{number}", "a", MONDAY)
        attempts.failed(f"user-{number}", "a", MONDAY)
    assert attempts.blocked("somebody-else", "a", MONDAY)
    assert not attempts.blocked("somebody-else", "b", MONDAY)


def test_signing_in_oneself_does_not_make_room_for_more_guesses() -> None:
    attempts = Attempts(by_address=10)
    for number in range(9):
        attempts.failed(f"user-{number}", "a", MONDAY)
    for _ in range(20):
        assert not attempts.blocked("myself", "a", MONDAY)
        attempts.failed("myself", "a", MONDAY)
        attempts.succeeded("myself", "a")
    attempts.failed("user-9", "a", MONDAY)
    assert attempts.blocked("myself", "a", MONDAY)


async def test_an_office_behind_one_address_signs_in(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        web.enrol("disposisi")
        for _ in range(60):
            assert (await web.sign_in("disposisi")).status_code == 303


# ── notes and identities ──


async def test_who_only_reads_writes_no_notes(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        receipt = await web.report()
        await web.sign_in("pimpinan")
        page = await web.browser.get(page_of(receipt))
        assert page.status_code == 200 and "Simpan catatan" not in page.text
        sent = await web.browser.post(f"{page_of(receipt)}/notes", data={"csrf": web.csrf(), "text": "Halo"})
        assert sent.status_code == 403
        address = f"{API}/cases/{receipt.ticket}/notes"
        for name, status in (("pimpinan", 403), ("disposisi", 201)):
            answer = await web.browser.post(address, json={"text": "Halo"}, headers=web.bearer(name))
            assert answer.status_code == status, name
        await web.sign_in("disposisi")
        assert "Simpan catatan" in (await web.browser.get(page_of(receipt))).text


async def test_who_reports_without_a_name_is_shown_to_nobody(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        open_one = await web.report(1)
        nameless = await web.report(2, anonymous=True, name=NAME, phone=PHONE)
        await web.sign_in("gubernur")
        assert "Tampilkan identitas" in (await web.browser.get(page_of(open_one))).text
        page = await web.browser.get(page_of(nameless))
        assert page.status_code == 200 and "Tampilkan identitas" not in page.text
        fields = {"csrf": web.csrf(), "reason": "Ingin tahu"}
        answer = await web.browser.post(f"{page_of(nameless)}/identity", data=fields)
        assert answer.status_code == 403 and NAME not in answer.text and PHONE not in answer.text


# ── faults that are not the visitor's ──


def failing(web: Web, monkeypatch: pytest.MonkeyPatch, error: LaporHubError) -> None:
    async def receive(*_: object) -> Receipt:
        raise error

    monkeypatch.setattr(web.hub, "receive", receive)


async def test_a_busy_hub_asks_the_sender_to_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with web_on(tmp_path) as web:
        failing(web, monkeypatch, RetryLater("the writer is busy", after=7))
        page = await web.browser.post("/", data=REPORT)
        assert (page.status_code, page.headers["retry-after"]) == (503, "7")
        assert REPORT["text"] in page.text and "coba kirim lagi" in page.text
        answer = await web.browser.post(f"{API}/complaints", json={"text": REPORT["text"]})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")


@pytest.mark.parametrize("kind", [Misconfigured, StopChannel])
async def test_what_the_operator_must_mend_is_told_to_the_operator_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[LaporHubError]
) -> None:
    async with web_on(tmp_path) as web:
        failing(web, monkeypatch, kind("LAPORHUB_SECRET in settings.yaml is wrong"))
        with capture_logs() as logs:
            page = await web.browser.post("/", data=REPORT)
            answer = await web.browser.post(f"{API}/complaints", json={"text": REPORT["text"]})
        for sent in (page, answer):
            assert sent.status_code >= 500 and "settings.yaml" not in sent.text
        assert "Pengelola perlu memperbaikinya" in page.text
        assert ["settings.yaml" in entry["detail"] for entry in logs if "detail" in entry] == [True, True]


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ({"database": "ok", "engine": "ok", "accounts": "stopped: wa-1"}, 200),
        ({"database": "ok", "engine": "disk full", "accounts": "ok"}, 503),
        ({"database": "cannot be read", "engine": "ok", "accounts": "ok"}, 503),
    ],
)
async def test_a_platform_that_refuses_us_does_not_take_the_hub_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parts: dict[str, str], status: int
) -> None:
    async with web_on(tmp_path) as web:
        monkeypatch.setattr(Hub, "ready", lambda _: parts)
        answer = await web.browser.get("/readyz")
        assert answer.status_code == status
        assert answer.json() == {"ready": status == 200, "parts": parts}
        metrics = (await web.browser.get("/metrics")).text
        for name, state in parts.items():
            assert f'laporhub_part_ok{{part="{name}"}} {float(state == "ok")}' in metrics


# ── size ──


async def test_the_longest_text_fits_however_it_is_written(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        longest = "\N{POLICE CARS REVOLVING LIGHT}" * 100_000
        sent = await web.browser.post(f"{API}/complaints", json={"text": longest})
        assert sent.status_code == 201
        escaped = '{"text": "' + "\\ud83d\\udea8" * 100_000 + '"}'
        kind = {"content-type": "application/json"}
        sent = await web.browser.post(f"{API}/complaints", content=escaped, headers=kind)
        assert sent.status_code == 201
        assert (await web.browser.post("/", data={**REPORT, "text": longest})).status_code == 200
