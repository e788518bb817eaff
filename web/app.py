"""The web application: pages, API and hooks over one hub."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import FastAPI

from laporhub.pipeline.hub_port import HubPort
from laporhub.web import (
    api,
    api_privacy,
    assets,
    case,
    case_privacy,
    channels,
    desk_form,
    files,
    handover,
    health,
    hooks,
    inbox,
    papers,
    problems,
    public,
    queue,
    reports,
    staff,
    standard,
    tracking,
)
from laporhub.web.middleware import BodyLimit, Compression, Shield
from laporhub.web.settings import WebSettings
from laporhub.web.site import Site


def create_app(hub: HubPort, settings: WebSettings) -> FastAPI:
    """The ASGI application. It starts and stops nothing: the hub's life is the caller's."""
    app = FastAPI(
        title="LaporHub",
        version=version("laporhub"),
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    site = Site(hub, settings)
    app.state.site = site
    for part in (
        public,
        standard,
        tracking,
        staff,
        queue,
        desk_form,
        case,
        case_privacy,
        channels,
        reports,
        files,
        handover,
        papers,
        api,
        hooks,
        inbox,
        health,
        assets,
    ):
        app.include_router(part.router)
    for router in (api.staff, api_privacy.router, api_privacy.staff):
        app.include_router(router)
    problems.install(app)
    # The last one added is the outermost.
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes, upload=settings.max_upload_bytes)
    app.add_middleware(Compression, minimum_size=1000)
    app.add_middleware(Shield, metrics=site.metrics, https=settings.cookie_secure)
    return app
