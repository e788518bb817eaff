"""Errors as the caller can use them: problem+json (RFC 9457) for machines, a page for people."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from laporhub.pipeline.errors import (
    Conflict,
    Forbidden,
    Forged,
    LaporHubError,
    Misconfigured,
    NotFound,
    Refused,
    RetryLater,
)
from laporhub.web import words
from laporhub.web.forms import read_form
from laporhub.web.guard import CsrfMismatch
from laporhub.web.middleware import SECURITY_HEADERS
from laporhub.web.site import render, translator_of

logger = structlog.get_logger(__name__)

_MACHINE_PATHS = ("/api/", "/hooks/", "/open311/")
_STATUS: tuple[tuple[type[LaporHubError], int], ...] = (
    (Forged, 403),
    (CsrfMismatch, 403),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (Refused, 422),
    (RetryLater, 503),
    (Misconfigured, 503),
)


class Problem(BaseModel):
    """An error as RFC 9457 has it. `type` ends with a stable code; `errors` names the fields at fault:
    `field` and `message` of each.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: tuple[dict[str, str], ...] = ()


class NotSignedInError(Exception):
    """Nobody is signed in, or the token is not known."""


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the OpenAPI document: that an address may answer with these problems."""
    content = {"application/problem+json": {"schema": Problem.model_json_schema()}}
    return {each: {"description": HTTPStatus(each).phrase, "content": content} for each in statuses}


def status_of(error: LaporHubError) -> int:
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def retry_after(error: LaporHubError) -> dict[str, str]:
    """The header that tells when to come again, in seconds."""
    return {"Retry-After": str(round(error.after or 5))} if isinstance(error, RetryLater) else {}


def problem(
    request: Request,
    status: int,
    detail: str = "",
    *,
    code: str = "",
    headers: dict[str, str] | None = None,
    **more: Any,
) -> JSONResponse:
    """One RFC 9457 problem. `code` is stable; `errors` in `more` names the fields at fault."""
    title = HTTPStatus(status).phrase
    body = {
        "type": f"urn:laporhub:problem:{code}" if code else "about:blank",
        "title": title,
        "status": status,
        "detail": detail or title,
        "instance": request.url.path,
        **more,
    }
    return JSONResponse(body, status, headers=headers, media_type="application/problem+json")


def _for_machines(request: Request) -> bool:
    return request.url.path.startswith(_MACHINE_PATHS)


def install(app: FastAPI) -> None:
    """Makes every error of the application one of ours."""
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(NotSignedInError, _unauthenticated)
    app.add_exception_handler(LaporHubError, _refused)
    app.add_exception_handler(Exception, _broken)


def _page(request: Request, status: int, message: str = "") -> Response:
    return render(request, "error.html", status=status, private=True, code=status, message=message)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    headers = dict(error.headers or {})
    if _for_machines(request):
        return problem(request, error.status_code, str(error.detail), headers=headers)
    response = _page(request, error.status_code)
    response.headers.update(headers)
    return response


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    if not _for_machines(request):
        return _page(request, 422)
    errors = [
        {
            "field": _printable(".".join(str(part) for part in fault["loc"][1:])),
            "message": _printable(fault["msg"]),
        }
        for fault in error.errors()
    ]
    first = f"{errors[0]['field']}: {errors[0]['message']}" if errors else ""
    return problem(request, 422, first, code="invalid", errors=errors)


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


async def _unauthenticated(request: Request, _: Exception) -> Response:
    if _for_machines(request):
        headers = {"WWW-Authenticate": 'Bearer realm="laporhub"'}
        return problem(
            request, 401, "Sign in, or send a valid bearer token", code="unauthenticated", headers=headers
        )
    if request.method in ("GET", "HEAD"):
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        where = request.url_for("sign_in_page").include_query_params(next=target)
        return RedirectResponse(f"{where.path}?{where.query}", 303)
    # A session that ran out must not cost anybody the answer they had just written.
    typed = {
        name: value for name, value in (await read_form(request)).items() if name not in ("csrf", "seen")
    }
    kept = [value for value in typed.values() if len(value) > 1 and request.url.path != "/staff/sign-in"]
    return render(request, "expired.html", status=401, private=True, kept=kept)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, LaporHubError)  # noqa: S101
    status = status_of(error)
    headers = retry_after(error)
    detail = str(error)
    if not isinstance(error, (Refused, RetryLater)):
        # Names settings and folders: for the operator, not for the public.
        logger.error("a request could not be answered", error=type(error).__name__, detail=detail)
        detail = "The hub is not set up right: its operator must mend it."
    if _for_machines(request):
        code = error.code if isinstance(error, Refused) else "busy" if headers else "broken"
        field = error.field if isinstance(error, Refused) else None
        more = {"errors": [{"field": field, "message": detail}]} if field else {}
        return problem(request, status, detail, code=code, headers=headers, **more)
    response = _page(request, status, words.refusal(error, translator_of(request)))
    response.headers.update(headers)
    return response


async def _broken(request: Request, _: Exception) -> Response:
    """Nothing of the cause is shown; the server logs it. These answers pass no middleware."""
    if _for_machines(request):
        response: Response = problem(
            request, 500, "The hub could not do this. Try again later.", code="broken"
        )
    else:
        response = _page(request, 500)
    response.headers.update(SECURITY_HEADERS)
    return response
