"""How the simulated Graph API answers when it does not do what it was asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from starlette.responses import JSONResponse, Response

from laporhub.simulators import answers
from laporhub.simulators.meta_rules import Refusal


@dataclass(frozen=True, slots=True)
class Failure(answers.Failure):
    """How the next request goes wrong."""

    usual: ClassVar[int] = 502
    refusal: Refusal | None = None
    minutes: int | None = None
    """In how many minutes the rate limit is open again, where Meta says so."""

    @classmethod
    def refused(cls, code: int, subcode: int = 0, *, status: int = 400, minutes: int | None = None) -> Self:
        """An error as Meta words it."""
        return cls(refusal=Refusal(status, code, subcode, "as scripted"), minutes=minutes)


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
        return answers.CutOff()
    if failure.refusal is None:
        return answers.for_people("Sorry, something went wrong.", failure.status or 502)
    response = refused(failure.refusal, trace)
    if failure.minutes is not None:
        limit = f'{{"type":"messenger","call_count":100,"estimated_time_to_regain_access":{failure.minutes}}}'
        response.headers["X-Business-Use-Case-Usage"] = f'{{"1":[{limit}]}}'
    return response
