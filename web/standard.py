"""The service standard in words, as everybody may read it: its components, limits and hours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from babel.dates import format_date
from fastapi import APIRouter, Request, Response

from laporhub.pipeline.calendar import WEEKDAYS
from laporhub.pipeline.errors import NotFound
from laporhub.pipeline.profile.graph import span
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.section import say
from laporhub.web.public import Chosen
from laporhub.web.site import render, translator_of

router = APIRouter(include_in_schema=False)

_MONDAY = date(2024, 1, 1)


@router.get("/standar")
@router.get("/p/{profile}/standar")
def standard_page(request: Request, rulebook: Chosen) -> Response:
    """Of the version that holds now."""
    if not rulebook.profile.standard:
        raise NotFound("This profile publishes no standard")
    language = translator_of(request).language
    return render(
        request,
        "standard.html",
        rulebook=rulebook,
        limits=list(_limits(rulebook, language)),
        hours=list(_hours(rulebook, language)),
        ways=[
            (
                say(channel.title, language, rulebook.language),
                channel.account.partition("whatsapp:")[2] or channel.account,
            )
            for channel in rulebook.profile.channels.values()
        ],
    )


def _limits(rulebook: Rulebook, language: str) -> Iterator[tuple[str, str]]:
    """What the office promises: the clocks that call somebody, not those that only wait for the reporter."""
    for clock in rulebook.profile.clocks.values():
        if clock.escalate:
            yield say(clock.title, language, rulebook.language), span(clock.limit, language)


def _hours(rulebook: Rulebook, language: str) -> Iterator[tuple[str, str]]:
    for number, day in enumerate(WEEKDAYS):
        spans = rulebook.profile.calendar.hours.get(day, ())
        if spans:
            name = format_date(_MONDAY + timedelta(days=number), "EEEE", locale=language)
            yield name, ", ".join(f"{each.start:%H.%M}–{each.end:%H.%M}" for each in spans)
