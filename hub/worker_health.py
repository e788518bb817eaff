"""A worker's own `/healthz`, `/readyz` and `/metrics`. (Faust's web server listens on every address.)"""

from __future__ import annotations

import asyncio

from aiohttp import web

from laporhub.hub.distributed import Worker


async def serve_health(worker: Worker, host: str, port: int) -> None:
    """Until cancelled."""
    site = web.Application()
    site.router.add_get("/healthz", _alive)
    site.router.add_get("/readyz", lambda _: _ready(worker))
    site.router.add_get("/metrics", lambda _: _metrics(worker))
    runner = web.AppRunner(site, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


async def _alive(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


async def _ready(worker: Worker) -> web.Response:
    parts = await worker.ready()
    fine = all(state == "ok" for state in parts.values())
    return web.json_response({"ready": fine, "parts": parts}, status=200 if fine else 503)


async def _metrics(worker: Worker) -> web.Response:
    lines = []
    for name, kind, about in (
        ("handled_total", "counter", "Records a stage handled and acknowledged."),
        ("lag", "gauge", "Records that wait on this worker's partitions."),
        ("waiting", "gauge", "1 while a stage waits for a server."),
    ):
        lines += [f"# HELP laporhub_stage_{name} {about}", f"# TYPE laporhub_stage_{name} {kind}"]
        for stage in worker.stages:
            value = {
                "handled_total": stage.handled,
                "lag": stage.lag,
                "waiting": int(stage.waiting_for is not None),
            }[name]
            lines.append(f'laporhub_stage_{name}{{stage="{stage.name}"}} {value}')
    lines += [
        "# HELP laporhub_documents_total What became of documents on their way to the search server.",
        "# TYPE laporhub_documents_total counter",
        *(f'laporhub_documents_total{{outcome="{name}"}} {n}' for name, n in worker.sink.counted.items()),
    ]
    return web.Response(text="\n".join(lines) + "\n", content_type="text/plain")
