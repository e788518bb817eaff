"""How the simulated Graph API answers when it does not do what it was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from laporhub.simulators.meta_rules import Refusal


@dataclass(frozen=True, slots=True)
class Failure:
    """How the next request goes wrong. `taken`: whether what it asks is done all the same."""

    refusal: Refusal | None = None
    status: int | None = None
    minutes: int | None = None
    """In how many minutes the rate limit is open again, where Meta says so."""
    dropped: bool = False
    taken: bool = False
    until: asyncio.Event | None = None
    """The answer waits for this."""

    @classmethod
    def refused(cls, code: int, subcode: int = 0, *, status: int = 400, minutes: int | None = None) -> Self:
        """An error as Meta words it."""
        return cls(Refusal(status, code, subcode, "as scripted"), minutes=minutes)

    @classmethod
    def broken(cls, *, taken: bool = False, status: int = 502) -> Self:
        """A page for people, from something before the API."""
        return cls(status=status, taken=taken)

    @classmethod
    def drop(cls, *, taken: bool) -> Self:
        """The connection ends before the answer does."""
        return cls(dropped=True, taken=taken)

    @classmethod
    def slow(cls, until: asyncio.Event) -> Self:
        """It is done at once, and the answer comes late."""
        return cls(taken=True, until=until)


@dataclass(frozen=True, slots=True)
class Logged:
    """A request that reached the API, and the status it got (0: cut off)."""

    method: str
    path: str
    form: Mapping[str, Any]
    status: int


def refused(refusal: Refusal, trace: str) -> Response:
    return JSONResponse(refusal.body(trace), refusal.status)


def failed(failure: Failure, trace: str) -> Response:
    """The answer that goes wrong in this way."""
    if failure.dropped:
        return _Dropped(status_code=0)
    if failure.refusal is None:
        return HTMLResponse("<html><body>Sorry, something went wrong.</body></html>", failure.status or 502)
    response = refused(failure.refusal, trace)
    if failure.minutes is not None:
        limit = f'{{"type":"messenger","call_count":100,"estimated_time_to_regain_access":{failure.minutes}}}'
        response.headers["X-Business-Use-Case-Usage"] = f'{{"1":[{limit}]}}'
    return response


class _Dropped(Response):
    """Promises more than it sends, so that the server has to cut the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        headers = [(b"content-length", b"64"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
