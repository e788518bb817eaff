"""How the simulated Twilio answers when it does not do what it was asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Self

from starlette.responses import JSONResponse, Response

from laporhub.simulators import answers
from laporhub.simulators.twilio_network import Form
from laporhub.simulators.twilio_rules import Refusal

DENIED = Refusal(401, 20003, "Authenticate")


@dataclass(frozen=True, slots=True)
class Failure(answers.Failure):
    """How the next request for a new message goes wrong."""

    usual: ClassVar[int] = 500
    code: int = 0
    retry_after: int | None = None

    @classmethod
    def busy(cls, retry_after: int | None = None) -> Self:
        """429, with or without the hint when to come back."""
        return cls(status=429, code=20429, retry_after=retry_after)


@dataclass(frozen=True, slots=True)
class Logged:
    """A request that reached the REST interface, and the status it got (0: cut off)."""

    method: str
    path: str
    form: Form
    status: int


def failed(failure: Failure) -> Response:
    """The answer that goes wrong in this way."""
    if failure.dropped:
        return answers.CutOff()
    if failure.code:
        response = error(Refusal(failure.status or 500, failure.code, "Too Many Requests"))
    else:
        response = answers.for_people("Internal Server Error", failure.status or 500)
    if failure.retry_after is not None:
        response.headers["Retry-After"] = str(failure.retry_after)
    return response


def error(refused: Refusal) -> Response:
    """A refusal as Twilio words it."""
    more = f"https://www.twilio.com/docs/errors/{refused.code}"
    content = {"code": refused.code, "message": refused.message, "more_info": more, "status": refused.status}
    return JSONResponse(content, refused.status)
