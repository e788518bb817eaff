"""One tree of errors, grouped by what the caller does.

LaporHubError
├── RetryLater         try the same thing again, not before `after`
│   └── WriteConflict  another process wrote the same case first: load it again, decide again
├── Refused            this one is skipped: tell whoever sent it why; nothing has changed
│   ├── Unparsable     a payload nobody understands: keep it in the dead letter
│   ├── Forged         a signature or token that does not match: 403, and count it
│   ├── Forbidden      the role may not do this
│   ├── NotFound       no such case, user, unit
│   └── Conflict       the case moved on meanwhile: load it again
├── StopChannel        the account is dead (token revoked, banned): stop sending, tell a person
└── Misconfigured      the operator must fix a setting or a profile
"""

from __future__ import annotations


class LaporHubError(Exception):
    """Base of every error this project raises on purpose; the message says what to do."""


class RetryLater(LaporHubError):
    """The other side is busy or away: nothing is lost, try again."""

    def __init__(self, message: str, *, after: float | None = None) -> None:
        """`after` is the platform's own hint, in seconds."""
        super().__init__(message)
        self.after = after


class WriteConflict(RetryLater):
    """Another process changed meanwhile what this transaction was about to write; nothing of it was written."""


class Refused(LaporHubError):
    """The request cannot be carried out as it stands; nothing has changed.

    `code` is stable and machine-readable, `field` names the input at fault where there is one.
    """

    code = "refused"

    def __init__(self, message: str, *, code: str | None = None, field: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        self.field = field


class Unparsable(Refused):
    """A payload that no parser understands."""

    code = "unparsable"


class Forged(Refused):
    """A signature or token does not match what was sent."""

    code = "forged"


class Forbidden(Refused):
    """The role may not do this."""

    code = "forbidden"


class NotFound(Refused):
    """There is no such thing, or not for this reader."""

    code = "not_found"


class Conflict(Refused):
    """The case moved on since it was read."""

    code = "conflict"


class StopChannel(LaporHubError):
    """The platform account cannot be used until a person has mended it."""


class Misconfigured(LaporHubError):
    """A setting or a profile is wrong; the message names it and the remedy."""
