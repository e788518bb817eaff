"""Calls of X's REST interface through tweepy, with what it lacks: a time limit, another address, all refusals alike.

tweepy knows the routes, the parameters and how to sign. Its asynchronous client breaks on a busy platform, so the
plain one is used, each call on a thread and on a connection of its own: a kept one that X has closed meanwhile would
make a call of unknown outcome.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import re
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

import orjson
import requests
import tweepy  # type: ignore[import-untyped]

Json: TypeAlias = Mapping[str, Any]

_TWEEPYS = "https://api.twitter.com"
"""Written into its code."""
_AT_ONCE = 4
_NOWHERE = frozenset({errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH})

for _talkative in ("tweepy", "oauthlib", "requests_oauthlib"):  # they would log tokens and what people wrote
    logging.getLogger(_talkative).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Tokens:
    """OAuth 1.0a: of our app, and of our account with it."""

    consumer_key: str
    consumer_secret: str
    access_token: str
    access_token_secret: str


@dataclass(frozen=True, slots=True)
class Limit:
    """What one route still takes: `remaining` of `limit` calls until `resets_at`."""

    limit: int
    remaining: int
    resets_at: datetime

    @property
    def share(self) -> float:
        """How much of it is left, from 0 to 1."""
        return min(max(self.remaining, 0) / self.limit, 1.0) if self.limit > 0 else 0.0


class Refused(Exception):
    """X answered, but not as asked. `said` is its own words, in lower case: they may name things, so never log them."""

    def __init__(self, status: int, said: str, resets_at: datetime | None) -> None:
        super().__init__(f"X answered {status}")
        self.status, self.said, self.resets_at = status, said, resets_at


class NoAnswer(Exception):
    """No answer came. `left`: whether the question may have arrived."""

    def __init__(self, reason: str, *, left: bool) -> None:
        super().__init__(reason)
        self.left = left


def signature_for(tokens: Tokens, url: str) -> str:
    """The header that lets our account read this address."""
    auth = tweepy.OAuth1UserHandler(
        tokens.consumer_key, tokens.consumer_secret, tokens.access_token, tokens.access_token_secret
    ).apply_auth()
    signed = requests.Request("GET", url, auth=auth).prepare().headers["Authorization"]
    return signed.decode() if isinstance(signed, bytes) else str(signed)


class XApi:
    """See the module. `limits` are by route as X told them last."""

    def __init__(self, url: str, tokens: Tokens, timeout: float) -> None:
        self.limits: dict[str, Limit] = {}
        self._url, self._tokens, self._timeout = url.rstrip("/"), tokens, timeout
        self._threads: ThreadPoolExecutor | None = None

    async def call(self, work: Callable[[Any], Any]) -> Json:
        """What X answers to what `work` does with a `tweepy.Client`. Raises `Refused`, `NoAnswer`."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_AT_ONCE, "x")
        future = self._threads.submit(self._run, work)
        try:
            answer = await asyncio.wait_for(asyncio.wrap_future(future), 2 * self._timeout)
            document = orjson.loads(answer)
        except TimeoutError as error:
            raise NoAnswer("no answer in time", left=not future.cancelled()) from error
        except requests.RequestException as error:
            raise NoAnswer(type(error).__name__, left=not _never_left(error)) from error
        except orjson.JSONDecodeError as error:
            raise NoAnswer("an answer that is not JSON", left=True) from error
        if not isinstance(document, dict):
            raise NoAnswer("an answer that is no object", left=True)
        return document

    def close(self) -> None:
        """The next call begins anew; what is on its way ends by itself."""
        threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown(wait=False, cancel_futures=True)

    def _run(self, work: Callable[[Any], Any]) -> bytes:
        tokens = self._tokens
        client = tweepy.Client(
            consumer_key=tokens.consumer_key,
            consumer_secret=tokens.consumer_secret,
            access_token=tokens.access_token,
            access_token_secret=tokens.access_token_secret,
            return_type=requests.Response,
        )
        with _Session(self._url, self._timeout, self.limits) as client.session:
            return bytes(work(client).content)


class _Session(requests.Session):
    """Where tweepy's requests really go. A refusal is raised from here: tweepy's own errors trip over odd answers."""

    def __init__(self, url: str, timeout: float, limits: dict[str, Limit]) -> None:
        super().__init__()
        self.trust_env = False
        self._url, self._timeout, self._limits = url, timeout, limits

    def request(self, method: str, url: str, **kwargs: Any) -> Any:  # type: ignore[override]
        path = url.removeprefix(_TWEEPYS)
        answer = super().request(
            method, self._url + path, timeout=self._timeout, allow_redirects=False, **kwargs
        )
        limit = _limit(answer.headers, "x-rate-limit")
        if limit is not None:
            self._limits[f"{method} {re.sub(r'[0-9]{3,}', ':id', path)}"] = limit
        if not 200 <= answer.status_code < 300:
            raise Refused(answer.status_code, _said(answer.content), _resets_at(answer.headers, limit))
        return answer


def _limit(headers: Mapping[str, str], prefix: str) -> Limit | None:
    try:
        most, left, at = (int(headers[f"{prefix}-{name}"]) for name in ("limit", "remaining", "reset"))
        return Limit(most, left, datetime.fromtimestamp(at, UTC))
    except (KeyError, ValueError, OverflowError, OSError):
        return None


def _resets_at(headers: Mapping[str, str], limit: Limit | None) -> datetime | None:
    """When it takes calls again: the limits of a day come before that of a quarter of an hour."""
    days = [_limit(headers, f"x-{whose}-limit-24hour") for whose in ("user", "app")]
    ends = [each.resets_at for each in days if each is not None and each.remaining <= 0]
    return max(ends) if ends else limit.resets_at if limit else None


def _said(body: bytes) -> str:
    """The words of a refusal that tell which it is: a problem document, or a list of errors; nothing of a page."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    told = document if isinstance(document, dict) else {}
    errors = told.get("errors")
    every = [told, *(errors if isinstance(errors, list) else [])]
    names = ("type", "title", "detail", "reason", "message")
    return " ".join(
        str(each[name]) for each in every if isinstance(each, dict) for name in names if name in each
    ).lower()


def _never_left(error: BaseException | None) -> bool:
    """Whether no connection came about."""
    while error is not None:
        if isinstance(error, requests.ConnectTimeout | socket.gaierror):
            return True
        if isinstance(error, OSError) and error.errno in _NOWHERE:
            return True
        error = error.__cause__ or error.__context__
    return False
