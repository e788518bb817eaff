"""How a simulated platform answers when it does not do what it was asked: what all of them have in common."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar, Self

from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class Failure:
    """How the next request goes wrong. `taken`: whether what it asks for is done all the same."""

    usual: ClassVar[int] = 503
    """With which status something in front of the interface says that it is broken."""
    status: int | None = None
    dropped: bool = False
    taken: bool = False
    until: asyncio.Event | None = None
    """The answer waits for this."""

    @classmethod
    def broken(cls, *, taken: bool = False, status: int | None = None) -> Self:
        """A page for people, from something in front of the interface."""
        return cls(status=status or cls.usual, taken=taken)

    @classmethod
    def drop(cls, *, taken: bool) -> Self:
        """The connection ends before the answer does."""
        return cls(dropped=True, taken=taken)

    @classmethod
    def slow(cls, until: asyncio.Event) -> Self:
        """It is done at once, and the answer comes late."""
        return cls(taken=True, until=until)


class CutOff(Response):
    """Promises more than it sends, so that the server has to cut the connection."""

    def __init__(self) -> None:
        super().__init__(status_code=0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        headers = [(b"content-length", b"64"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


def for_people(words: str, status: int) -> Response:
    """What a machine in front of the interface says, to people."""
    return HTMLResponse(f"<html><body>{words}</body></html>", status)
