"""Where platforms deliver: the body is passed on untouched, with the address that their signature covers."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from laporhub.pipeline.errors import Forged, NotFound
from laporhub.pipeline.ports import Raw
from laporhub.web.site import Site, site_of

router = APIRouter(include_in_schema=False)

_TWIML = "<Response/>"


@router.post("/hooks/twilio")
@router.post("/hooks/twilio/status")
async def twilio(request: Request, profile: str | None = None) -> Response:
    """A message or a delivery report; durable before it is answered, so Twilio repeats what failed."""
    await deliver(request, "twilio", profile)
    return Response(_TWIML, media_type="text/xml")


async def deliver(request: Request, connector: str, profile: str | None) -> int:
    """Hands a webhook to the hub; the number of messages in it. Raises `Forged`."""
    site = site_of(request)
    raw = Raw(
        body=await request.body(),
        content_type=request.headers.get("content-type", ""),
        headers={name.lower(): value for name, value in request.headers.items()},
        url=public_url(site, request),
    )
    try:
        return await site.hub.hook(profile or _profile_with(site, connector), connector, raw)
    except Forged:
        site.metrics.count_forged(connector)
        raise


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
