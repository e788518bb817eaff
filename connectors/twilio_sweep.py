"""How far an account's messages were gone through, and a message as a payload. Pure.

Twilio lists newest first, so what came since the last sweep is gone through backwards, `size` at a time; only when all
of it is taken does the next sweep begin where this one began.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Self

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from laporhub.pipeline.connector import Raw

GRACE = timedelta(minutes=2)
"""So long a message is left to the hook, which tells more of it: a place, a name, a button."""
SIZE = 200

_FIELDS = ("sid", "to", "body", "direction", "status", "num_media")


class Cursor(BaseModel):
    """All before `since` is taken, and all from `until` (None: not begun) up to `top`. Times are those of messages, so
    that it does not matter whether Twilio's clock is ours.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: AwareDatetime
    until: AwareDatetime | None = None
    top: AwareDatetime | None = None
    size: int = SIZE

    @classmethod
    def read(cls, text: str | None, now: datetime, back: timedelta) -> Self:
        """The cursor as it was kept; one that begins so far `back` where there is none."""
        try:
            return cls.model_validate_json(text or "")
        except ValidationError:
            return cls(since=(now - GRACE - back).replace(microsecond=0))

    def end(self, now: datetime) -> datetime:
        return self.until or max(self.since, (now - GRACE).replace(microsecond=0))

    def after(self, sent: Sequence[datetime], end: datetime) -> Self:
        """Where to go on once the messages of this page, with these times, are stored."""
        top = self.top or max(sent, default=self.since)
        if len(sent) < self.size:
            return self.model_copy(update={"since": top, "until": None, "top": None, "size": SIZE})
        oldest = min(sent)
        size = self.size * 2 if oldest >= end else SIZE  # all in one second: a larger page gets past it
        return self.model_copy(update={"until": min(oldest, end), "top": top, "size": size})

    @property
    def in_between(self) -> bool:
        return self.until is not None


def payload(message: Any, media: Sequence[tuple[str, str]]) -> Raw:
    """A message of the list as a payload that `twilio_payload` reads; `media` are addresses and types."""
    fields: dict[str, Any] = {name: getattr(message, name) for name in _FIELDS}
    fields["from"] = message.from_
    fields["date_sent"] = message.date_sent.astimezone(UTC).isoformat() if message.date_sent else None
    for number, (url, kind) in enumerate(media):
        fields |= {f"MediaUrl{number}": url, f"MediaContentType{number}": kind}
    return Raw(orjson.dumps(fields), "application/json")
