"""A chart as the state that Kibana's Lens stores (formBased, by value). Shapes: those of Lens 8.9 and later.

Columns are named by their place: buckets `b0`, `b1` …, values `v0`, `v1` …; a share is a formula over three
helper columns `v0X0`, `v0X1`, `v0X2`, as Lens itself takes one apart.
"""

from __future__ import annotations

import json
from typing import Any, Final, TypeAlias

from laporhub.dashboards.conditions import ANYTHING, Condition, kql
from laporhub.dashboards.describe import (
    Average,
    Bars,
    Bucket,
    By,
    Chart,
    Choices,
    Count,
    Distinct,
    Donut,
    Heat,
    Lines,
    Metric,
    Over,
    Percentile,
    Share,
    Table,
    Value,
    buckets,
    ranking,
    values,
)
from laporhub.dashboards.labels import field_label
from laporhub.pipeline.profile.section import say

Json: TypeAlias = dict[str, Any]

LAYER: Final = "layer_0"
RECORDS: Final = "___records___"
PERCENT: Final[Json] = {"id": "percent", "params": {"decimals": 0}}
ONE_DECIMAL: Final[Json] = {"id": "number", "params": {"decimals": 1}}
VISIBLE: Final[Json] = {"x": True, "yLeft": True, "yRight": True}


def lens(panel: Chart, view_id: str, language: str) -> Json:
    """The panel's Lens attributes, on the data view with that id."""
    kind, visualization = _visualization(panel)
    layer = _columns(panel, language) | {"incompleteColumns": {}}
    return {
        "title": say(panel.title, language),
        "description": "",
        "type": "lens",
        "visualizationType": kind,
        "references": [
            {"type": "index-pattern", "id": view_id, "name": f"indexpattern-datasource-layer-{LAYER}"}
        ],
        "state": {
            "visualization": visualization,
            "query": kuery(panel.where),
            "filters": [],
            "datasourceStates": {"formBased": {"layers": {LAYER: layer}}, "textBased": {"layers": {}}},
            "internalReferences": [],
            "adHocDataViews": {},
        },
    }


def kuery(condition: Condition) -> Json:
    """A condition as Kibana stores a query."""
    return {"language": "kuery", "query": kql(condition)}


# ── columns ──────────────────────────────────────────────────────────────────────────────────────


def _columns(panel: Chart, language: str) -> Json:
    """`columns` and `columnOrder`: buckets first, as they nest, then values."""
    columns: Json = {}
    rank = ranking(panel)
    for i, bucket in enumerate(buckets(panel)):
        columns[f"b{i}"] = _bucket(bucket, None if rank is None else f"v{rank}", language)
    for i, value in enumerate(values(panel)):
        columns |= _value(f"v{i}", value, language)
    return {"columns": columns, "columnOrder": list(columns)}


def _bucket(bucket: Bucket, ranked_by: str | None, language: str) -> Json:
    match bucket:
        case By():
            return _column(
                bucket.kind,
                field_label(bucket.field, language),
                "terms",
                "ordinal",
                sourceField=bucket.field,
                params=_terms(bucket, ranked_by),
            )
        case Over():
            return _column(
                "date",
                field_label(bucket.field, language),
                "date_histogram",
                "interval",
                sourceField=bucket.field,
                params={"interval": bucket.interval, "includeEmptyRows": True, "dropPartials": False},
            )
        case Choices():
            named = [
                {"input": kuery(condition), "label": say(label, language)}
                for label, condition in bucket.choices
            ]
            label = say(bucket.label, language)
            return _column("string", label, "filters", "ordinal", params={"filters": named})


def _terms(bucket: By, ranked_by: str | None) -> Json:
    by_itself = bucket.alphabetical or ranked_by is None
    alphabetical = {"type": "alphabetical", "fallback": False}
    return {
        "size": bucket.size,
        "orderBy": alphabetical if by_itself else {"type": "column", "columnId": ranked_by},
        "orderDirection": "asc" if by_itself else "desc",
        "otherBucket": bucket.other,
        "missingBucket": False,
        "parentFormat": {"id": "terms"},
        "include": [],
        "exclude": [],
        "includeIsRegex": False,
        "excludeIsRegex": False,
    }


def _value(name: str, value: Value, language: str) -> Json:
    """The columns of one value, the one that is shown under `name`."""
    label = say(value.label, language)
    match value:
        case Count():
            return {name: _count(label, value.where)}
        case Distinct():
            return {name: _number("unique_count", label, value.field, value.where, {"emptyAsNull": False})}
        case Average():
            params: Json = {"format": ONE_DECIMAL}
            return {name: _number("average", label, value.field, value.where, params)}
        case Percentile():
            params = {"percentile": value.percent, "format": ONE_DECIMAL}
            return {name: _number("percentile", label, value.field, value.where, params)}
        case Share():
            return _share(name, label, value)


