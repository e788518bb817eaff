"""Fetches a file from an address that somebody else chose: guarded, capped, and never with more than it needs.

Only http and https; only addresses that are public, each looked up once and then used as it was found (a name that
points elsewhere a moment later leads nowhere); redirects are followed by hand, each checked anew, and credentials stay
with the host they are for.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

import httpx

from laporhub.pipeline.errors import Refused, RetryLater

_REDIRECTS: Final = 4
_SECONDS: Final = 60.0
_GONE: Final = frozenset({401, 403, 404, 410, 451})

Headers = Callable[[str], Mapping[str, str]]
"""What an address needs beside itself: credentials, where it is the platform's own."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file as it came, and what the server called it."""

    data: bytes
    media_type: str | None


async def fetch(
    url: str,
    limit: int,
    headers: Headers = lambda _: {},
    trusted: frozenset[str] = frozenset(),
    client: httpx.AsyncClient | None = None,
) -> Fetched:
    """The file at `url`. `trusted` are origins ("http://127.0.0.1:8081") that may lie in our own network: the
    operator named them.

    Raises `Refused` (codes `address`, `too_large`, `gone`) for what will never work, `RetryLater` for what may.
    """
    own = client is None
    client = client or httpx.AsyncClient(follow_redirects=False, trust_env=False)
    try:
        async with asyncio.timeout(_SECONDS):
            for _ in range(_REDIRECTS + 1):
                answer = await _get(client, url, limit, headers, trusted)
                if isinstance(answer, Fetched):
                    return answer
                url = urljoin(url, answer)
        raise Refused("the address only leads on and on", code="address")
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, ssl_error()) as error:
        if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
            raise Refused("not an address that can be fetched", code="address") from None
        raise RetryLater(f"the file cannot be fetched: {type(error).__name__}") from None
    finally:
        if own:
            await client.aclose()


def ssl_error() -> type[Exception]:
    import ssl

    return ssl.SSLError


async def _get(
    client: httpx.AsyncClient, url: str, limit: int, headers: Headers, trusted: frozenset[str]
) -> Fetched | str:
    """The file, or the address that the server points to."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
        raise Refused("not an address that can be fetched", code="address")
    to = await _address(parts.hostname, _port(url), origin(url) in trusted)
    request = client.build_request(
        "GET",
        httpx.URL(url).copy_with(host=to),
        headers={**headers(url), "Host": parts.netloc},
        extensions={"sni_hostname": parts.hostname},
    )
    answer = await client.send(request, stream=True)
    try:
        if answer.is_redirect:
            return answer.headers["location"]
        if answer.status_code in _GONE:
            raise Refused(f"the file is not there any more ({answer.status_code})", code="gone")
        if answer.status_code != 200:
            hint = answer.headers.get("retry-after", "")
            raise RetryLater(
                f"the server answers {answer.status_code}", after=float(hint) if hint.isdecimal() else None
            )
        return Fetched(await _read(answer, limit), answer.headers.get("content-type"))
    finally:
        await answer.aclose()


async def _read(answer: httpx.Response, limit: int) -> bytes:
    announced = answer.headers.get("content-length", "")
    data = bytearray()
    if not (announced.isdecimal() and int(announced) > limit):
        async for piece in answer.aiter_bytes():
            data += piece
            if len(data) > limit:
                break
        else:
            return bytes(data)
    raise Refused(f"the file has more than {limit // 1_048_576} MiB", code="too_large")


def origin(url: str) -> str:
    """Scheme, host and port: "https://media.example:443"."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{(parts.hostname or '').lower()}:{_port(url)}"


def _port(url: str) -> int:
    parts = urlsplit(url)
    try:
        return parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        raise Refused("not an address that can be fetched", code="address") from None


async def _address(host: str, port: int, trusted: bool) -> str:
    """Where the name leads. Raises `Refused` if any of it is not public."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise RetryLater(f"the name cannot be looked up: {type(error).__name__}") from None
    addresses = [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    if not addresses:
        raise RetryLater("the name leads nowhere")
    if not trusted and not all(_is_public(each) for each in addresses):
        raise Refused("the address lies in a private network", code="address")
    return str(addresses[0])


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    return address.is_global and not address.is_multicast and (inner is None or inner.is_global)
