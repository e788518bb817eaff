"""Around every request: a limit on its body, headers that protect the reader, compression, and counting."""

from __future__ import annotations

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from laporhub.web.metrics import Metrics

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Tracking links hold the reporter's secret: no other site may see where a reader came from.
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "geolocation=(self), camera=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_UPLOADS = ("/p/", "/t/", "/staff/")
"""Where forms with files are sent to, beside "/"."""
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
HSTS = ("Strict-Transport-Security", "max-age=31536000")


class Shield:
    """Security headers on every answer, no answer kept by caches unless it says so, and a count of each."""

    def __init__(self, app: ASGIApp, metrics: Metrics, https: bool) -> None:
        self.app, self.metrics = app, metrics
        self.headers = {**SECURITY_HEADERS, **(dict([HSTS]) if https else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            method = scope["method"] if scope["method"] in _METHODS else "OTHER"
            self.metrics.count_request(route, method, status)


class BodyLimit:
    """Answers 413 to a body of more than `limit` bytes (`upload` for forms with files), before it has been read to
    its end.
    """

    def __init__(self, app: ASGIApp, limit: int, upload: int) -> None:
        self.app, self.limit, self.upload = app, limit, upload

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        taken = 0
        headers = Headers(scope=scope)
        announced = headers.get("content-length", "")
        is_form = headers.get("content-type", "").startswith("multipart/form-data")
        takes_files = scope["path"] == "/" or scope["path"].startswith(_UPLOADS)
        limit = self.upload if is_form and takes_files else self.limit

        async def receive_some() -> Message:
            nonlocal taken
            if announced.isdecimal() and int(announced) > limit:
                raise HTTPException(413)
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                raise HTTPException(413)
            return message

        await self.app(scope, receive_some, send)


class Compression(GZipMiddleware):
    """Gzip, except where a page mixes what anyone may send with a session's secret."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/staff"):
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)
