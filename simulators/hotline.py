"""A simulated telephone and recording system: calls are taken, recorded, and posted to the hub as transcripts.

Every fifth call nobody takes: then only its call record comes. Every seventh is posted twice, as real ones do after a
bad line. What the office rings back is said by people, so nothing of it is seen here.
"""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

import httpx
import orjson
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from jinja2 import Environment

from laporhub.simulators.citizens import DemoComplaint
from laporhub.simulators.serving import serving

SECRET = "rahasia-rekaman-percobaan"  # noqa: S105 - of the simulation only
_WIB = timezone(timedelta(hours=7))
_MISSED, _TWICE = 5, 7

_PAGE = Environment(autoescape=True).from_string("""<!doctype html>
<html lang="id"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Panggilan hotline (simulasi)</title>
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:42rem;margin:0 auto;padding:1rem;color:#1a2733}
li{margin:0 0 1rem;overflow-wrap:anywhere}.meta{color:#4a5967;display:block}</style></head>
<body><h1>Panggilan hotline (simulasi)</h1>
{% if calls %}<ol reversed>{% for call in calls %}
<li><span class="meta">{{ call.at }} · {{ call.caller }}</span>{{ call.words or "tak terjawab" }}</li>
{% endfor %}</ol>{% else %}<p>Belum ada panggilan.</p>{% endif %}
</body></html>""")


@dataclass(frozen=True, slots=True)
class SimCall:
    """A call; without words nobody took it."""

    id: str
    at: str
    caller: str
    words: str = ""


@dataclass
class HotlineSimulator:
    """See the module, and `Platform`."""

    hub_url: str
    now: Callable[[], datetime]
    provider: str = "hotline"
    calls: list[SimCall] = field(default_factory=list)

    @property
    def app(self) -> FastAPI:
        app = FastAPI(openapi_url=None)

        @app.get("/")
        def page() -> HTMLResponse:
            return HTMLResponse(_PAGE.render(calls=self.calls[::-1]))

        return app

    @asynccontextmanager
    async def running(
        self, port: int = 0, host: str = "127.0.0.1"
    ) -> AsyncIterator[tuple[str, Mapping[str, str]]]:
        async with serving(self.app, port, host) as url:
            yield url, {"secret": SECRET, "proof": "signature"}

    async def citizen_writes(self, channel: str, person: DemoComplaint) -> None:  # noqa: ARG002
        """Somebody rings."""
        number = len(self.calls) + 1
        at = self.now().astimezone(_WIB).replace(microsecond=0, tzinfo=None)
        call = SimCall(
            id=f"{int(self.now().timestamp())}.{number}",
            at=at.isoformat(" "),
            caller=(person.phone or "anonymous").replace("+62", "0", 1),
            words="" if number % _MISSED == 0 else person.text,
        )
        self.calls.append(call)
        body = _transcript(call) if call.words else _record(call)
        async with httpx.AsyncClient(trust_env=False) as client:
            for _ in range(2 if number % _TWICE == 0 else 1):
                (await client.post(self.hook, content=body, headers=self._signed(body))).raise_for_status()

    @property
    def hook(self) -> str:
        return f"{self.hub_url.rstrip('/')}/hooks/hotline"

    def _signed(self, body: bytes) -> Mapping[str, str]:
        signed = hmac.digest(SECRET.encode(), self.hook.encode() + b"\n" + body, "sha256").hex()
        return {"X-Hotline-Signature": f"sha256={signed}"}


def _transcript(call: SimCall) -> bytes:
    """What was said, as the recording system heard it: greeting, sounds, and all."""
    said = [
        ("agent", "Selamat pagi, hotline LaporGub, ada yang bisa dibantu?"),
        ("caller", f"Eee, {call.words}"),
        ("agent", "Baik, kami catat. Terima kasih telah menghubungi kami."),
    ]
    turns = [
        {"speaker": who, "text": text, "start_ms": 4000 * at, "conf": 0.9}
        for at, (who, text) in enumerate(said)
    ]
    record = {
        "call_id": call.id,
        "started_at": call.at,
        "caller": call.caller,
        "asr_model": "simulasi",
        "turns": turns,
    }
    return orjson.dumps(record)


def _record(call: SimCall) -> bytes:
    """A line of Asterisk's `Master.csv` for a call that nobody took."""
    cells = [
        "",
        call.caller,
        "1000",
        "from-trunk",
        call.caller,
        "PJSIP/trunk",
        "",
        "Queue",
        "hotline",
        call.at,
        "",
        call.at,
    ]
    cells += ["40", "0", "NO ANSWER", "DOCUMENTATION", call.id, ""]
    return (",".join(f'"{cell}"' for cell in cells) + "\n").encode()
