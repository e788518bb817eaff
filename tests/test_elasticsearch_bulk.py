"""Bulk writing through all troubles that a server can have: every document once, or given back."""

from __future__ import annotations

import asyncio

import pytest
from fake_elasticsearch import TROUBLES, FakeElasticsearch, serving
from hypothesis import given, settings
from hypothesis import strategies as st

from laporhub.pipeline.errors import Misconfigured
from laporhub.sinks.elasticsearch_bulk import Bulk, Operation, create, put


def operations(number: int, version: int = 1, size: int = 1) -> list[Operation]:
    half = [put("case", "i-cases", f"c{n}", version, {"n": n, "x": "x" * size}) for n in range(number)]
    return half + [create("event", "i-events", f"e{n}", {"n": n}) for n in range(number)]


class Pauses(list[float]):
    """Instead of sleeping."""

    async def __call__(self, span: float) -> None:
        self.append(span)


def bulk_of(client: object, pauses: Pauses | None = None, chance: float = 1.0, **more: int) -> Bulk:
    return Bulk(client, pause=Pauses() if pauses is None else pauses, chance=lambda: chance, **more)  # type: ignore[arg-type]


@settings(max_examples=40)
@given(st.lists(st.sampled_from(TROUBLES), max_size=12), st.integers(1, 40))
def test_whatever_the_server_suffers_every_document_is_there_once(troubles: list[str], number: int) -> None:
    async def run() -> None:
        fake = FakeElasticsearch(troubles=list(troubles))
        async with serving(fake) as client:
            bulk = bulk_of(client)
            assert await bulk.send(operations(number)) == []
            assert bulk.health == "ok"
            counted = bulk.counted
            assert counted["written"] + counted["stale"] == 2 * number
            assert counted["rejected"] == 0
        assert {name for _, name in fake.documents} == {f"{kind}{n}" for kind in "ce" for n in range(number)}

    asyncio.run(run())


async def test_what_was_turned_away_alone_is_tried_again() -> None:
    fake = FakeElasticsearch(troubles=["some 429", "some 429"])
    async with serving(fake) as client:
        assert await bulk_of(client).send(operations(4)) == []
    assert [documents for documents, _ in fake.sizes] == [8, 4, 2]


async def test_pauses_grow_up_to_a_limit_and_are_random() -> None:
    for chance in (0.0, 0.5, 1.0):
        fake, pauses = FakeElasticsearch(troubles=["429"] * 11), Pauses()
        async with serving(fake) as client:
            assert await bulk_of(client, pauses, chance).send(operations(1)) == []
        whole = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]
        assert pauses == pytest.approx([span * chance for span in whole])


async def test_it_tells_what_it_is_waiting_for() -> None:
    # A connection that was used before is tried once more by the HTTP client itself: hence two.
    fake, told = FakeElasticsearch(troubles=["429", "hang up", "hang up", "some 503"]), []
    async with serving(fake) as client:

        async def pause(_: float) -> None:
            told.append(bulk.health)

        bulk = Bulk(client, pause=pause, chance=lambda: 0.0)
        await bulk.send(operations(2))
        assert bulk.counted["retried"] == len(told)
        assert bulk.health == "ok"
    for trouble in ("429", "cannot be reached", "503"):
        assert any(trouble in each for each in told), told


async def test_a_late_version_is_done_and_changes_nothing() -> None:
    fake = FakeElasticsearch()
    async with serving(fake) as client:
        bulk = bulk_of(client)
        await bulk.send(operations(3, version=5))
        before = dict(fake.documents)
        for version in (5, 4):
            assert await bulk.send(operations(3, version=version)) == []
        assert fake.documents == before
        assert dict(bulk.counted) == {"written": 6, "stale": 12}


async def test_requests_are_of_a_size_that_the_server_likes_and_three_at_a_time() -> None:
    third = asyncio.Event()

    def hold(fake: FakeElasticsearch) -> asyncio.Event:
        if fake.requests == 3:
            third.set()
        return third

    fake = FakeElasticsearch(hold=hold)
    async with serving(fake) as client:
        assert await bulk_of(client).send(operations(6600)) == []
    assert sorted(documents for documents, _ in fake.sizes) == [1200, 3000, 3000, 3000, 3000]
    assert fake.at_most == 3


async def test_a_request_touches_as_few_indices_as_can_be() -> None:
    fake = FakeElasticsearch()
    mixed = [put("unit", f"i-unit-{n % 50}", f"c{n}", 1, {}) for n in range(12_000)]
    async with serving(fake) as client:
        assert await bulk_of(client).send(mixed) == []
    assert all(len(indices) <= 14 for indices in fake.touched)


async def test_large_documents_go_in_smaller_requests() -> None:
    fake = FakeElasticsearch()
    async with serving(fake) as client:
        assert await bulk_of(client).send(operations(12, size=200_000)) == []
    assert all(size <= 1_000_000 for _, size in fake.sizes) and len(fake.sizes) == 3


async def test_a_request_that_is_too_large_for_someone_on_the_way_is_halved() -> None:
    fake = FakeElasticsearch(most_bytes=5_000)
    async with serving(fake) as client:
        big = put("case", "i-cases", "big", 1, {"x": "x" * 9_000})
        rejected = await bulk_of(client).send([*operations(40), big])
    assert [(each.id, each.kind) for each in rejected] == [("big", "case")]
    assert len(fake.documents) == 80


async def test_without_the_right_to_write_a_person_must_look() -> None:
    fake = FakeElasticsearch(troubles=["403"])
    async with serving(fake) as client:
        with pytest.raises(Misconfigured, match="403"):
            await bulk_of(client).send(operations(2))
    fake = FakeElasticsearch(troubles=["some 403"])
    async with serving(fake) as client:
        with pytest.raises(Misconfigured, match="i-cases"):
            await bulk_of(client).send(operations(2))


async def test_when_one_request_fails_for_good_no_other_flies_on() -> None:
    fake = FakeElasticsearch(troubles=["429", "429", "403"])
    async with serving(fake) as client:
        waiting = asyncio.Event()

        async def pause(_: float) -> None:
            await waiting.wait()

        bulk = Bulk(client, pause=pause, chance=lambda: 0.0)
        with pytest.raises(Misconfigured):
            await bulk.send(operations(4200))
        assert bulk.health == "ok" and fake.at_once == 0
        assert asyncio.all_tasks() == {asyncio.current_task()} | {
            task for task in asyncio.all_tasks() if "send" not in str(task) and "fly" not in str(task)
        }


async def test_too_many_refused_in_a_row_stop_it_and_what_is_accepted_between_counts_anew() -> None:
    refused = [put("case", "i", "x" * 10, 1, {"bad": True})]
    fake = FakeElasticsearch(troubles=["some 400"] * 9)
    async with serving(fake) as client:
        bulk = bulk_of(client, rejected_at_most=2)
        for _ in range(3):
            assert len(await bulk.send(refused * 2)) == 1, "the second is accepted"
        fake.troubles = ["some 400"] * 9
        assert len(await bulk.send(refused)) == 1
        await bulk.send([create("event", "i", "one", {}), create("event", "i", "two", {})])
        assert len(await bulk.send(refused)) == 1
        with pytest.raises(Misconfigured, match="3 documents in a row of kind 'case'"):
            await bulk.send(refused)
