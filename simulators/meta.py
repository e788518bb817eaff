"""A Graph API to talk to: Meta's wire format and rules, with citizens on Facebook and Instagram on the other end.

An ASGI app. Objects are where Meta has them, `/v25.0/<object>/<edge>`; `/` shows what was said, to read and to write as
a citizen. Webhooks are signed like Meta's, over bytes with escaped unicode. Time and chance come from outside.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import random
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from laporhub.simulators import meta_api, meta_page, meta_rules
from laporhub.simulators.citizens import DemoComplaint
from laporhub.simulators.meta_answers import Failure, Logged, failed, refused
from laporhub.simulators.meta_api import Form, Refused
from laporhub.simulators.meta_network import Event, Network, Said, Where
from laporhub.simulators.serving import serving

_AGAIN_AFTER = 5.0
"""Seconds until a webhook that was not taken is posted again."""


class MetaSimulator:
    """One app with a page and an Instagram account, whose token is the page's.

    Webhooks wait for `deliver()`, unless `automatic`. `failures` is the queue of what goes wrong with the next thing
    written, `read_failures` with the next read; `dead` are tokens that ended; `log` is what was asked.
    """

    provider = "meta"

    def __init__(
        self,
        network: Network,
        hook_url: str,
        *,
        app_secret: str = "rahasia-aplikasi",  # noqa: S107 - made up
        verify_token: str = "kata-sandi-hook",  # noqa: S107
        token: str = "EAAsimulasi",  # noqa: S107
        automatic: bool = False,
        calls_an_hour: int = 100_000,
    ) -> None:
        self.network = network
        self.hook_url = hook_url
        self.app_secret, self.verify_token, self.token = app_secret, verify_token, token
        self.calls_an_hour = calls_an_hour
        self.failures: deque[Failure] = deque()
        self.read_failures: deque[Failure] = deque()
        self.dead: set[str] = set()
        self.log: list[Logged] = []
        self.waiting: list[Event] = []
        self._automatic = automatic
        self._calls: deque[datetime] = deque()
        self._random = random.Random(network.seed)
        self._tasks: set[asyncio.Task[int]] = set()
        self._client: httpx.AsyncClient | None = None
        graph = [Route("/{version}/{node}", self._graph), Route("/{version}/{node}/{edge}", self._graph)]
        for route in graph:
            route.methods = {"GET", "POST"}
        pages = [
            Route("/", self._page, methods=["GET"]),
            Route("/percakapan", self._said, methods=["GET"]),
            Route("/kirim", self._typed, methods=["POST"]),
        ]
        self._app = Starlette(routes=[*pages, *graph])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    async def aclose(self) -> None:
        """Finishes what is on its way, and closes the connections."""
        await asyncio.gather(*self._tasks)
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    # ── as a platform of the demo ──

    @asynccontextmanager
    async def running(
        self, port: int = 0, host: str = "127.0.0.1"
    ) -> AsyncIterator[tuple[str, Mapping[str, str]]]:
        async with serving(self, port, host) as url:
            again = asyncio.create_task(self._again())
            try:
                yield url, self.settings(url)
            finally:
                again.cancel()
                await self.aclose()

    def settings(self, url: str) -> dict[str, str]:
        """What the connector must be told."""
        network = self.network
        return {
            "app_secret": self.app_secret,
            "verify_token": self.verify_token,
            "page_id": network.page_id,
            "page_token": self.token,
            "facebook_account": network.page_name,
            "instagram_id": network.instagram_id,
            "instagram_account": network.handle,
            "graph_url": url,
        }

    async def citizen_writes(self, channel: str, person: DemoComplaint) -> None:
        where: Where = "instagram" if channel == "instagram" else "facebook"
        name = person.name or "Warga Contoh"
        if self._random.random() < 0.5:
            await self.citizen_comments(where, name, person.text)
        else:
            await self.citizen_messages(where, name, person.text)

    # ── the citizens' side ──

    async def citizen_comments(self, where: Where, name: str, text: str, under: Said | None = None) -> Said:
        """Under our latest post there, or under a comment or another post."""
        on = under or next(
            p for p in self.network.posts if p.where == where and p.author == self.network.ours(where)
        )
        said = self.network.comment(on, text, by=name)
        await self._tell(self.network.told_of(said))
        return said

    async def visitor_posts(self, name: str, text: str) -> Said:
        """On our page."""
        said = self.network.post("facebook", text, by=name)
        await self._tell(self.network.told_of(said))
        return said

    async def edits(self, said: Said, text: str) -> None:
        said.text = text
        await self._tell(self.network.told_of(said, "edited"))

    async def takes_back(self, said: Said) -> None:
        """Removes a comment or post, or unsends a message. Instagram tells nothing of comments that are removed."""
        said.is_gone = True
        if said.citizen:
            await self._tell(self.network.message_of(said))
        elif said.where == "facebook":
            await self._tell(self.network.told_of(said, "remove"))

    async def citizen_messages(
        self, where: Where, name: str, text: str, attachments: Sequence[Mapping[str, Any]] = ()
    ) -> Said:
        said = self.network.write(where, name, text, attachments)
        await self._tell(self.network.message_of(said))
        return said

    # ── webhooks ──

    async def _tell(self, event: Event) -> None:
        self.waiting.append(event)
        if self._automatic:
            await self.deliver()

    async def _again(self) -> None:
        """What the hub did not take is posted again and again, as by Meta, only sooner."""
        while True:
            await asyncio.sleep(_AGAIN_AFTER)
            if self._automatic and self.waiting:
                await self.deliver()

    def _tell_soon(self, *events: Event) -> None:
        """From inside a request: the office gets its answer first."""
        self.waiting += events
        if self._automatic:
            task = asyncio.create_task(self.deliver())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def deliver(self, *, times: int = 1, shuffle: bool = False, batch: bool = False) -> int:
        """Posts what waits: repeated, out of order or several in one, if asked. What is not taken waits again.

        How many posts the hub took.
        """
        events, self.waiting = self.waiting * times, []
        if shuffle:
            self._random.shuffle(events)
        taken = 0
        for group in _batches(events) if batch else [[event] for event in events]:
            if await self.post(group) == 200:
                taken += 1
            else:
                self.waiting += group
        return taken

    async def post(self, events: Sequence[Event]) -> int:
        """One webhook, signed. The status that the hub answers; 502 if it does not answer."""
        body = webhook(events)
        self._client = self._client or httpx.AsyncClient(timeout=15, trust_env=False)
        headers = {"X-Hub-Signature-256": sign(self.app_secret, body), "Content-Type": "application/json"}
        try:
            answer = await self._client.post(self.hook_url, content=body, headers=headers)
        except httpx.HTTPError:
            return 502
        return answer.status_code

    async def subscribe(self, challenge: str = "1158201444") -> bool:
        """Asks the hook whether it is ours, as Meta does when its address is set."""
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": self.verify_token}
        async with httpx.AsyncClient(timeout=15, trust_env=False) as client:
            answer = await client.get(self.hook_url, params=query)
        return answer.status_code == 200 and answer.text == challenge

    # ── the Graph API ──

    async def _graph(self, request: Request) -> Response:
        form = await _form(request)
        trace = f"A{self._random.getrandbits(64):016x}"
        try:
            self._admit(request, form)
            response = await self._answer(request, form, trace)
        except Refused as error:
            response = refused(error.refusal, trace)
        percent = min(100, 100 * len(self._calls) // self.calls_an_hour)
        response.headers["X-App-Usage"] = json.dumps(
            {"call_count": percent, "total_time": 1, "total_cputime": 1}
        )
        self.log.append(Logged(request.method, request.url.path, form, response.status_code))
        return response

    def _admit(self, request: Request, form: Form) -> None:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        token = bearer or str(form.get("access_token", ""))
        if request.path_params["version"] not in meta_rules.VERSIONS:
            raise Refused(meta_rules.OLD_VERSION)
        if token in self.dead:
            raise Refused(meta_rules.DEAD_TOKEN)
        if token not in (self.token, f"123|{self.app_secret}"):
            raise Refused(meta_rules.NO_TOKEN)
        if "appsecret_proof" not in form:
            raise Refused(meta_rules.NO_PROOF)
        proof = hmac.new(self.app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        if not compare_digest(proof, str(form["appsecret_proof"])):
            raise Refused(meta_rules.WRONG_PROOF)
        now = self.network.clock()
        while self._calls and now - self._calls[0] >= timedelta(hours=1):
            self._calls.popleft()
        if len(self._calls) >= self.calls_an_hour:
            raise Refused(meta_rules.TOO_MANY)
        self._calls.append(now)

    async def _answer(self, request: Request, form: Form, trace: str) -> Response:
        node, edge = request.path_params["node"], request.path_params.get("edge", "")
        queue = self.failures if request.method == "POST" else self.read_failures
        failure = queue.popleft() if queue else Failure(taken=True)
        if not failure.taken:
            return failed(failure, trace)
        if request.method == "POST":
            made, told = meta_api.write(self.network, node, edge, form)
            self._tell_soon(*told)
        else:
            made = meta_api.read(self.network, node, edge, form, self.dead)
        if failure.until is not None:
            await failure.until.wait()
        broken = failure.dropped or failure.status is not None
        return failed(failure, trace) if broken else JSONResponse(made)

    # ── the networks on the screen ──

    async def _page(self, request: Request) -> Response:
        return HTMLResponse(
            meta_page.page(request.query_params.get("kabar"), request.query_params.get("nama"))
        )

    async def _said(self, request: Request) -> Response:  # noqa: ARG002
        return HTMLResponse(meta_page.said(self.network))

    async def _typed(self, request: Request) -> Response:
        form = await _form(request)
        name, text = str(form.get("nama", "")).strip(), str(form.get("pesan", "")).strip()
        if not name or not text:
            return _to_page(kabar="Isi nama dan pesannya dulu.")
        where: Where = "instagram" if str(form.get("lewat", "")).startswith("instagram") else "facebook"
        if str(form.get("lewat", "")).endswith("pesan"):
            await self.citizen_messages(where, name, text)
        else:
            await self.citizen_comments(where, name, text)
        if self.waiting and not await self.deliver():
            return _to_page(nama=name, kabar="Belum diterima oleh kantor; dikirim lagi nanti.")
        return _to_page(nama=name)


def playing(accounts: Sequence[str], hub_url: str, now: Callable[[], datetime]) -> MetaSimulator:
    """The page and the Instagram account of a profile, which are told apart by the "@"."""
    page = next((name for name in accounts if not name.startswith("@")), "Kantor Contoh")
    handle = next((name for name in accounts if name.startswith("@")), "@kantor.contoh")
    network = Network("102030405060", page, "17841400000000001", handle, now, seed=20261122)
    return MetaSimulator(network, f"{hub_url}/hooks/meta", automatic=True)


def webhook(events: Sequence[Event]) -> bytes:
    """The bytes that Meta posts: events of one object as entries, everything but ASCII escaped, slashes too."""
    entries = [{name: value for name, value in event.items() if name != "object"} for event in events]
    payload = {"object": events[0]["object"], "entry": entries}
    return json.dumps(payload, ensure_ascii=True, separators=(",", ":")).replace("/", "\\/").encode()


def sign(secret: str, body: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _batches(events: Sequence[Event]) -> list[list[Event]]:
    groups: dict[str, list[Event]] = {}
    for event in events:
        groups.setdefault(str(event["object"]), []).append(event)
    return list(groups.values())


async def _form(request: Request) -> Form:
    """Query and form as one; a value that is JSON of an object is read as such, anything else stays text."""
    pairs = [*request.query_params.items(), *parse_qsl((await request.body()).decode("utf-8", "replace"))]
    return {name: _read_json(value) for name, value in pairs}


def _read_json(value: str) -> Any:
    if not value.startswith("{"):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _to_page(**query: str) -> Response:
    return RedirectResponse(f"/?{urlencode(query)}", 303)
