"""The hub's own style sheet and script, with a hash in their address so that browsers may keep them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

_FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_KEEP = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Asset:
    body: bytes
    media_type: str
    version: str


@cache
def assets() -> dict[str, Asset]:
    """All files of `static/`, by name."""
    return {
        path.name: Asset(
            body := path.read_bytes(), _TYPES[path.suffix], hashlib.sha256(body).hexdigest()[:12]
        )
        for path in sorted(_FOLDER.iterdir())
        if path.suffix in _TYPES
    }


def asset_url(name: str) -> str:
    return f"/static/{name}?v={assets()[name].version}"


@router.get("/static/{name}")
def static(request: Request, name: str) -> Response:
    asset = assets().get(name)
    if asset is None:
        raise HTTPException(404)
    tag = f'"{asset.version}"'
    fresh = request.query_params.get("v") == asset.version
    headers = {"Cache-Control": _KEEP if fresh else _ASK_AGAIN, "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(asset.body, media_type=asset.media_type, headers=headers)
