"""The words of a reply: a template of the profile filled with values. Pure.

Templates are Jinja2 in a sandbox, as plain text; values are put in as they are and never read as templates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.lists import format_list
from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.meta import find_undeclared_variables
from jinja2.sandbox import SandboxedEnvironment

from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.profile.rulebook import Rulebook

Key = tuple[str, str, str | None]
"""Language, name, and the channel if the template is for one only."""

FACTS: Final = frozenset(
    {"ticket", "title", "site", "contact", "due", "opens", "unit", "missing", "asking", "advised", "draft"}
)
"""What every template may use, beside the fields of the transition that sends it."""

_ENVIRONMENT: Final = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
_GLOBALS: Final = dict(_ENVIRONMENT.globals)
_ZONES: Final = {7: "WIB", 8: "WITA", 9: "WIT"}
"""Indonesian time zones by hours ahead of UTC."""
_BEFORE_TIME: Final = {"id": " pukul "}


def render(
    rulebook: Rulebook, name: str, channel: str | None, language: str, values: Mapping[str, str]
) -> str:
    """The reply `name` for a channel in a language, or in the profile's first one if there is no translation.

    Raises `Misconfigured`, naming file and variable, where a template or a value it uses is missing.
    """
    key = _find(rulebook, name, channel, language)
    source = rulebook.templates[key]
    try:
        template = compiled(source)
        # As `Template.render`, which looks up each of Jinja's own globals anew.
        context = template.new_context({**_GLOBALS, **values}, shared=True)
        return "".join(template.root_render_func(context)).strip()
    except TemplateSyntaxError as error:
        wrong = f"line {error.lineno}: {error.message}"
    except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
        unknown = ", ".join(sorted(variables(source) - values.keys()))
        wrong = f"there is no value for {unknown}" if unknown else str(error)
    known = ", ".join(sorted(FACTS | values.keys()))
    raise Misconfigured(f"{template_file(key)}: {wrong}. Mend the template; values here: {known}.")


def used_by(rulebook: Rulebook, name: str, channel: str | None, language: str) -> frozenset[str]:
    """The values that the reply `name` uses: no others need be worked out. Where it cannot be read, `render` tells."""
    try:
        return variables(rulebook.templates[_find(rulebook, name, channel, language)])
    except TemplateSyntaxError:
        return frozenset()


@lru_cache(maxsize=1024)
def variables(source: str) -> frozenset[str]:
    """The values that a template uses. Raises jinja2's `TemplateSyntaxError`."""
    return frozenset(find_undeclared_variables(_ENVIRONMENT.parse(source)))


def template_file(key: Key) -> str:
    """Where a template lies in the profile's folder."""
    language, name, channel = key
    return f"templates/{language}/{name}.{channel}.txt" if channel else f"templates/{language}/{name}.txt"


def format_due(at: datetime, rulebook: Rulebook, language: str) -> str:
    """A moment as the office's people say it: "Senin, 23 November 2026 pukul 09.30 WIB"."""
    local = rulebook.calendar.local(at)
    return _spelled(local.replace(second=0, microsecond=0, tzinfo=None), _zone_name(local), language)


@lru_cache(maxsize=4096)
def _spelled(local: datetime, zone: str, language: str) -> str:
    """`local` has no zone: moments that are the same in two zones must not share a spelling."""
    locale = _locale(language)
    day, clock = format_date(local, "full", locale), format_time(local, "short", locale=locale)
    return f"{day}{_BEFORE_TIME.get(locale.language, ', ')}{clock} {zone}"


def join(items: Sequence[str], language: str) -> str:
    """Items as a list in a sentence: "a, b, dan c"."""
    return format_list(list(items), locale=_locale(language)) if items else ""


def _find(rulebook: Rulebook, name: str, channel: str | None, language: str) -> Key:
    asked = ("reply", f"{language}/{name}.{channel}")
    known: Key | None = rulebook.worked_out.get(asked)
    if known is None:
        known = rulebook.worked_out[asked] = _looked_up(rulebook, name, channel, language)
    return known


def _looked_up(rulebook: Rulebook, name: str, channel: str | None, language: str) -> Key:
    for candidate in dict.fromkeys((language, rulebook.language)):
        for key in dict.fromkeys(((candidate, name, channel), (candidate, name, None))):
            if key in rulebook.templates:
                return key
    wanted = template_file((rulebook.language, name, None))
    raise Misconfigured(f"The profile {rulebook.name} has no reply “{name}”. Add {wanted}.")


@lru_cache(maxsize=1024)
def compiled(source: str) -> Template:
    """Ready to render. Raises jinja2's `TemplateSyntaxError`, with the line."""
    return _ENVIRONMENT.from_string(source)


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    """The language as written in Indonesia, or as anywhere; Indonesian if it is unknown."""
    for code in (f"{language}_ID", language):
        try:
            return Locale.parse(code)
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("id")


def _zone_name(local: datetime) -> str:
    """ "WIB", or hours and minutes from UTC outside Indonesia."""
    minutes = (local.utcoffset() or timedelta()) // timedelta(minutes=1)
    known = _ZONES.get(minutes // 60) if minutes % 60 == 0 else None
    return known or f"UTC{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
