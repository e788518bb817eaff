"""Whether the documents of a profile can be made: states, people, words and fields that exist. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from jinja2 import TemplateError

from laporhub.pipeline.profile.schema import Profile
from laporhub.pipeline.profile.schema_papers import Paper
from laporhub.pipeline.profile.schema_workflow import BUILT_IN_ROLES
from laporhub.pipeline.profile.source import PROFILE, Finding, Trail, nearest
from laporhub.pipeline.replies import FACTS, Key, template_file, variables

PAPER_FACTS: Final = frozenset({"opened", "dated"})
"""What the words of a document may use beside what every reply may, and the fields of all steps."""


def problems(profile: Profile, templates: Mapping[Key, str]) -> Iterator[Finding]:
    """All that is wrong with the documents."""
    fields = {
        name: field.type for step in profile.transitions.values() for name, field in step.fields.items()
    }
    people = {*profile.roles, *(role.group for role in profile.roles.values() if role.group), *BUILT_IN_ROLES}
    for name, paper in profile.documents.items():
        at: Trail = ("documents", name)
        yield from _unknown((*at, "states"), "state", paper.states, profile.states)
        yield from _unknown((*at, "roles"), "role or group", paper.roles, people)
        lists = {field for field, kind in fields.items() if kind == "items"}
        yield from _unknown((*at, "items"), "field of “type: items”", paper.items, lists)
        for number, signature in enumerate(paper.signatures):
            if signature.field is not None and signature.field not in fields:
                message = f"there is no field “{signature.field}”"
                remedy = nearest(signature.field, fields)
                yield Finding(PROFILE, (*at, "signatures", number, "field"), message, remedy)
        yield from _words(profile, (*at, "text"), paper, templates, FACTS | PAPER_FACTS | fields.keys())


def _unknown(at: Trail, what: str, names: tuple[str, ...], known: Iterable[str]) -> Iterator[Finding]:
    there = set(known)
    for number, name in enumerate(names):
        if name not in there:
            yield Finding(PROFILE, (*at, number), f"there is no {what} “{name}”", nearest(name, there))


def _words(
    profile: Profile, at: Trail, paper: Paper, templates: Mapping[Key, str], known: frozenset[str]
) -> Iterator[Finding]:
    for language in profile.languages:
        key = (language, paper.text, None)
        source = templates.get(key)
        if source is None:
            message = f"the document “{paper.text}” has no words in “{language}”"
            yield Finding(PROFILE, at, message, f"Write {template_file(key)}.")
            continue
        try:
            used = variables(source)
        except TemplateError:
            continue  # said of every template
        for name in sorted(used - known):
            line = next((n for n, text in enumerate(source.splitlines(), 1) if name in text), 1)
            message = f"nothing fills “{name}” in this document"
            yield Finding(template_file(key), (), message, nearest(name, known), line)