def _count(label: str, where: Condition) -> Json:
    return _number("count", label, RECORDS, where, {"emptyAsNull": False})


def _number(operation: str, label: str, field: str, where: Condition, params: Json) -> Json:
    column = _column("number", label, operation, "ratio", sourceField=field, params=params)
    return column if where == ANYTHING else column | {"filter": kuery(where)}


def _share(name: str, label: str, share: Share) -> Json:
    """Lens keeps a formula together with the columns it is made of."""
    part, whole, ratio = (f"{name}X{i}" for i in range(3))
    formula = f"count(kql={_quoted(share.part)}) / count(kql={_quoted(share.whole)})"
    divided = {
        "type": "function",
        "name": "divide",
        "args": [part, whole],
        "location": {"min": 0, "max": len(formula)},
        "text": formula,
    }
    return {
        part: _count(label, share.part),
        whole: _count(label, share.whole),
        ratio: _column(
            "number", label, "math", "ratio", params={"tinymathAst": divided}, references=[part, whole]
        ),
        name: _column(
            "number",
            label,
            "formula",
            "ratio",
            params={"formula": formula, "isFormulaBroken": False, "format": PERCENT},
            references=[ratio],
        ),
    }


def _quoted(condition: Condition) -> str:
    """KQL inside a formula: in single quotes, with those inside escaped."""
    return "'" + kql(condition).replace("'", "\\'") + "'"


def _column(data_type: str, label: str, operation: str, scale: str, **more: Any) -> Json:
    return {
        "label": label,
        "customLabel": True,
        "dataType": data_type,
        "operationType": operation,
        "isBucketed": scale == "interval" or operation in ("terms", "filters"),
        "scale": scale,
        **more,
    }


# ── how it is drawn ──────────────────────────────────────────────────────────────────────────────


def _visualization(panel: Chart) -> tuple[str, Json]:
    base: Json = {"layerId": LAYER, "layerType": "data"}
    shown = [f"v{i}" for i in range(len(values(panel)))]
    names = {id(bucket): f"b{i}" for i, bucket in enumerate(buckets(panel))}
    match panel:
        case Metric():
            return "lnsMetric", base | {"metricAccessor": "v0"}
        case Bars() | Lines():
            return "lnsXY", _xy(panel, base, names, shown)
        case Donut():
            slices = base | {
                "primaryGroups": ["b0"],
                "metrics": shown,
                "numberDisplay": "percent",
                "categoryDisplay": "default",
                "legendDisplay": "show",
                "nestedLegend": False,
            }
            return "lnsPie", {"shape": "donut", "layers": [slices]}
        case Heat():
            return "lnsHeatmap", base | _heat(names[id(panel.x)], names[id(panel.y)])
        case Table():
            columns = [f"b{i}" for i in range(len(panel.by))] + shown
            paging = {"size": 20, "enabled": True}
            return "lnsDatatable", base | {
                "columns": [{"columnId": name} for name in columns],
                "paging": paging,
            }


def _xy(panel: Bars | Lines, base: Json, names: dict[int, str], shown: list[str]) -> Json:
    series = _series(panel)
    layer = base | {"seriesType": series, "xAccessor": names[id(panel.by)], "accessors": shown}
    if panel.split:
        layer["splitAccessor"] = names[id(panel.split)]
    return {
        "legend": {"isVisible": panel.split is not None or len(shown) > 1, "position": "bottom"},
        "valueLabels": "hide",
        "fittingFunction": "None",
        "preferredSeriesType": series,
        "axisTitlesVisibilitySettings": dict.fromkeys(VISIBLE, False),
        "tickLabelsVisibilitySettings": dict(VISIBLE),
        "gridlinesVisibilitySettings": dict(VISIBLE),
        "labelsOrientation": {"x": 0, "yLeft": 0, "yRight": 0},
        "layers": [layer],
    }


def _series(panel: Bars | Lines) -> str:
    if isinstance(panel, Lines):
        return "line"
    direction = "bar" if isinstance(panel.by, Over) else "bar_horizontal"
    return f"{direction}_stacked" if panel.split else direction


def _heat(x: str, y: str) -> Json:
    return {
        "shape": "heatmap",
        "xAccessor": x,
        "yAccessor": y,
        "valueAccessor": "v0",
        "legend": {"isVisible": True, "position": "right", "type": "heatmap_legend"},
        "gridConfig": {
            "type": "heatmap_grid",
            "isCellLabelVisible": True,
            "isXAxisLabelVisible": True,
            "isXAxisTitleVisible": True,
            "isYAxisLabelVisible": True,
            "isYAxisTitleVisible": True,
        },
    }


def dumps(value: object) -> str:
    """JSON as the bundle holds it: compact, in a fixed order, with letters as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
