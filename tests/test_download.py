"""Addresses that somebody else chose lead only to public places, and nobody gets more than is theirs."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from laporhub.connectors import download
from laporhub.pipeline.errors import Refused, RetryLater

PUBLIC = "93.184.215.14"
NAMES = {"media.example": PUBLIC, "cdn.example": "93.184.215.15", "inside.example": "10.1.2.3"}


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A world in which these names exist."""
    known = dict(NAMES)

    async def getaddrinfo(self: Any, host: str, port: int, **_: Any) -> list[Any]:
        if host not in known and not host.replace(".", "").replace(":", "").isalnum():
            raise socket.gaierror(8, "unknown")
        if host not in known and any(c.isalpha() for c in host.replace(":", "")) and ":" not in host:
            raise socket.gaierror(8, "unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (known.get(host, host), port))]

    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", getaddrinfo)
    return known


class Server:
    """Answers by path, and remembers what it was asked."""

    def __init__(self, answers: Mapping[str, httpx.Response]) -> None:
        self.answers = dict(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answers[f"{request.headers['host']}{request.url.path}"]


@asynccontextmanager
async def fetching(answers: Mapping[str, httpx.Response]) -> AsyncIterator[tuple[Server, httpx.AsyncClient]]:
    server = Server(answers)
    async with httpx.AsyncClient(transport=httpx.MockTransport(server)) as client:
        yield server, client


async def fetched(url: str, answers: Mapping[str, httpx.Response], **given: Any) -> download.Fetched:
    async with fetching(answers) as (_, client):
        return await download.fetch(url, 1000, client=client, **given)


async def test_a_file_is_fetched_from_where_its_name_leads() -> None:
    async with fetching({"media.example/a.jpg": httpx.Response(200, content=b"abc")}) as (server, client):
        found = await download.fetch("https://media.example/a.jpg", 1000, client=client)
    assert found.data == b"abc"
    [asked] = server.asked
    assert asked.url.host == PUBLIC, "looked up once, and used as it was found"
    assert asked.headers["host"] == "media.example"
    assert asked.extensions["sni_hostname"] == "media.example"


@pytest.mark.parametrize(
    "url",
    ["http://inside.example/", "http://127.0.0.1/", "http://169.254.169.254/latest/meta-data", "http://[::1]/",
     "http://[::ffff:10.0.0.1]/", "http://0.0.0.0/", "http://100.64.1.1/", "http://224.0.0.1/", "ftp://media.example/a",
     "file:///etc/passwd", "data:text/plain,x", "https://user:pass@media.example/", "https:///a", "media.example/a",
     "http://media.example:99999/", "javascript:alert(1)"],
)  # fmt: skip
async def test_what_is_private_or_no_address_is_refused_before_anything_is_asked(url: str) -> None:
    async with fetching({}) as (server, client):
        with pytest.raises(Refused) as caught:
            await download.fetch(url, 1000, client=client)
    assert caught.value.code == "address"
    assert server.asked == []


async def test_a_redirect_into_a_private_network_is_refused() -> None:
    moved = httpx.Response(302, headers={"location": "http://inside.example/secret"})
    with pytest.raises(Refused) as caught:
        await fetched("https://media.example/a", {"media.example/a": moved})
    assert caught.value.code == "address"


async def test_credentials_stay_with_their_host() -> None:
    def headers(url: str) -> Mapping[str, str]:
        return (
            {"Authorization": "Basic rahasia"} if download.origin(url) == "https://media.example:443" else {}
        )

    answers = {
        "media.example/a": httpx.Response(307, headers={"location": "https://cdn.example/b"}),
        "cdn.example/b": httpx.Response(200, content=b"abc"),
    }
    async with fetching(answers) as (server, client):
        await download.fetch("https://media.example/a", 1000, headers, client=client)
    first, second = server.asked
    assert first.headers["authorization"] == "Basic rahasia"
    assert "authorization" not in second.headers


async def test_redirects_end() -> None:
    circle = httpx.Response(302, headers={"location": "/a"})
    with pytest.raises(Refused):
        await fetched("https://media.example/a", {"media.example/a": circle})


@pytest.mark.parametrize("announced", [True, False])
async def test_too_much_is_not_read_to_its_end(announced: bool) -> None:
    async def flood() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x" * 100

    large = httpx.Response(200, content=b"x" * 2000) if announced else httpx.Response(200, content=flood())
    with pytest.raises(Refused) as caught:
        await fetched("https://media.example/a", {"media.example/a": large})
    assert caught.value.code == "too_large"


@pytest.mark.parametrize("status", [401, 403, 404, 410])
async def test_what_is_gone_is_gone(status: int) -> None:
    with pytest.raises(Refused) as caught:
        await fetched("https://media.example/a", {"media.example/a": httpx.Response(status)})
    assert caught.value.code == "gone"


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_what_may_work_later_says_when(status: int) -> None:
    busy = httpx.Response(status, headers={"retry-after": "30"})
    with pytest.raises(RetryLater) as caught:
        await fetched("https://media.example/a", {"media.example/a": busy})
    assert caught.value.after == 30


async def test_a_name_that_leads_nowhere_may_lead_somewhere_later() -> None:
    with pytest.raises(RetryLater):
        await fetched("https://nowhere.example/a", {})


async def test_an_origin_that_the_operator_named_may_lie_inside() -> None:
    answers = {"127.0.0.1:8081/a": httpx.Response(200, content=b"abc")}
    found = await fetched("http://127.0.0.1:8081/a", answers, trusted=frozenset({"http://127.0.0.1:8081"}))
    assert found.data == b"abc"
    with pytest.raises(Refused):
        await fetched("http://127.0.0.1:8082/a", answers, trusted=frozenset({"http://127.0.0.1:8081"}))
