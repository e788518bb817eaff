"""Checks of a dashboard: the grid, panels, controls, filters, and the references that they need."""

from __future__ import annotations

from itertools import combinations
from typing import Final

from laporhub.dashboards.findings import (
    Finding,
    Findings,
    Json,
    Known,
    Wanted,
    check_field,
    check_query,
    encoded,
    inside,
    items,
    mapping,
    nulls,
    number,
    references,
)
from laporhub.dashboards.grid import GRID_WIDTH
from laporhub.dashboards.validate_lens import check_lens

MOST_PANELS: Final = 100
KEPT_APART: Final = frozenset({"map", "search"})
KEYWORD: Final = frozenset({"keyword"})
FILTER_INDEX: Final = "kibanaSavedObjectMeta.searchSourceJSON.filter[{}].meta.index"


def check_dashboard(where: str, thing: Json, known: Known) -> Findings:
    """All of one dashboard."""
    attributes = mapping(thing.get("attributes"))
    wanted = Wanted()
    targets = {str(mapping(each).get("name")): mapping(each) for each in items(thing.get("references"))}
    yield from _page(where, attributes)
    panels, faults = encoded(where, attributes, "panelsJSON", list)
    yield from faults
    yield from nulls(f"{where}.panelsJSON", panels)
    yield from _grid(where, [mapping(panel) for panel in panels])
    for panel in map(mapping, panels):
        yield from _panel(where, panel, known, wanted, targets)
    yield from _controls(where, mapping(attributes.get("controlGroupInput")), known, wanted, targets)
    yield from _filters(where, mapping(attributes.get("kibanaSavedObjectMeta")), known, wanted, targets)
    yield from references(where, thing.get("references"), wanted, known)


def _page(where: str, attributes: Json) -> Findings:
    _, faults = encoded(where, attributes, "optionsJSON", dict)
    yield from faults
    refresh = mapping(attributes.get("refreshInterval"))
    if not isinstance(refresh.get("pause"), bool) or number(refresh.get("value")) < 0:
        yield Finding("refresh", where, "refreshInterval lacks pause or value", "Set both")
    if attributes.get("timeRestore") is True and not (
        attributes.get("timeFrom") and attributes.get("timeTo")
    ):
        yield Finding(
            "time-range", where, "restores a time range it does not have", "Set timeFrom and timeTo"
        )


def _grid(where: str, panels: list[Json]) -> Findings:
    if len(panels) > MOST_PANELS:
        yield Finding("too-many-panels", where, f"has {len(panels)} panels", "Make two dashboards of it")
    boxes = {}
    for panel in panels:
        name, grid = str(panel.get("panelIndex")), mapping(panel.get("gridData"))
        here = f"{where} panel {name}"
        if grid.get("i") != panel.get("panelIndex"):
            yield Finding("panel-index", here, f"gridData.i is {grid.get('i')}", "Make it the panelIndex")
        if name in boxes:
            yield Finding("panel-twice", here, "has the panelIndex of another", "Give it its own")
        x, y, w, h = (number(grid.get(side)) for side in "xywh")
        if x < 0 or y < 0 or w < 1 or h < 1 or x + w > GRID_WIDTH:
            what = f"is at x={x} y={y}, {w} wide and {h} high"
            yield Finding("off-grid", here, what, f"Keep it inside {GRID_WIDTH} columns")
        boxes[name] = (x, y, w, h)
    for (one, a), (other, b) in combinations(boxes.items(), 2):
        if a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]:
            yield Finding("overlap", f"{where} panel {one}", f"lies over panel {other}", "Move one")


def _panel(where: str, panel: Json, known: Known, wanted: Wanted, targets: dict[str, Json]) -> Findings:
    name, kind = str(panel.get("panelIndex")), str(panel.get("type"))
    here = f"{where} panel {name}"
    config = panel.get("embeddableConfig")
    if not panel.get("title"):
        yield Finding("no-title", here, "has no title", "Say what it shows")
    if not isinstance(config, dict):
        yield Finding("panel", here, "has no embeddableConfig", "Add one")
    elif kind == "lens":
        yield from check_lens(here, mapping(config.get("attributes")), known, wanted, name)
        yield from _same_view(here, name, mapping(config.get("attributes")), targets)
    elif kind == "visualization":
        if not isinstance(inside(config, "savedVis", "params", "markdown"), str):
            yield Finding("panel", here, "holds no Markdown", "Put it in savedVis.params.markdown")
    elif kind in KEPT_APART:
        link = panel.get("panelRefName")
        if not isinstance(link, str):
            yield Finding("panel", here, "has no panelRefName", "Name the reference")
        else:
            wanted.add(f"{name}:{link}", kind)
    else:
        yield Finding("panel", here, f"is a {kind}", "Use lens, map, search or a note")


def _same_view(where: str, name: str, attributes: Json, targets: dict[str, Json]) -> Findings:
    """Both levels must lead to the same data view: Kibana takes the outer one."""
    for each in map(mapping, items(attributes.get("references"))):
        outer = targets.get(f"{name}:{each.get('name')}")
        if outer is not None and outer.get("id") != each.get("id"):
            what = f"leads to {each.get('id')}, the dashboard to {outer.get('id')}"
            yield Finding("reference-differs", where, what, "Make both the same")


def _controls(where: str, group: Json, known: Known, wanted: Wanted, targets: dict[str, Json]) -> Findings:
    if not group:
        return
    controls, faults = encoded(f"{where}.controlGroupInput", group, "panelsJSON", dict)
    _, more = encoded(f"{where}.controlGroupInput", group, "ignoreParentSettingsJSON", dict)
    yield from faults + more
    yield from nulls(f"{where}.controlGroupInput.panelsJSON", controls)
    for name, control in controls.items():
        here, given = f"{where} control {name}", mapping(inside(control, "explicitInput"))
        if given.get("id") != name:
            yield Finding("control-id", here, f"calls itself {given.get('id')}", "Make both the same")
        if inside(control, "type") != "optionsListControl":
            yield Finding("control", here, "is no list", "Use optionsListControl")
        if not given.get("title"):
            yield Finding("no-title", here, "has no title", "Say what it narrows")
        link = wanted.add(f"controlGroup_{name}:optionsListDataView")
        target = inside(targets.get(link), "id")
        if target is not None and target != given.get("dataViewId"):
            yield Finding(
                "reference-differs", here, f"dataViewId is not {target}", "Make it what the reference says"
            )
        view = known.views.get(str(given.get("dataViewId")))
        yield from check_field(here, given.get("fieldName"), view, KEYWORD)


def _filters(where: str, meta: Json, known: Known, wanted: Wanted, targets: dict[str, Json]) -> Findings:
    source, faults = encoded(f"{where}.kibanaSavedObjectMeta", meta, "searchSourceJSON", dict)
    yield from faults
    yield from nulls(f"{where}.searchSourceJSON", source)
    yield from check_query(f"{where} query", source.get("query", {"language": "kuery"}), None)
    for i, each in enumerate(items(source.get("filter"))):
        here, link = f"{where} filter {i}", FILTER_INDEX.format(i)
        wanted.add(link)
        if inside(each, "meta", "indexRefName") != link:
            yield Finding("filter", here, "names its data view otherwise", f"Set meta.indexRefName to {link}")
        view = known.views.get(str(inside(targets.get(link), "id")))
        yield from check_field(here, inside(each, "meta", "key"), view, KEYWORD)
