"""The command for units: follow one's own topic."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from contextlib import suppress
from enum import StrEnum
from typing import Annotated

import typer

from laporhub.hub.console import configure_logging, settings_for
from laporhub.pipeline.unit_events import (
    UnitCase,
    UnitClockMoved,
    UnitDrafted,
    UnitEvent,
    UnitMessage,
    UnitNoted,
    UnitRated,
    UnitRefused,
    UnitReply,
    UnitReplyUpdated,
    UnitTransitioned,
)


class Format(StrEnum):
    """How records are shown."""

    json = "json"
    text = "text"


def inbox(
    unit: Annotated[str, typer.Option(help="The unit's id.")],
    profile: Annotated[
        str | None, typer.Option(help="The government's profile; its name, or its folder.")
    ] = None,
    from_beginning: Annotated[
        bool, typer.Option("--from-beginning", help="Show all that is kept, also what was shown before.")
    ] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Go on, and show what comes.")] = False,
    form: Annotated[Format, typer.Option("--format", help="JSON lines, or words.")] = Format.json,
) -> None:
    """Show what the hub forwards to a unit, with the unit's own Kafka user: what is new since the last time."""
    from laporhub.hub.inbox import follow as follow_topic

    settings = settings_for([profile] if profile else None, None)
    configure_logging(settings, quiet=True)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what matters is raised, and said in one line

    def show(event: UnitEvent, value: bytes) -> None:
        sys.stdout.write(f"{value.decode() if form is Format.json else in_words(event)}\n")
        sys.stdout.flush()  # seen before it is acknowledged

    name = _name_of(settings.profiles[0])
    with suppress(KeyboardInterrupt):
        asyncio.run(follow_topic(settings, name, unit, show, from_beginning=from_beginning, on=follow))


def _name_of(profile: str) -> str:
    """A unit has no need of the profile itself, only of its name."""
    if os.sep not in profile:
        return profile
    from laporhub.pipeline.profile.load import load

    return load(profile).name


def in_words(event: UnitEvent) -> str:
    """One line in Indonesian: when, which case, what."""
    return f"{event.time:%Y-%m-%d %H:%M} UTC  {event.ticket or event.subject}  {_what(event)}"


_MOVED = {
    "started": "mulai",
    "paused": "berhenti sementara",
    "resumed": "berjalan lagi",
    "moved": "bergeser karena kalender kerja berubah",
    "stopped": "selesai",
    "alarmed": "peringatan",
}


def _what(event: UnitEvent) -> str:
    match event.data:
        case UnitCase() as case:
            given = [str(value) for value in case.fields.values() if value and value != event.unit]
            note = f" (catatan: {_line('; '.join(given))})" if given else ""
            return f"aduan untuk Anda [{case.urgency}]: {_line(case.text)}{note}"
        case UnitMessage(text=text, attachments=files):
            return f"pelapor menulis: {_line(text)}" + (f" (+{files} lampiran)" if files else "")
        case UnitTransitioned() as step:
            words = "; ".join(str(value) for value in step.fields.values() if value)
            return f"{step.source} → {step.target} ({step.transition})" + (
                f": {_line(words)}" if words else ""
            )
        case UnitClockMoved() as clock:
            due = f", batas {clock.due_at:%Y-%m-%d %H:%M} UTC" if clock.due_at else ""
            return f"tenggat {clock.clock}: {_MOVED[clock.moved]}{due}" + (
                ", terlambat" if clock.late else ""
            )
        case UnitDrafted(text=text):
            return f"rumusan tanggapan: {_line(text)}"
        case UnitReply(purpose=purpose, text=text):
            return f"balasan kepada pelapor ({purpose}): {_line(text)}"
        case UnitReplyUpdated(status=status):
            return f"balasan: {status}"
        case UnitNoted(text=text):
            return f"catatan: {_line(text)}"
        case UnitRated(rating=rating):
            return f"penilaian pelapor: {rating} dari 5"
        case UnitRefused(command=command, reason=reason):
            return f"perintah {command or ''} ditolak: {_line(reason)}"
        case data:
            return {"taken_away": "aduan tidak lagi di unit Anda", "classified": "klasifikasi diperbarui"}[
                data.kind
            ]


def _line(text: str) -> str:
    return " ".join(text.split())


def register(app: typer.Typer) -> None:
    app.command()(inbox)
