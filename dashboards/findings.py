"""What a check says, and what checks share: careful reading of JSON that may hold anything."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

Json: TypeAlias = dict[str, Any]

NUMBERS: Final = frozenset({"byte", "short", "integer", "long", "float", "double", "half_float"})
EXACT: Final = frozenset({"keyword", "boolean"}) | NUMBERS
"""Types whose values can be counted one by one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault: where it is, what is wrong, what to do. `code` is stable."""

    code: str
    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. {self.remedy}. [{self.code}]"


Findings: TypeAlias = Iterator[Finding]


@dataclass(frozen=True)
class View:
    """A data view of the bundle: the fields of its index and their types, None where the index is unknown."""

    identity: str
    fields: Mapping[str, str] | None


@dataclass
class Known:
    """What the whole bundle holds, for checks of one object."""

    things: frozenset[tuple[str, str]]
    """(type, id) of every object."""
    views: Mapping[str, View]


@dataclass
class Wanted:
    """The references that an object's parts ask for: name → type."""

    names: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, kind: str = "index-pattern") -> str:
        self.names[name] = kind
        return name


def mapping(value: object) -> Json:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[Any]:
    """The value if it is an array, else an empty one."""
    return value if isinstance(value, list) else []


def inside(value: object, *path: str) -> Any:
    """The value at the end of the path, or None."""
    for name in path:
        value = mapping(value).get(name)
    return value


def number(value: object) -> int:
    """The value if it is a whole number, else -1."""
    return value if isinstance(value, int) and not isinstance(value, bool) else -1


def encoded(where: str, holder: Json, name: str, expected: type) -> tuple[Any, list[Finding]]:
    """What a field holds as JSON in a string, and what is wrong with it; the empty value then."""
    value = holder.get(name)
    here = f"{where}.{name}"
    if not isinstance(value, str):
        fault = Finding("not-encoded", here, "is not JSON in a string", "Encode it with `dumps`")
        return expected(), [fault]
    try:
        found = json.loads(value)
    except ValueError as error:
        return expected(), [
            Finding("unparsable", here, f"cannot be parsed ({error})", "Encode it with `dumps`")
        ]
    if not isinstance(found, expected):
        fault = Finding("unparsable", here, f"holds no {expected.__name__}", "See how `bundle` writes it")
        return expected(), [fault]
    return found, []


def nulls(where: str, value: object) -> Findings:
    """Every null: Kibana has opened no dashboard with some of them."""
    if value is None:
        yield Finding("null", where, "is null", "Leave the key out")
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from nulls(f"{where}.{name}", inner)
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from nulls(f"{where}[{i}]", inner)


def references(where: str, found: object, wanted: Wanted, known: Known) -> Findings:
    """Names once each, every target in the bundle, none missing, none unused."""
    listed = [mapping(each) for each in items(found)]
    for name, count in Counter(str(each.get("name")) for each in listed).items():
        if count > 1:
            yield Finding("reference-twice", where, f"names the reference {name} {count} times", "Keep one")
    there = {str(each.get("name")): str(each.get("type")) for each in listed}
    for each in listed:
        target = (str(each.get("type")), str(each.get("id")))
        if target not in known.things:
            what = f"reference {each.get('name')} leads to {' '.join(target)}, which is not in the bundle"
            yield Finding("reference-dangling", where, what, "Add the object, or mend the id")
    for name, kind in wanted.names.items():
        if there.get(name) != kind:
            what = f"has no reference {name} to a {kind}"
            yield Finding("reference-missing", where, what, "Add it to `references`")
    for name in there.keys() - wanted.names.keys():
        if there[name] != "tag":
            yield Finding("reference-unused", where, f"nothing uses the reference {name}", "Remove it")


_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_FIELD = re.compile(r"([A-Za-z_][\w.]*)\s*(?:<=|>=|[:<>])")


def kql_fields(text: object) -> list[str]:
    """The fields that a KQL text names."""
    return _FIELD.findall(_QUOTED.sub('""', text)) if isinstance(text, str) else []


def check_query(where: str, query: object, view: View | None) -> Findings:
    """The query is KQL, and its fields exist."""
    if inside(query, "language") != "kuery":
        yield Finding("query", where, "is no KQL query", 'Set "language" to "kuery"')
    for name in kql_fields(inside(query, "query")):
        yield from check_field(where, name, view, None)


def check_field(where: str, name: object, view: View | None, types: frozenset[str] | None) -> Findings:
    """The field exists in the view's index, and is of one of the types."""
    if view is None or view.fields is None:
        return
    kind = view.fields.get(name) if isinstance(name, str) else None
    if kind is None:
        what = f"the index of {view.identity} has no field {name}"
        yield Finding("field-unknown", where, what, "Mend the name, or add the field to the mapping")
    elif types is not None and kind not in types:
        what = f"the field {name} is {kind}, and must be one of {', '.join(sorted(types))}"
        yield Finding("field-type", where, what, "Take another field or another operation")
