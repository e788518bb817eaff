"""Which records count: one condition, as KQL for Kibana and as a query for Elasticsearch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

Scalar: TypeAlias = str | bool | int


@dataclass(frozen=True, slots=True)
class Is:
    """The field has the value, or, where there are several, one of them."""

    field: str
    value: Scalar | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Has:
    """The field has any value."""

    field: str


@dataclass(frozen=True, slots=True)
class Within:
    """The field is in `at_least` ≤ field < `before`. Dates may be Elasticsearch's date math, such as `now+24h`."""

    field: str
    at_least: str | None = None
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    inner: Condition


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds; without parts, everything."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one part holds."""

    parts: tuple[Condition, ...]


Condition: TypeAlias = Is | Has | Within | Not | All | Either

ANYTHING = All(())


def every(*parts: Condition | None) -> Condition:
    """All of the parts that there are, without needless nesting."""
    flat = tuple(
        inner for part in parts if part for inner in (part.parts if isinstance(part, All) else (part,))
    )
    return flat[0] if len(flat) == 1 else All(flat)


def kql(condition: Condition) -> str:
    """The condition as Kibana's query language. `ANYTHING` is the empty string."""
    match condition:
        case Is(field, tuple(values)):
            return f"{field}: ({' or '.join(map(json.dumps, values))})"
        case Is(field, value):
            return f"{field}: {json.dumps(value)}"
        case Has(field):
            return f"{field}: *"
        case Within(field, at_least, before):
            bounds = ((">=", at_least), ("<", before))
            return " and ".join(f'{field} {sign} "{bound}"' for sign, bound in bounds if bound is not None)
        case Not(inner):
            return f"not ({kql(inner)})"
        case All(parts):
            return " and ".join(map(_nested, parts))
        case Either(parts):
            return " or ".join(map(_nested, parts))


def _nested(condition: Condition) -> str:
    return f"({kql(condition)})" if isinstance(condition, All | Either) else kql(condition)


def query(condition: Condition) -> dict[str, Any]:
    """The condition as an Elasticsearch query."""
    match condition:
        case Is(field, tuple(values)):
            return {"terms": {field: list(values)}}
        case Is(field, value):
            return {"term": {field: value}}
        case Has(field):
            return {"exists": {"field": field}}
        case Within(field, at_least, before):
            bounds = {"gte": at_least, "lt": before}
            return {"range": {field: {sign: bound for sign, bound in bounds.items() if bound is not None}}}
        case Not(inner):
            return {"bool": {"must_not": [query(inner)]}}
        case All(()):
            return {"match_all": {}}
        case All(parts):
            return {"bool": {"filter": [query(part) for part in parts]}}
        case Either(parts):
            return {"bool": {"should": [query(part) for part in parts], "minimum_should_match": 1}}


def fields(condition: Condition) -> Iterator[str]:
    """The fields that the condition looks at."""
    match condition:
        case Is(field) | Has(field) | Within(field):
            yield field
        case Not(inner):
            yield from fields(inner)
        case All(parts) | Either(parts):
            for part in parts:
                yield from fields(part)
