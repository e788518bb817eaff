"""Where platforms deliver: the body is passed on untouched, with the address that their signature covers.

One address for each connector, `/hooks/<provider>`; what follows is the connector's own to tell apart.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from laporhub.pipeline.connector import Raw
from laporhub.pipeline.connector_abilities import Greeting
from laporhub.pipeline.errors import Forged, NotFound
from laporhub.web.problems import documented
from laporhub.web.site import Site, site_of

FORM = "application/x-www-form-urlencoded"

_TAKEN: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Durable, or the answer to the platform's question; in what form the platform wants it",
        "content": {kind: {} for kind in ("text/plain", "text/xml", "application/json", "text/html")},
    }
}
_ANYTHING = {
    "requestBody": {
        "description": "Whatever the platform sends, signed as it signs",
        "content": {kind: {"schema": {}} for kind in ("application/json", "text/plain")}
        | {FORM: {"schema": {"type": "object", "additionalProperties": {"type": "string"}}}},
    }
}

router = APIRouter(
    tags=["hooks"],
    default_response_class=Response,
    responses=_TAKEN | documented(403, 404, 405, 413, 422, 503),
)


@router.post("/hooks/{provider}", openapi_extra=_ANYTHING)
@router.post("/hooks/{provider}/{rest:path}", openapi_extra=_ANYTHING)
async def deliver(request: Request, provider: str, profile: str | None = None) -> Response:
    """Messages or delivery reports; durable before they are answered, so the platform repeats what failed."""
    content_type = request.headers.get("content-type", "")
    return await _take(request, provider, profile, await request.body(), content_type)


async def _take(
    request: Request, provider: str, profile: str | None, body: bytes, content_type: str
) -> Response:
    site = site_of(request)
    raw = Raw(
        body=body,
        content_type=content_type,
        headers={name.lower(): value for name, value in request.headers.items()},
        url=public_url(site, request),
    )
    try:
        return _said(await site.hub.hook(profile or _profile_with(site, provider), provider, raw))
    except Forged:
        site.metrics.count_forged(provider)
        raise


@router.get("/hooks/{provider}")
@router.get("/hooks/{provider}/{rest:path}")
async def greet(request: Request, provider: str, profile: str | None = None) -> Response:
    """The platform asks whether this hook is ours; or it delivers this way, and the query is what it delivers."""
    site = site_of(request)
    _profile_with(site, provider)
    if site.hub.takes_get(provider):
        return await _take(request, provider, profile, request.url.query.encode(), FORM)
    try:
        return _said(site.hub.greet(provider, dict(request.query_params)))
    except Forged:
        site.metrics.count_forged(provider)
        raise


def _said(greeting: Greeting) -> Response:
    return Response(greeting.body, media_type=greeting.content_type)


def public_url(site: Site, request: Request) -> str:
    """The address as the platform knows it: a proxy may have changed the host and the scheme."""
    query = f"?{request.url.query}" if request.url.query else ""
    return site.settings.public_url.rstrip("/") + request.url.path + query


def _profile_with(site: Site, connector: str) -> str:
    """The first profile that has a channel on this platform."""
    for name, rulebook in site.hub.rulebooks.items():
        if any((c.provider or title) == connector for title, c in rulebook.profile.channels.items()):
            return name
    raise NotFound(f"No profile has a channel on {connector}")
