"""Checks of a Lens panel: references, columns and what is drawn of them fit together, and fit the index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from laporhub.dashboards.findings import (
    EXACT,
    NUMBERS,
    Finding,
    Findings,
    Json,
    Known,
    View,
    Wanted,
    check_field,
    check_query,
    inside,
    items,
    mapping,
    references,
)

LAYER_REFERENCE: Final = "indexpattern-datasource-layer-{}"
RECORDS: Final = "___records___"
DATES: Final = frozenset({"date"})
BUCKETS: Final = {"terms": EXACT, "date_histogram": DATES, "filters": None}
METRICS: Final = {
    "count": None,
    "unique_count": EXACT | DATES,
    "average": NUMBERS,
    "percentile": NUMBERS,
    "math": None,
    "formula": None,
}
"""Operation → the types it can work on; None where it has no field of its own."""
SCALES: Final = {"terms": "ordinal", "filters": "ordinal", "date_histogram": "interval"}
DATA_TYPES: Final = {"keyword": "string", "boolean": "boolean", **dict.fromkeys(NUMBERS, "number")}
NEEDED: Final = ("label", "customLabel", "dataType", "isBucketed", "operationType", "params", "scale")
STATE: Final = (
    "visualization",
    "query",
    "filters",
    "datasourceStates",
    "internalReferences",
    "adHocDataViews",
)
KINDS: Final = frozenset({"lnsMetric", "lnsXY", "lnsPie", "lnsHeatmap", "lnsDatatable"})


def check_lens(where: str, attributes: Json, known: Known, outer: Wanted, prefix: str) -> Findings:
    """All of one panel. `outer` learns which references the dashboard must have, under `prefix`."""
    state = mapping(attributes.get("state"))
    for key in STATE:
        if key not in state:
            yield Finding("lens-state", where, f"state has no {key}", "See how `lens` writes it")
    layers = mapping(inside(state, "datasourceStates", "formBased", "layers"))
    if not layers:
        yield Finding("lens-state", where, "has no layer", "Put it under datasourceStates.formBased.layers")
    wanted = Wanted()
    targets = {str(mapping(each).get("name")): each for each in items(attributes.get("references"))}
    view = None
    for layer_id, layer in layers.items():
        name = wanted.add(LAYER_REFERENCE.format(layer_id))
        outer.add(f"{prefix}:{name}")
        view = known.views.get(str(inside(targets.get(name), "id")))
        yield from _layer(f"{where} layer {layer_id}", mapping(layer), view)
    yield from references(where, attributes.get("references"), wanted, known)
    yield from check_query(f"{where} query", state.get("query"), view)
    yield from _drawing(where, attributes, layers)


# ── columns ──────────────────────────────────────────────────────────────────────────────────────


def _layer(where: str, layer: Json, view: View | None) -> Findings:
    columns = mapping(layer.get("columns"))
    order = items(layer.get("columnOrder"))
    if sorted(map(str, order)) != sorted(columns) or not columns:
        what = f"columnOrder {order} is not the columns {sorted(columns)}"
        yield Finding("column-order", where, what, "Name every column once")
    bucketed = [bool(inside(columns, str(name), "isBucketed")) for name in order]
    if bucketed != sorted(bucketed, reverse=True):
        yield Finding("bucket-order", where, "a value stands before a bucket", "Put buckets first")
    if "incompleteColumns" not in layer:
        yield Finding("lens-state", where, "has no incompleteColumns", "Add an empty object")
    for name, column in columns.items():
        yield from _column(f"{where} column {name}", mapping(column), columns, view)


def _column(where: str, column: Json, columns: Json, view: View | None) -> Findings:
    for key in NEEDED:
        if key not in column:
            yield Finding("column-incomplete", where, f"has no {key}", "See how `lens` writes a column")
    if not column.get("label"):
        yield Finding("no-title", where, "has no label", "Say what it is, in the reader's words")
    operation = str(column.get("operationType"))
    if operation not in BUCKETS and operation not in METRICS:
        what = f"has the operation {operation}, which is not checked here"
        yield Finding("operation", where, what, "Use another, or teach the validator")
        return
    bucket = operation in BUCKETS
    if column.get("isBucketed") != bucket or column.get("scale") != SCALES.get(operation, "ratio"):
        yield Finding(
            "column-kind", where, f"isBucketed or scale does not fit {operation}", "Set what Lens sets"
        )
    yield from _source(where, column, operation, view)
    yield from _made_of(where, column, columns)
    if "filter" in column:
        yield from check_query(f"{where} filter", column["filter"], view)
    for i, choice in enumerate(items(inside(column, "params", "filters"))):
        yield from check_query(f"{where} filter {i}", inside(choice, "input"), view)


def _source(where: str, column: Json, operation: str, view: View | None) -> Findings:
    """The column's own field."""
    field = column.get("sourceField")
    if operation == "count":
        if field != RECORDS:
            yield Finding("records", where, f"counts {field}", f"Set sourceField to {RECORDS}")
        return
    types = BUCKETS.get(operation) or METRICS.get(operation)
    if types is None:
        return
    yield from check_field(where, field, view, types)
    kind = (view.fields or {}).get(str(field)) if view else None
    if operation == "terms" and kind in DATA_TYPES and column.get("dataType") != DATA_TYPES[kind]:
        what = f"dataType is {column.get('dataType')}, and {field} is {kind}"
        yield Finding("data-type", where, what, f"Set it to {DATA_TYPES[kind]}")


