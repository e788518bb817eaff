"""A bulk endpoint that keeps Elasticsearch's rules of versions and can be told to be in trouble."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web
from elasticsearch import AsyncElasticsearch

HEADERS = {"X-Elastic-Product": "Elasticsearch"}
Trouble = str
"""What happens to the next request: see `TROUBLES`."""
TROUBLES: tuple[Trouble, ...] = (
    "fine",
    "429",  # the whole request is turned away
    "503",
    "some 429",  # every other document is
    "some 503",
    "hang up",  # nothing is written, and nobody answers
    "written, hang up",  # all is written, and nobody says so
    "no json",
)


@dataclass
class FakeElasticsearch:
    """`troubles` befall the requests, one each, in order; then all is fine."""

    troubles: list[Trouble] = field(default_factory=list)
    documents: dict[tuple[str, str], tuple[int, Any]] = field(default_factory=dict)
    requests: int = 0
    sizes: list[tuple[int, int]] = field(default_factory=list)
    """Documents and bytes of each request."""
    touched: list[set[str]] = field(default_factory=list)
    """The indices that each request touches."""
    at_once: int = 0
    at_most: int = 0
    """Most requests at the same time."""
    hold: Callable[[FakeElasticsearch], asyncio.Event] | None = None
    most_bytes: int | None = None

    async def bulk(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        lines = body.splitlines()
        self.requests += 1
        self.sizes.append((len(lines) // 2, len(body)))
        self.at_once += 1
        self.at_most = max(self.at_most, self.at_once)
        try:
            if self.hold is not None:
                await self.hold(self).wait()
            return self._answer(request, lines, len(body))
        finally:
            self.at_once -= 1

    def _answer(self, request: web.Request, lines: list[bytes], size: int) -> web.StreamResponse:
        if self.most_bytes is not None and size > self.most_bytes:
            return web.json_response({"error": {"type": "too_large"}}, status=413, headers=HEADERS)
        trouble = self.troubles.pop(0) if self.troubles else "fine"
        operations = list(zip(lines[::2], lines[1::2], strict=True))
        self.touched.append(
            {where["_index"] for line, _ in operations for where in orjson.loads(line).values()}
        )
        if trouble in ("429", "503", "400", "403"):
            told = {"error": {"type": "es_rejected_execution_exception"}, "status": int(trouble)}
            return web.json_response(told, status=int(trouble), headers=HEADERS)
        if trouble == "no json":
            return web.Response(text="<html>", content_type="text/html", headers=HEADERS)
        if "hang up" in trouble:
            if trouble.startswith("written"):
                self._write(operations, "")
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        items = self._write(operations, trouble.removeprefix("some "))
        errors = any(result["status"] >= 300 for item in items for result in item.values())
        return web.json_response({"errors": errors, "items": items}, headers=HEADERS)

    def _write(self, operations: Iterable[tuple[bytes, bytes]], turned_away: str) -> list[dict[str, Any]]:
        items = []
        for number, (line, body) in enumerate(operations):
            ((action, where),) = orjson.loads(line).items()
            if turned_away.isdigit() and number % 2 == 0:
                status = int(turned_away)
            else:
                status = self._put(action, where, orjson.loads(body))
            result: dict[str, Any] = {"status": status}
            if status >= 300:
                result["error"] = {"type": f"type_{status}", "reason": "…"}
            items.append({action: result})
        return items

    def _put(self, action: str, where: dict[str, Any], document: Any) -> int:
        key = where["_index"], where["_id"]
        kept, _ = self.documents.get(key, (0, None))
        version = where.get("version", 1)
        equal_too = where.get("version_type") == "external_gte"
        if kept and (action == "create" or version < kept or (version == kept and not equal_too)):
            return 409
        self.documents[key] = version, document
        return 200 if kept else 201


@asynccontextmanager
async def serving(fake: FakeElasticsearch) -> AsyncIterator[AsyncElasticsearch]:
    """A client of it, while it is up."""
    application = web.Application(client_max_size=100_000_000)
    application.router.add_route("*", "/_bulk", fake.bulk)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    _, port = runner.addresses[0][:2]
    try:
        async with AsyncElasticsearch(f"http://127.0.0.1:{port}") as client:
            yield client
    finally:
        await runner.cleanup()
