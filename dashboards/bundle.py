"""An audience's dashboards as Kibana's saved objects: one JSON object a line, ready for import into its space.

Ids are derived, so that importing again replaces and never doubles. Stamps are low on purpose: Kibana upgrades
older objects and refuses newer ones. Fields that Kibana keeps as JSON in a string are encoded here, and only here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

from laporhub.dashboards.access import (
    COLORS,
    TITLES,
    Audience,
    Indices,
    index_of,
    space_id,
    views_of,
)
from laporhub.dashboards.catalog import dashboards
from laporhub.dashboards.conditions import ANYTHING
from laporhub.dashboards.describe import (
    Control,
    Dashboard,
    Listing,
    Metric,
    Note,
    Panel,
    PointsMap,
    View,
)
from laporhub.dashboards.grid import Box, layout
from laporhub.dashboards.labels import FIELDS, codes, field_label
from laporhub.dashboards.lens import Json, dumps, kuery, lens
from laporhub.dashboards.maps import points_layer
from laporhub.dashboards.saved import IGNORE_NOTHING, OPTIONS, markdown, phrases, reference, thing
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.section import say

SEARCH_INDEX: Final = "kibanaSavedObjectMeta.searchSourceJSON.index"
FILTER_INDEX: Final = "kibanaSavedObjectMeta.searchSourceJSON.filter[{}].meta.index"


def bundle(
    rulebook: Rulebook,
    audience: Audience,
    indices: Indices | None = None,
    language: str = "id",
    hub_url: str = "",
) -> bytes:
    """The audience's saved objects as NDJSON. With `hub_url`, ticket numbers lead to the case in the hub."""
    writer = _Writer(rulebook, audience, indices or Indices(), language, hub_url)
    return "".join(dumps(thing) + "\n" for thing in writer.objects()).encode()


