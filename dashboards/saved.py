"""The parts that saved objects of Kibana are made of: stamps, references, filters, notes, fixed options."""

from __future__ import annotations

from typing import Final

from laporhub.dashboards.conditions import ANYTHING
from laporhub.dashboards.lens import Json, kuery

CORE_STAMP: Final = "8.8.0"
STAMPS: Final = {
    "dashboard": "10.2.0",
    "index-pattern": "8.0.0",
    "lens": "8.9.0",
    "map": "8.4.0",
    "search": "8.0.0",
    "tag": "8.0.0",
    "visualization": "8.5.0",
}
"""Type → the newest `typeMigrationVersion` that Kibana 9.3 surely knows."""


OPTIONS: Final[Json] = {
    "useMargins": True,
    "syncColors": True,
    "syncCursor": True,
    "syncTooltips": False,
    "hidePanelTitles": False,
}
IGNORE_NOTHING: Final[Json] = {
    "ignoreFilters": False,
    "ignoreQuery": False,
    "ignoreTimerange": False,
    "ignoreValidations": False,
}


def thing(kind: str, identity: str, attributes: Json, references: list[Json]) -> Json:
    """A saved object with its stamps."""
    return {
        "type": kind,
        "id": identity,
        "attributes": attributes,
        "references": references,
        "coreMigrationVersion": CORE_STAMP,
        "typeMigrationVersion": STAMPS[kind],
        "managed": False,
    }


def reference(kind: str, identity: str, name: str) -> Json:
    return {"type": kind, "id": identity, "name": name}


def phrases(field: str, wanted: tuple[str, ...], link: str) -> Json:
    """A filter that the reader sees above the dashboard: the field is one of the values."""
    return {
        "$state": {"store": "appState"},
        "meta": {
            "disabled": False,
            "negate": False,
            "type": "phrases",
            "key": field,
            "field": field,
            "params": list(wanted),
            "indexRefName": link,
        },
        "query": {
            "bool": {
                "minimum_should_match": 1,
                "should": [{"match_phrase": {field: value}} for value in wanted],
            }
        },
    }


def markdown(text: str) -> Json:
    """A note, kept inside its panel."""
    return {
        "type": "markdown",
        "title": "",
        "description": "",
        "uiState": {},
        "params": {"fontSize": 12, "openLinksInNewTab": False, "markdown": text},
        "data": {"aggs": [], "searchSource": {"query": kuery(ANYTHING), "filter": []}},
    }
