"""How the simulated X answers when it does not do what it was asked."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Self

from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

NOT_CALLED = "You can only reply to or quote posts where you are mentioned or are the author."
DUPLICATE = "You are not allowed to create a Tweet with duplicate content."
SUSPENDED = "Your account is suspended and is not permitted to access this feature."
GONE = "You attempted to reply to a Tweet that is deleted or not visible to you."
NO_CREDITS = "Your enrolled account does not have any credits to fulfill this request."


@dataclass(frozen=True, slots=True)
class Failure:
    """How the next call goes wrong. `taken`: whether what it asked for is done all the same."""

    status: int | None = None
    detail: str = ""
    content: object = None
    """What the answer holds instead of a refusal as X words it."""
    with_reset: bool = True
    dropped: bool = False
    taken: bool = False
    until: asyncio.Event | None = None
    """The answer waits for this."""

    @classmethod
    def busy(cls, *, with_reset: bool = True) -> Self:
        """429, with or without the header that tells when to come back."""
        return cls(status=429, detail="Too Many Requests", with_reset=with_reset)

    @classmethod
    def broken(cls, *, taken: bool = False) -> Self:
        """503 with a page for people."""
        return cls(status=503, taken=taken)

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
    """A call that reached the REST interface, and the status it got (0: cut off)."""

    method: str
    path: str
    query: dict[str, str]
    body: dict[str, Any]
    status: int


class _Dropped(Response):
    """Promises more than it sends, so that the server has to cut the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"64")]})


def failed(failure: Failure) -> Response:
    """The answer that goes wrong in this way."""
    if failure.dropped:
        return _Dropped(status_code=0)
    if failure.content is not None:
        return JSONResponse(failure.content, failure.status or 500)
    if failure.detail:
        return problem(failure.status or 500, failure.detail)
    return HTMLResponse("<html><body>Over capacity</body></html>", failure.status or 500)


def problem(status: int, detail: str, title: str = "", kind: str = "about:blank") -> Response:
    """A refusal as X words it."""
    titles = {
        400: "Invalid Request",
        401: "Unauthorized",
        402: "CreditsDepleted",
        403: "Forbidden",
        404: "Not Found",
    }
    content = {
        "title": title or titles.get(status, "Error"),
        "detail": detail,
        "type": kind,
        "status": status,
    }
    return JSONResponse(content, status, media_type="application/problem+json")
