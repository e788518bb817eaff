"""An SMS gateway to talk to: a local aggregator, or Kannel's smsbox, with citizens' phones on the other end.

An ASGI app that keeps the gateway's rules; `/` shows the phones, to read and to write as a citizen. Time and chance
come from outside.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Final
from urllib.parse import parse_qsl, urlencode

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.simulators import twilio_page
from laporhub.simulators.citizens import DemoComplaint
from laporhub.simulators.serving import serving
from laporhub.simulators.sms_wires import WIRES, Fields, Keys, Sms, Wire
from laporhub.simulators.twilio_answers import Failure, Logged, failed

DEMO_KEYS: Final = Keys(user="demo", password="demo-password", secret="demo-secret")  # noqa: S106
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class _Post:
    """A request to the hub that waits to be made."""

    method: str
    url: str
    fields: Fields


@dataclass
class SmsSimulator:
    """One account. `style` is "agregator" or "kannel", `numbers` the office's senders in E.164, `hook_url` the hub's
    public address. Reports wait for `deliver()`, unless `automatic`. `failures` is the queue of what goes wrong next,
    `log` what was asked; `credit` is how many SMS are left.
    """

    style: str
    numbers: Sequence[str]
    hook_url: str
    clock: Callable[[], datetime]
    keys: Keys = DEMO_KEYS
    automatic: bool = False
    seed: int = 0
    credit: int = 1_000_000
    messages: list[Sms] = field(default_factory=list)
    failures: deque[Failure] = field(default_factory=deque)
    log: list[Logged] = field(default_factory=list)
    opted_out: set[str] = field(default_factory=set)
    unreachable: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._wire: Wire = WIRES[self.style](self.keys)
        self._random = Random(self.seed)
        self._reports: list[_Post] = []
        self._delivered: list[_Post] = []
        self._tasks: set[asyncio.Task[int]] = set()
        self._client: httpx.AsyncClient | None = None
        self._app = Starlette(
            routes=[
                *(Route(path, self._asked, methods=["GET", "POST"]) for path in self._wire.paths),
                Route("/", self._page, methods=["GET"]),
                Route("/percakapan", self._bubbles, methods=["GET"]),
                Route("/kirim", self._typed, methods=["POST"]),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    async def aclose(self) -> None:
        """Finishes what is on its way, and closes the connections."""
        await asyncio.gather(*self._tasks)
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    # ── the citizens' side ──

    async def citizen_says(
        self, citizen: str, text: str, *, shuffle: bool = False, times: int = 1
    ) -> Sequence[int]:
        """A citizen writes to the office's first number: each request's status, 502 where the hub does not answer.

        Long messages go in pieces where the gateway does not join them; out of order if `shuffle`, each so many
        `times`.
        """
        message = Sms(self._new_id(), "inbound", citizen, self.numbers[0], text, self.clock(), "received")
        self.messages.append(message)
        method, pieces = self._wire.delivered(message)
        posts = [_Post(method, self.hook_url, piece) for piece in pieces for _ in range(times)]
        if shuffle:
            self._random.shuffle(posts)
        self._delivered += posts
        return [await self._send(post) for post in posts]

    async def repeat(self, index: int = -1) -> int:
        """Delivers once more, as after a time-out. The status the hub answers."""
        return await self._send(self._delivered[index])

    def conversation(self, citizen: str) -> list[tuple[str, str]]:
        """What was said with this phone: ("inbound" | "outbound", text), oldest first."""
        return [(m.direction.partition("-")[0], m.body) for m in self.messages if m.citizen == citizen]

    async def deliver(self, *, duplicate: bool = False, shuffle: bool = False) -> int:
        """Sends the reports that wait, each twice or out of order if asked. How many the hub took."""
        posts, self._reports = self._reports, []
        posts = [post for post in posts for _ in range(2 if duplicate else 1)]
        if shuffle:
            self._random.shuffle(posts)
        return sum([await self._send(post) < 300 for post in posts])

    # ── the office's side ──

    async def _asked(self, request: Request) -> Response:
        fields = dict(request.query_params)
        if request.method == "POST":
            fields |= dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        response = await self._answer(request.url.path, fields)
        self.log.append(Logged(request.method, request.url.path, fields, response.status_code))
        return response

    async def _answer(self, path: str, fields: Mapping[str, str]) -> Response:
        if not self._wire.allowed(fields):
            return self._wire.denied()
        if path != self._wire.paths[0]:
            return self._wire.status(fields, self.messages)
        failure = self.failures.popleft() if self.failures else Failure(taken=True)
        response = None
        if failure.taken:
            response = self._accept(fields)
            if failure.until is not None:
                await failure.until.wait()
        if failure.dropped or failure.status is not None:
            busy = failure.code and failure.status == 429
            response = self._wire.busy(failure.retry_after) if busy else failed(failure)
        return response or self._wire.broken()

    def _accept(self, fields: Mapping[str, str]) -> Response:
        message = self._wire.read(fields, self._new_id(), self.clock())
        refused = self._wire.refusal(message, self.numbers, self.opted_out, self.credit)
        if refused is not None:
            return refused
        self.messages.append(message)
        self.credit -= message.segments
        reached = message.to not in self.unreachable
        self._reports += [_Post(*post) for post in self._wire.reports(message, reached=reached)]
        if self.automatic:
            task = asyncio.create_task(self.deliver())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return self._wire.accepted(message)

    # ── the phones ──

    async def _page(self, request: Request) -> Response:
        query = request.query_params
        last = {message.citizen: message.body for message in self.messages}
        order = dict.fromkeys(message.citizen for message in reversed(self.messages))
        phones = [(citizen, last[citizen]) for citizen in order]
        return HTMLResponse(twilio_page.page(phones, query.get("dengan"), query.get("kabar"), only_sms=True))

    async def _bubbles(self, request: Request) -> Response:
        citizen = request.query_params.get("dengan", "")
        return HTMLResponse(twilio_page.bubbles(m for m in self.messages if m.citizen == citizen))

    async def _typed(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))
        digits = "".join(char for char in form.get("nomor", "") if char.isdecimal() and char.isascii())
        citizen = f"+62{digits[1:]}" if digits.startswith("0") else f"+{digits}"
        text = form.get("pesan", "").strip()
        if not 8 <= len(digits) <= 15 or not text:
            return _to_page(kabar="Isi nomor HP dan pesannya dulu.")
        if max(await self.citizen_says(citizen, text)) >= 300:
            return _to_page(dengan=citizen, kabar="Pesan tidak diterima oleh kantor.")
        return _to_page(dengan=citizen)

    # ── inside ──

    async def _send(self, post: _Post) -> int:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=15, trust_env=False)
        headers = self._wire.headers()
        said = urlencode(post.fields)
        try:
            if post.method == "GET":
                joint = "&" if "?" in post.url else "?"
                answer = await self._client.get(f"{post.url}{joint}{said}" if said else post.url)
            else:
                answer = await self._client.post(
                    post.url, content=said, headers={**headers, "Content-Type": _FORM}
                )
        except httpx.HTTPError:
            return 502
        return answer.status_code

    def _new_id(self) -> str:
        return f"{self._random.getrandbits(64):016x}"


class SmsPlatform:
    """The gateway as the demo and `laporhub simulate` play it (see `platform.Platform`)."""

    provider = "sms"

    def __init__(
        self, book: Rulebook, hub_url: str, now: Callable[[], datetime], style: str = "agregator"
    ) -> None:
        numbers = [
            channel.account
            for name, channel in book.profile.channels.items()
            if (channel.provider or name) == self.provider
        ]
        hook = f"{hub_url.rstrip('/')}/hooks/sms/{style}"
        self.simulator = SmsSimulator(style, numbers, hook, now, automatic=True)

    @asynccontextmanager
    async def running(
        self, port: int = 0, host: str = "127.0.0.1"
    ) -> AsyncIterator[tuple[str, Mapping[str, str]]]:
        keys = self.simulator.keys
        async with serving(self.simulator, port, host) as url:
            told = {"gateway": self.simulator.style, "url": url, "password": keys.password}
            try:
                yield url, told | {"user": keys.user, "secret": keys.secret}
            finally:
                await self.simulator.aclose()

    async def citizen_writes(self, channel: str, person: DemoComplaint) -> None:  # noqa: ARG002
        if person.phone:
            await self.simulator.citizen_says(person.phone, person.text)


def _to_page(**query: str) -> Response:
    return RedirectResponse(f"/?{urlencode(query)}", 303)
