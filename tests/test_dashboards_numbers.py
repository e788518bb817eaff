"""Every number on every dashboard, as a real Elasticsearch counts it, is what a recount of the documents gives.

The question to Elasticsearch comes from the description of a panel, the recount from what Kibana would store.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, get_args
from uuid import uuid4

import pytest
from elasticsearch import Elasticsearch
from elasticsearch.helpers import bulk
from lens_recount import Recount, kql, moment, same, tile, utc
from made_up_cases import MadeUp
from support import laporgub

from laporhub.dashboards.access import Audience, audiences, index_of, views_of
from laporhub.dashboards.access import Indices as Names
from laporhub.dashboards.bundle import bundle
from laporhub.dashboards.catalog import dashboards
from laporhub.dashboards.describe import Chart, Dashboard, Listing, PointsMap, View
from laporhub.dashboards.grid import panels
from laporhub.dashboards.lens import kuery, lens
from laporhub.dashboards.queries import MAP_ZOOM, listing_of, narrowing, query_of, rows
from laporhub.dashboards.validate import validate
from laporhub.pipeline.profile.section import say
from laporhub.sinks.documents import case_document, event_document, unit_document
from laporhub.sinks.elasticsearch_templates import Indices, delete_all, install

NOW = utc(2026, 11, 23, 2, 41)
RULES = laporgub()
ZONE = RULES.profile.time_zone
PAGES = [(audience, page) for audience in audiences(RULES) for page in dashboards(RULES, audience)]
CASES = 400

Doc = dict[str, Any]


@dataclass
class Filled:
    """An Elasticsearch with made-up cases under a prefix of its own, and the same documents here."""

    client: Elasticsearch
    names: Names
    cases: list[Doc] = field(default_factory=list)
    units: list[Doc] = field(default_factory=list)
    events: list[Doc] = field(default_factory=list)

    def docs(self, view: View, audience: Audience) -> list[Doc]:
        return (
            self.events
            if view.source == "events"
            else self.units
            if audience is Audience.UNITS
            else self.cases
        )

    def ask(self, view: View, audience: Audience, body: Doc) -> Doc:
        """The answer, with the server's `now` taken for ours."""
        pinned = json.dumps(body).replace('"now', f'"{NOW.isoformat()}||')
        index = index_of(view, audience, RULES, self.names)
        return self.client.search(index=index, body=json.loads(pinned)).body


@pytest.fixture(scope="module")
def filled(elasticsearch: str) -> Iterator[Filled]:
    prefix = f"boards-{uuid4().hex[:8]}"
    with Elasticsearch(elasticsearch, request_timeout=60) as client:
        names = Indices(prefix)
        install(client, names)
        found = Filled(client, Names(prefix))
        made = MadeUp(RULES, NOW)
        actions = list(write(made, names, found))
        bulk(client, actions, refresh=True)
        yield found
        delete_all(client, names)


def write(made: MadeUp, names: Indices, found: Filled) -> Iterator[Doc]:
    """Documents as the sink makes them; a unit also has cases that moved on, and another profile has one."""
    for number in range(CASES):
        state = made.case(number)
        document = case_document(state)
        if number % 50 == 0:
            document = {**document, "profile": "another"}
        found.cases.append(document)
        yield {"_index": names.cases, "_id": state.id, "_source": document}
        if state.unit:
            theirs = unit_document(document) | {"active": made.maybe(0.9)}
            found.units.append(theirs)
            yield {"_index": names.unit(RULES.name, state.unit), "_id": state.id, "_source": theirs}
        for event in made.events(state):
            told = event_document(event)
            found.events.append(told)
            yield {"_index": names.events(event.time), "_id": event.id, "_source": told}


def time_range(page: Dashboard) -> tuple[datetime, datetime]:
    return moment(page.time_from, NOW), moment(page.time_to, NOW)


def in_sight(filled: Filled, audience: Audience, page: Dashboard, view: View) -> list[Doc]:
    """The documents that the dashboard's filters and its time range leave to a panel."""
    shown = kql(kuery(narrowing(page, RULES.name))["query"], NOW)
    docs = [doc for doc in filled.docs(view, audience) if shown(doc)]
    if view.time is None:
        return docs
    first, end = time_range(page)
    return [doc for doc in docs if view.time in doc and first <= doc[view.time] < end]


@pytest.mark.parametrize(("audience", "page"), PAGES, ids=[page.name for _, page in PAGES])
def test_every_chart_shows_what_a_recount_gives(filled: Filled, audience: Audience, page: Dashboard) -> None:
    for chart in (panel for panel in panels(page) if isinstance(panel, get_args(Chart))):
        title = say(chart.title, "id")
        body = query_of(chart, ZONE, (page.time_from, page.time_to), narrowing(page, RULES.name))
        answered = dict(rows(chart, filled.ask(chart.view, audience, body)))
        docs = in_sight(filled, audience, page, chart.view)
        counted = Recount(lens(chart, "view", "id"), docs, NOW, ZONE).rows()
        assert answered.keys() == counted.keys(), title
        assert counted, f"{title}: an empty panel proves nothing"
        for keys, numbers in counted.items():
            assert len(answered[keys]) == len(numbers)
            pairs = zip(answered[keys], numbers, strict=True)
            assert all(same(*pair) for pair in pairs), f"{title} {keys}: {answered[keys]} is not {numbers}"


@pytest.mark.parametrize(("audience", "page"), PAGES, ids=[page.name for _, page in PAGES])
def test_every_map_shows_the_points_and_every_list_the_cases(
    filled: Filled, audience: Audience, page: Dashboard
) -> None:
    for panel in panels(page):
        if not isinstance(panel, PointsMap | Listing):
            continue
        asked = kql(kuery(panel.where)["query"], NOW)
        docs = [doc for doc in in_sight(filled, audience, page, panel.view) if asked(doc)]
        assert docs
        if isinstance(panel, PointsMap):
            body = query_of(panel, ZONE, (page.time_from, page.time_to), narrowing(page, RULES.name))
            found = filled.ask(panel.view, audience, body)["aggregations"]["b0"]["buckets"]
            points = Counter(tile(**doc["point"], zoom=MAP_ZOOM) for doc in docs if "point" in doc)
            assert {bucket["key"]: bucket["doc_count"] for bucket in found} == points
        else:
            body = listing_of(panel, narrowing(page, RULES.name), size=CASES)
            found = filled.ask(panel.view, audience, body)["hits"]["hits"]
            assert sorted(hit["_id"] for hit in found) == sorted(doc["case_id"] for doc in docs)
            due = [hit["_source"]["due_at"] for hit in found if "due_at" in hit["_source"]]
            assert due == sorted(due)


@pytest.mark.parametrize("audience", audiences(RULES))
def test_a_bundle_fits_the_fields_that_elasticsearch_says_it_has(filled: Filled, audience: Audience) -> None:
    fields = {}
    for view in views_of(audience):
        index = index_of(view, audience, RULES, filled.names)
        caps = filled.client.field_caps(index=index, fields="*")["fields"]
        fields[index] = {name: next(iter(types)) for name, types in caps.items()}
        assert all(len(types) == 1 for types in caps.values()), "a field of two types in one view"
    assert validate(bundle(RULES, audience, filled.names), fields) == []
