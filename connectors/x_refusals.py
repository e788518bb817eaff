"""What a refusal of X means for one answer, and for the whole account."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from laporhub.connectors.x_api import NoAnswer, Refused
from laporhub.pipeline.connector import BY_HAND, Failed, Outcome, Unknown
from laporhub.pipeline.errors import RetryLater, StopChannel


def refusal(refused: Refused, now: datetime) -> Outcome:
    """What a refusal means for a message. Raises `RetryLater`, `StopChannel`."""
    stop_or_wait(refused, now)
    if refused.status >= 500 or refused.status < 400 or refused.status == 408:
        return Unknown(f"server answered {refused.status}")
    if "deleted or not visible" in refused.said or "has been deleted" in refused.said:
        return Failed("gone")
    return Failed(BY_HAND if refused.status == 403 else f"x_error ({refused.status})")


def stop_or_wait(refused: Refused, now: datetime) -> None:
    """Raises what concerns the whole account."""
    said = refused.said
    if refused.status == 429:
        wait = (refused.resets_at - now).total_seconds() if refused.resets_at else 0
        raise RetryLater("X's limit is reached", after=wait + 1 if wait > 0 else None) from refused
    if refused.status == 402:
        raise StopChannel("X's credits are used up (402): buy some in X's developer console") from refused
    if refused.status == 401:
        raise StopChannel(
            "X refuses the tokens (401): make new ones in its developer console, and check this machine's clock"
        ) from refused
    if refused.status == 403 and ("suspended" in said or "locked" in said):
        raise StopChannel(
            "X has suspended or locked our account: sign in on x.com and follow what it says"
        ) from refused
    if refused.status == 403 and (
        "app permissions" in said or "client-" in said or "client forbidden" in said
    ):
        raise StopChannel(
            "X's app may not do this (403): give it read, write and direct messages, then make new access tokens"
        ) from refused


@asynccontextmanager
async def reading(now: Callable[[], datetime]) -> AsyncIterator[None]:
    """Reading changes nothing, so whatever goes wrong it can be tried again."""
    try:
        yield
    except NoAnswer as error:
        raise RetryLater(f"X cannot be read: {error}") from error
    except Refused as refused:
        stop_or_wait(refused, now())
        raise RetryLater(f"X cannot be read: it answered {refused.status}") from refused
