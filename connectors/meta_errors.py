"""What the Graph API's refusals mean for a message, and how near its limits we are. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from laporhub.pipeline.connector import ALREADY, BY_HAND, WINDOW_CLOSED, Failed, Outcome, Unknown
from laporhub.pipeline.errors import LaporHubError, RetryLater, StopChannel

_BUSY: Final = frozenset({4, 17, 32, 341, 613, *range(80000, 80015)})
_DEAD: Final = frozenset({102, 190})
_CLOSED: Final = frozenset({2018065, 2018278, 2534022})
_RESTRICTED: Final = frozenset({1893063})
_UNREACHABLE: Final = frozenset({1545041})
_GONE: Final = frozenset({33})
_ONCE: Final = 10900
_TRANSIENT: Final = frozenset({1, 2, 1200})
_NOT_ALLOWED: Final = frozenset({3, 10, *range(200, 300)})

REASONS: Final[Mapping[int, str]] = {100: "refused", 368: "filtered", 506: "duplicate", 551: "unreachable"}
"""Meta's error codes that a person at the hub can make something of."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error as the Graph API tells it; code 0 where it was no error of the Graph API's own."""

    status: int
    code: int = 0
    subcode: int = 0
    trace: str = ""
    transient: bool = False

    @classmethod
    def of(cls, status: int, error: object) -> Refusal:
        told: Mapping[str, Any] = error if isinstance(error, dict) else {}
        return cls(
            status,
            _number(told.get("code")),
            _number(told.get("error_subcode")),
            str(told.get("fbtrace_id", ""))[:40],
            bool(told.get("is_transient")),
        )

    @property
    def name(self) -> str:
        return f"{self.code}/{self.subcode}" if self.subcode else str(self.code or self.status)


def trouble(refusal: Refusal, after: float | None) -> LaporHubError | None:
    """What concerns the whole account: `RetryLater` or `StopChannel` to raise; None if only this message is refused."""
    if refusal.code in _BUSY or refusal.status == 429:
        return RetryLater(f"Meta is busy ({refusal.name})", after=after)
    if refusal.code in _DEAD:
        return StopChannel(
            f"Meta refuses the token ({refusal.name}): it has expired or was revoked. Make a new page token in the "
            "app's dashboard and set LAPORHUB_META_PAGE_TOKEN or LAPORHUB_META_INSTAGRAM_TOKEN"
        )
    if refusal.subcode in _RESTRICTED:
        return StopChannel(f"Meta has restricted the page ({refusal.name}): see Page Quality in Facebook")
    return None


def outcome(refusal: Refusal, *, tagged: bool = False, optional: bool = False) -> Outcome:
    """What came of a message. Raises `RetryLater`, `StopChannel`.

    `tagged`: sent after 24 hours, which some apps may not; `optional`: nor a comment on a page that is not ours, or a
    private answer to one, and nothing else is wrong with them.
    """
    if refusal.code == _ONCE:
        return Failed(ALREADY)
    if refusal.subcode in _CLOSED:
        return Failed(WINDOW_CLOSED)
    if refusal.code == 551 or refusal.subcode in _UNREACHABLE:
        return Failed(f"unreachable ({refusal.code})")
    if refusal.code in _NOT_ALLOWED and refusal.subcode not in _RESTRICTED:
        if tagged:
            return Failed(WINDOW_CLOSED)
        if optional:
            return Failed(BY_HAND)
        raise StopChannel(
            f"Meta says that the app may not do this ({refusal.name}): ask for Advanced Access to pages_messaging, "
            "pages_manage_engagement, instagram_manage_comments and instagram_manage_messages"
        )
    if refusal.code in _TRANSIENT or refusal.transient or refusal.status >= 500:
        return Unknown(f"server error {refusal.name}")
    if refusal.code == 100 and refusal.subcode in _GONE:
        return Failed("gone (100)")
    if refusal.code == 0:
        raise RetryLater(f"no answer of Meta's ({refusal.status})")
    return Failed(f"{REASONS.get(refusal.code, 'meta_error')} ({refusal.code})")


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of a rate limit is used, in percent, and in how many seconds it is open again, if it is not."""

    percent: float = 0.0
    regain: float | None = None


def usage(headers: Mapping[str, str]) -> Usage:
    """From the headers of an answer, lower-case names; the highest of all that is counted."""
    counted = [_json(headers.get("x-app-usage")), *_business(_json(headers.get("x-business-use-case-usage")))]
    percents = [
        _percent(each.get(name)) for each in counted for name in ("call_count", "total_time", "total_cputime")
    ]
    minutes = max((_percent(each.get("estimated_time_to_regain_access")) for each in counted), default=0.0)
    return Usage(max(percents, default=0.0), minutes * 60 or None)


def _business(told: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [
        each for cases in told.values() if isinstance(cases, list) for each in cases if isinstance(each, dict)
    ]


def _json(value: str | None) -> Mapping[str, Any]:
    try:
        told = orjson.loads(value or "{}")
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def _percent(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
