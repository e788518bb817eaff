"""A Twilio to talk to: its wire format and its rules, with citizens' phones on the other end.

An ASGI app. The REST resource of messages is where Twilio has it; `/` shows the phones, to read and to
write as a citizen. Webhooks are signed like Twilio's. Time and chance come from outside.
"""

from __future__ import annotations

import asyncio
import base64
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from hmac import compare_digest
from random import Random
from urllib.parse import parse_qsl, urlencode

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from laporhub.simulators import twilio_page, twilio_rules
from laporhub.simulators.twilio_answers import DENIED, Failure, Logged, error, failed
from laporhub.simulators.twilio_network import Form, Network, matches, media_resource, resource
from laporhub.simulators.twilio_rules import Refusal

FORM = "application/x-www-form-urlencoded"


class TwilioSimulator:
    """One account. `numbers` are its senders, with "whatsapp:" where they are WhatsApp's.

    `hook_url` and `status_url` are the hub's public addresses for messages, and for statuses of messages
    that name no address of their own. Statuses wait for `deliver()`, unless `automatic`.
    `failures` is the queue of what goes wrong next, `log` what was asked.
    """

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        numbers: Sequence[str],
        hook_url: str,
        status_url: str | None,
        clock: Callable[[], datetime],
        *,
        seed: int = 0,
        automatic: bool = False,
    ) -> None:
        self.network = Network(account_sid, numbers, clock, seed)
        self.hook_url = hook_url
        self.status_url = status_url
        self.failures: deque[Failure] = deque()
        self.log: list[Logged] = []
        self.opted_out: set[str] = set()
        self.photos: dict[str, bytes] = {}
        """What citizens' files are, by the last word of their address."""
        self.status, self.balance = "active", "12.50"
        self._account_sid, self._auth_token = account_sid, auth_token
        self._automatic = automatic
        self._random = Random(seed)
        self._statuses: list[tuple[str, Form]] = []
        self._webhooks: list[Form] = []
        self._tasks: set[asyncio.Task[int]] = set()
        self._client: httpx.AsyncClient | None = None
        account = f"/2010-04-01/Accounts/{account_sid}"
        messages = f"{account}/Messages"
        self._app = Starlette(
            routes=[
                Route(f"{messages}.json", self._create, methods=["POST"]),
                Route(f"{messages}.json", self._list, methods=["GET"]),
                Route(messages + "/{sid}.json", self._fetch, methods=["GET"]),
                Route(messages + "/{sid}/Media.json", self._files, methods=["GET"]),
                Route(messages + "/{sid}/Media/{name}", self._file, methods=["GET"]),
                Route(f"{account}.json", self._account, methods=["GET"]),
                Route(f"{account}/Balance.json", self._money, methods=["GET"]),
                Route("/", self._page, methods=["GET"]),
                Route("/percakapan", self._bubbles, methods=["GET"]),
                Route("/kirim", self._typed, methods=["POST"]),
                Route("/{rest:path}", self._nowhere, methods=["GET", "POST"]),
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
        self,
        from_: str,
        text: str,
        *,
        media: Sequence[str] | None = None,
        location: tuple[float, float] | None = None,
        name: str | None = None,
    ) -> int:
        """A citizen writes to the office. The status the hub answers; 502 if it does not answer.

        `media` are addresses of pictures, `location` is latitude and longitude in degrees. Raises
        ValueError for a `from_` that is no address.
        """
        message = self.network.receive(from_, text, media or (), location)
        self._webhooks.append(self.network.webhook(message, name))
        return await self.repeat_webhook()

    async def repeat_webhook(self, index: int = -1) -> int:
        """Posts a webhook once more, as Twilio does after a timeout. The status the hub answers."""
        return await self._post(self.hook_url, self._webhooks[index])

    def conversation(self, phone: str) -> list[tuple[str, str]]:
        """What was said with this phone: ("inbound" | "outbound", text), oldest first."""
        return [(m.direction.partition("-")[0], m.body) for m in self.network.with_citizen(phone)]

    async def deliver(self, *, duplicate: bool = False, shuffle: bool = False) -> int:
        """Sends the statuses that wait, each twice or out of order if asked. How many the hub took."""
        statuses, self._statuses = self._statuses, []
        for _, status in statuses:
            self.network.settle(status)
        posts = [post for post in statuses if post[0] for _ in range(2 if duplicate else 1)]
        if shuffle:
            self._random.shuffle(posts)
        return sum([await self._post(url, status) < 300 for url, status in posts])

    # ── the REST resource ──

    async def _create(self, request: Request) -> Response:
        form = await self._form(request)
        if not self._allowed(request):
            return self._answer(request, form, error(DENIED))
        failure = self.failures.popleft() if self.failures else Failure(taken=True)
        if not failure.taken:
            return self._answer(request, form, failed(failure))
        refused = twilio_rules.refusal(form, self.network.numbers, self.opted_out, self.network.templates)
        if refused is not None:
            return self._answer(request, form, error(refused))
        answer = self._accept(form)
        if failure.until is not None:
            await failure.until.wait()
        broken = failure.dropped or failure.status is not None
        return self._answer(request, form, failed(failure) if broken else answer)

    def _accept(self, form: Form) -> Response:
        message, statuses = self.network.send(form)
        url = form.get("StatusCallback") or self.status_url or ""
        self._statuses += [(url, status) for status in statuses]
        if self._automatic:
            task = asyncio.create_task(self.deliver())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return JSONResponse(resource(message, self._account_sid), 201)

    async def _list(self, request: Request) -> Response:
        if not self._allowed(request):
            return self._answer(request, {}, error(DENIED))
        query = dict(request.query_params)
        found = [message for message in reversed(self.network.messages) if matches(message, query)]
        size, page = int(query.get("PageSize", 50)), int(query.get("Page", 0))
        more = len(found) > (page + 1) * size
        following = urlencode(query | {"Page": str(page + 1), "PageToken": "PA"})
        content = {
            "messages": [resource(m, self._account_sid) for m in found[page * size : (page + 1) * size]],
            "page": page,
            "page_size": size,
            "uri": request.url.path,
            "next_page_uri": f"{request.url.path}?{following}" if more else None,
        }
        return self._answer(request, {}, JSONResponse(content))

    async def _fetch(self, request: Request) -> Response:
        if not self._allowed(request):
            return self._answer(request, {}, error(DENIED))
        for message in self.network.messages:
            if message.sid == request.path_params["sid"]:
                return self._answer(request, {}, JSONResponse(resource(message, self._account_sid)))
        return await self._nowhere(request)

    async def _files(self, request: Request) -> Response:
        if not self._allowed(request):
            return self._answer(request, {}, error(DENIED))
        for message in self.network.messages:
            if message.sid == request.path_params["sid"]:
                found = [media_resource(message, n, self._account_sid) for n in range(len(message.media))]
                listed = {"media_list": found, "next_page_uri": None, "page": 0, "page_size": 50}
                return self._answer(request, {}, JSONResponse(listed))
        return await self._nowhere(request)

    async def _file(self, request: Request) -> Response:
        """A citizen's photo: only for the account itself."""
        if not self._allowed(request):
            return self._answer(request, {}, error(DENIED))
        data = self.photos.get(request.path_params["name"])
        if data is None:
            return await self._nowhere(request)
        return self._answer(request, {}, Response(data, media_type="image/jpeg"))

    async def _account(self, request: Request) -> Response:
        told = {"sid": self._account_sid, "status": self.status, "friendly_name": "Simulasi", "type": "Full"}
        return self._answer(request, {}, JSONResponse(told) if self._allowed(request) else error(DENIED))

    async def _money(self, request: Request) -> Response:
        told = {"account_sid": self._account_sid, "balance": self.balance, "currency": "USD"}
        return self._answer(request, {}, JSONResponse(told) if self._allowed(request) else error(DENIED))

    async def _nowhere(self, request: Request) -> Response:
        gone = Refusal(404, 20404, f"The requested resource {request.url.path} was not found")
        return self._answer(request, {}, error(gone))

    # ── the phones ──

    async def _page(self, request: Request) -> Response:
        query = request.query_params
        return HTMLResponse(twilio_page.page(self.network.phones(), query.get("dengan"), query.get("kabar")))

    async def _bubbles(self, request: Request) -> Response:
        citizen = request.query_params.get("dengan", "")
        return HTMLResponse(twilio_page.bubbles(m for m in self.network.messages if m.citizen == citizen))

    async def _typed(self, request: Request) -> Response:
        form = await self._form(request)
        digits = "".join(char for char in form.get("nomor", "") if char.isdecimal() and char.isascii())
        digits = f"62{digits[1:]}" if digits.startswith("0") else digits
        citizen = f"{'' if form.get('lewat') == 'sms' else 'whatsapp:'}+{digits}"
        text = form.get("pesan", "").strip()
        if not twilio_rules.is_address(citizen) or not text:
            return _to_page(kabar="Isi nomor HP dan pesannya dulu.")
        status = await self.citizen_says(citizen, text)
        if status >= 300:
            return _to_page(dengan=citizen, kabar=f"Pesan tidak diterima oleh kantor (kode {status}).")
        return _to_page(dengan=citizen)

    # ── inside ──

    async def _post(self, url: str, form: Form) -> int:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=15, trust_env=False)
        signature = RequestValidator(self._auth_token).compute_signature(url, form)
        headers = {"X-Twilio-Signature": signature, "Content-Type": FORM}
        try:
            answer = await self._client.post(url, content=urlencode(form), headers=headers)
        except httpx.HTTPError:
            return 502
        return answer.status_code

    async def _form(self, request: Request) -> Form:
        """Only a form is read; of anything else Twilio sees no parameter at all."""
        if request.headers.get("content-type", "").partition(";")[0].strip() != FORM:
            return {}
        return dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))

    def _allowed(self, request: Request) -> bool:
        expected = base64.b64encode(f"{self._account_sid}:{self._auth_token}".encode())
        return compare_digest(request.headers.get("authorization", "").encode(), b"Basic " + expected)

    def _answer(self, request: Request, form: Form, response: Response) -> Response:
        self.log.append(Logged(request.method, request.url.path, form, response.status_code))
        return response


def _to_page(**query: str) -> Response:
    return RedirectResponse(f"/?{urlencode(query)}", 303)