def _made_of(where: str, column: Json, columns: Json) -> Findings:
    """Columns that this one names: what it is ordered by, what a formula is made of."""
    order = mapping(inside(column, "params", "orderBy"))
    if order.get("type") == "column":
        by = columns.get(str(order.get("columnId")))
        if by is None:
            yield Finding(
                "order-by", where, f"is ordered by {order.get('columnId')}, which is no column", "Mend it"
            )
        elif mapping(by).get("isBucketed") or mapping(by).get("operationType") in ("formula", "math"):
            yield Finding(
                "order-by", where, "is ordered by what Lens cannot order by", "Order by a plain value"
            )
    named = items(column.get("references")) + items(inside(column, "params", "tinymathAst", "args"))
    if column.get("operationType") in ("formula", "math") and not named:
        yield Finding("formula", where, "is made of nothing", "Name its parts in `references`")
    for name in named:
        if str(name) not in columns:
            yield Finding("formula", where, f"is made of {name}, which is no column", "Mend it")


# ── what is drawn ────────────────────────────────────────────────────────────────────────────────


def _drawing(where: str, attributes: Json, layers: Json) -> Findings:
    kind = str(attributes.get("visualizationType"))
    drawn = mapping(inside(attributes, "state", "visualization"))
    if kind not in KINDS:
        yield Finding("drawing", where, f"is drawn as {kind}", f"Use one of {', '.join(sorted(KINDS))}")
        return
    several = kind in ("lnsXY", "lnsPie")
    for part in items(drawn.get("layers")) if several else [drawn]:
        part = mapping(part)
        if part.get("layerType") != "data":
            yield Finding("drawing", where, "layerType is not data", "Set it")
        layer = layers.get(str(part.get("layerId")))
        if layer is None:
            yield Finding(
                "accessor", where, f"draws the layer {part.get('layerId')}, which is not there", "Mend it"
            )
            continue
        columns = mapping(mapping(layer).get("columns"))
        yield from _accessors(where, kind, part, columns)
    if several and not items(drawn.get("layers")):
        yield Finding("accessor", where, "draws no layer", "Name the layer in `layers`")


def _accessors(where: str, kind: str, part: Json, columns: Json) -> Findings:
    for role, name, bucketed, needed in _roles(kind, part):
        if name is None:
            if needed:
                yield Finding("accessor", where, f"has no {role}", "Name a column")
        elif str(name) not in columns:
            yield Finding("accessor", where, f"{role} is {name}, which is no column", "Mend it")
        elif bucketed is not None and bool(inside(columns, str(name), "isBucketed")) != bucketed:
            yield Finding("accessor", where, f"{role} is {name}, which is of the other kind", "Mend it")


def _roles(kind: str, part: Json) -> Iterator[tuple[str, Any, bool | None, bool]]:
    """(role, the column it names, whether that must be a bucket, whether it must be there)."""

    def several(role: str, bucketed: bool) -> Iterator[tuple[str, Any, bool | None, bool]]:
        for name in items(part.get(role)) or [None]:
            yield role, name, bucketed, True

    match kind:
        case "lnsMetric":
            yield "metricAccessor", part.get("metricAccessor"), False, True
        case "lnsXY":
            yield "xAccessor", part.get("xAccessor"), True, True
            yield "splitAccessor", part.get("splitAccessor"), True, False
            yield from several("accessors", False)
        case "lnsPie":
            yield from several("primaryGroups", True)
            yield from several("metrics", False)
        case "lnsHeatmap":
            yield "xAccessor", part.get("xAccessor"), True, True
            yield "yAccessor", part.get("yAccessor"), True, True
            yield "valueAccessor", part.get("valueAccessor"), False, True
        case "lnsDatatable":
            for column in items(part.get("columns")) or [None]:
                yield "columns", inside(column, "columnId"), None, True
