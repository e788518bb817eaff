"""Faults that keep a dashboard from opening, or leave it empty, are found without a Kibana: each by its name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import laporgub

from laporhub.dashboards.access import Audience, Indices, audiences
from laporhub.dashboards.bundle import bundle
from laporhub.dashboards.findings import Finding
from laporhub.dashboards.validate import validate
from laporhub.sinks.documents import CASE_FIELDS, EVENT_FIELDS, UNIT_FIELDS, Fields

RULES = laporgub()
NAMES = Indices()

Thing = dict[str, Any]


def types(fields: Fields) -> dict[str, str]:
    return {name: str(each["type"]) for name, each in fields.items()}


FIELDS = {
    NAMES.cases: types(CASE_FIELDS),
    NAMES.events: types(EVENT_FIELDS),
    NAMES.unit(RULES.name, "*"): types(UNIT_FIELDS),
}


@cache
def shipped(audience: Audience = Audience.OFFICE) -> bytes:
    return bundle(RULES, audience)


def things(audience: Audience = Audience.OFFICE) -> list[Thing]:
    return [json.loads(line) for line in shipped(audience).splitlines()]


def written(objects: list[Thing]) -> bytes:
    return "".join(json.dumps(thing) + "\n" for thing in objects).encode()


def check(objects: list[Thing]) -> list[Finding]:
    return validate(written(objects), FIELDS)


def first(objects: list[Thing], kind: str) -> Thing:
    return next(thing for thing in objects if thing["type"] == kind)


@contextmanager
def opened(holder: Thing, name: str) -> Iterator[Any]:
    """What a field holds as JSON in a string, to change it."""
    value = json.loads(holder[name])
    yield value
    holder[name] = json.dumps(value)


@contextmanager
def panels(objects: list[Thing]) -> Iterator[list[Thing]]:
    with opened(first(objects, "dashboard")["attributes"], "panelsJSON") as found:
        yield found


@contextmanager
def controls(objects: list[Thing]) -> Iterator[Thing]:
    with opened(first(objects, "dashboard")["attributes"]["controlGroupInput"], "panelsJSON") as found:
        yield found


@contextmanager
def chart(objects: list[Thing], kind: str) -> Iterator[Thing]:
    """The Lens attributes of the first panel drawn so."""
    with panels(objects) as found:
        charts = [panel["embeddableConfig"].get("attributes", {}) for panel in found]
        yield next(each for each in charts if each.get("visualizationType") == kind)


@contextmanager
def layer(objects: list[Thing], kind: str = "lnsXY") -> Iterator[Thing]:
    with chart(objects, kind) as attributes:
        yield attributes["state"]["datasourceStates"]["formBased"]["layers"]["layer_0"]


@contextmanager
def layers_of_map(objects: list[Thing]) -> Iterator[list[Thing]]:
    with opened(first(objects, "map")["attributes"], "layerListJSON") as found:
        yield found


@contextmanager
def drawn(objects: list[Thing], kind: str) -> Iterator[Thing]:
    with chart(objects, kind) as attributes:
        yield attributes["state"]["visualization"]


# ── the faults ───────────────────────────────────────────────────────────────────────────────────

FAULTS: list[tuple[str, str, Callable[[list[Thing]], object]]] = []


def fault(name: str, code: str) -> Callable[[Callable[[list[Thing]], object]], None]:
    def keep(seed: Callable[[list[Thing]], object]) -> None:
        FAULTS.append((name, code, seed))

    return keep


@fault("an id that another object has", "duplicate-id")
def _(objects: list[Thing]) -> None:
    objects.append(objects[-1])


@fault("a version of the object, as exports have", "forbidden-key")
def _(objects: list[Thing]) -> None:
    objects[1]["version"] = "WzEsMV0="


@fault("the space it was exported from", "forbidden-key")
def _(objects: list[Thing]) -> None:
    objects[1]["namespaces"] = ["default"]


@fault("no stamp of its type", "stamp-missing")
def _(objects: list[Thing]) -> None:
    del first(objects, "dashboard")["typeMigrationVersion"]


@fault("no stamp of the core", "stamp-missing")
def _(objects: list[Thing]) -> None:
    del first(objects, "map")["coreMigrationVersion"]


@fault("a stamp of a later Kibana", "stamp-too-new")
def _(objects: list[Thing]) -> None:
    first(objects, "dashboard")["typeMigrationVersion"] = "10.10.0"


@fault("no references at all", "incomplete")
def _(objects: list[Thing]) -> None:
    del first(objects, "dashboard")["references"]


@fault("a type that we do not write", "unknown-type")
def _(objects: list[Thing]) -> None:
    first(objects, "search")["type"] = "canvas-workpad"


@fault("no title", "no-title")
def _(objects: list[Thing]) -> None:
    first(objects, "dashboard")["attributes"]["title"] = ""


@fault("panels that are no string", "not-encoded")
def _(objects: list[Thing]) -> None:
    attributes = first(objects, "dashboard")["attributes"]
    attributes["panelsJSON"] = json.loads(attributes["panelsJSON"])


@fault("panels that cannot be parsed", "unparsable")
def _(objects: list[Thing]) -> None:
    first(objects, "dashboard")["attributes"]["panelsJSON"] += "]"


@fault("formats of fields that cannot be parsed", "unparsable")
def _(objects: list[Thing]) -> None:
    first(objects, "index-pattern")["attributes"]["fieldFormatMap"] = "{'status'}"


@fault("a title of a panel that is null", "null")
def _(objects: list[Thing]) -> None:
    with panels(objects) as found:
        found[0]["title"] = None


@fault("a setting of a control that is null", "null")
def _(objects: list[Thing]) -> None:
    with controls(objects) as found:
        found["c1"]["explicitInput"]["searchTechnique"] = None


@fault("a label of a map's layer that is null", "null")
def _(objects: list[Thing]) -> None:
    with layers_of_map(objects) as found:
        found[0]["label"] = None


@fault("a reference to what is not there", "reference-dangling")
def _(objects: list[Thing]) -> None:
    first(objects, "search")["references"][0]["id"] = "no-such-view"


@fault("an object that others need is missing", "reference-dangling")
def _(objects: list[Thing]) -> None:
    objects.remove(first(objects, "map"))


@fault("a layer that the dashboard has no reference for", "reference-missing")
def _(objects: list[Thing]) -> None:
    links = first(objects, "dashboard")["references"]
    links.remove(next(link for link in links if ":indexpattern-datasource-layer" in link["name"]))


@fault("a layer that the panel itself has no reference for", "reference-missing")
def _(objects: list[Thing]) -> None:
    with chart(objects, "lnsPie") as attributes:
        attributes["references"].clear()


@fault("a reference that nothing uses", "reference-unused")
def _(objects: list[Thing]) -> None:
    links = first(objects, "dashboard")["references"]
    links.append({**links[1], "name": "p99:indexpattern-datasource-layer-layer_0"})


@fault("two references of one name", "reference-twice")
def _(objects: list[Thing]) -> None:
    links = first(objects, "dashboard")["references"]
    links.append(links[1])


@fault("panel and dashboard lead to different data views", "reference-differs")
def _(objects: list[Thing]) -> None:
    views = [thing["id"] for thing in objects if thing["type"] == "index-pattern"]
    with chart(objects, "lnsMetric") as attributes:
        link = attributes["references"][0]
        link["id"] = next(view for view in views if view != link["id"])


@fault("a place on the grid under another name", "panel-index")
def _(objects: list[Thing]) -> None:
    with panels(objects) as found:
        found[2]["gridData"]["i"] = "other"


@fault("two panels of one name", "panel-twice")
def _(objects: list[Thing]) -> None:
    with panels(objects) as found:
        found[1]["panelIndex"] = found[1]["gridData"]["i"] = "p1"


@fault("a panel that reaches over the edge", "off-grid")
def _(objects: list[Thing]) -> None:
    with panels(objects) as found:
        found[5]["gridData"]["w"] += 1


@fault("a panel without height", "off-grid")
def _(objects: list[Thing]) -> None:
    with panels(objects) as found:
        found[5]["gridData"]["h"] = 0


@fault("a panel over another", "overlap")
def _(objects: list[Thing]) -> None:
    with panels(objects) as found:
        found[1]["gridData"]["x"] -= 1


@fault("more panels than a page can hold", "too-many-panels")
def _(objects: list[Thing]) -> None:
    with panels(objects) as found:
        for number in range(101):
            place = {"x": 0, "y": 1000 + number, "w": 48, "h": 1, "i": f"n{number}"}
            found.append({**found[0], "panelIndex": f"n{number}", "gridData": place})


@fault("a panel of a kind that we do not write", "panel")
def _(objects: list[Thing]) -> None:
    with panels(objects) as found:
        found[0]["type"] = "vega"


@fault("an order of columns that leaves one out", "column-order")
def _(objects: list[Thing]) -> None:
    with layer(objects) as found:
        found["columnOrder"].pop()


@fault("an order of columns that names one too many", "column-order")
def _(objects: list[Thing]) -> None:
    with layer(objects) as found:
        found["columnOrder"].append("v7")


@fault("a value before a bucket", "bucket-order")
def _(objects: list[Thing]) -> None:
    with layer(objects) as found:
        found["columnOrder"].reverse()


@fault("ordered by a column that is not there", "order-by")
def _(objects: list[Thing]) -> None:
    with layer(objects, "lnsPie") as found:
        found["columns"]["b0"]["params"]["orderBy"]["columnId"] = "v9"


@fault("ordered by a bucket", "order-by")
def _(objects: list[Thing]) -> None:
    with layer(objects, "lnsPie") as found:
        found["columns"]["b0"]["params"]["orderBy"]["columnId"] = "b0"


@fault("an axis that is no column", "accessor")
def _(objects: list[Thing]) -> None:
    with drawn(objects, "lnsXY") as found:
        found["layers"][0]["xAccessor"] = "b9"


@fault("a value where a bucket belongs", "accessor")
def _(objects: list[Thing]) -> None:
    with drawn(objects, "lnsPie") as found:
        found["layers"][0]["primaryGroups"] = ["v0"]


@fault("a metric by the name that older versions had", "accessor")
def _(objects: list[Thing]) -> None:
    with drawn(objects, "lnsMetric") as found:
        found["accessor"] = found.pop("metricAccessor")


@fault("a chart without layers", "accessor")
def _(objects: list[Thing]) -> None:
    with drawn(objects, "lnsXY") as found:
        found["layers"] = []


@fault("a drawing that Lens does not have", "drawing")
def _(objects: list[Thing]) -> None:
    with chart(objects, "lnsPie") as attributes:
        attributes["visualizationType"] = "lnsDonut"


@fault("an operation that Lens does not have", "operation")
def _(objects: list[Thing]) -> None:
    with layer(objects) as found:
        found["columns"]["v0"]["operationType"] = "avg"


@fault("the average of codes", "field-type")
def _(objects: list[Thing]) -> None:
    with layer(objects, "lnsMetric") as found:
        found["columns"]["v0"] |= {"operationType": "average", "sourceField": "status"}


@fault("the most frequent of words in a text", "field-type")
def _(objects: list[Thing]) -> None:
    with layer(objects, "lnsPie") as found:
        found["columns"]["b0"]["sourceField"] = "text"


@fault("days of a field that is no date", "field-type")
def _(objects: list[Thing]) -> None:
    with layer(objects) as found:
        days = next(c for c in found["columns"].values() if c["operationType"] == "date_histogram")
        days["sourceField"] = "hours_open"


@fault("a boolean that is said to be a string", "data-type")
def _(objects: list[Thing]) -> None:
    with layer(objects, "lnsPie") as found:
        found["columns"]["b0"]["sourceField"] = "late"


@fault("a field that the index does not have", "field-unknown")
def _(objects: list[Thing]) -> None:
    with layer(objects, "lnsPie") as found:
        found["columns"]["b0"]["sourceField"] = "chanel"


@fault("a query for a field that the index does not have", "field-unknown")
def _(objects: list[Thing]) -> None:
    with chart(objects, "lnsPie") as attributes:
        attributes["state"]["query"]["query"] = 'stauts: "received"'


@fault("a column of a list that the index does not have", "field-unknown")
def _(objects: list[Thing]) -> None:
    first(objects, "search")["attributes"]["columns"].append("phone")


@fault("a count of something", "records")
def _(objects: list[Thing]) -> None:
    with layer(objects) as found:
        found["columns"]["v0"]["sourceField"] = "case_id"


@fault("a column without its scale", "column-incomplete")
def _(objects: list[Thing]) -> None:
    with layer(objects) as found:
        del found["columns"]["v0"]["scale"]


@fault("a bucket that is said to be none", "column-kind")
def _(objects: list[Thing]) -> None:
    with layer(objects, "lnsPie") as found:
        found["columns"]["b0"]["isBucketed"] = False


@fault("a Lens state without its layers", "lens-state")
def _(objects: list[Thing]) -> None:
    with chart(objects, "lnsPie") as attributes:
        attributes["state"]["datasourceStates"] = {"indexpattern": {"layers": {}}}


@fault("a query in another language", "query")
def _(objects: list[Thing]) -> None:
    with chart(objects, "lnsPie") as attributes:
        attributes["state"]["query"] = {"esql": "FROM x"}


@fault("a control under another name", "control-id")
def _(objects: list[Thing]) -> None:
    with controls(objects) as found:
        found["c1"]["explicitInput"]["id"] = "c2"


@fault("a control on a text", "field-type")
def _(objects: list[Thing]) -> None:
    with controls(objects) as found:
        found["c1"]["explicitInput"]["fieldName"] = "text"


@fault("a control on a field that the index does not have", "field-unknown")
def _(objects: list[Thing]) -> None:
    with controls(objects) as found:
        found["c1"]["explicitInput"]["fieldName"] = "kanal"


@fault("a control on one data view with a reference to another", "reference-differs")
def _(objects: list[Thing]) -> None:
    with controls(objects) as found:
        found["c1"]["explicitInput"]["dataViewId"] = "another"


@fault("a control without a reference", "reference-missing")
def _(objects: list[Thing]) -> None:
    links = first(objects, "dashboard")["references"]
    links.remove(next(link for link in links if link["name"].startswith("controlGroup_")))


@fault("a filter that names its data view otherwise", "filter")
def _(objects: list[Thing]) -> None:
    with opened(
        first(objects, "dashboard")["attributes"]["kibanaSavedObjectMeta"], "searchSourceJSON"
    ) as found:
        found["filter"][0]["meta"]["indexRefName"] = "filter_0"


@fault("no interval to refresh by", "refresh")
def _(objects: list[Thing]) -> None:
    del first(objects, "dashboard")["attributes"]["refreshInterval"]["value"]


@fault("a time range to restore, and none there", "time-range")
def _(objects: list[Thing]) -> None:
    del first(objects, "dashboard")["attributes"]["timeFrom"]


@fault("a base map from the internet", "map-layer")
def _(objects: list[Thing]) -> None:
    with layers_of_map(objects) as found:
        found.insert(
            0, {"sourceDescriptor": {"type": "EMS_TMS"}, "query": {"language": "kuery", "query": ""}}
        )


@fault("points of a field that holds none", "field-type")
def _(objects: list[Thing]) -> None:
    with layers_of_map(objects) as found:
        found[0]["sourceDescriptor"]["geoField"] = "address"


@fault("a list that names its data view otherwise", "search-index")
def _(objects: list[Thing]) -> None:
    with opened(first(objects, "search")["attributes"]["kibanaSavedObjectMeta"], "searchSourceJSON") as found:
        found["indexRefName"] = "index"


@fault("a data view of an index nobody knows", "index-unknown")
def _(objects: list[Thing]) -> None:
    first(objects, "index-pattern")["attributes"]["title"] = "laporhub-case"


@fault("time by a field that is no date", "field-type")
def _(objects: list[Thing]) -> None:
    first(objects, "index-pattern")["attributes"]["timeFieldName"] = "ticket"


# ── what is checked ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("audience", audiences(RULES))
def test_what_is_shipped_has_no_fault(audience: Audience) -> None:
    assert validate(shipped(audience), FIELDS) == []


@pytest.mark.parametrize(
    ("code", "seed"), [(code, seed) for _, code, seed in FAULTS], ids=[name for name, _, _ in FAULTS]
)
def test_a_seeded_fault_is_found_and_explained(code: str, seed: Callable[[list[Thing]], object]) -> None:
    objects = things()
    seed(objects)
    found = [finding for finding in check(objects) if finding.code == code]
    assert found
    assert all("line" in each.where and each.what and each.remedy for each in found)


def test_there_are_faults_of_many_kinds() -> None:
    assert len({code for _, code, _ in FAULTS}) >= 30


def test_a_formula_whose_parts_are_gone_is_found() -> None:
    objects = things(Audience.LEADERS)
    with layer(objects, "lnsMetric") as found:
        assert "v0" in found["columns"]
    with panels(objects) as pages:
        columns = next(
            layer_["columns"]
            for panel in pages
            for layer_ in panel["embeddableConfig"]["attributes"]["state"]["datasourceStates"]["formBased"][
                "layers"
            ].values()
            if "v0X2" in layer_["columns"]
        )
        columns["v0X2"]["references"] = ["v0X0", "v0X7"]
    assert "formula" in {finding.code for finding in check(objects)}


@pytest.mark.parametrize(
    ("line", "code"),
    [(b"{not json}\n", "not-json"), (b"[]\n", "not-an-object"), (b"\n", "not-json"), (b"{}", "line")],
)
def test_a_line_that_is_no_object_is_found(line: bytes, code: str) -> None:
    assert code in {finding.code for finding in validate(shipped() + line, FIELDS)}


# ── mutations ────────────────────────────────────────────────────────────────────────────────────


def every_reference(objects: list[Thing]) -> list[tuple[int, str | None, int]]:
    """(object, panel or None for the object's own, place) of each reference, tags aside."""
    found: list[tuple[int, str | None, int]] = []
    for at, thing in enumerate(objects):
        found += [(at, None, i) for i, link in enumerate(thing["references"]) if link["type"] != "tag"]
        for panel in json.loads(thing["attributes"].get("panelsJSON", "[]")):
            links = panel["embeddableConfig"].get("attributes", {}).get("references", [])
            found += [(at, panel["panelIndex"], i) for i in range(len(links))]
    return found


@settings(max_examples=60)
@given(st.data())
def test_dropping_any_reference_is_found(data: st.DataObject) -> None:
    objects = things(data.draw(st.sampled_from(audiences(RULES))))
    at, panel, place = data.draw(st.sampled_from(every_reference(objects)))
    if panel is None:
        objects[at]["references"].pop(place)
    else:
        with opened(objects[at]["attributes"], "panelsJSON") as found:
            inner = next(each for each in found if each["panelIndex"] == panel)
            inner["embeddableConfig"]["attributes"]["references"].pop(place)
    assert "reference-missing" in {finding.code for finding in check(objects)}


@settings(max_examples=60)
@given(st.data())
def test_redirecting_any_reference_is_found(data: st.DataObject) -> None:
    objects = things(data.draw(st.sampled_from(audiences(RULES))))
    thing = data.draw(st.sampled_from([each for each in objects if each["references"]]))
    data.draw(st.sampled_from(thing["references"]))["id"] = "elsewhere"
    assert "reference-dangling" in {finding.code for finding in check(objects)}


def every_place(value: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key) of everything inside."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield value, key
            yield from every_place(inner)


ANYTHING = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just([]) | st.just({})


@settings(max_examples=150)
@given(st.data(), ANYTHING)
def test_whatever_stands_anywhere_the_check_says_so_and_does_not_fall_over(
    data: st.DataObject, value: object
) -> None:
    objects = things(Audience.LEADERS)
    page = objects[-1]
    decoded = {
        "panelsJSON": json.loads(page["attributes"]["panelsJSON"]),
        "references": page["references"],
    }
    container, key = data.draw(st.sampled_from(list(every_place(decoded))))
    container[key] = value
    page["references"] = decoded["references"]
    page["attributes"]["panelsJSON"] = json.dumps(decoded["panelsJSON"])
    found = check(objects)
    assert all(str(finding) for finding in found)
    if value is None:
        assert found


@given(st.binary(max_size=200))
def test_bytes_that_are_no_bundle_are_found(data: bytes) -> None:
    assert validate(data, FIELDS) or not data
