"""Puts the web application on a socket."""

from __future__ import annotations

import asyncio
import base64
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from laporhub.hub.hub import Hub
from laporhub.hub.settings import Settings
from laporhub.pipeline.errors import Misconfigured
from laporhub.web.app import create_app
from laporhub.web.settings import WebSettings


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens already: callers wait instead of failing while the hub starts."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise Misconfigured(
            f"{host}:{port} cannot be used ({error.strerror}): choose another --port"
        ) from None
    listener.listen(1024)
    return listener


class _Server(uvicorn.Server):
    """Ends on SIGTERM and SIGINT like any server, but leaves it to the caller to close the rest in order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop, signals = asyncio.get_running_loop(), (signal.SIGTERM, signal.SIGINT)
        for each in signals:
            loop.add_signal_handler(each, self.handle_exit, each, None)
        try:
            yield
        finally:
            for each in signals:
                loop.remove_signal_handler(each)


def web_server(hub: Hub, settings: Settings, *, demo: bool = False) -> uvicorn.Server:
    app = create_app(
        hub,
        WebSettings(
            secret_key=base64.b64encode(hub.web_secret).decode(),
            public_url=settings.base_url,
            cookie_secure=settings.base_url.startswith("https://"),
            demo=demo,
            now=hub.now,
        ),
    )
    return _Server(
        uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,  # addresses hold tracking tokens
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=10,
        )
    )
