"""Every role tries every page and endpoint on every kind of case: it gets in exactly where the profile lets it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from support import ADMIN, form, laporgub, whatsapp
from test_erasing import photo
from web_hub import NAME, PASSWORD, PHONE, PROFILE, SECRET, STAFF, UNIT, Web, web_on

from laporhub.hub.compose import keeper
from laporhub.pipeline.access import eyes_of
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.handover import may_hand_over
from laporhub.pipeline.papers import offered
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.workflow import allowed, may_confide, may_note, may_see, may_speak, may_unseal
from laporhub.web.guard import csrf_token

BOOK = laporgub()
CONFIDED = "Pelakunya bendahara desa"
Right = Callable[[Rulebook, CaseState, Actor], bool]


def may_step(book: Rulebook, state: CaseState, actor: Actor) -> bool:
    return STEP in {name for name, _ in allowed(book, state, actor)}


def may_see_files(book: Rulebook, state: CaseState, actor: Actor) -> bool:
    return may_see(book, state, actor) and "files" not in eyes_of(book, actor.role).hides


def may_have_papers(book: Rulebook, state: CaseState, actor: Actor) -> bool:
    return bool(offered(book, state, actor))


def may_have_the_file(book: Rulebook, state: CaseState, actor: Actor) -> bool:
    return may_see(book, state, actor) and may_hand_over(book, state, actor)


STEP = "verify"
CASES: dict[tuple[str, str], Right] = {
    ("GET", "/staff/cases/{ticket}"): may_see,
    ("POST", "/staff/cases/{ticket}/do/{transition}"): may_step,
    ("POST", "/staff/cases/{ticket}/notes"): may_note,
    ("POST", "/staff/cases/{ticket}/identity"): may_unseal,
    ("POST", "/staff/cases/{ticket}/confidential/open"): may_confide,
    ("POST", "/staff/cases/{ticket}/confidential"): may_confide,
    ("POST", "/staff/cases/{ticket}/replies/{reply_id}/conveyed"): may_speak,
    ("POST", "/staff/cases/{ticket}/replies/{reply_id}/elsewhere"): may_speak,
    ("GET", "/staff/cases/{ticket}/files/{name}"): may_see_files,
    ("GET", "/staff/cases/{ticket}/documents/{name}.pdf"): may_have_papers,
    ("GET", "/staff/cases/{ticket}/hand-over.zip"): may_have_the_file,
    ("GET", "/api/v1/cases/{ticket}"): may_see,
    ("GET", "/api/v1/cases/{ticket}/events"): may_see,
    ("POST", "/api/v1/cases/{ticket}/actions/{transition}"): may_step,
    ("POST", "/api/v1/cases/{ticket}/notes"): may_note,
    ("POST", "/api/v1/cases/{ticket}/identity"): may_unseal,
    ("GET", "/api/v1/cases/{ticket}/confidential"): may_confide,
    ("POST", "/api/v1/cases/{ticket}/confidential"): may_confide,
}
"""What is about one case, and who may."""

LISTS = {("GET", "/staff"), ("GET", "/api/v1/cases"), ("GET", "/api/v1/stats")}
OWN = {
    ("GET", "/t/{ticket}"),
    ("POST", "/t/{ticket}"),
    ("POST", "/t/{ticket}/messages"),
    ("POST", "/t/{ticket}/do/{transition}"),
    ("POST", "/t/{ticket}/confidential"),
    ("GET", "/t/{ticket}/files/{name}"),
    ("GET", "/t/{ticket}/documents/{name}.pdf"),
    ("GET", "/api/v1/complaints/{ticket}"),
    ("GET", "/api/v1/complaints/{ticket}/confidential"),
    ("POST", "/api/v1/complaints/{ticket}/confidential"),
}
"""The reporter's, with the token."""
ELSEWHERE = {
    *((method, path) for method in ("GET", "POST") for path in ("/", "/p/{profile}/", "/staff/sign-in")),
    *(("POST", path) for path in ("/staff/sign-out", "/api/v1/complaints")),
    *((method, "/staff/desk/{channel}") for method in ("GET", "POST")),
    *((method, f"/hooks/{{provider}}{rest}") for method in ("GET", "POST") for rest in ("", "/{rest:path}")),
    *(
        ("GET", path)
        for path in (
            "/standar",
            "/p/{profile}/standar",
            "/lacak",
            "/staff/channels",
            "/healthz",
            "/readyz",
            "/metrics",
            "/robots.txt",
        )
    ),
    *(("GET", path) for path in ("/static/{name}", "/api/openapi.json", "/api/v1/reports/{period}")),
    *((method, "/staff/inbox") for method in ("GET", "POST")),
    *(("GET", f"/staff/reports{rest}") for rest in ("", "/report.css", "/{period}/{form}")),
}
"""What is about no case. Whose it is has tests of its own."""


