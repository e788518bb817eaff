"""The sink on a real Elasticsearch: the same documents whatever order things come in, and only to whom they belong."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from elasticsearch import AsyncElasticsearch, BadRequestError, Elasticsearch
from histories import (
    IDENTITY,
    PROFILE,
    SECRET,
    histories,
    history,
    last,
    said,
    some_histories,
    states,
    suggested,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.errors import Misconfigured, RetryLater
from laporhub.pipeline.events import Assigned, CaseEvent
from laporhub.sinks.elasticsearch_bulk import Bulk, Rejected
from laporhub.sinks.elasticsearch_rebuild import Rebuilt, rebuild
from laporhub.sinks.elasticsearch_sink import ElasticsearchSink
from laporhub.sinks.elasticsearch_templates import (
    VERSION,
    Indices,
    check,
    delete_all,
    install,
    prepared,
    templates,
    uninstall,
)

Documents = dict[tuple[str, str], tuple[int, Any]]
EVENTS_2026 = "events-2026"


@dataclass
class Server:
    """The shared server, with indices of our own."""

    url: str
    client: Elasticsearch
    indices: Indices

    def clear(self) -> None:
        delete_all(self.client, self.indices)
        self.client.indices.create(index=self.indices.cases)

    def documents(self) -> Documents:
        """(Index without the prefix, id) → version and document, of everything there."""
        everywhere = f"{self.indices.prefix}-*"
        self.client.indices.refresh(index=everywhere)
        hits = self.client.search(index=everywhere, size=10_000, version=True)["hits"]["hits"]
        cut = len(self.indices.prefix) + 1
        return {(hit["_index"][cut:], hit["_id"]): (hit["_version"], hit["_source"]) for hit in hits}

    def write(self, *batches: Batch) -> list[Rejected]:
        async def run() -> list[Rejected]:
            async with AsyncElasticsearch(self.url) as client:
                sink = ElasticsearchSink(client, self.indices)
                return [each for batch in batches for each in await sink.write(*batch)]

        return asyncio.run(run())

    def rebuild(self, many: Sequence[Sequence[CaseEvent]]) -> Rebuilt:
        async def run() -> Rebuilt:
            async with AsyncElasticsearch(self.url) as client:
                return await rebuild(client, self.indices, many)

        return asyncio.run(run())


Batch = tuple[Sequence[CaseState], Sequence[CaseEvent]]


@pytest.fixture(scope="module")
def shared(elasticsearch: str) -> Iterator[Server]:
    indices = Indices(f"test-{uuid4().hex[:12]}")
    with Elasticsearch(elasticsearch) as client:
        install(client, indices)
        yield Server(elasticsearch, client, indices)
        delete_all(client, indices)
        uninstall(client, indices)


@pytest.fixture
def server(shared: Server) -> Server:
    shared.clear()
    return shared


@pytest.fixture
def bare(elasticsearch: str) -> Iterator[tuple[Elasticsearch, Indices]]:
    """A server on which nothing of ours is installed."""
    indices = Indices(f"test-{uuid4().hex[:12]}")
    with Elasticsearch(elasticsearch) as client:
        yield client, indices
        delete_all(client, indices)
        uninstall(client, indices)


def live(many: Sequence[Sequence[CaseEvent]]) -> list[Batch]:
    """One batch an event, each with the state right after it."""
    return [
        ([state], [event]) for events in many for state, event in zip(states(events), events, strict=True)
    ]


def out_of_step(many: Sequence[Sequence[CaseEvent]], seed: int) -> list[Batch]:
    """The same events in batches across cases, out of order, some twice, each with a state that is as new or newer."""
    chance = random.Random(seed)
    events = [event for each in many for event in each]
    events += chance.sample(events, len(events) // 3)
    chance.shuffle(events)
    by_case = {each[0].case_id: states(each) for each in many}
    batches: list[Batch] = []
    while events:
        some, events = events[: (size := chance.randint(1, 9))], events[size:]
        newest: dict[str, int] = {}
        for event in some:
            newest[event.case_id] = max(newest.get(event.case_id, 0), event.sequence)
        known = [
            by_case[case][chance.randrange(sequence - 1, len(by_case[case]))]
            for case, sequence in newest.items()
        ]
        batches.append((known, some))
    return batches


# ── the same documents, whatever happens ──


def test_shuffled_repeated_and_rebuilt_end_with_the_same_documents(shared: Server) -> None:
    @settings(max_examples=5)
    @given(some_histories, st.integers(0, 1000))
    def holds(many: list[list[CaseEvent]], seed: int) -> None:
        shared.clear()
        assert shared.write(*live(many)) == []
        wanted = shared.documents()
        assert len(wanted) >= len(many) + sum(map(len, many))

        shared.clear()
        assert shared.write(*out_of_step(many, seed)) == []
        assert shared.documents() == wanted

        done = shared.rebuild(many)  # over what is there
        assert (done.cases, done.events, done.rejected) == (len(many), sum(map(len, many)), [])
        assert shared.documents() == wanted

        shared.clear()
        shared.rebuild(many)
        assert shared.documents() == wanted
        assert shared.write(*live(many)) == [], "a replay after it changes nothing"
        assert shared.documents() == wanted

    holds()


def test_a_rebuild_mends_what_was_spoilt_and_leaves_what_is_newer(server: Server) -> None:
    events = history(1, [Assigned(unit="pdam"), said("lagi")])
    server.write(([last(events)], events))
    wanted = server.documents()
    case = events[0].case_id
    server.client.index(
        index=server.indices.cases,
        id=case,
        document={"case_id": case},
        version=4,
        version_type="external_gte",
    )
    server.rebuild([events])
    assert server.documents() == wanted
    server.rebuild([events[:3]])
    assert server.documents() == wanted, "the live sink was further already"


def test_a_rebuild_goes_on_past_a_history_with_a_gap(server: Server) -> None:
    broken, whole = history(1, [said("a"), said("b")]), history(2)
    done = server.rebuild([[broken[0], *broken[2:]], whole])
    assert [(each.kind, each.id, each.reason) for each in done.rejected] == [
        ("case", broken[0].case_id, "ValueError")
    ]
    kept = {name for _, name in server.documents()}
    assert {whole[0].case_id, broken[0].id, broken[3].id} <= kept and broken[0].case_id not in kept


def test_a_rebuild_takes_histories_as_they_come_in_portions(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("laporhub.sinks.elasticsearch_rebuild._AT_ONCE", 100)

    async def many() -> AsyncIterator[list[CaseEvent]]:
        for number in range(150):
            yield history(number, [Assigned(unit="pdam")])

    async def run() -> Rebuilt:
        async with AsyncElasticsearch(server.url) as client:
            return await rebuild(client, server.indices, many())

    assert asyncio.run(run()) == Rebuilt(cases=150, events=450)
    assert len(server.documents()) == 150 * (2 + 3)


# ── units ──


def units_of(server: Server, case: str) -> dict[str, bool]:
    """Unit → whether the case is still its own."""
    start = f"unit-{PROFILE}."
    return {
        index.removeprefix(start): document["active"]
        for (index, name), (_, document) in server.documents().items()
        if index.startswith(start) and name == case
    }


def test_a_case_that_moves_stays_behind_as_no_longer_theirs(server: Server) -> None:
    events = history(
        1,
        [
            Assigned(unit="pdam"),
            Assigned(unit="dishub", previous="pdam"),
            Assigned(unit=None, previous="dishub"),
            Assigned(unit="pdam"),
        ],
    )
    seen = []
    for batch in live([events]):
        server.write(batch)
        seen.append(units_of(server, events[0].case_id))
    assert seen[2:] == [
        {"pdam": True},
        {"pdam": False, "dishub": True},
        {"pdam": False, "dishub": False},
        {"pdam": True, "dishub": False},
    ]


def test_a_unit_never_sees_who_the_reporter_is_nor_what_others_have(server: Server) -> None:
    mine, other = history(1, [Assigned(unit="pdam")]), history(2, [Assigned(unit="dishub")])
    server.write(([last(mine), last(other)], [*mine, *other]))
    documents = server.documents()
    (theirs,) = [each for (index, _), each in documents.items() if index == f"unit-{PROFILE}.pdam"]
    assert theirs[1]["case_id"] == mine[0].case_id
    for (index, _), (_, document) in documents.items():
        assert SECRET not in str(document)
        assert (IDENTITY in str(document)) == (index == "cases"), "only the province's has the pseudonym"


def test_two_governments_never_share_an_index() -> None:
    indices = Indices()
    assert indices.unit("kota", "a-b") != indices.unit("kota-a", "b")


# ── what cannot be written ──


def test_a_document_that_is_refused_takes_no_other_with_it(server: Server) -> None:
    index = server.indices.unit(PROFILE, "pdam")
    server.client.indices.create(index=index, mappings={"properties": {"village": {"type": "integer"}}})
    events, other = history(1, [Assigned(unit="pdam")]), history(2, [Assigned(unit="dishub")])
    rejected = server.write(([last(events), last(other)], [*events, *other]))
    assert rejected == [Rejected("unit", index, events[0].case_id, "document_parsing_exception in village")]
    assert "Contohan" not in str(rejected), "the reason quotes no content"
    assert len(server.documents()) == 2 + 1 + 6


def test_an_index_that_cannot_be_is_the_documents_own_fault(server: Server) -> None:
    events = history(1, [Assigned(unit="Bukan Unit")])
    (rejected,) = server.write(([last(events)], events))
    assert (rejected.kind, rejected.reason) == ("unit", "invalid_index_name_exception")
    assert len(server.documents()) == 4


def test_an_id_that_spoils_the_whole_request_is_found_and_put_aside(server: Server) -> None:
    events = history(1)
    poison = last(events).but({"id": "c" * 600})
    (rejected,) = server.write(([poison, last(events)], events))
    assert rejected.id == "c" * 600
    assert len(server.documents()) == 3


def test_what_is_no_text_is_put_aside(server: Server) -> None:
    events = history(1)
    (rejected,) = server.write(([last(events).but({"text": "\ud800"})], events))
    assert (rejected.kind, rejected.id) == ("case", events[0].case_id)
    assert {index for index, _ in server.documents()} == {EVENTS_2026}


def test_an_event_without_its_case_is_kept_and_told_of(server: Server) -> None:
    events = history(1)
    rejected = server.write(([], events[:1]))
    assert [(each.kind, each.id) for each in rejected] == [("case", events[0].case_id)]
    assert set(server.documents()) == {(EVENTS_2026, events[0].id)}


def test_a_state_older_than_its_event_is_read_again(server: Server) -> None:
    events = history(1)
    with pytest.raises(RetryLater):
        server.write(([states(events)[0]], events))
    assert server.documents() == {}


def test_too_many_refused_in_a_row_stop_the_sink(server: Server) -> None:
    many = [history(number, [Assigned(unit="Bukan Unit")]) for number in range(4)]

    async def run() -> None:
        async with AsyncElasticsearch(server.url) as client:
            sink = ElasticsearchSink(client, server.indices, Bulk(client, rejected_at_most=3))
            for events in many:
                await sink.write([last(events)], events)

    with pytest.raises(Misconfigured, match="4 documents in a row of kind 'unit'"):
        asyncio.run(run())


def test_what_was_written_is_counted(server: Server) -> None:
    events = history(1)

    async def run() -> ElasticsearchSink:
        async with AsyncElasticsearch(server.url) as client:
            sink = ElasticsearchSink(client, server.indices)
            for _ in range(2):
                await sink.write([last(events)], events)
            assert await sink.write([], []) == []
            return sink

    sink = asyncio.run(run())
    assert dict(sink.counted) == {"written": 3, "stale": 3} and sink.health == "ok"


@settings(max_examples=1)
@given(histories)
def test_years_part_the_events(events: list[CaseEvent]) -> None:
    assert {Indices("a").events(event.time) for event in events} == {"a-events-2026"}


# ── templates ──


def test_a_field_that_nobody_named_is_refused_everywhere(server: Server) -> None:
    for index in (
        server.indices.cases,
        server.indices.unit(PROFILE, "pdam"),
        f"{server.indices.prefix}-events-2026",
    ):
        with pytest.raises(BadRequestError, match="strict"):
            server.client.index(index=index, document={"name": "Warga Contoh"})
    with pytest.raises(BadRequestError, match="strict"):
        server.client.index(index=server.indices.unit(PROFILE, "pdam"), document={"reporter": "p"})


def test_a_worker_knows_whether_the_indices_are_prepared(bare: tuple[Elasticsearch, Indices]) -> None:
    client, indices = bare
    (node,) = client.transport.node_pool.all()

    def asked(url: str = node.base_url) -> str:
        async def ask() -> str:
            async with AsyncElasticsearch(url) as other:
                return await prepared(other, indices)

        return asyncio.run(ask())

    assert "is missing: run `laporhub setup`" in asked()
    client.indices.create(index=indices.cases)
    assert "is not this version's: run `laporhub setup`" in asked()
    client.indices.delete(index=indices.cases)
    install(client, indices)
    assert asked() == "ok"
    assert asked("http://127.0.0.1:1") == "cannot be asked"


def test_setting_up_twice_does_it_once(bare: tuple[Elasticsearch, Indices]) -> None:
    client, indices = bare
    assert len(check(client, indices)) == 4
    assert len(install(client, indices)) == 4
    assert install(client, indices) == [] == check(client, indices)


def test_the_indices_of_units_are_made_before_their_first_complaint(
    bare: tuple[Elasticsearch, Indices],
) -> None:
    client, indices = bare
    units = [indices.unit("kota-contoh", name) for name in ("jalan", "taman", "pdam")]
    assert install(client, indices)
    assert check(client, indices, units) == ["the indices of 3 units are missing: run `laporhub setup`"]
    client.indices.create(index=units[1])  # a document came first
    assert install(client, indices, units) == ["indices of 2 units"]
    mappings = client.indices.get_mapping(index=units)
    assert {name: each["mappings"]["dynamic"] for name, each in mappings.items()} == dict.fromkeys(
        units, "strict"
    )
    assert install(client, indices, units) == [] == check(client, indices, units)


def test_an_index_that_somebody_makes_meanwhile_is_as_good(bare: tuple[Elasticsearch, Indices]) -> None:
    client, indices = bare
    install(client, indices)
    unit = indices.unit("kota-contoh", "jalan")
    assert install(client, indices, [unit, unit]) == ["indices of 2 units"]
    assert check(client, indices, [unit]) == []
    with pytest.raises(BadRequestError, match="invalid_index_name"):
        install(client, indices, [indices.unit("kota-contoh", "Jalan")])


def test_setting_up_again_mends_what_was_changed(bare: tuple[Elasticsearch, Indices]) -> None:
    client, indices = bare
    install(client, indices)
    client.indices.put_index_template(
        name=indices.cases, index_patterns=[indices.cases], template={"mappings": {"dynamic": True}}
    )
    assert [each.split(":")[0] for each in check(client, indices)] == [
        f"the template {indices.cases} is not this version's"
    ]
    assert install(client, indices) == [f"template {indices.cases}"]
    assert check(client, indices) == []


def test_an_index_from_before_a_field_was_named_gets_it(bare: tuple[Elasticsearch, Indices]) -> None:
    client, indices = bare
    client.indices.create(
        index=indices.cases,
        mappings={"dynamic": "strict", "properties": {"case_id": {"type": "keyword"}}},
        settings={"analysis": {"analyzer": {"id_text": {"type": "standard"}}}},
    )
    install(client, indices)
    assert check(client, indices) == []


def test_only_the_index_of_all_cases_is_refreshed_whether_it_is_searched_or_not(
    bare: tuple[Elasticsearch, Indices],
) -> None:
    client, indices = bare
    often, now_and_then = indices.cases, indices.unit("kota-contoh", "jalan")
    install(client, indices)
    client.indices.create(index=now_and_then)
    client.indices.put_settings(index=[often, now_and_then], settings={"index.refresh_interval": "30s"})
    assert install(client, indices) == [f"settings of {often}", f"settings of {now_and_then}"]
    kept = client.indices.get_settings(index=f"{often},{now_and_then}", flat_settings=True)
    assert kept[often]["settings"]["index.refresh_interval"] == "1s"
    assert "index.refresh_interval" not in kept[now_and_then]["settings"]
    assert install(client, indices) == []


def test_an_index_that_cannot_be_mended_must_be_built_anew(bare: tuple[Elasticsearch, Indices]) -> None:
    client, indices = bare
    client.indices.create(index=indices.cases, mappings={"properties": {"case_id": {"type": "integer"}}})
    with pytest.raises(Misconfigured, match="laporhub rebuild"):
        install(client, indices)
    assert any("case_id" in each and "laporhub rebuild" in each for each in check(client, indices))
    delete_all(client, indices)
    install(client, indices)
    assert check(client, indices) == []


def test_an_older_program_leaves_the_templates_of_a_newer_one(bare: tuple[Elasticsearch, Indices]) -> None:
    client, indices = bare
    install(client, indices)
    newer = templates(indices, "standard")[indices.cases]
    client.indices.put_index_template(
        name=indices.cases,
        index_patterns=newer["index_patterns"],
        template=newer["template"],
        composed_of=newer["composed_of"],
        priority=newer["priority"],
        meta={"version": VERSION + 1},
    )
    with pytest.raises(Misconfigured, match="newer"):
        install(client, indices)


def test_only_what_is_under_the_prefix_is_deleted(
    server: Server, bare: tuple[Elasticsearch, Indices]
) -> None:
    client, indices = bare
    install(client, indices)
    events = history(1, [suggested("pdam"), Assigned(unit="pdam")])
    server.write(([last(events)], events))
    delete_all(client, indices)
    assert not client.indices.exists(index=indices.cases)
    assert len(server.documents()) == 2 + 4
