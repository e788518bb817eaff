"""Whether what a profile says of privacy fits the rest of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from laporhub.pipeline.profile.schema import Profile
from laporhub.pipeline.profile.source import PROFILE, Finding, nearest

LINK = "link"
"""What the reply about confidential words may use, beside the facts: the address of the reporter's own page."""


def privacy(profile: Profile) -> Iterator[Finding]:
    yield from _seen_by(profile)
    yield from _retention(profile)
    wanted, takes_part = (
        profile.privacy.confidential_reply,
        [r for r in profile.roles.values() if r.confidential],
    )
    if wanted and not takes_part:
        message = "nobody takes part in confidential discussions"
        remedy = "Write “confidential: true” to a role, or delete this."
        yield Finding(PROFILE, ("privacy", "confidential_reply"), message, remedy)


def _seen_by(profile: Profile) -> Iterator[Finding]:
    known = {*profile.roles, *(role.group for role in profile.roles.values() if role.group)}
    for step, rules in profile.transitions.items():
        for name, field in rules.fields.items():
            for number, reader in enumerate(field.seen_by or ()):
                if reader not in known:
                    at = ("transitions", step, "fields", name, "seen_by", number)
                    yield Finding(PROFILE, at, f"there is no role “{reader}”", nearest(reader, known))


def _retention(profile: Profile) -> Iterator[Finding]:
    kept = profile.privacy.retention
    if kept.files and kept.identity and kept.files > kept.identity:
        message = (
            f"files cannot be kept for {kept.files} days when who sent them is erased after {kept.identity}"
        )
        yield Finding(
            PROFILE, ("privacy", "retention", "files"), message, "Files go with their reporter's key."
        )
    for name, step in profile.transitions.items():
        days = step.within.days or (step.within.working_days or 0) if step.within else 0
        for what, limit in (("files", kept.files), ("identity", kept.identity)):
            if limit is not None and limit <= days:
                message = f"after {limit} days nothing is left for {name}, which is possible for {days}"
                yield Finding(PROFILE, ("privacy", "retention", what), message, "Keep it for longer.")
