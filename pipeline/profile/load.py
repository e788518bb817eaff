"""From a folder to a `Rulebook`, or to a list of mistakes with file, line and remedy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from laporhub import profiles
from laporhub.pipeline.calendar import WorkCalendar, work_calendar
from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.profile import check, days, versions
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema import Profile
from laporhub.pipeline.profile.schema_time import LocalDays
from laporhub.pipeline.profile.schema_units import Units
from laporhub.pipeline.profile.source import (
    DAYS,
    PROFILE,
    REGIONS,
    UNITS,
    Document,
    Finding,
    Problem,
    Trail,
    nearest,
    read,
    read_text,
)
from laporhub.pipeline.regions import Regions, read_regions
from laporhub.pipeline.replies import Key

__all__ = ["Problem", "ProfileError", "find", "load"]

M = TypeVar("M", bound=BaseModel)

_TEMPLATE_NAMES: Final = "Name it <reply>.txt or <reply>.<channel>.txt, in a folder for its language."
_EMPTY: Final = "Give it a value, or delete the key; a text with a comma or a colon inside goes in quotes."
_REMEDIES: Final[Mapping[str, str]] = {
    "string_type": "Put the value in quotes.",
    "int_type": "Write a whole number, without quotes.",
    "int_parsing": "Write a whole number, without quotes.",
    "float_type": "Write a number with a point, as 0.95.",
    "float_parsing": "Write a number with a point, as 0.95.",
    "bool_type": "Write true or false.",
    "bool_parsing": "Write true or false.",
    "tuple_type": "Write a list: [a, b].",
    "dict_type": "Write “key: value” lines below it, indented.",
    "model_type": "Write “key: value” lines below it, indented.",
    "too_short": "Give at least one.",
    "string_pattern_mismatch": "Small letters, digits, - and _ make a name; codes and prefixes are capitals.",
}


class ProfileError(Misconfigured):
    """A profile that cannot be used; `problems` says all that is wrong with it, one a line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def load(where: str | Path) -> Rulebook:
    """A profile by its folder, or by the name of one that comes with the hub. Raises `ProfileError`."""
    folder = find(where)
    profile_file, problems = read(folder, PROFILE)
    units_file, more = read(folder, UNITS)
    days_file, no_days = read(folder, DAYS) if (folder / DAYS).exists() else (None, [])
    templates, unread = _templates(folder)
    regions, unlisted = _regions(folder)
    problems += more + no_days + unread + unlisted
    units = _validated(Units, units_file, problems)
    local = _validated(LocalDays, days_file, problems)
    editions = _editions(profile_file, problems)
    calendars: list[WorkCalendar] = []
    if units is not None and not problems:
        for profile, document in editions:
            documents = {each.file: each for each in (document, units_file, days_file) if each}
            found = check.problems(profile, units, templates, local)
            if not found:
                calendars.append(work_calendar(days.together(profile.calendar, local), profile.time_zone))
                found = list(days.endless(profile, calendars[-1]))
            problems += [_located(finding, documents) for finding in found]
    if problems or units is None:
        raise ProfileError(sorted(set(problems), key=lambda p: (p.file, p.line or 0, p.message)))
    kept: dict[date, Rulebook] = {}
    books = [
        Rulebook(
            profile=profile,
            units={unit.id: unit for unit in units.units},
            unit_kinds=units.kinds,
            templates=templates,
            calendar=calendar,
            folder=folder,
            regions=regions,
            editions=kept if len(editions) > 1 else {},
        )
        for (profile, _), calendar in zip(editions, calendars, strict=True)
    ]
    kept.update((book.profile.version, book) for book in books if len(books) > 1)
    return books[-1]


def _editions(document: Document | None, problems: list[Problem]) -> list[tuple[Profile, Document]]:
    """The profile as each of its versions has it, the oldest first; as far as it can be read."""
    whole = _validated(Profile, document, problems)
    if document is None or whole is None:
        return []
    problems += [_located(finding, {PROFILE: document}) for finding in versions.problems(whole)]
    if problems:
        return []
    read = [(_validated(Profile, each, problems), each) for each in versions.documents(document)]
    return [(profile, each) for profile, each in read if profile is not None]


def find(where: str | Path) -> Path:
    """The folder meant: a shipped profile's name, or a path. Raises `ProfileError` if there is none."""
    if isinstance(where, str) and where in profiles.shipped():
        return profiles.folder(where)
    folder = Path(where)
    if folder.is_dir():
        return folder
    shipped = ", ".join(profiles.shipped())
    remedy = f"Give a folder with profile.yaml, or the name of one that comes with the hub: {shipped}."
    raise ProfileError([Problem(str(where), None, "there is no such profile", remedy)])


def _validated(model: type[M], document: Document | None, problems: list[Problem]) -> M | None:
    if document is None:
        return None
    try:
        return model.model_validate(document.data)
    except ValidationError as error:
        schema = model.model_json_schema()
        problems += _explained(document, error, schema)
        return None


