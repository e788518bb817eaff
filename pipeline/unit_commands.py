"""What a unit's own system asks for on its topic, made safe: who acts is told by the topic, never by the payload. Pure.

Only the unit's credentials may write `unit-commands.<profile>.<unit>` (see `topics` and `laporhub setup`). So a
record there comes from that unit, and from nobody else; nothing in it can name another actor, role or unit.
Whether the unit may take the step is then decided like everybody's, by the workflow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from laporhub.pipeline import ids
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.errors import Forbidden, NotFound, Refused
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.redact import redact
from laporhub.pipeline.streams import read_unit_command, write_record
from laporhub.pipeline.topics import DEFAULT_PREFIX, Record, unit_topic, writer_of
from laporhub.pipeline.unit_events import UNIT_EVENT_TYPE, UnitEvent, UnitRefused
from laporhub.pipeline.workflow import names_of


@dataclass(frozen=True, slots=True)
class UnitRequest:
    """A step that a unit's system wants to take: all that an `Act` needs but the time.

    `fields` are words in plain, still to be redacted and sealed for the case's reporter. `id` is the command's:
    the same record again is the same command. `asked` is the id that the sender gave it.
    """

    id: str
    asked: str
    profile: str
    case_id: str
    actor: Actor
    transition: str
    fields: Mapping[str, str]


def unit_command(
    topic: str, value: bytes | None, rulebooks: Mapping[str, Rulebook], prefix: str = DEFAULT_PREFIX
) -> UnitRequest:
    """What the record on `topic` asks for. Raises `Unparsable`, and `NotFound` or `Forbidden` for the topic."""
    profile, unit = writer_of(topic, prefix) or ("", "")
    book = rulebooks.get(profile)
    if book is None or unit not in book.units:
        raise NotFound(f"{topic} is the topic of no unit that this hub serves")
    role = unit_role(book)
    if role is None:
        raise Forbidden(f"In the profile {profile} no role of a unit may do anything")
    asked = read_unit_command(value)
    return UnitRequest(
        id=ids.derive("d", "unit", profile, unit, asked.id),
        asked=asked.id,
        profile=profile,
        case_id=asked.case_id,
        actor=Actor(id=f"system:{unit}", role=role, unit=unit),
        transition=asked.transition,
        fields=asked.fields,
    )


def unit_role(rulebook: Rulebook) -> str | None:
    """The role in which a unit's own system acts: the first that works on its unit's cases."""
    for name, role in rulebook.profile.roles.items():
        admitted = names_of(rulebook, name)
        steps = rulebook.profile.transitions.values()
        if role.scope == "unit" and any(not admitted.isdisjoint(step.roles) for step in steps):
            return name
    return None


def refusal(
    topic: str, value: bytes | None, error: Refused, at: datetime, prefix: str = DEFAULT_PREFIX
) -> Record | None:
    """The answer for the unit whose command on `topic` was refused, on its own topic; None if it is no unit's.

    The same command refused for the same reason has the same id. Where the record cannot be read, the unit stands
    in place of the case.
    """
    if (writer := writer_of(topic, prefix)) is None:
        return None
    profile, unit = writer
    try:
        asked = read_unit_command(value)
        command, case = asked.id, asked.case_id
    except Refused:
        command, case = None, unit
    seen = (value or b"").decode("utf-8", "backslashreplace")
    event = UnitEvent(
        id=ids.derive("n", profile, unit, command or seen, error.code),
        source=f"/laporhub/{profile}/unit/{unit}",
        type=f"{UNIT_EVENT_TYPE}refused",
        subject=case,
        time=at,
        sequence=0,
        profile=profile,
        unit=unit,
        actorrole="system",
        data=UnitRefused(command=command, code=error.code, reason=redact(str(error)), field=error.field),
    )
    return Record(unit_topic(profile, unit, prefix), case.encode(), write_record(event))
