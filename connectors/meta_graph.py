"""The Graph API, called with facebook-sdk where it serves and mended where it does not (decision 0019).

The library knows no version after 3.1, waits for ever, proves no secret, sends the token in the address, nested values
as their names only, and keeps headers to itself. All of that is put right in one place, the session that it calls with.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from urllib.parse import quote

import requests
import structlog
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError

from laporhub.connectors.meta_errors import Refusal, Usage, usage
from laporhub.pipeline.errors import RetryLater

with warnings.catch_warnings():  # it is older than the Python that warns of its patterns
    warnings.simplefilter("ignore")
    import facebook  # type: ignore[import-untyped]

_THREADS = 8
_USAGE_COUNTS_FOR = 300.0
"""Seconds after which a rate limit, heard of earlier, may have recovered."""

logger = structlog.get_logger(__name__)


class GraphRefused(Exception):
    """The Graph API answered with an error; `after`: its own hint in seconds when to come back."""

    def __init__(self, refusal: Refusal, after: float | None = None) -> None:
        super().__init__(refusal.name)
        self.refusal = refusal
        self.after = after


class NoAnswer(Exception):
    """The request left, and nothing came back: it may have been carried out. The message is safe to be logged."""


class Graph:
    """Calls in the name of one token. `secret` is that of the app that the token belongs to, `timeout` in seconds."""

    def __init__(self, url: str, version: str, token: str, secret: str, timeout: float) -> None:
        self._url, self._version = url.rstrip("/") + "/", version
        self._token, self._secret, self._timeout = token, secret, timeout
        self._adapter = HTTPAdapter(pool_maxsize=_THREADS)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="graph")
        self._used = (-_USAGE_COUNTS_FOR, Usage())

    async def get(self, id: str, edge: str = "", **args: str) -> Mapping[str, Any]:
        """Reads an object, or those on one of its edges."""
        if edge:
            return await self._call(lambda api: api.get_connections(_safe(id), edge, **args))
        return await self._call(lambda api: api.get_object(_safe(id), **args))

    async def post(self, id: str, edge: str, **data: object) -> Mapping[str, Any]:
        """Writes something new on an edge. Nested values are sent as JSON."""
        told = {
            name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            for name, value in data.items()
        }
        return await self._call(lambda api: api.put_object(_safe(id), edge, **told))

    async def inspect(self, app_id: str) -> Mapping[str, Any]:
        """What the platform says about our token."""
        return await self._call(lambda api: api.debug_access_token(self._token, app_id, self._secret))

    @property
    def used(self) -> Usage:
        """The share of the rate limit that is used, as far as it was heard of lately."""
        at, heard = self._used
        return heard if time.monotonic() - at < _USAGE_COUNTS_FOR else Usage()

    def spare(self, percent: float) -> None:
        """Raises `RetryLater` once so much of the rate limit is used."""
        used = self.used
        if used.percent >= percent:
            raise RetryLater(
                f"{used.percent:.0f} % of Meta's rate limit are used", after=used.regain or _USAGE_COUNTS_FOR
            )

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._adapter.close()

    async def _call(self, ask: Callable[[Any], Any]) -> Mapping[str, Any]:
        """Raises `GraphRefused`, `NoAnswer`, and `RetryLater` where nothing left this machine."""
        call = asyncio.get_running_loop().run_in_executor(self._threads, partial(self._asked, ask))
        try:
            answer, heard = await asyncio.wait_for(
                call, 2 * self._timeout
            )  # the library's own is for each piece
        except TimeoutError:
            raise NoAnswer("no answer in time") from None
        self._used = (time.monotonic(), heard)
        return answer if isinstance(answer, dict) else {"data": answer}

    def _asked(self, ask: Callable[[Any], Any]) -> tuple[Any, Usage]:
        """In a thread. Errors of the library and below it are not passed on: they may quote the address."""
        session = _Session(self._url, self._secret, self._adapter)
        api = facebook.GraphAPI(self._token, timeout=self._timeout, session=session)
        api.version = self._version
        try:
            answer = ask(api)
        except facebook.GraphAPIError as error:
            raise self._refused(session, error.result) from None
        except _NotJson:
            raise self._refused(session, None) from None
        except requests.RequestException as error:
            if _never_left(error):
                raise RetryLater(f"Meta cannot be reached: {type(error).__name__}") from None
            raise NoAnswer(f"no answer: {type(error).__name__}") from None
        return answer, usage(session.headers_seen)

    def _refused(self, session: _Session, result: object) -> GraphRefused:
        refusal = Refusal.of(session.status, result.get("error") if isinstance(result, dict) else None)
        heard = usage(session.headers_seen)
        self._used = (time.monotonic(), heard)
        logger.warning(
            "the Graph API refuses", code=refusal.name, status=refusal.status, fbtrace_id=refusal.trace
        )
        hint = session.headers_seen.get("retry-after", "")
        return GraphRefused(refusal, heard.regain or (float(hint) if hint.isdecimal() else None))


class _NotJson(Exception):
    """The answer is not the Graph API's: a page for people, from something before it."""


class _Session(requests.Session):
    """One call, on shared connections: the token goes into a header, with a proof that we have the app's secret."""

    def __init__(self, url: str, secret: str, adapter: HTTPAdapter) -> None:
        super().__init__()
        self._graph_url, self._secret = url, secret
        self.status = 0
        self.headers_seen: Mapping[str, str] = {}
        for scheme in ("https://", "http://"):
            self.mount(scheme, adapter)

    def request(self, method: str | bytes, url: str | bytes, *_: Any, **more: Any) -> requests.Response:
        params, data = dict(more.pop("params", None) or {}), dict(more.pop("data", None) or {})
        token = str(params.pop("access_token", "") or data.pop("access_token", ""))
        proof = hmac.new(self._secret.encode(), token.encode(), hashlib.sha256).hexdigest()
        (data if data else params)["appsecret_proof"] = proof
        address = str(url).replace(facebook.FACEBOOK_GRAPH_URL, self._graph_url, 1)
        response = super().request(
            method,
            address,
            params=params,
            data=data or None,
            auth=_Bearer(token),
            allow_redirects=False,
            **more,
        )
        self.status = response.status_code
        self.headers_seen = {name.lower(): value for name, value in response.headers.items()}
        try:
            response.json()
        except ValueError:
            raise _NotJson from None
        response.headers["content-type"] = (
            "application/json"  # it may say "text/javascript", which the library refuses
        )
        return response


class _Bearer(requests.auth.AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _never_left(error: requests.RequestException) -> bool:
    """Whether the connection failed before anything was sent."""
    return isinstance(error, requests.ConnectTimeout) or bool(
        isinstance(error, requests.ConnectionError)
        and error.args
        and isinstance(error.args[0], MaxRetryError)
    )


def _safe(id: str) -> str:
    return quote(id, safe="")
