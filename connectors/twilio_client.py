"""Twilio's client for our purposes, and what its refusals mean."""

from __future__ import annotations

import logging
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]
from twilio.http.async_http_client import AsyncTwilioHttpClient  # type: ignore[import-untyped]

from laporhub.connectors import twilio_payload
from laporhub.pipeline.connector import Failed, Outcome, Unknown
from laporhub.pipeline.errors import RetryLater, StopChannel

_BUSY = frozenset({20429, 63018})
_DEAD = frozenset({20003, 20005})  # credentials refused, account not active
SILENT = logging.Logger("twilio.http", level=logging.CRITICAL)  # the library logs phone numbers


class Http(AsyncTwilioHttpClient):  # type: ignore[misc]
    """Twilio's client, mended: it signs in a way that aiohttp deprecates, and of a refusal it throws away the
    headers (where the hint stands when to come back) and, for lists, the status.
    """

    async def request(self, method: str, url: str, **kwargs: Any) -> Any:
        user, password = kwargs.pop("auth")
        basic = b64encode(f"{user}:{password}".encode()).decode()
        kwargs["headers"] = {**(kwargs.get("headers") or {}), "Authorization": f"Basic {basic}"}
        response = await super().request(method, url, **kwargs)
        if response.status_code == 401:
            raise _dead(response.status_code)
        if response.status_code in (429, 503):
            hint = (response.headers or {}).get("Retry-After", "")
            raise RetryLater(
                f"Twilio is busy ({response.status_code})", after=float(hint) if hint.isdecimal() else None
            )
        return response


def never_left(error: Exception) -> bool:
    """Whether the connection failed before anything was sent."""
    return isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError)


def refusal(error: Any) -> Outcome:
    """What a refusal means for a message. Raises `RetryLater`, `StopChannel`."""
    status, code = _stop_or_wait(error)
    return Unknown(f"server error {status}") if status >= 500 else Failed(twilio_payload.reason_for(code))


def _stop_or_wait(error: Any) -> tuple[int, int]:
    """HTTP status and Twilio's code of a refusal; raises `RetryLater`, `StopChannel` where these say so."""
    status, code = int(getattr(error, "status", 0) or 0), int(getattr(error, "code", 0) or 0)
    if code in _BUSY:
        raise RetryLater(f"Twilio is busy ({code})") from error
    if code in _DEAD:
        raise _dead(code) from error
    return status, code


def _dead(code: int) -> StopChannel:
    return StopChannel(f"Twilio refuses the account ({code}): check account_sid and auth_token")


@asynccontextmanager
async def reading() -> AsyncIterator[None]:
    """Reading changes nothing, so whatever goes wrong it can be tried again."""
    try:
        yield
    except (TimeoutError, aiohttp.ClientError, ValueError) as error:
        raise RetryLater(f"Twilio's messages cannot be read: {type(error).__name__}") from error
    except TwilioException as error:
        _stop_or_wait(error)
        raise RetryLater("Twilio's messages cannot be read: the list was refused") from error
