"""What the schema alone cannot see: whether the parts of a profile fit together. Pure.

Each check yields findings that say where, what is wrong and what to do. Checks of the workflow as a whole run
only once all names in it are right (see `flow`).
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from babel import Locale, UnknownLocaleError
from jinja2 import TemplateError
from pydantic import BaseModel

from laporhub.pipeline.profile import check_papers, days, flow
from laporhub.pipeline.profile.check_privacy import LINK, privacy
from laporhub.pipeline.profile.schema import Profile, is_address
from laporhub.pipeline.profile.schema_intake import Requirement
from laporhub.pipeline.profile.schema_life import OCCASIONS
from laporhub.pipeline.profile.schema_time import LocalDays
from laporhub.pipeline.profile.schema_units import Units
from laporhub.pipeline.profile.schema_workflow import BUILT_IN_ROLES, OPENED
from laporhub.pipeline.profile.section import Text
from laporhub.pipeline.profile.source import PROFILE, UNITS, Finding, Trail, nearest
from laporhub.pipeline.replies import FACTS, Key, compiled, template_file, variables

IDENTITY: Final = ("phone", "name", "email")
"""What a requirement of the kind `identity` may ask for."""


def problems(
    profile: Profile, units: Units, templates: Mapping[Key, str], local: LocalDays | None = None
) -> list[Finding]:
    """All that is wrong with a profile whose files each keep the schema."""
    names = [*_names(profile), *flow.names(profile)]
    rest = [
        *_requirements(profile),
        *_reports(profile),
        *_time_zone(profile),
        *days.problems(profile, local),
        *_languages(profile),
        *_texts(profile, PROFILE, profile),
        *_texts(units, UNITS, profile),
        *_units(units),
        *_template_files(profile, templates),
        *_replies(profile, templates),
        *_message_templates(profile),
        *_privately(profile),
        *check_papers.problems(profile, templates),
        *privacy(profile),
    ]
    return names + rest + ([] if names else list(flow.problems(profile)))


# ── names and people ─────────────────────────────────────────────────────────────────────────────


def _names(profile: Profile) -> Iterator[Finding]:
    for name, role in profile.roles.items():
        for at, given in ((("roles", name), name), (("roles", name, "group"), role.group)):
            if given in BUILT_IN_ROLES:
                yield Finding(PROFILE, at, f"“{given}” is built in and needs no role", "Choose another name.")
        for number, channel in enumerate(role.channels):
            if channel not in profile.channels:
                yield _unknown(("roles", name, "channels", number), "channel", channel, profile.channels)
    for name, rule in profile.requirements.items():
        for number, channel in enumerate(rule.channels or ()):
            if channel not in profile.channels:
                yield _unknown(
                    ("requirements", name, "channels", number), "channel", channel, profile.channels
                )
    for name in profile.states:
        if name in profile.transitions:
            message = f"“{name}” names a state and a transition"
            yield Finding(
                PROFILE, ("transitions", name), message, "Rename one, so that clocks know which is meant."
            )
    for kind, known in (("states", profile.states), ("transitions", profile.transitions)):
        if OPENED in known:
            yield Finding(PROFILE, (kind, OPENED), f"“{OPENED}” is what clocks call a new case", "Rename it.")
    yield from _twice(
        ((("channels", name, "code"), channel.code) for name, channel in profile.channels.items()),
        PROFILE,
        "ticket code",
    )


def _reports(profile: Profile) -> Iterator[Finding]:
    for number, report in enumerate(profile.reports):
        for place, receiver in enumerate(report.to):
            at: Trail = ("reports", number, "to", place)
            if not is_address(receiver) and receiver not in profile.roles:
                message = f"“{receiver}” is neither a role nor an e-mail address"
                remedy = nearest(receiver, profile.roles)
                yield Finding(PROFILE, at, message, remedy)


def _twice(values: Iterable[tuple[Trail, str]], file: str, what: str) -> Iterator[Finding]:
    seen: set[str] = set()
    for path, value in values:
        if value in seen:
            yield Finding(file, path, f"the {what} “{value}” is taken already", "Give each its own.")
        seen.add(value)


def _unknown(path: Trail, what: str, name: str, known: Iterable[str], file: str = PROFILE) -> Finding:
    return Finding(file, path, f"there is no {what} “{name}”", nearest(name, known))


# ── what is asked of a complaint ─────────────────────────────────────────────────────────────────


def _requirements(profile: Profile) -> Iterator[Finding]:
    for name, rule in profile.requirements.items():
        at = ("requirements", name)
        if rule.level != "review" and rule.ask is None:
            remedy = "Add “ask:” with what the reporter shall send, or “level: review”."
            yield Finding(PROFILE, at, f"{name} asks the reporter without words", remedy)
        yield from (Finding(PROFILE, at, message, remedy) for message, remedy in _shape(name, rule))
    asked = [name for name, rule in profile.requirements.items() if rule.level == "ask"]
    if asked and profile.intake.incomplete is None:
        message = f"{', '.join(asked)} must be asked for, but nothing says which transition does it"
        yield Finding(PROFILE, ("intake",), message, "Add “incomplete:” and “complete:”, or lower the level.")


def _shape(name: str, rule: Requirement) -> Iterator[tuple[str, str]]:
    if rule.check == "identity" and rule.field not in IDENTITY:
        yield (
            f"{name} needs to know which part of the identity",
            f"Write “field:” with {', '.join(IDENTITY)}.",
        )
    if rule.check == "flag" and rule.field is None:
        yield (
            f"{name} needs to know which flag",
            "Write “field:” with the classifier's flag, as sara or abusive.",
        )
    if rule.check == "words" and rule.at_least is None:
        yield f"{name} needs a number of words", "Write “at_least:” with it."
    if rule.check not in ("identity", "flag") and rule.field is not None:
        yield f"“field” means nothing to “check: {rule.check}”", "Delete it."
    if rule.check != "words" and rule.at_least is not None:
        yield f"“at_least” means nothing to “check: {rule.check}”", "Delete it."


# ── time ─────────────────────────────────────────────────────────────────────────────────────────


def _time_zone(profile: Profile) -> Iterator[Finding]:
    try:
        zoneinfo.ZoneInfo(profile.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        indonesian = ("Asia/Jakarta", "Asia/Pontianak", "Asia/Makassar", "Asia/Jayapura")
        yield _unknown(("time_zone",), "time zone", profile.time_zone, indonesian)


# ── words ────────────────────────────────────────────────────────────────────────────────────────


def _languages(profile: Profile) -> Iterator[Finding]:
    yield from _twice(
        ((("languages", n), code) for n, code in enumerate(profile.languages)), PROFILE, "language"
    )
    for number, code in enumerate(profile.languages):
        try:
            Locale.parse(code)
        except (UnknownLocaleError, ValueError):
            remedy = "Write a language code: id, en, jv, su."
            yield Finding(PROFILE, ("languages", number), f"“{code}” is no known language", remedy)


def _texts(part: BaseModel, file: str, profile: Profile) -> Iterator[Finding]:
    first = profile.languages[0]
    for path, words in _translations(part, ()):
        if first not in words:
            yield Finding(file, path, f"the text is not there in “{first}”", f"Add “{first}:” to it.")
        for code in words.keys() - set(profile.languages):
            message = f"“{code}” is none of the profile's languages"
            yield Finding(file, (*path, code), message, nearest(code, profile.languages))


def _translations(value: object, path: Trail) -> Iterator[tuple[Trail, dict[str, str]]]:
    """All texts that are given by language, wherever they are."""
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            inner, at = getattr(value, name), (*path, field.alias or name)
            if field.annotation in (Text, Text | None) and isinstance(inner, dict):
                yield at, inner
            elif field.annotation in _TEXTS_BY_NAME and inner:
                yield from (((*at, key), words) for key, words in inner.items() if isinstance(words, dict))
            else:
                yield from _translations(inner, at)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _translations(inner, (*path, str(key)))
    elif isinstance(value, tuple):
        for number, inner in enumerate(value):
            yield from _translations(inner, (*path, number))


_TEXTS_BY_NAME: Final = (dict[str, Text] | None, Units.model_fields["kinds"].annotation)


# ── units ────────────────────────────────────────────────────────────────────────────────────────


def _units(units: Units) -> Iterator[Finding]:
    yield from _twice(((("units", n, "id"), unit.id) for n, unit in enumerate(units.units)), UNITS, "unit id")
    for number, unit in enumerate(units.units):
        if unit.unit_kind not in units.kinds:
            yield _unknown(("units", number, "kind"), "kind of unit", unit.unit_kind, units.kinds, UNITS)


# ── replies ──────────────────────────────────────────────────────────────────────────────────────


def _template_files(profile: Profile, templates: Mapping[Key, str]) -> Iterator[Finding]:
    for key, source in templates.items():
        file, (language, _, channel) = template_file(key), key
        if language not in profile.languages:
            message = f"“{language}” is none of the profile's languages"
            yield Finding(file, (), message, nearest(language, profile.languages))
        if channel is not None and channel not in profile.channels:
            yield Finding(file, (), f"there is no channel “{channel}”", nearest(channel, profile.channels))
        try:
            compiled(source)
        except TemplateError as error:
            line = getattr(error, "lineno", None)
            yield Finding(file, (), f"the template breaks off: {error.message}", _CURLY, line)


_CURLY: Final = "Values stand in {{ }}, conditions in {% if … %} and {% endif %}."


def _replies(profile: Profile, templates: Mapping[Key, str]) -> Iterator[Finding]:
    for name, (path, fields) in _senders(profile).items():
        for language in profile.languages:
            if (language, name, None) not in templates:
                file = template_file((language, name, None))
                yield Finding(
                    PROFILE, path, f"the reply “{name}” has no words in “{language}”", f"Write {file}."
                )
        for key, source in templates.items():
            if key[1] == name:
                yield from _variables(template_file(key), source, FACTS | fields)


def _message_templates(profile: Profile) -> Iterator[Finding]:
    """What is sent on a platform where it lets no free words through."""
    sent = _senders(profile)
    for name, channel in profile.channels.items():
        at: Trail = ("channels", name, "templates")
        if channel.templates and channel.delivery == "page":
            yield Finding(PROFILE, at, "a page needs no templates of a platform", "Delete them.")
        for purpose, template in channel.templates.items():
            if purpose not in sent:
                yield _unknown((*at, purpose), "reply", purpose, sent)
            known = FACTS - {"draft"} | {"text"}
            for number, variable in enumerate(template.variables):
                if variable not in known:
                    path = (*at, purpose, "variables", number)
                    yield Finding(
                        PROFILE, path, f"nothing fills “{variable}” in a template", nearest(variable, known)
                    )


def _privately(profile: Profile) -> Iterator[Finding]:
    """What answers a public comment in private."""
    sent = _senders(profile)
    for name, channel in profile.channels.items():
        at: Trail = ("channels", name, "privately")
        if channel.privately and channel.delivery == "page":
            yield Finding(PROFILE, at, "answers on a page are for the reporter alone", "Delete it.")
        for number, purpose in enumerate(channel.privately):
            if purpose not in sent:
                yield _unknown((*at, number), "reply", purpose, sent)


def _by_intake(profile: Profile) -> Iterator[tuple[str | None, Trail, frozenset[str]]]:
    """The replies that no step sends, where they are named, and the fields they may use."""
    yield profile.intake.reply, ("intake", "reply"), frozenset()
    yield profile.intake.after_end, ("intake", "after_end"), frozenset()
    yield profile.privacy.confidential_reply, ("privacy", "confidential_reply"), frozenset({LINK})
    if (guided := profile.intake.dialogue) is not None:
        for key in ("first", "next", "again"):
            yield getattr(guided, key), ("intake", "dialogue", key), frozenset()


NOTICE_FACTS: Final = frozenset({"link", "clock", "step"})
"""What a notice to staff may use beside the facts."""


def _to_staff(profile: Profile) -> Iterator[tuple[str | None, Trail, frozenset[str]]]:
    """The notices, as `_by_intake`."""
    for occasion in OCCASIONS:
        yield profile.notices.template(occasion), ("notices", occasion), NOTICE_FACTS


def _senders(profile: Profile) -> dict[str, tuple[Trail, frozenset[str]]]:
    """Each reply that is sent: by what first, and the fields that all that send it have."""
    found: dict[str, tuple[Trail, frozenset[str]]] = {}
    sent: list[tuple[str | None, Trail, frozenset[str]]] = [
        (step.reply, ("transitions", name, "reply"), frozenset(step.fields))
        for name, step in profile.transitions.items()
    ]
    for reply, path, fields in [*_by_intake(profile), *_to_staff(profile), *sent]:
        if reply is not None:
            first, common = found.get(reply, (path, fields))
            found[reply] = (first, common & fields)
    return found


def _variables(file: str, source: str, known: frozenset[str]) -> Iterator[Finding]:
    try:
        used = variables(source)
    except TemplateError:
        return
    for name in sorted(used - known):
        line = next((n for n, text in enumerate(source.splitlines(), 1) if name in text), 1)
        yield Finding(file, (), f"nothing fills “{name}” in this reply", nearest(name, known), line)