def routes(of: Iterable[Any]) -> Iterator[tuple[str, str]]:
    for route in of:
        if hasattr(route, "path"):
            yield from ((method, route.path) for method in route.methods if method != "HEAD")
        else:
            yield from routes(route.original_router.routes)


async def test_every_address_has_its_place_in_this_table(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        assert set(routes(web.app.routes)) == set(CASES) | LISTS | OWN | ELSEWHERE


@dataclass
class Somebody:
    """A member of staff at a browser of their own, and with an API token."""

    name: str
    browser: httpx.AsyncClient
    bearer: dict[str, str]

    @property
    def actor(self) -> Actor:
        account = STAFF[self.name]
        return Actor(id=account.username, role=account.role, unit=account.unit)

    async def tries(self, method: str, path: str, state: CaseState, reply: str, file: str) -> httpx.Response:
        address = path.format(ticket=state.ticket, transition=STEP, reply_id=reply, name=file)
        if path.startswith("/api"):
            body = {"text": "Halo", "reason": "mencoba"} if "actions" not in path else {}
            given: dict[str, Any] = {} if method == "GET" else {"json": body}
            return await self.browser.request(method, address, headers=self.bearer, **given)
        if method == "GET":
            return await self.browser.get(address)
        secret = self.browser.cookies.get("__Host-laporhub", "")
        data = {"csrf": csrf_token(SECRET, secret), "text": "Halo", "reason": "mencoba", "channel": "x"}
        return await self.browser.post(address, data=data)


async def at_the_desk(web: Web, name: str) -> Somebody:
    bearer, browser = web.bearer(name), web.another_browser()
    signed = await browser.post("/staff/sign-in", data={"username": name, "password": PASSWORD})
    assert signed.status_code == 303
    return Somebody(name, browser, bearer)


async def a_case(web: Web, kind: str, number: int) -> CaseState:
    if kind == "whatsapp":
        receipt = await web.hub.receive(PROFILE, "whatsapp", whatsapp(number))
    else:
        flags = {"private": kind == "private", "anonymous": kind == "anonymous"}
        receipt = await web.hub.receive(PROFILE, "web", form(number, files=(photo(number % 250),), **flags))
        await keeper(web.hub, {}).keep_due()
    me = Actor(id=web.case(receipt.ticket).reporter, role="reporter")
    await web.hub.confide(receipt.case_id, CONFIDED, me, "k")
    if kind == "disposed":
        await web.hub.act(receipt.case_id, "dispose", {"unit": UNIT}, ADMIN)
    return web.case(receipt.ticket)


@pytest.mark.parametrize("kind", ["open", "private", "disposed", "anonymous", "whatsapp"])
async def test_everybody_gets_in_where_the_profile_says_and_nowhere_else(tmp_path: Path, kind: str) -> None:
    async with web_on(tmp_path) as web:
        number, shared = 1, await a_case(web, kind, 1)
        tried = {True: 0, False: 0}
        for name in STAFF:
            somebody = await at_the_desk(web, name)
            serves = PROFILE in STAFF[name].profiles
            for (method, path), right in CASES.items():
                number += right is may_step  # a step moves the case: everybody tries it on one of their own
                state = await a_case(web, kind, number) if right is may_step else shared
                reply = next(iter(state.replies), "r_none")
                files = web.hub.files(state.id)
                if ("files" in path and not files) or ("replies" in path and kind != "whatsapp"):
                    continue
                file = files[0].id if files else ""
                may = serves and right(BOOK, state, somebody.actor)
                wrong_state = right is may_step and state.status not in ("received", "needs_info")
                answer = await somebody.tries(method, path, state, reply, file)
                got_in = answer.status_code not in (401, 403, 404)
                assert got_in == may or (wrong_state and answer.status_code == 409), (
                    name,
                    method,
                    path,
                    answer.status_code,
                )
                tried[may] += 1
                unseals = right is may_unseal and may
                assert unseals or (NAME not in answer.text and PHONE not in answer.text), (name, path)
                opens = right is may_confide and may and "Halo" not in str(answer.request.content)
                assert opens or CONFIDED not in answer.text or path.endswith("open"), (name, path)
            await somebody.browser.aclose()
        assert tried[False] > 50 and tried[True] > (3 if kind == "disposed" else 10)


async def test_lists_and_numbers_hold_exactly_what_one_may_see(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        states = [await a_case(web, kind, n) for n, kind in enumerate(KINDS, 1)]
        for name in STAFF:
            somebody = await at_the_desk(web, name)
            mine = {
                state.ticket
                for state in states
                if PROFILE in STAFF[name].profiles and may_see(BOOK, state, somebody.actor)
            }
            answer = await somebody.browser.get("/api/v1/cases", headers=somebody.bearer)
            numbers = await somebody.browser.get("/api/v1/stats", headers=somebody.bearer)
            page = await somebody.browser.get("/staff?tab=all")
            if PROFILE not in STAFF[name].profiles:
                assert {answer.status_code, numbers.status_code, page.status_code} == {403}
            else:
                assert {each["ticket"] for each in answer.json()["cases"]} == mine, name
                assert numbers.json()["total"] == len(mine), name
                assert {state.ticket for state in states if state.ticket in page.text} == mine, name
            await somebody.browser.aclose()


KINDS = ("open", "private", "disposed", "anonymous", "whatsapp")


async def test_nobody_who_is_not_signed_in_gets_in_anywhere(tmp_path: Path) -> None:
    async with web_on(tmp_path) as web:
        state = await a_case(web, "disposed", 1)
        stranger = Somebody("x", web.another_browser(), {"Authorization": "Bearer nothing"})
        for method, path in [*CASES, *LISTS]:
            answer = await stranger.tries(method, path, state, "r", "f")
            to_sign_in = method == "GET" and not path.startswith("/api")
            assert answer.status_code == (303 if to_sign_in else 401), path
            assert not to_sign_in or answer.headers["location"].startswith("/staff/sign-in"), path
            assert NAME not in answer.text and "berlubang" not in answer.text, path
        await stranger.browser.aclose()


@pytest.mark.parametrize("token", ["", "salah", "another"])
async def test_the_reporters_pages_open_with_their_own_token_only(tmp_path: Path, token: str) -> None:
    async with web_on(tmp_path) as web:
        state, other = await a_case(web, "private", 1), await a_case(web, "private", 2)
        k = web.hub.tracking_token(other.id) if token == "another" else token
        file = web.hub.files(state.id)[0].id
        for method, path in OWN:
            address = path.format(ticket=state.ticket, transition="close", name=file)
            given: dict[str, Any] = {"params": {"k": k, "token": k}}
            if method == "POST":
                given |= (
                    {"json": {"text": "x"}} if path.startswith("/api") else {"data": {"k": k, "text": "x"}}
                )
            answer = await web.browser.request(method, address, **given)
            for secret in ("berlubang", CONFIDED, NAME, PHONE):
                assert secret not in answer.text, path
            if path != "/t/{ticket}":  # what everybody may know of it
                assert answer.status_code in (401, 404), (path, answer.status_code)
        assert web.case(state.ticket).seq == state.seq
