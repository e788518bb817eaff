"""The profile's privacy: how long who a reporter is stays known, and what is said of confidential words."""

from __future__ import annotations

from pydantic import Field

from laporhub.pipeline.profile.section import Name, Section


class Retention(Section):
    """How long after the end of a case something is kept, in days of 24 hours; without a number it is kept for ever.

    `files`: what came with the case. `identity`: who the reporter is and what is sealed of them, once all their cases
    have ended so long ago; the cases, their redacted words and their numbers stay.
    """

    files: int | None = Field(None, ge=1)
    identity: int | None = Field(None, ge=1)


class Privacy(Section):
    """`confidential_reply` is the template by which the reporter hears that somebody answered in confidence."""

    retention: Retention = Retention()
    confidential_reply: Name | None = None
