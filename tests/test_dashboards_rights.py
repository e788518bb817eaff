"""The roles for Kibana, on a real Elasticsearch that asks who is there: who sees which cases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from elasticsearch import AuthorizationException, Elasticsearch
from elasticsearch.helpers import bulk

from laporhub.dashboards.access import Audience, Grant, Indices, grants, index_of
from laporhub.dashboards.describe import EVENTS, NOW
from laporhub.pipeline.profile.load import load
from laporhub.sinks import elasticsearch_templates as templates

if TYPE_CHECKING:
    from servers.secure_elasticsearch import SecureElasticsearch

RULES = load(Path(__file__).parent / "profiles" / "surabaya")
PASSWORD = "rahasia-contoh"


class Guarded:
    """One case a unit, one event; and a user for each role."""

    def __init__(self, server: SecureElasticsearch) -> None:
        self.server = server
        self.names = Indices(f"rights-{uuid4().hex[:8]}")
        self.grants: dict[str, Grant] = {}

    def fill(self) -> None:
        names = templates.Indices(self.names.prefix)
        with Elasticsearch(**self.server.client()) as admin:
            templates.install(admin, names)
            bulk(admin, self.documents(names), refresh=True)

    def documents(self, names: templates.Indices) -> Iterator[dict[str, Any]]:
        for unit in RULES.units:
            case = {"case_id": f"c_{unit}", "profile": RULES.name, "unit": unit, "active": True}
            for index in (names.cases, names.unit(RULES.name, unit)):
                yield {"_index": index, "_id": case["case_id"], "_source": case}
        event = {"event_id": "e", "kind": "opened", "profile": RULES.name, "time": "2026-11-23T02:00:00Z"}
        yield {"_index": f"{self.names.prefix}-events-2026", "_id": "e", "_source": event}

    def sign_up(self, role: str) -> str:
        """The user's name."""
        grant = next(each for each in grants(RULES, self.names) if each.name.endswith(f"-{role}"))
        if grant.name not in self.grants:
            self.server.add_role(grant.name, {"cluster": [], "indices": grant.elasticsearch()["indices"]})
            self.server.add_user(f"orang-{grant.name}", PASSWORD, [grant.name])
            self.grants[grant.name] = grant
        return f"orang-{grant.name}"

    def sees(self, role: str, index: str) -> set[str]:
        with Elasticsearch(**self.server.client(self.sign_up(role), PASSWORD)) as client:
            found = client.search(index=index, size=100)["hits"]["hits"]
        return {hit["_id"] for hit in found}


@pytest.fixture(scope="module")
def guarded(secure_elasticsearch: SecureElasticsearch) -> Iterator[Guarded]:
    found = Guarded(secure_elasticsearch)
    found.fill()
    yield found
    with Elasticsearch(**secure_elasticsearch.client()) as admin:
        templates.delete_all(admin, templates.Indices(found.names.prefix))


def test_a_unit_sees_its_own_cases_in_the_data_view_of_all_units(guarded: Guarded) -> None:
    pattern = index_of(NOW, Audience.UNITS, RULES, guarded.names)
    first, second = list(RULES.units)[:2]
    assert guarded.sees(f"admin_unit-{first}", pattern) == {f"c_{first}"}
    assert guarded.sees(f"admin_unit-{second}", pattern) == {f"c_{second}"}


def test_a_unit_sees_no_other_unit_nor_the_whole(guarded: Guarded) -> None:
    first, second = list(RULES.units)[:2]
    for index in (guarded.names.unit(RULES.name, second), guarded.names.cases):
        with pytest.raises(AuthorizationException):
            guarded.sees(f"admin_unit-{first}", index)
    assert guarded.sees(f"admin_unit-{first}", guarded.names.events) == set()


def test_the_office_sees_all_cases_and_events(guarded: Guarded) -> None:
    assert guarded.sees("admin_kota", guarded.names.cases) == {f"c_{unit}" for unit in RULES.units}
    assert guarded.sees("admin_kota", guarded.names.events) == {"e"}


def test_leaders_see_events_and_no_case(guarded: Guarded) -> None:
    assert guarded.sees("pimpinan", index_of(EVENTS, Audience.LEADERS, RULES, guarded.names)) == {"e"}
    with pytest.raises(AuthorizationException):
        guarded.sees("pimpinan", guarded.names.cases)


def test_nobody_who_looks_can_change_anything(guarded: Guarded) -> None:
    first = next(iter(RULES.units))
    with Elasticsearch(**guarded.server.client(guarded.sign_up(f"admin_unit-{first}"), PASSWORD)) as client:
        index = guarded.names.unit(RULES.name, first)
        assert client.field_caps(index=index, fields="*")["fields"]
        with pytest.raises(AuthorizationException):
            client.index(index=index, document={"case_id": "x"})
        with pytest.raises(AuthorizationException):
            client.indices.delete(index=index)
