"""An X to talk to: its wire format and its rules, with citizens who post and write on the other end.

An ASGI app with the routes of the v2 REST interface; `/` shows what was said, and lets one write as a citizen. Events
are signed like X's. Time comes from outside.
"""

from __future__ import annotations

import random
import re
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from laporhub.simulators import x_answers, x_page, x_rules
from laporhub.simulators.citizens import DemoComplaint
from laporhub.simulators.serving import serving
from laporhub.simulators.x_answers import Failure, Logged, failed, problem
from laporhub.simulators.x_network import Network, Person, Post, dm_payload, event, page_of_posts, shown_post
from laporhub.simulators.x_rest import Do, Rest


@dataclass(frozen=True, slots=True)
class Keys:
    """What the office's app and account sign with."""

    consumer_key: str = "kunci-demo"
    consumer_secret: str = "rahasia-demo"  # noqa: S105 - of nothing but the simulation
    access_token: str = "1111-token-demo"  # noqa: S105
    access_token_secret: str = "rahasia-token-demo"  # noqa: S105


class XSimulator:
    """One account, `account`, and everybody who writes to it.

    `hook_url` is the hub's address for events. `failures` is the queue of what goes wrong next, `log` what was asked,
    `credits` how many calls are paid for (None: any number). `suspended`: X has locked the account out.
    """

    provider = "x"

    def __init__(
        self,
        account: str,
        hook_url: str,
        clock: Callable[[], datetime],
        keys: Keys | None = None,
        seed: int = 0,
    ) -> None:
        self.keys = keys or Keys()
        office = Person(self.keys.access_token.partition("-")[0], account.lstrip("@"), account.lstrip("@"))
        self.network = Network(office, clock)
        self.hook_url = hook_url
        self.failures: deque[Failure] = deque()
        self.log: list[Logged] = []
        self.credits: int | None = None
        self.suspended = False
        self.events: list[bytes] = []
        self._clock = clock
        self._windows = x_rules.Windows({}, Counter())
        self._random = random.Random(seed)
        self._client: httpx.AsyncClient | None = None
        self._app = Starlette(
            routes=[
                *(
                    Route(path, self._kept(path, do), methods=[method])
                    for (method, path), do in Rest(self.network).routes.items()
                ),
                Route("/", self._page, methods=["GET"]),
                Route("/kirim", self._typed, methods=["POST"]),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)

    @asynccontextmanager
    async def running(
        self, port: int = 0, host: str = "127.0.0.1"
    ) -> AsyncIterator[tuple[str, Mapping[str, str]]]:
        """See `Platform`."""
        async with serving(self, port, host) as url:
            try:
                yield url, self.settings(url)
            finally:
                await self.aclose()

    def settings(self, url: str) -> Mapping[str, str]:
        """What the connector must be told."""
        names = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
        secrets = {name: str(getattr(self.keys, name)) for name in names}
        return {"account": f"@{self.network.office.username}", "api_url": url, **secrets}

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    # ── the citizens' side ──

    async def citizen_writes(self, channel: str, person: DemoComplaint) -> None:  # noqa: ARG002
        """See `Platform`. Every fourth writes directly, the others in public, for all to read."""
        name = person.name or "Warga Contoh"
        username = "warga_" + "".join(char for char in person.phone or name if char.isdecimal())[-4:]
        if len(self.events) % 4 == 3:
            await self.citizen_messages(username, person.text, name=name)
        else:
            text = f"@{self.network.office.username} {person.text}"
            await self.citizen_posts(username, text[: x_rules.POST_LIMIT], name=name)

    async def citizen_posts(
        self,
        username: str,
        text: str,
        *,
        reply_to: Post | None = None,
        quotes: Post | None = None,
        photos: tuple[str, ...] = (),
        name: str = "",
        push: bool = True,
    ) -> Post:
        """Somebody posts. Events tell the hub if they call the office, unless `push` is off: X misses some."""
        network = self.network
        post = network.post(network.person(username, name), text, reply_to, quotes, photos)
        if push and network.calls_office(post):
            is_answer = reply_to is not None and reply_to.author == network.office
            kind = (
                "reply" if is_answer else "quote" if quotes and quotes.author == network.office else "mention"
            )
            await self._push(f"post.{kind}.create", self._shown(post))
        return post

    async def citizen_edits(self, post: Post, text: str, *, push: bool = True) -> Post:
        """X gives it a new id."""
        made = self.network.edit(post, text)
        if push and self.network.calls_office(made):
            await self._push("post.mention.create", self._shown(made))
        return made

    async def citizen_deletes(self, post: Post) -> None:
        """Told to whoever subscribed to this author."""
        post.deleted = True
        await self._push("post.delete", {"id": post.id, "author_id": post.author.id}, post.author.id)

    async def citizen_messages(self, username: str, text: str, *, name: str = "", push: bool = True) -> str:
        """A direct message; its id."""
        person = self.network.person(username, name)
        message = self.network.dm(person, person, text)
        if push:
            await self._push("dm.received", dm_payload(message, self.network.office))
        return message.id

    async def repeat_events(self, *, shuffle: bool = False) -> list[int]:
        """Posts all events once more, out of order if asked. The statuses that the hub answers."""
        events = list(self.events)
        if shuffle:
            self._random.shuffle(events)
        return [await self._post(body) for body in events]

    async def asks_the_hook(self) -> bool:
        """X's question whether the hook is the app's own, and whether it was answered rightly."""
        token = f"{self._random.getrandbits(128):032x}"
        answer = await self._http().get(self.hook_url, params={"crc_token": token})
        expected = x_rules.signature(self.keys.consumer_secret, token.encode())
        return answer.status_code == 200 and answer.json() == {"response_token": expected}

    def said(self, post: Post) -> list[tuple[str, str]]:
        """The thread of a post: (handle, words), oldest first."""
        return [(each.author.username, each.text) for each in self.network.thread(post.conversation)]

    def talk(self, username: str) -> list[tuple[str, str]]:
        """The direct messages with somebody: (handle, words), oldest first."""
        citizen = self.network.person(username)
        return [(each.sender.username, each.text) for each in reversed(self.network.messages(citizen.id))]

    # ── the REST interface ──

    def _kept(self, path: str, do: Do) -> Any:
        """Every call is checked as X does: who signs, who pays, how often; and goes wrong if that is its turn."""
        route = path.replace("{id}", ":id")

        async def handle(request: Request) -> Response:
            try:
                body = orjson.loads(await request.body() or b"{}")
            except orjson.JSONDecodeError:
                body = {}
            answer = await self._checked(request, route, do, body)
            self.log.append(
                Logged(request.method, request.url.path, dict(request.query_params), body, answer.status_code)
            )
            return answer

        return handle

    async def _checked(self, request: Request, route: str, do: Do, body: Any) -> Response:
        keys = (self.keys.consumer_key, self.keys.access_token)
        secrets = (self.keys.consumer_secret, self.keys.access_token_secret)
        signed = request.headers.get("authorization", "")
        if not x_rules.is_signed(request.method, str(request.url), signed, keys, secrets):
            return problem(401, "Unauthorized")
        if self.credits is not None:
            if self.credits <= 0:
                return problem(402, x_answers.NO_CREDITS)
            self.credits -= 1
        if self.suspended:
            return problem(403, x_answers.SUSPENDED)
        limits = self._windows.take((request.method, route), self._clock())
        if int(limits["x-rate-limit-remaining"]) < 0:
            limits["x-rate-limit-remaining"] = "0"
            return _with(problem(429, "Too Many Requests"), limits)
        failure = self.failures.popleft() if self.failures else Failure(taken=True)
        answer = do(request, body) if failure.taken else failed(failure)
        if failure.until is not None:
            await failure.until.wait()
        if failure.dropped or failure.status is not None:
            answer = failed(failure)
        return _with(answer, limits if failure.with_reset else {})

    # ── the page ──

    async def _page(self, request: Request) -> Response:
        return HTMLResponse(x_page.page(self.network, request.query_params.get("kabar")))

    async def _typed(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        username, text = form.get("nama", "").lstrip("@"), form.get("pesan", "").strip()
        if (
            not re.fullmatch(r"\w{1,15}", username, re.ASCII)
            or not text
            or username == self.network.office.username
        ):
            return _to_page("Isi nama akun warga dan pesannya dulu.")
        if form.get("lewat") == "dm":
            await self.citizen_messages(username, text)
        else:
            await self.citizen_posts(username, f"@{self.network.office.username} {text}")
        return _to_page("Terkirim.")

    # ── inside ──

    def _shown(self, post: Post) -> dict[str, Any]:
        return shown_post(post) | {"includes": page_of_posts([post])["includes"]}

    async def _push(self, kind: str, payload: Mapping[str, Any], about: str | None = None) -> int:
        body = orjson.dumps(event(kind, payload, about or self.network.office.id, str(len(self.events) + 1)))
        self.events.append(body)
        return await self._post(body)

    async def _post(self, body: bytes) -> int:
        signed = {"x-twitter-webhooks-signature": x_rules.signature(self.keys.consumer_secret, body)}
        try:
            answer = await self._http().post(
                self.hook_url, content=body, headers=signed | {"content-type": "application/json"}
            )
        except httpx.HTTPError:
            return 502
        return answer.status_code

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=10, trust_env=False)
        return self._client


def _with(answer: Response, headers: Mapping[str, str]) -> Response:
    answer.headers.update(headers)
    return answer


def _to_page(news: str) -> Response:
    return RedirectResponse(f"/?{urlencode({'kabar': news})}", 303)