class _Writer:
    """Knows whose bundle it is; every method makes one kind of object."""

    def __init__(
        self, rulebook: Rulebook, audience: Audience, indices: Indices, language: str, hub_url: str
    ) -> None:
        self.rulebook = rulebook
        self.audience = audience
        self.indices = indices
        self.language = language
        self.hub_url = hub_url
        self.space = space_id(rulebook, audience)
        self.tag_id = f"{self.space}-tag"

    def objects(self) -> Iterator[Json]:
        yield self._tag()
        for view in views_of(self.audience):
            yield self._view(view)
        for page in dashboards(self.rulebook, self.audience):
            references: list[Json] = [reference("tag", self.tag_id, f"tag-ref-{self.tag_id}")]
            panels: list[Json] = []
            for number, (panel, box) in enumerate(layout(page), 1):
                name = f"p{number}"
                yield from self._kept_apart(page, panel, name)
                panels.append(self._panel(page, panel, name, box, references))
            yield self._dashboard(page, panels, references)

    # ── data views and the tag ────────────────────────────────────────────────────────────────────

    def _tag(self) -> Json:
        name = say(TITLES[self.audience], self.language)
        return thing(
            "tag", self.tag_id, {"name": name, "description": "", "color": COLORS[self.audience]}, []
        )

    def view_id(self, view: View) -> str:
        return f"{self.space}-{view.name}"

    def _view(self, view: View) -> Json:
        attributes: Json = {
            "title": index_of(view, self.audience, self.rulebook, self.indices),
            "name": say(view.title, self.language),
            "fields": "[]",
            "fieldAttrs": dumps(
                {field: {"customLabel": say(FIELDS[field], self.language)} for field in FIELDS}
            ),
            "fieldFormatMap": dumps(self._formats()),
            "runtimeFieldMap": "{}",
            "sourceFilters": "[]",
            "allowNoIndex": True,
        }
        if view.time:
            attributes["timeFieldName"] = view.time
        return thing("index-pattern", self.view_id(view), attributes, [])

    def _formats(self) -> Json:
        """How codes are shown: by their titles; and where a ticket number leads."""
        formats: Json = {}
        for field, titles in codes(self.rulebook, self.language).items():
            entries = [{"key": code, "value": title} for code, title in titles.items()]
            formats[field] = {"id": "static_lookup", "params": {"lookupEntries": entries}}
        if self.hub_url:
            template = f"{quote(self.hub_url.rstrip('/'), safe=':/')}/staff/cases/{{{{value}}}}"
            formats["ticket"] = {
                "id": "url",
                "params": {"urlTemplate": template, "labelTemplate": "{{value}}"},
            }
        return formats

    # ── panels ────────────────────────────────────────────────────────────────────────────────────

    def _kept_apart(self, page: Dashboard, panel: Panel, name: str) -> Iterator[Json]:
        """The object that a panel refers to, for panels that are not kept inside the dashboard."""
        title = "" if isinstance(panel, Note) else say(panel.title, self.language)
        if isinstance(panel, PointsMap):
            attributes = points_layer(panel, title)
            link = reference("index-pattern", self.view_id(panel.view), "layer_0_source_index_pattern")
            yield thing("map", self._panel_id(page, name), attributes, [link])
        elif isinstance(panel, Listing):
            field, descending = panel.order
            attributes = {
                "title": title,
                "description": "",
                "columns": list(panel.columns),
                "sort": [[field, "desc" if descending else "asc"]],
                "grid": {},
                "hideChart": True,
                "isTextBasedQuery": False,
                "timeRestore": False,
                "kibanaSavedObjectMeta": {
                    "searchSourceJSON": dumps(
                        {"query": kuery(panel.where), "filter": [], "indexRefName": SEARCH_INDEX}
                    )
                },
            }
            link = reference("index-pattern", self.view_id(panel.view), SEARCH_INDEX)
            yield thing("search", self._panel_id(page, name), attributes, [link])

    def _panel_id(self, page: Dashboard, name: str) -> str:
        return f"{self._page_id(page)}-{name}"

    def _page_id(self, page: Dashboard) -> str:
        return f"{self.space}-{page.name}"

    def _panel(self, page: Dashboard, panel: Panel, name: str, box: Box, references: list[Json]) -> Json:
        """The panel as the dashboard holds it; adds what it refers to."""
        placed: Json = {
            "panelIndex": name,
            "gridData": {"x": box.x, "y": box.y, "w": box.w, "h": box.h, "i": name},
            "title": say(panel.title, self.language),
        }
        if isinstance(panel, Note):
            config: Json = {"savedVis": markdown(say(panel.text, self.language)), "enhancements": {}}
            return placed | {
                "type": "visualization",
                "embeddableConfig": config | {"hidePanelTitles": True},
            }
        if isinstance(panel, PointsMap | Listing):
            kind = "map" if isinstance(panel, PointsMap) else "search"
            link = f"panel_{name}"
            references.append(reference(kind, self._panel_id(page, name), f"{name}:{link}"))
            return placed | {"type": kind, "panelRefName": link, "embeddableConfig": {"enhancements": {}}}
        attributes = lens(panel, self.view_id(panel.view), self.language)
        references += [link | {"name": f"{name}:{link['name']}"} for link in attributes["references"]]
        config = {"attributes": attributes, "enhancements": {}, "hidePanelTitles": isinstance(panel, Metric)}
        return placed | {"type": "lens", "embeddableConfig": config}

    # ── dashboards ────────────────────────────────────────────────────────────────────────────────

    def _dashboard(self, page: Dashboard, panels: list[Json], references: list[Json]) -> Json:
        controls = {}
        for order, control in enumerate(page.controls):
            name = f"c{order + 1}"
            controls[name] = self._control(control, name, order)
            link = f"controlGroup_{name}:optionsListDataView"
            references.append(reference("index-pattern", self.view_id(control.view), link))
        filters = self._filters(page, references)
        attributes = {
            "title": say(page.title, self.language),
            "description": say(page.answers, self.language),
            "panelsJSON": dumps(panels),
            "optionsJSON": dumps(OPTIONS),
            "controlGroupInput": {
                "controlStyle": "oneLine",
                "chainingSystem": "HIERARCHICAL",
                "panelsJSON": dumps(controls),
                "ignoreParentSettingsJSON": dumps(IGNORE_NOTHING),
            },
            "kibanaSavedObjectMeta": {
                "searchSourceJSON": dumps({"query": kuery(ANYTHING), "filter": filters})
            },
            "refreshInterval": {"pause": True, "value": 60000},
            "timeRestore": True,
            "timeFrom": page.time_from,
            "timeTo": page.time_to,
            "version": 1,
        }
        return thing("dashboard", self._page_id(page), attributes, references)

    def _control(self, control: Control, name: str, order: int) -> Json:
        return {
            "order": order,
            "width": "medium",
            "grow": True,
            "type": "optionsListControl",
            "explicitInput": {
                "id": name,
                "fieldName": control.field,
                "title": field_label(control.field, self.language),
                "dataViewId": self.view_id(control.view),
                "selectedOptions": [],
                "enhancements": {},
            },
        }

    def _filters(self, page: Dashboard, references: list[Json]) -> list[Json]:
        """The profile, for indices may hold several; and what the page is narrowed to."""
        first = views_of(self.audience)[0]
        filters = []
        for i, (field, wanted) in enumerate((("profile", (self.rulebook.name,)), *page.only)):
            link = FILTER_INDEX.format(i)
            references.append(reference("index-pattern", self.view_id(first), link))
            filters.append(phrases(field, wanted, link))
        return filters
