"""A map of points as Kibana's Maps stores it: no base map, for those come from the internet."""

from __future__ import annotations

from typing import Final

from laporhub.dashboards.describe import PointsMap
from laporhub.dashboards.lens import Json, dumps, kuery

POINT_REFERENCE: Final = "layer_0_source_index_pattern"


def points_layer(panel: PointsMap, title: str) -> Json:
    """The attributes of a `map` object with one layer, whose circles grow with the number of records."""
    layer = {
        "id": "points",
        "label": title,
        "type": "GEOJSON_VECTOR",
        "minZoom": 0,
        "maxZoom": 24,
        "alpha": 0.75,
        "visible": True,
        "includeInFitToBounds": True,
        "joins": [],
        "query": kuery(panel.where),
        "sourceDescriptor": {
            "id": "points_source",
            "type": "ES_GEO_GRID",
            "requestType": "point",
            "resolution": "FINE",
            "geoField": panel.point,
            "metrics": [{"type": "count"}],
            "indexPatternRefName": POINT_REFERENCE,
            "applyGlobalQuery": True,
            "applyGlobalTime": True,
            "applyForceRefresh": True,
        },
        "style": {"type": "VECTOR", "isTimeAware": True, "properties": _circles()},
    }
    state = {
        "zoom": 6,
        "center": {"lat": 0, "lon": 0},
        "timeFilters": {"from": "now-30d", "to": "now"},
        "query": {"language": "kuery", "query": ""},
        "filters": [],
        "settings": {"autoFitToDataBounds": True},
    }
    return {
        "title": title,
        "description": "",
        "layerListJSON": dumps([layer]),
        "mapStateJSON": dumps(state),
        "uiStateJSON": dumps({"isLayerTOCOpen": False, "openTOCDetails": []}),
    }


def _circles() -> Json:
    count = {"name": "doc_count", "origin": "source"}
    spread = {"isEnabled": False, "sigma": 3}

    def fixed(**options: object) -> Json:
        return {"type": "STATIC", "options": options}

    return {
        "icon": fixed(value="marker"),
        "fillColor": {
            "type": "DYNAMIC",
            "options": {
                "color": "Yellow to Red",
                "field": count,
                "fieldMetaOptions": spread,
                "type": "ORDINAL",
            },
        },
        "lineColor": fixed(color="#3d3d3d"),
        "lineWidth": fixed(size=1),
        "iconSize": {
            "type": "DYNAMIC",
            "options": {"minSize": 7, "maxSize": 26, "field": count, "fieldMetaOptions": spread},
        },
        "iconOrientation": fixed(orientation=0),
        "labelText": fixed(value=""),
        "labelColor": fixed(color="#000000"),
        "labelSize": fixed(size=14),
        "labelBorderColor": fixed(color="#FFFFFF"),
        "labelBorderSize": {"options": {"size": "SMALL"}},
        "symbolizeAs": {"options": {"value": "circle"}},
    }
