"""How the simulated Twilio answers when it does not do what it was asked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Self

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from laporhub.simulators.twilio_network import Form
from laporhub.simulators.twilio_rules import Refusal

DENIED = Refusal(401, 20003, "Authenticate")


@dataclass(frozen=True, slots=True)
class Failure:
    """How the next request for a new message goes wrong. `taken`: whether it is sent all the same."""

    status: int | None = None
    code: int = 0
    retry_after: int | None = None
    dropped: bool = False
    taken: bool = False
    until: asyncio.Event | None = None
    """The answer waits for this."""

    @classmethod
    def busy(cls, retry_after: int | None = None) -> Self:
        """429, with or without the hint when to come back."""
        return cls(status=429, code=20429, retry_after=retry_after)

    @classmethod
    def broken(cls, *, taken: bool = False) -> Self:
        """500 with a page for people."""
        return cls(status=500, taken=taken)

    @classmethod
    def drop(cls, *, taken: bool) -> Self:
        """The connection ends before the answer does."""
        return cls(dropped=True, taken=taken)

    @classmethod
    def slow(cls, until: asyncio.Event) -> Self:
        """The message is taken at once, and the answer comes late."""
        return cls(taken=True, until=until)


@dataclass(frozen=True, slots=True)
class Logged:
    """A request that reached the REST interface, and the status it got (0: cut off)."""

    method: str
    path: str
    form: Form
    status: int


class _Dropped(Response):
    """Promises more than it sends, so that the server has to cut the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"64")]})


def failed(failure: Failure) -> Response:
    """The answer that goes wrong in this way."""
    if failure.dropped:
        return _Dropped(status_code=0)
    if failure.code:
        response = error(Refusal(failure.status or 500, failure.code, "Too Many Requests"))
    else:
        response = HTMLResponse("<html><body>Internal Server Error</body></html>", failure.status or 500)
    if failure.retry_after is not None:
        response.headers["Retry-After"] = str(failure.retry_after)
    return response


def error(refused: Refusal) -> Response:
    """A refusal as Twilio words it."""
    more = f"https://www.twilio.com/docs/errors/{refused.code}"
    content = {"code": refused.code, "message": refused.message, "more_info": more, "status": refused.status}
    return JSONResponse(content, refused.status)
