"""What Elasticsearch is asked for a panel: the same description as Kibana gets, as a search request.

`rows` reads the answer. Aggregations are named like the panel's columns in Lens: `b0` …, `v0` ….
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from laporhub.dashboards.conditions import ANYTHING, Condition, Is, every, query
from laporhub.dashboards.describe import (
    Average,
    Bucket,
    By,
    Chart,
    Choices,
    Count,
    Dashboard,
    Distinct,
    Listing,
    Over,
    Percentile,
    PointsMap,
    Share,
    Value,
    buckets,
    ranking,
    values,
)

Json: TypeAlias = dict[str, Any]

MAP_ZOOM = 8
"""Precision of the map's tiles: about 150 km wide at the equator, as on a page showing a province."""
MOST_POINTS = 10_000


def query_of(
    panel: Chart | PointsMap,
    time_zone: str,
    between: tuple[str, str] | None = None,
    narrowed: Condition = ANYTHING,
) -> Json:
    """The request body. `between` is the dashboard's time range, which a view without a time field ignores."""
    parts = [query(condition) for condition in (panel.where, narrowed) if condition != ANYTHING]
    if between and panel.view.time:
        parts.append({"range": {panel.view.time: {"gte": between[0], "lt": between[1]}}})
    return {
        "size": 0,
        "track_total_hits": True,
        "query": {"bool": {"filter": parts}},
        "aggs": _points(panel) if isinstance(panel, PointsMap) else _nested(panel, time_zone),
    }


def listing_of(panel: Listing, narrowed: Condition = ANYTHING, size: int = 100) -> Json:
    """The request body of a saved search: the records themselves, in its order."""
    field, descending = panel.order
    parts = [query(condition) for condition in (panel.where, narrowed) if condition != ANYTHING]
    return {
        "size": size,
        "query": {"bool": {"filter": parts}},
        "sort": [{field: "desc" if descending else "asc"}],
        "_source": list(panel.columns),
    }


def narrowing(dashboard: Dashboard, profile: str) -> Condition:
    """The filters that stand above the dashboard, as one condition."""
    return every(Is("profile", profile), *(Is(field, wanted) for field, wanted in dashboard.only))


def _points(panel: PointsMap) -> Json:
    centre = {"geo_centroid": {"field": panel.point}}
    grid = {"field": panel.point, "precision": MAP_ZOOM, "size": MOST_POINTS}
    return {"b0": {"geotile_grid": grid, "aggs": {"centre": centre}}}


def _nested(panel: Chart, time_zone: str) -> Json:
    aggregations: Json = {}
    for i, value in enumerate(values(panel)):
        aggregations |= _value(f"v{i}", value)
    rank = ranking(panel)
    ranked = None if rank is None else _rank_key(rank, values(panel)[rank])
    for i, bucket in reversed(list(enumerate(buckets(panel)))):
        own = _bucket(bucket, ranked, time_zone)
        aggregations = {f"b{i}": own | ({"aggs": aggregations} if aggregations else {})}
    return aggregations


def _rank_key(rank: int, value: Value) -> str:
    """What a terms aggregation is ordered by."""
    if isinstance(value, Count) and value.where == ANYTHING:
        return "_count"
    inner = "" if value_condition(value) == ANYTHING else ">value"
    if isinstance(value, Count):
        return f"v{rank}"  # of a filter alone: how many pass it
    return f"v{rank}{inner}" + (f".{value.percent}" if isinstance(value, Percentile) else "")


def _bucket(bucket: Bucket, ranked: str | None, time_zone: str) -> Json:
    match bucket:
        case By():
            by_itself = bucket.alphabetical or ranked is None
            order = [{"_key": "asc"}] if by_itself else [{ranked: "desc"}, {"_key": "asc"}]
            return {"terms": {"field": bucket.field, "size": bucket.size, "order": order}}
        case Over():
            return {
                "date_histogram": {
                    "field": bucket.field,
                    "calendar_interval": bucket.interval,
                    "time_zone": time_zone,
                    "min_doc_count": 0,
                }
            }
        case Choices():
            groups = {f"g{i}": query(condition) for i, (_, condition) in enumerate(bucket.choices)}
            return {"filters": {"filters": groups}}


def value_condition(value: Value) -> Condition:
    """Which records a value counts, beside the panel's own condition."""
    return ANYTHING if isinstance(value, Share) else value.where


def _value(name: str, value: Value) -> Json:
    match value:
        case Share():
            return {f"{name}X0": {"filter": query(value.part)}, f"{name}X1": {"filter": query(value.whole)}}
        case Count():
            return {} if value.where == ANYTHING else {name: {"filter": query(value.where)}}
        case Distinct():
            inner: Json = {"cardinality": {"field": value.field}}
        case Average():
            inner = {"avg": {"field": value.field}}
        case Percentile():
            inner = {"percentiles": {"field": value.field, "percents": [value.percent]}}
    if value.where == ANYTHING:
        return {name: inner}
    return {name: {"filter": query(value.where), "aggs": {"value": inner}}}


Row: TypeAlias = tuple[tuple[Any, ...], tuple[float | None, ...]]
"""The keys of the buckets, outermost first, and the values. A value is None where there is nothing to count."""


def rows(panel: Chart, answer: Mapping[str, Any]) -> Iterator[Row]:
    """The numbers of an answer, bucket by bucket. Empty buckets are left out."""
    whole = {**answer.get("aggregations", {}), "doc_count": answer["hits"]["total"]["value"]}
    yield from _rows(panel, 0, (), whole)


def _rows(panel: Chart, depth: int, keys: tuple[Any, ...], inside: Mapping[str, Any]) -> Iterator[Row]:
    if depth == len(buckets(panel)):
        yield keys, tuple(_read(f"v{i}", value, inside) for i, value in enumerate(values(panel)))
        return
    found = inside[f"b{depth}"]["buckets"]
    pairs = found.items() if isinstance(found, dict) else ((_key(bucket), bucket) for bucket in found)
    for key, bucket in pairs:
        if bucket["doc_count"]:
            yield from _rows(panel, depth + 1, (*keys, key), bucket)


def _key(bucket: Mapping[str, Any]) -> Any:
    """Booleans and dates come with their text; anything else is itself."""
    return bucket.get("key_as_string", bucket["key"])


def _read(name: str, value: Value, inside: Mapping[str, Any]) -> float | None:
    if isinstance(value, Share):
        whole = inside[f"{name}X1"]["doc_count"]
        return inside[f"{name}X0"]["doc_count"] / whole if whole else None
    if isinstance(value, Count):
        return float(inside["doc_count"] if value.where == ANYTHING else inside[name]["doc_count"])
    answer = inside[name] if value.where == ANYTHING else inside[name]["value"]
    if isinstance(value, Percentile):
        (found,) = answer["values"].values()
        return None if found in (None, "NaN") else float(found)
    return None if answer["value"] is None else float(answer["value"])
