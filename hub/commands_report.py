"""The command that makes the service standard's reports."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from laporhub.hub.console import (
    DataOption,
    ProfileOption,
    configure_logging,
    fail,
    run_with_hub,
    settings_for,
)
from laporhub.pipeline.errors import Refused
from laporhub.pipeline.periods import parse_period
from laporhub.reports.render import MEDIA_TYPES, File, render
from laporhub.web.i18n import LANGUAGES, translator

if TYPE_CHECKING:
    from laporhub.hub.hub import Hub

_BINARY = ("pdf", "xlsx")


def report(
    period: Annotated[
        str,
        typer.Option(help="A month 2026-10, a quarter 2026-Q4, a year 2026, or days 2026-10-05..2026-10-20."),
    ],
    format: Annotated[str, typer.Option(help=f"{', '.join(MEDIA_TYPES)}.")] = "json",
    unit: Annotated[str | None, typer.Option(help="Of this unit only.")] = None,
    output: Annotated[Path | None, typer.Option(help="The file to write; else it is printed.")] = None,
    language: Annotated[str, typer.Option(help=f"{', '.join(LANGUAGES)}.")] = "id",
    profile: ProfileOption = None,
    data: DataOption = None,
) -> None:
    """The service standard's evaluation report."""
    if format not in MEDIA_TYPES:
        fail(f"--format is {', '.join(MEDIA_TYPES)}, not {format!r}", 2)
    if language not in LANGUAGES:
        fail(f"--language is {', '.join(LANGUAGES)}, not {language!r}", 2)
    if format in _BINARY and output is None and sys.stdout.isatty():
        fail(f"--format {format} is no text: name a file with --output", 2)
    try:
        parse_period(period, ZoneInfo("UTC"))
    except Refused as wrong:
        fail(f"--period: {wrong}", 2)
    settings = settings_for(profile, data)
    configure_logging(settings, quiet=True)

    async def work(hub: Hub) -> File:
        rulebook = next(iter(hub.rulebooks.values()))
        if unit is not None and unit not in rulebook.units:
            fail(f"--unit: profile {rulebook.name} has no unit {unit!r}", 2)
        asked = parse_period(period, rulebook.calendar.zone)
        made = await asyncio.to_thread(hub.report, rulebook.name, asked, unit)
        return render(made, rulebook, format, translator(language))

    file = run_with_hub(settings, work, beside=True)
    if output is not None:
        output.write_bytes(file.data)
    else:
        sys.stdout.buffer.write(file.data)


def register(app: typer.Typer) -> None:
    app.command()(report)
