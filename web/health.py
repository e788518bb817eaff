"""For those who keep it running: is it alive, can it work, what has it done."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST

from laporhub.web.site import site_of

router = APIRouter(include_in_schema=False)

_NEEDED = ("database", "engine")


@router.get("/healthz")
async def healthz() -> Response:
    return PlainTextResponse("ok\n")


@router.get("/readyz")
def readyz(request: Request) -> Response:
    """503 unless the database and the engine say "ok"; the body says what is wrong with these and the rest.

    A platform that refuses us is no reason to take the hub away from everybody else.
    """
    parts = dict(site_of(request).hub.ready())
    ready = all(parts.get(name, "ok") == "ok" for name in _NEEDED)
    return JSONResponse({"ready": ready, "parts": parts}, 200 if ready else 503)


@router.get("/metrics")
def metrics(request: Request) -> Response:
    site = site_of(request)
    site.metrics.show_parts(site.hub.ready())
    site.metrics.show_channels(site.hub.channels())
    return Response(site.metrics.text(), media_type=CONTENT_TYPE_LATEST)


@router.get("/robots.txt")
async def robots() -> Response:
    return PlainTextResponse("User-agent: *\nDisallow: /t/\nDisallow: /staff\nDisallow: /api/\n")
