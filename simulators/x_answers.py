"""How the simulated X answers when it does not do what it was asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from starlette.responses import JSONResponse, Response

from laporhub.simulators import answers

NOT_CALLED = "You can only reply to or quote posts where you are mentioned or are the author."
DUPLICATE = "You are not allowed to create a Tweet with duplicate content."
SUSPENDED = "Your account is suspended and is not permitted to access this feature."
GONE = "You attempted to reply to a Tweet that is deleted or not visible to you."
NO_CREDITS = "Your enrolled account does not have any credits to fulfill this request."


@dataclass(frozen=True, slots=True)
class Failure(answers.Failure):
    """How the next call goes wrong."""

    detail: str = ""
    content: object = None
    """What the answer holds instead of a refusal as X words it."""
    with_reset: bool = True

    @classmethod
    def busy(cls, *, with_reset: bool = True) -> Self:
        """429, with or without the header that tells when to come back."""
        return cls(status=429, detail="Too Many Requests", with_reset=with_reset)


@dataclass(frozen=True, slots=True)
class Logged:
    """A call that reached the REST interface, and the status it got (0: cut off)."""

    method: str
    path: str
    query: dict[str, str]
    body: dict[str, Any]
    status: int


def failed(failure: Failure) -> Response:
    """The answer that goes wrong in this way."""
    if failure.dropped:
        return answers.CutOff()
    if failure.content is not None:
        return JSONResponse(failure.content, failure.status or 500)
    if failure.detail:
        return problem(failure.status or 500, failure.detail)
    return answers.for_people("Over capacity", failure.status or 503)


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
