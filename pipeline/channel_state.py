"""How a channel stands, and how a reply would go out on it now: what staff are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from laporhub.pipeline.connector_abilities import Window


@dataclass(frozen=True, slots=True)
class Way:
    """How a reply to a case would go out now.

    `kind`: "page" the tracking page shows it; "push" the platform takes it as `window` says; "unable" nobody has set
    up the channel, so replies wait; "nowhere" there is no address any more (the reporter was erased). `templates` are
    the purposes that go through a closed window.
    """

    kind: Literal["page", "push", "unable", "nowhere"]
    window: Window = field(default_factory=Window)
    templates: frozenset[str] = frozenset()

    def is_shut(self, purpose: str) -> bool:
        """Whether a reply with this purpose certainly does not arrive."""
        closed = self.kind == "push" and self.window.state == "closed" and purpose not in self.templates
        return closed or self.kind == "nowhere"


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """How one channel of a profile stands. Times are None for what never was; counts are of the last 24 hours, but for
    what waits.

    `too_late`: of those that failed, how many because the platform's window was closed. `dead`: the platform refuses
    our account. `facts`, `left` and `credits` are what it told of the account: see `Health`.
    """

    profile: str
    channel: str
    account: str
    kind: Literal["page", "push"]
    configured: bool
    last_in: datetime | None = None
    last_out: datetime | None = None
    waiting: int = 0
    sent: int = 0
    failed: int = 0
    too_late: int = 0
    polled_at: datetime | None = None
    poll_trouble: str | None = None
    rests_until: datetime | None = None
    rests_why: str | None = None
    dead: bool = False
    checked_at: datetime | None = None
    ok: bool | None = None
    reason: str | None = None
    expires_at: datetime | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    left: Mapping[str, float] = field(default_factory=dict)
    credits: Mapping[str, float] = field(default_factory=dict)

    @property
    def error_rate(self) -> float | None:
        """Of the replies that were settled, how many failed; None where none was."""
        settled = self.sent + self.failed
        return self.failed / settled if settled else None
