"""A report on its way to somebody, as the store keeps it and the web shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

PostStatus: TypeAlias = Literal["pending", "sending", "sent", "failed"]


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody who gets reports by e-mail: those of a unit, or (None) of the whole profile."""

    address: str
    unit: str | None = None
    language: str = "id"


@dataclass(frozen=True, slots=True)
class ReportPost:
    """One report to one receiver. `status` is as in `store.report_posts`; `reason` says why it waits or failed.

    `at` is when its status last changed, `next_at` when it is looked at again (None: it is done with), `attempted_at`
    when the mail server was first given what it has not confirmed yet.
    """

    id: str
    profile: str
    unit: str | None
    period: str
    receiver: str
    language: str
    status: PostStatus
    attempts: int
    next_at: datetime | None
    attempted_at: datetime | None
    reason: str | None
    at: datetime