def _located(finding: Finding, documents: Mapping[str, Document]) -> Problem:
    document = documents.get(finding.file)
    if document is None:
        return Problem(finding.file, finding.line, finding.message, finding.remedy)
    return document.problem(finding.path, finding.message, finding.remedy)


# ── the schema's complaints in plain words ───────────────────────────────────────────────────────


def _explained(document: Document, error: ValidationError, schema: Mapping[str, Any]) -> Iterator[Problem]:
    for trail, found in _one_per_place(document, error).items():
        kind, here = found["type"], _called(trail)
        if kind == "missing":
            key = trail[-1]
            yield document.problem(trail, f"{_called(trail[:-1])} lacks “{key}”", f"Add “{key}:” to it.")
        elif kind == "extra_forbidden":
            known = _keys_at(schema, trail[:-1])
            remedy = nearest(str(trail[-1]), known)
            yield document.problem(trail, f"{_called(trail[:-1])} has no key “{trail[-1]}”", remedy)
        elif kind == "value_error":
            yield document.problem(trail, f"{here}: {found['ctx']['error']}", "See docs/profile-format.md.")
        elif found["input"] is None:
            yield document.problem(trail, f"{here} is empty", _EMPTY)
        else:
            value = found["input"]
            shown = f"“{value}” " if isinstance(value, str | int | float) else ""
            said = found["msg"][0].lower() + found["msg"][1:]
            yield document.problem(trail, f"{here}: {shown}is not right, {said}", _REMEDIES.get(kind, ""))


def _one_per_place(document: Document, error: ValidationError) -> dict[Trail, Any]:
    """Alternatives of a union complain each for itself; the one that got furthest is enough."""
    found: dict[Trail, Any] = {}
    details = sorted(error.errors(include_url=False), key=lambda detail: len(detail["loc"]), reverse=True)
    for detail in details:
        trail = _existing(document, detail["loc"])
        if detail["type"] == "missing":
            found[(*trail, detail["loc"][-1])] = detail
        elif not any(other[: len(trail)] == trail for other in found) or len(trail) == len(detail["loc"]):
            found[trail] = detail
    return found


def _existing(document: Document, loc: Trail) -> Trail:
    """The steps that exist in the file: pydantic adds names of union members and `[key]`."""
    trail: Trail = ()
    for step in loc:
        if document.has((*trail, step)):
            trail = (*trail, step)
    return trail


def _called(trail: Trail) -> str:
    """The path as a reader would say it: `transitions.verify.roles[0]`."""
    name = "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in trail)
    return name.lstrip(".") or "the file"


def _keys_at(schema: Mapping[str, Any], trail: Trail) -> list[str]:
    """The keys that the format knows at a place."""
    node = _resolved(schema, schema)
    for step in trail:
        named = node.get("properties", {}).get(step) or node.get("additionalProperties")
        by_pattern = [*node.get("patternProperties", {}).values(), {}][0]
        inner = node.get("items", {}) if isinstance(step, int) else named or by_pattern
        node = _resolved(inner, schema)
    return list(node.get("properties", {}))


def _resolved(node: Any, schema: Mapping[str, Any]) -> Any:
    for option in node.get("anyOf", ()):
        if "$ref" in option or "properties" in option:
            node = option
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rsplit("/", 1)[-1]]
    return node


# ── regions ──────────────────────────────────────────────────────────────────────────────────────


def _regions(folder: Path) -> tuple[Regions, list[Problem]]:
    """The table of official regions, if the profile has one."""
    if not (folder / REGIONS).exists():
        return Regions(), []
    text, problems = read_text(folder, REGIONS)
    try:
        return read_regions((text or "code,name").splitlines()), problems
    except ValueError as error:
        line, _, message = str(error).partition(": ")
        remedy = "Each line is “code,name”, as “33.74.10,Tembalang”."
        return Regions(), [Problem(REGIONS, int(line.removeprefix("line ")), message, remedy)]


# ── templates ────────────────────────────────────────────────────────────────────────────────────


def _templates(folder: Path) -> tuple[dict[Key, str], list[Problem]]:
    found: dict[Key, str] = {}
    problems: list[Problem] = []
    for path in sorted((folder / "templates").rglob("*")):
        if path.is_dir() or path.name.startswith("."):
            continue
        file = path.relative_to(folder).as_posix()
        key = _template_key(path.relative_to(folder / "templates"))
        text, unread = read_text(folder, file)
        problems += unread
        if key is None:
            problems.append(Problem(file, None, "this is no reply", _TEMPLATE_NAMES))
        elif text is not None and not text.strip():
            problems.append(Problem(file, 1, "the reply is empty", "Write what the reporter shall read."))
        elif text is not None:
            found[key] = text
    return found, problems


def _template_key(path: Path) -> Key | None:
    parts = path.stem.split(".")
    if path.suffix != ".txt" or len(path.parts) != 2 or len(parts) > 2 or not all(parts):
        return None
    return path.parts[0], parts[0], parts[1] if len(parts) == 2 else None
