"""What the dashboards show to whom, whatever the government."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lens_recount import kql as asks
from lens_recount import utc, values_of
from support import laporgub

from laporhub.dashboards import access, describe
from laporhub.dashboards.access import Audience, Grant, Indices, audience_of, audiences, grants, space
from laporhub.dashboards.bundle import bundle
from laporhub.dashboards.catalog import dashboards
from laporhub.dashboards.conditions import All, Condition, Either, Has, Is, Not, every, fields, kql, query
from laporhub.dashboards.describe import Dashboard, Note, Row, words
from laporhub.dashboards.grid import layout, panels
from laporhub.dashboards.labels import FIELDS, codes
from laporhub.dashboards.sketch import drawings
from laporhub.dashboards.validate import validate
from laporhub.pipeline.profile.load import load
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.section import say
from laporhub.sinks import elasticsearch_templates
from laporhub.sinks.documents import CASE_FIELDS, EVENT_FIELDS, UNIT_FIELDS

ROOT = Path(__file__).parents[1]
JATENG = laporgub()
SURABAYA = load(ROOT / "tests" / "profiles" / "surabaya")
GOVERNMENTS = [pytest.param(rules, id=rules.name) for rules in (JATENG, SURABAYA)]
NAMES = Indices()

Thing = dict[str, Any]


def objects(rules: Rulebook, audience: Audience, **more: str) -> list[Thing]:
    return [json.loads(line) for line in bundle(rules, audience, **more).splitlines()]


def pages(rules: Rulebook, audience: Audience, **more: str) -> list[Thing]:
    return [thing for thing in objects(rules, audience, **more) if thing["type"] == "dashboard"]


def titles(page: Thing) -> set[str]:
    return {panel["title"] for panel in json.loads(page["attributes"]["panelsJSON"])}


def every_title(rules: Rulebook, audience: Audience, **more: str) -> set[str]:
    return {title for page in pages(rules, audience, **more) for title in titles(page)}


# ── for every government ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("rules", GOVERNMENTS)
def test_every_bundle_has_no_fault(rules: Rulebook) -> None:
    types = {name: each["type"] for name, each in CASE_FIELDS.items()}
    mapping = {
        NAMES.cases: types,
        NAMES.events: {name: each["type"] for name, each in EVENT_FIELDS.items()},
        NAMES.unit(rules.name, "*"): {name: each["type"] for name, each in UNIT_FIELDS.items()},
    }
    for audience in audiences(rules):
        assert validate(bundle(rules, audience), mapping) == []
        assert validate(bundle(rules, audience, language="en", hub_url="https://hub.test/x y"), mapping) == []


@pytest.mark.parametrize("rules", GOVERNMENTS)
def test_a_bundle_is_the_same_each_time_and_its_ids_in_each_language(rules: Rulebook) -> None:
    for audience in audiences(rules):
        assert bundle(rules, audience) == bundle(rules, audience)
        ids = [thing["id"] for thing in objects(rules, audience)]
        assert ids == [thing["id"] for thing in objects(rules, audience, language="en")]


def test_ids_of_all_bundles_differ() -> None:
    ids = [
        (thing["type"], thing["id"])
        for rules in (JATENG, SURABAYA)
        for audience in audiences(rules)
        for thing in objects(rules, audience)
    ]
    assert len(ids) == len(set(ids))


def test_no_government_is_named_in_the_code() -> None:
    for path in (ROOT / "dashboards").glob("*.py"):
        assert not re.search(r"laporgub|jateng|semarang|surabaya|admin_x", path.read_text(), re.IGNORECASE), (
            path
        )


@pytest.mark.parametrize("rules", GOVERNMENTS)
def test_pages_are_indonesian_first_and_english_on_request(rules: Rulebook) -> None:
    assert "Aduan masuk" in every_title(rules, Audience.UNITS)
    assert "Received" in every_title(rules, Audience.UNITS, language="en")
    assert not every_title(rules, Audience.UNITS) & {"Received", "Overdue", "Still open"}


@pytest.mark.parametrize("rules", GOVERNMENTS)
def test_codes_are_shown_by_their_titles(rules: Rulebook) -> None:
    for audience in audiences(rules):
        views = [thing for thing in objects(rules, audience) if thing["type"] == "index-pattern"]
        for view in views:
            formats = json.loads(view["attributes"]["fieldFormatMap"])
            shown = {each["key"]: each["value"] for each in formats["status"]["params"]["lookupEntries"]}
            assert shown == codes(rules, "id")["status"]
            assert shown.keys() == rules.profile.states.keys()


def test_tickets_lead_to_the_case_in_the_hub() -> None:
    view = next(
        each
        for each in objects(JATENG, Audience.OFFICE, hub_url="https://hub.test/")
        if each["type"] == "index-pattern"
    )
    ticket = json.loads(view["attributes"]["fieldFormatMap"])["ticket"]
    assert ticket["params"]["urlTemplate"] == "https://hub.test/staff/cases/{{value}}"


def test_names_of_fields_are_names_of_fields_that_exist() -> None:
    assert FIELDS.keys() <= CASE_FIELDS.keys() | EVENT_FIELDS.keys() | {"answered_at"}


# ── the questions of the first users ─────────────────────────────────────────────────────────────


def test_the_office_sees_volumes_backlog_clocks_channels_units_the_map_and_routing() -> None:
    shown = every_title(JATENG, Audience.OFFICE)
    assert {
        "Aduan masuk per hari menurut kanal",
        "Aduan terbuka menurut status",
        "Lewat tenggat",
        "Tenggat dalam 24 jam",
        "Kanal",
        "Instansi dengan aduan terbanyak",
        "Instansi terlambat menyelesaikan (rata-rata jam)",
        "Peta titik aduan",
        "Saran pertama tepat",
        "Tiga saran memuat keputusan",
    } <= shown


def test_each_channel_admin_has_a_page_of_the_own_channels() -> None:
    found = {page["id"]: page for page in pages(JATENG, Audience.OFFICE) if "-queue-" in page["id"]}
    own = {name: role for name, role in JATENG.profile.roles.items() if role.scope == "channels"}
    assert len(found) == len(own) == 5
    for name, role in own.items():
        page = next(each for key, each in found.items() if key.endswith(f"-queue-{name.replace('_', '-')}"))
        assert {"Pesan belum dibaca", "Perlu perhatian", "Balasan gagal terkirim"} <= titles(page)
        filters = json.loads(page["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])["filter"]
        narrowed = {each["meta"]["key"]: each["meta"]["params"] for each in filters}
        assert narrowed == {"profile": [JATENG.name], "channel": list(role.channels)}


def test_a_unit_sees_only_what_is_still_its_own() -> None:
    (page,) = dashboards(JATENG, Audience.UNITS)
    for panel in panels(page):
        assert not isinstance(panel, Note)
        assert "active: true" in kql(panel.where)


def test_leaders_see_totals_promptness_satisfaction_and_topics_by_the_month() -> None:
    shown = every_title(JATENG, Audience.LEADERS)
    assert {
        "Aduan masuk",
        "Aduan selesai",
        "Masuk dan selesai per bulan",
        "Tepat waktu",
        "Kepuasan pelapor",
        "Topik terbanyak",
    } <= shown


def test_each_limit_of_the_standard_has_its_number() -> None:
    shown = every_title(JATENG, Audience.OFFICE)
    for clock in JATENG.profile.clocks.values():
        assert (f"Tepat waktu: {clock.title['id']}" in shown) == bool(clock.source)  # type: ignore[index]


def test_a_backlog_shows_old_cases_whatever_the_time_range() -> None:
    views = {each["id"]: each["attributes"] for each in objects(JATENG, Audience.OFFICE)}
    assert "timeFieldName" not in views["laporgub-jateng-office-now"]
    for page in dashboards(JATENG, Audience.OFFICE):
        for panel in panels(page):
            if (
                not isinstance(panel, Note)
                and panel.view.source == "cases"
                and "final" in fields(panel.where)
            ):
                assert panel.view is describe.NOW


# ── who may see what ─────────────────────────────────────────────────────────────────────────────


def granted(rules: Rulebook, role: str) -> list[Grant]:
    return [grant for grant in grants(rules, NAMES) if grant.name.startswith(f"laporhub-{rules.name}-{role}")]


def test_audiences_follow_from_what_a_role_may_do() -> None:
    assert audience_of(JATENG, "admin_gubernur") is Audience.OFFICE
    assert audience_of(JATENG, "admin_x") is Audience.OFFICE
    assert audience_of(JATENG, "admin_unit") is Audience.UNITS
    assert audience_of(JATENG, "pimpinan") is Audience.LEADERS
    assert audience_of(SURABAYA, "admin_kota") is Audience.OFFICE


@pytest.mark.parametrize("rules", GOVERNMENTS)
def test_a_unit_reads_its_own_index_and_no_other(rules: Rulebook) -> None:
    found = granted(rules, "admin_unit-")
    assert [grant.indices for grant in found] == [(NAMES.unit(rules.name, unit),) for unit in rules.units]
    for one, other in combinations(found, 2):
        assert one.name != other.name
        assert one.indices != other.indices
    assert not any("*" in index for grant in found for index in grant.indices)


@pytest.mark.parametrize("rules", GOVERNMENTS)
def test_leaders_read_no_words_of_anybody(rules: Rulebook) -> None:
    (grant,) = granted(rules, "pimpinan")
    assert grant.indices == (NAMES.events,)
    assert not {"text", "address", "reporter", "words"} & EVENT_FIELDS.keys()


@pytest.mark.parametrize("rules", GOVERNMENTS)
def test_a_role_looks_at_one_space_and_changes_nothing(rules: Rulebook) -> None:
    spaces = {space(rules, audience)["id"] for audience in audiences(rules)}
    for grant in grants(rules, NAMES):
        kibana, server = grant.kibana(), grant.elasticsearch()
        assert kibana["kibana"] == [{"base": ["read"], "feature": {}, "spaces": [grant.space]}]
        assert kibana["elasticsearch"]["indices"] == server["indices"]
        assert server["applications"][0]["resources"] == [f"space:{grant.space}"]
        assert {right for part in server["indices"] for right in part["privileges"]} == set(access.READS)
        assert grant.space in spaces


def test_every_space_has_a_name_that_says_whose_it_is() -> None:
    assert [space(JATENG, audience)["name"] for audience in audiences(JATENG)] == [
        "LaporGub Jawa Tengah: Pengelola pengaduan",
        "LaporGub Jawa Tengah: Instansi",
        "LaporGub Jawa Tengah: Pimpinan",
    ]


def test_names_of_indices_are_those_that_the_sink_writes() -> None:
    theirs = elasticsearch_templates.Indices()
    assert NAMES.cases == theirs.cases
    assert NAMES.unit("p", "u") == theirs.unit("p", "u")
    assert theirs.events(utc(2026, 1, 1)).startswith(NAMES.events.removesuffix("*"))


# ── the grid ─────────────────────────────────────────────────────────────────────────────────────


def cells(page: Dashboard) -> Iterator[tuple[int, int]]:
    for _, box in layout(page):
        yield from ((x, y) for x in range(box.x, box.x + box.w) for y in range(box.y, box.y + box.h))


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(1, 12)), max_size=8))
def test_panels_fill_the_grid_without_gaps_and_never_overlap(rows: list[tuple[int, int]]) -> None:
    note = Note(words("a", "a"), words("b", "b"))
    page = Dashboard("x", "x", "x", tuple(Row(height, (note,) * count) for height, count in rows))
    found = list(cells(page))
    assert len(found) == len(set(found)) == 48 * sum(height for height, _ in rows)
    assert all(0 <= x < 48 for x, _ in found)


def test_a_row_that_is_too_wide_is_refused() -> None:
    note = Note(words("a", "a"), words("b", "b"))
    with pytest.raises(ValueError, match="widths"):
        layout(Dashboard("x", "x", "x", (Row(3, (note, note), (24, 25)),)))


# ── conditions ───────────────────────────────────────────────────────────────────────────────────

NAMED = st.sampled_from(("status", "unit", "channel"))
VALUE = st.sampled_from(("a", "b", "and", "not (x)"))
CONDITIONS: st.SearchStrategy[Condition] = st.recursive(
    st.builds(Is, NAMED, VALUE | st.tuples(VALUE, VALUE))
    | st.builds(Is, st.just("late"), st.booleans())
    | st.builds(Has, NAMED),
    lambda inner: (
        st.builds(Not, inner)
        | st.builds(All, st.lists(inner, min_size=1, max_size=3).map(tuple))
        | st.builds(Either, st.lists(inner, min_size=1, max_size=3).map(tuple))
    ),
    max_leaves=8,
)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={"status": VALUE, "unit": VALUE, "channel": st.lists(VALUE, max_size=2), "late": st.booleans()},
)


def holds(asked: Thing, doc: Thing) -> bool:
    """Whether a query of Elasticsearch matches."""
    match asked:
        case {"term": terms}:
            return all(value in values_of(doc, name) for name, value in terms.items())
        case {"terms": terms}:
            return all(set(values_of(doc, name)) & set(wanted) for name, wanted in terms.items())
        case {"exists": {"field": name}}:
            return bool(values_of(doc, name))
        case {"bool": {"must_not": [inner]}}:
            return not holds(inner, doc)
        case {"bool": {"filter": parts}}:
            return all(holds(part, doc) for part in parts)
        case {"bool": {"should": parts, "minimum_should_match": 1}}:
            return any(holds(part, doc) for part in parts)
    raise AssertionError(asked)


@given(CONDITIONS, DOCUMENTS)
def test_a_condition_means_the_same_to_kibana_and_to_elasticsearch(condition: Condition, doc: Thing) -> None:
    assert asks(kql(condition), utc(2026, 1, 1))(doc) == holds(query(condition), doc)


@given(CONDITIONS, CONDITIONS, DOCUMENTS)
def test_every_means_both(one: Condition, other: Condition, doc: Thing) -> None:
    both = holds(query(one), doc) and holds(query(other), doc)
    assert holds(query(every(one, None, other)), doc) == both


# ── the drawings in the documentation ────────────────────────────────────────────────────────────


def test_the_drawings_show_the_dashboards_as_they_are() -> None:
    shown = (ROOT / "docs" / "dashboards.md").read_text(encoding="utf-8")
    drawn = drawings(JATENG)
    kept = {
        path.name: path.read_text(encoding="utf-8")
        for path in (ROOT / "docs/pictures").glob("dashboard-*.svg")
    }
    assert kept == drawn, "draw them anew, as docs/dashboards.md says"
    assert all(f"pictures/{name}" in shown for name in drawn)


@pytest.mark.parametrize("rules", GOVERNMENTS)
def test_every_page_of_the_documentation_is_a_page_there_is(rules: Rulebook) -> None:
    shown = (ROOT / "docs" / "dashboards.md").read_text(encoding="utf-8")
    for audience in audiences(rules):
        for page in dashboards(rules, audience):
            assert page.name.startswith("queue-") or f"| {say(page.title, 'id')} |" in shown
