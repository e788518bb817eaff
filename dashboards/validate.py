"""Checks a bundle without a Kibana: everything that is known to make an import fail or a dashboard stay empty.

`validate` knows nothing of where a bundle came from; it takes the bytes, and the fields of each index.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from laporhub.dashboards.findings import (
    Finding,
    Findings,
    Json,
    Known,
    View,
    Wanted,
    check_field,
    check_query,
    encoded,
    inside,
    items,
    mapping,
    nulls,
    references,
)
from laporhub.dashboards.saved import CORE_STAMP, STAMPS
from laporhub.dashboards.validate_page import check_dashboard

FORBIDDEN: Final = frozenset(
    [
        "namespaces",
        "namespace",
        "originId",
        "updated_at",
        "updated_by",
        "created_at",
        "created_by",
        "version",
        "migrationVersion",
    ]
)
"""Keys of an object that an import may not carry."""
NEEDED: Final = ("id", "type", "attributes", "references")
SEARCH_INDEX: Final = "kibanaSavedObjectMeta.searchSourceJSON.index"
DATES: Final = frozenset({"date"})
POINTS: Final = frozenset({"geo_point"})


def validate(bundle: bytes, fields: Mapping[str, Mapping[str, str]]) -> list[Finding]:
    """Every fault of the bundle. `fields` is, for each index pattern, field → Elasticsearch type.

    Never raises: what cannot be read is a finding, too.
    """
    found: list[Finding] = []
    things = list(_things(bundle, found))
    known = Known(
        frozenset((str(thing["type"]), str(thing["id"])) for _, thing in things),
        {
            str(thing["id"]): View(str(thing["id"]), fields.get(str(inside(thing, "attributes", "title"))))
            for _, thing in things
            if thing["type"] == "index-pattern"
        },
    )
    seen: set[tuple[str, str]] = set()
    for where, thing in things:
        key = (str(thing["type"]), str(thing["id"]))
        if key in seen:
            found.append(Finding("duplicate-id", where, "is in the bundle already", "Give it its own id"))
        seen.add(key)
        found += _envelope(where, thing)
        check = CHECKS.get(key[0])
        if check is None:
            found.append(Finding("unknown-type", where, f"is a {key[0]}", f"Use {', '.join(sorted(CHECKS))}"))
        else:
            found += check(where, thing, known)
    return found


def _things(bundle: bytes, found: list[Finding]) -> Iterator[tuple[str, Json]]:
    """(where, object) of every line; what is no object goes to `found`."""
    lines = bundle.split(b"\n")
    if lines.pop():
        found.append(Finding("line", "the last line", "does not end", "End it with a line break"))
    for number, line in enumerate(lines, 1):
        where = f"line {number}"
        try:
            thing = json.loads(line)
        except ValueError as error:
            found.append(Finding("not-json", where, f"is no JSON ({error})", "Write one object a line"))
            continue
        if not isinstance(thing, dict):
            found.append(Finding("not-an-object", where, "is no object", "Write one object a line"))
        elif missing := [key for key in NEEDED if key not in thing]:
            found.append(Finding("incomplete", where, f"lacks {', '.join(missing)}", "Add it"))
        else:
            yield f"line {number} ({thing['type']} {thing['id']})", thing


def _envelope(where: str, thing: Json) -> Findings:
    for key in sorted(FORBIDDEN & thing.keys()):
        yield Finding("forbidden-key", where, f"carries {key}", "Leave it out")
    yield from _stamp(where, "coreMigrationVersion", thing, CORE_STAMP)
    if newest := STAMPS.get(str(thing["type"])):
        yield from _stamp(where, "typeMigrationVersion", thing, newest)
    yield from nulls(where, thing["attributes"])
    title = mapping(thing["attributes"])
    if not (title.get("title") or title.get("name")):
        yield Finding("no-title", where, "has no title", "Say what it is")


def _stamp(where: str, key: str, thing: Json, newest: str) -> Findings:
    stamp = thing.get(key)
    numbers = str(stamp).split(".")
    if stamp is None or len(numbers) != 3 or not all(part.isdecimal() for part in numbers):
        what = f"has no {key}" if stamp is None else f"{key} is {stamp}"
        yield Finding("stamp-missing", where, what, f"Set it to {newest}: without, every old migration runs")
    elif list(map(int, numbers)) > list(map(int, newest.split("."))):
        yield Finding(
            "stamp-too-new", where, f"{key} is {stamp}", f"Set it to {newest}: Kibana refuses newer"
        )


# ── one check a type ─────────────────────────────────────────────────────────────────────────────


def _view(where: str, thing: Json, known: Known) -> Findings:
    attributes, view = mapping(thing["attributes"]), known.views[str(thing["id"])]
    if view.fields is None:
        what = f"is for {attributes.get('title')}, an index nobody knows"
        yield Finding("index-unknown", where, what, "Mend the title, or tell `validate` its fields")
    for name, kind in (
        ("fields", list),
        ("fieldAttrs", dict),
        ("fieldFormatMap", dict),
        ("runtimeFieldMap", dict),
        ("sourceFilters", list),
    ):
        value, faults = encoded(where, attributes, name, kind)
        yield from faults
        yield from nulls(f"{where}.{name}", value)
    if "timeFieldName" in attributes:
        yield from check_field(where, attributes["timeFieldName"], view, DATES)
    yield from references(where, thing["references"], Wanted(), known)


def _map(where: str, thing: Json, known: Known) -> Findings:
    attributes, wanted = mapping(thing["attributes"]), Wanted()
    targets = {str(mapping(each).get("name")): mapping(each) for each in items(thing["references"])}
    layers, faults = encoded(where, attributes, "layerListJSON", list)
    yield from faults
    for name in ("mapStateJSON", "uiStateJSON"):
        value, faults = encoded(where, attributes, name, dict)
        yield from faults
        yield from nulls(f"{where}.{name}", value)
    yield from nulls(f"{where}.layerListJSON", layers)
    for i, layer in enumerate(layers):
        here, source = f"{where} layer {i}", mapping(inside(layer, "sourceDescriptor"))
        if source.get("type") != "ES_GEO_GRID":
            what = f"comes from {source.get('type')}"
            yield Finding("map-layer", here, what, "Use ES_GEO_GRID: base maps come from the internet")
            continue
        link = wanted.add(f"layer_{i}_source_index_pattern")
        if source.get("indexPatternRefName") != link:
            yield Finding("map-layer", here, "names its data view otherwise", f"Set it to {link}")
        view = known.views.get(str(inside(targets.get(link), "id")))
        yield from check_field(here, source.get("geoField"), view, POINTS)
        yield from check_query(f"{here} query", inside(layer, "query"), view)
    yield from references(where, thing["references"], wanted, known)


def _search(where: str, thing: Json, known: Known) -> Findings:
    attributes, wanted = mapping(thing["attributes"]), Wanted()
    source, faults = encoded(
        where, mapping(attributes.get("kibanaSavedObjectMeta")), "searchSourceJSON", dict
    )
    yield from faults
    yield from nulls(f"{where}.searchSourceJSON", source)
    wanted.add(SEARCH_INDEX)
    if source.get("indexRefName") != SEARCH_INDEX:
        yield Finding(
            "search-index", where, "names its data view otherwise", f"Set indexRefName to {SEARCH_INDEX}"
        )
    targets = {str(mapping(each).get("name")): mapping(each) for each in items(thing["references"])}
    view = known.views.get(str(inside(targets.get(SEARCH_INDEX), "id")))
    yield from check_query(f"{where} query", source.get("query"), view)
    for column in items(attributes.get("columns")):
        yield from check_field(f"{where} column", column, view, None)
    for order in items(attributes.get("sort")):
        for field in items(order)[:1]:
            yield from check_field(f"{where} sort", field, view, None)
    yield from references(where, thing["references"], wanted, known)


def _tag(where: str, thing: Json, known: Known) -> Findings:
    yield from references(where, thing["references"], Wanted(), known)


CHECKS: Final[Mapping[str, Callable[[str, Json, Known], Findings]]] = {
    "dashboard": check_dashboard,
    "index-pattern": _view,
    "map": _map,
    "search": _search,
    "tag": _tag,
}
