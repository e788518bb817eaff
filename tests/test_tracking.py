"""The contract of `tracking.Tracking`: what lists, search and counts promise, whichever store keeps them.

A further store adds itself to `STORES`. At the end is what only one of them does: how SQLite finds its rows, and what
Elasticsearch, which is told later than the database, shows meanwhile.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol
from uuid import uuid4

import pytest
from elasticsearch import AsyncElasticsearch, Elasticsearch
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from support import MONDAY

from laporhub.pipeline import ids
from laporhub.pipeline.case_state import CaseState, Clock, Part, Reply
from laporhub.pipeline.classifier import Suggestion
from laporhub.pipeline.errors import Refused, RetryLater
from laporhub.pipeline.store.cases import save_cases
from laporhub.pipeline.store.database import open_database, writer
from laporhub.pipeline.tracking import Query, Tracking
from laporhub.sinks.elasticsearch_bulk import Bulk
from laporhub.sinks.elasticsearch_sink import Documents
from laporhub.sinks.elasticsearch_templates import Indices, delete_all, install, uninstall
from laporhub.sinks.elasticsearch_tracking import ElasticsearchTracking
from laporhub.sinks.sqlite_tracking import SqliteTracking

PROFILE, OTHER = "kota-contoh", "kota-tetangga"
ALL = Query((PROFILE,))
STATUSES, UNITS, CHANNELS = (
    ("received", "disposed", "answered"),
    (None, "dishub", "dinas-pupr"),
    ("web", "sms"),
)
URGENCY = {"normal": 0, "high": 1, "critical": 2}
HOUR = timedelta(hours=1)


def case(number: int, **more: Any) -> CaseState:
    """A made-up case; `due` in hours from now starts a clock, `ended` ends it, `urgency` is the classifier's."""
    due, urgency = more.pop("due", None), more.pop("urgency", None)
    name = ids.case_id(f"m{number}")
    given: dict[str, Any] = {
        "id": name,
        "profile": PROFILE,
        "profile_version": "1",
        "ticket": ids.ticket("LG", "WA", name),
        "seq": 1,
        "status": "received",
        "channel": "web",
        "account": "web",
        "conversation": f"c{number}",
        "reporter": f"r{number}",
        "opened_at": MONDAY,
        "updated_at": MONDAY,
        "text": "Jalan berlubang di depan Pasar Contoh",
        "messages": 1,
    }
    if due is not None:
        given["clocks"] = {"respond": Clock(status="running", started_at=MONDAY, due_at=MONDAY + due * HOUR)}
    if urgency is not None:
        given["suggestion"] = Suggestion(urgency=urgency, model="stub")
    if more.pop("ended", False):
        given["closed_at"] = MONDAY
    return CaseState.model_validate(given | more)


class Store(Protocol):
    """A tracking store that a test can fill."""

    tracking: Tracking

    def put(self, *states: CaseState, silent: bool = False) -> None:
        """The cases as they are now; `silent`: their reporters said nothing new."""
        ...

    def close(self) -> None: ...


class InSqlite:
    examples = 60

    def __init__(self, folder: Path) -> None:
        self.engine = open_database(folder / "hub.db")
        self.tracking = SqliteTracking(self.engine)

    def put(self, *states: CaseState, silent: bool = False) -> None:
        with writer(self.engine).begin() as connection:
            save_cases(connection, states)
            self.tracking.write(
                connection, states, frozenset() if silent else frozenset(s.id for s in states)
            )

    def close(self) -> None:
        self.engine.dispose()


class InElasticsearch:
    """Its database is the hub's own, here SQLite; `seq` must rise with every change of a case, as it does in life."""

    examples = 6

    def __init__(self, folder: Path, client: Elasticsearch, indices: Indices) -> None:
        self.engine = open_database(folder / "hub.db")
        self.client, self.indices = client, indices
        if client.count(index=indices.cases)["count"]:  # making an index takes a while
            delete_all(client, indices)
            client.indices.create(index=indices.cases)
        self.tracking = ElasticsearchTracking(client, self.engine, indices)

    def put(self, *states: CaseState, silent: bool = False) -> None:
        self.save(*states)
        asyncio.run(self._index(states))
        for state in states:
            self.tracking.settle(state.id, state.seq)

    def save(self, *states: CaseState) -> None:
        """In the database only, as it is for a moment after each change."""
        with writer(self.engine).begin() as connection:
            save_cases(connection, states)

    async def _index(self, states: tuple[CaseState, ...]) -> None:
        (node,) = self.client.transport.node_pool.all()
        async with AsyncElasticsearch(node.base_url) as client:
            bulk = Bulk(client)
            documents = Documents(self.indices, bulk)
            for state in states:
                documents.add_case(state)
            province = [each for each in documents.operations if each.kind == "case"]
            assert await bulk.send(province) == documents.rejected == []

    def close(self) -> None:
        self.engine.dispose()


@pytest.fixture(scope="module")
def on_server(elasticsearch: str) -> Iterator[Callable[[Path], InElasticsearch]]:
    indices = Indices(f"test-{uuid4().hex[:12]}")
    with Elasticsearch(elasticsearch) as client:
        install(client, indices)
        yield partial(InElasticsearch, client=client, indices=indices)
        delete_all(client, indices)
        uninstall(client, indices)


STORES = {"sqlite": InSqlite, "elasticsearch": InElasticsearch}


@pytest.fixture(scope="module", params=STORES)
def make(request: pytest.FixtureRequest) -> Callable[[Path], Store]:
    """Makes an empty store."""
    return InSqlite if request.param == "sqlite" else request.getfixturevalue("on_server")


@pytest.fixture
def store(make: Callable[[Path], Store], tmp_path: Path) -> Iterator[Store]:
    with closing(make(tmp_path)) as made:
        yield made


@pytest.fixture
def examples(make: Callable[[Path], Store], request: pytest.FixtureRequest) -> int:
    """How many examples hypothesis may try: a server takes its time."""
    return STORES[request.node.callspec.params["make"]].examples


def found(store: Store, query: Query, now: datetime = MONDAY) -> list[str]:
    return [state.id for state in store.tracking.find(query, now).cases]


def pages(tracking: Tracking, query: Query, now: datetime = MONDAY) -> list[CaseState]:
    """All pages of a list, one after the other."""
    states, cursor = [], None
    while True:
        page = tracking.find(replace(query, cursor=cursor), now)
        assert len(page.cases) <= query.limit
        states += page.cases
        if (cursor := page.cursor) is None:
            return states
        assert page.cases, "a page that leads on has cases"


# ── filters ──


def late(state: CaseState, now: datetime) -> bool:
    return state.closed_at is None and any(clock.due_at < now for clock in state.clocks.values())


def needs_attention(state: CaseState) -> bool:
    newest = {reply.purpose: reply.status for reply in state.replies.values()}
    return (state.waiting and state.messages > 1) or "failed" in newest.values()


def fits(state: CaseState, query: Query, now: datetime) -> bool:
    """The filters again, in plain words."""
    return (
        state.profile in query.profiles
        and (not query.statuses or state.status in query.statuses)
        and (not query.units or state.unit in query.units)
        and (not query.helping or any(unit in state.parts for unit in query.helping))
        and (not query.channels or state.channel in query.channels)
        and query.overdue in (None, late(state, now))
        and query.private in (None, state.private)
        and query.attention in (None, needs_attention(state))
        and (not query.tickets or state.ticket in query.tickets)
        and (query.opened_from is None or state.opened_at >= query.opened_from)
        and (query.opened_to is None or state.opened_at < query.opened_to)
    )


def place(state: CaseState) -> tuple[int, datetime]:
    """Most urgent first, then what is due first; what has no clock comes last."""
    due = min((clock.due_at for clock in state.clocks.values()), default=MONDAY + 10**6 * HOUR)
    return -URGENCY[state.suggestion.urgency if state.suggestion else "normal"], due


def urgency_of(state: CaseState) -> str:
    return state.suggestion.urgency if state.suggestion else "normal"


COUNTED: dict[str, Callable[[CaseState], str]] = {
    "status": lambda state: state.status,
    "unit": lambda state: state.unit or "",
    "channel": lambda state: state.channel,
    "urgency": urgency_of,
}

some_cases = st.lists(
    st.fixed_dictionaries(
        {
            "profile": st.sampled_from((PROFILE, PROFILE, OTHER)),
            "status": st.sampled_from(STATUSES),
            "unit": st.sampled_from(UNITS),
            "channel": st.sampled_from(CHANNELS),
            "urgency": st.sampled_from((None, *URGENCY)),
            "due": st.sampled_from((None, -2, 0, 1)),
            "ended": st.booleans(),
            "private": st.booleans(),
            "waiting": st.booleans(),
            "messages": st.integers(1, 2),
            "replies": st.sampled_from(
                (
                    {},
                    {"r": Reply(purpose="ack", status="failed")},
                    {"r": Reply(purpose="ack", status="failed"), "s": Reply(purpose="ack", status="sent")},
                )
            ),
            "parts": st.sampled_from(({}, {}, {"dishub": Part(since=MONDAY)})),
            "opened_at": st.sampled_from((MONDAY - HOUR, MONDAY, MONDAY + HOUR)),
        }
    ),
    max_size=25,
).map(lambda many: [case(number, **one) for number, one in enumerate(many)])

queries = st.builds(
    Query,
    profiles=st.sampled_from(((PROFILE,), (PROFILE, OTHER))),
    statuses=st.lists(st.sampled_from(STATUSES), max_size=2).map(tuple),
    units=st.lists(st.sampled_from(("dishub", "dinas-pupr")), max_size=1).map(tuple),
    channels=st.lists(st.sampled_from(CHANNELS), max_size=1).map(tuple),
    helping=st.sampled_from(((), (), ("dishub",), ("dishub", "dinas-pupr"))),
    overdue=st.sampled_from((None, None, True, False)),
    private=st.sampled_from((None, None, True, False)),
    attention=st.sampled_from((None, None, True, False)),
    opened_from=st.sampled_from((None, MONDAY)),
    opened_to=st.sampled_from((None, MONDAY + HOUR)),
    order=st.sampled_from(("urgency", "newest", "oldest")),
    limit=st.integers(1, 7),
)


def test_every_case_that_fits_is_found_once_in_order_and_counted(
    make: Callable[[Path], Store], examples: int
) -> None:
    @settings(max_examples=examples)
    @given(states=some_cases, asked=st.lists(queries, min_size=1, max_size=6))
    def holds(states: list[CaseState], asked: list[Query]) -> None:
        with TemporaryDirectory() as folder, closing(make(Path(folder))) as store:
            store.put(*states)
            for query in asked:
                assert_answered(store.tracking, states, query)

    holds()


def assert_answered(tracking: Tracking, states: list[CaseState], query: Query) -> None:
    fitting = [state for state in states if fits(state, query, MONDAY)]
    walked = pages(tracking, query)
    assert Counter(s.id for s in walked) == Counter(s.id for s in fitting)
    key: Callable[[CaseState], Any] = place if query.order == "urgency" else lambda s: s.opened_at
    expected = sorted((key(state) for state in walked), reverse=query.order == "newest")
    assert [key(state) for state in walked] == expected
    for by, value in COUNTED.items():
        counted = tracking.count(query, by, MONDAY)
        assert dict(counted) == dict(Counter(value(state) for state in fitting)), by


def test_what_has_ended_is_late_no_more(store: Store) -> None:
    store.put(case(1, due=-1), case(2, due=-1, ended=True, status="answered"), case(3, due=1), case(4))
    assert found(store, replace(ALL, overdue=True)) == [case(1).id]
    assert set(found(store, replace(ALL, overdue=False))) == {case(2).id, case(3).id, case(4).id}
    assert store.tracking.count(replace(ALL, overdue=True), "status", MONDAY) == {"received": 1}
    assert store.tracking.count(replace(ALL, overdue=True), "status", MONDAY + 2 * HOUR) == {"received": 2}


def test_cases_are_found_by_their_tickets_within_the_profile(store: Store) -> None:
    states = [case(1), case(2), case(3, profile=OTHER)]
    store.put(*states)
    tickets = tuple(state.ticket for state in states[1:])
    assert found(store, replace(ALL, tickets=tickets)) == [states[1].id]


@pytest.mark.parametrize("cursor", ["nonsense", "e30", "W10", "WzFd", "é", "WzEsMiwzLDRd", "WzEsICJ4IiwgMl0"])
@pytest.mark.parametrize("order", ["urgency", "newest", "oldest"])
def test_what_is_no_cursor_of_this_list_is_refused(store: Store, cursor: str, order: str) -> None:
    with pytest.raises(Refused) as refused:
        store.tracking.find(replace(ALL, order=order, cursor=cursor), MONDAY)
    assert refused.value.code == "bad_cursor"


def test_a_page_goes_on_where_the_one_before_ended_whatever_comes_in_meanwhile(store: Store) -> None:
    store.put(*(case(number, due=number) for number in range(1, 7)))
    first = store.tracking.find(replace(ALL, limit=3), MONDAY)
    store.put(case(10, due=-1), case(11, urgency="critical"))
    rest = store.tracking.find(replace(ALL, limit=50, cursor=first.cursor), MONDAY)
    assert [s.id for s in (*first.cases, *rest.cases)] == [case(number).id for number in range(1, 7)]


# ── words ──


@pytest.mark.parametrize(
    ("typed", "numbers"),
    [
        ("berlubang", {1, 2}),
        ("BERLUBANG jalan", {1, 2}),
        ("pasar berlubang", {1}),
        ("jalan berlu", {1, 2}),
        ("berlu jalan", set()),
        ("lampu", {3}),
        ("cafe", {4}),
        ("café", {4}),
        ("tidakada", set()),
        ("jalan lampu", set()),
        ('"*(', set()),
        ("NEAR AND OR NOT", set()),
        ("said: jalan", set()),
        ("  ", {1, 2, 3, 4}),
    ],
)
def test_all_words_must_occur_in_any_order_the_last_as_a_beginning(
    store: Store, typed: str, numbers: set[int]
) -> None:
    texts = (
        "Jalan berlubang di Pasar Contoh",
        "Di sini jalan berlubang",
        "Lampu mati",
        "Pelayanan Café Contoh",
    )
    store.put(*(case(number, text=text) for number, text in enumerate(texts, start=1)))
    assert set(found(store, replace(ALL, text=typed))) == {case(number).id for number in numbers}


def test_anything_may_be_typed_into_the_search(store: Store, examples: int) -> None:
    store.put(case(1))

    @settings(max_examples=examples)
    @given(st.text(max_size=40))
    def holds(typed: str) -> None:
        typed = typed.encode("utf-8", "replace").decode()
        store.tracking.find(replace(ALL, text=typed), MONDAY)
        store.tracking.count(replace(ALL, text=typed), "status", MONDAY)

    holds()


@pytest.mark.parametrize(
    ("said", "typed"),
    [
        ("Rusak di Jl.Sudirman", "sudirman"),
        ("RT.03/RW.05 banjir", "rw 05"),
        ("pasar-contoh kotor", "pasar contoh"),
        ("“Lampu” mati…", "lampu"),
        ("aduan_baru", "baru"),
        ("9" * 300, "9" * 300),
    ],
)
def test_words_end_where_a_sign_is_however_they_are_run_together(store: Store, said: str, typed: str) -> None:
    store.put(case(1, text=said), case(2, text="lain"))
    assert found(store, replace(ALL, text=typed)) == [case(1).id]


@pytest.mark.parametrize(
    "spelling", [str, str.lower, lambda t: t.replace("-", ""), lambda t: t.replace("-", " ")]
)
def test_a_ticket_finds_its_case_however_it_is_written(store: Store, spelling: Callable[[str], str]) -> None:
    states = [case(1), case(2, profile=OTHER)]
    store.put(*states)
    assert found(store, replace(ALL, text=spelling(states[0].ticket))) == [states[0].id]
    assert found(store, replace(ALL, text=spelling(states[1].ticket))) == []


def test_what_the_reporter_adds_is_found_and_what_was_said_before_too(store: Store) -> None:
    store.put(case(1, text="Jalan berlubang"))
    store.put(case(1, text="Jalan berlubang\nDekat jembatan", messages=2, seq=2))
    for typed in ("berlubang", "jembatan", "berlubang jembatan"):
        assert found(store, replace(ALL, text=typed)) == [case(1).id]


# ── read your own write ──


def test_a_list_shows_a_case_as_it_was_last_written(store: Store) -> None:
    store.put(case(1, due=-1))
    moved = case(
        1, status="disposed", unit="dishub", seq=4, urgency="critical", private=True, waiting=True, messages=2
    )
    store.put(moved, silent=True)
    every = replace(
        ALL, statuses=("disposed",), units=("dishub",), private=True, attention=True, overdue=False
    )
    assert list(store.tracking.find(every, MONDAY).cases) == [moved]
    assert found(store, replace(ALL, statuses=("received",))) == []
    assert store.tracking.count(ALL, "urgency", MONDAY) == {"critical": 1}
    assert found(store, replace(ALL, text="berlubang")) == [moved.id]


def test_a_list_shows_what_was_settled(store: Store) -> None:
    """Nothing to wait for in SQLite, where it is written with the case; the same words for both."""
    store.put(case(1))
    store.tracking.settle(case(1).id, 1)
    assert found(store, ALL) == [case(1).id]


# ── how SQLite finds them ──


def plans(store: InSqlite, ask: Callable[[Tracking], object]) -> list[str]:
    """How SQLite goes about each statement that `ask` leads to."""
    said: list[tuple[str, Any]] = []

    def listen(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        said.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", listen)
    ask(store.tracking)
    event.remove(store.engine, "before_cursor_execute", listen)
    with store.engine.connect() as connection:
        return [
            " | ".join(
                row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            )
            for statement, parameters in said
        ]


SCOPES = {
    "all": ALL,
    "public": replace(ALL, private=False),
    "channels": replace(ALL, channels=("web",)),
    "unit": replace(ALL, units=("dishub",)),
}


COUNTS: list[tuple[dict[str, Any], str]] = [
    ({}, "status"),
    ({}, "channel"),
    ({}, "unit"),
    ({"attention": True}, "status"),
    ({"overdue": True}, "status"),
]


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize(("changes", "by"), COUNTS)
def test_a_count_of_the_work_list_reads_nothing_but_an_index(
    tmp_path: Path, scope: str, changes: dict[str, Any], by: str
) -> None:
    with closing(InSqlite(tmp_path)) as store:
        query = replace(SCOPES[scope], **changes)
        (plan,) = plans(store, lambda tracking: tracking.count(query, by, MONDAY))
        assert "COVERING INDEX" in plan
        if query.attention:
            assert "tracking_attention" in plan
        elif query.overdue:
            assert "tracking_open_due (profile=? AND due<?)" in plan
        else:  # all rows of the profile at least: then they must not be sorted too
            assert "(profile=?" in plan and "TEMP B-TREE" not in plan


@pytest.mark.parametrize(
    ("changes", "index"),
    [
        ({"attention": True}, "tracking_attention"),
        ({"overdue": True}, "tracking_open_due"),
        ({}, "tracking_urgent"),
    ],
)
def test_a_page_of_the_work_list_comes_by_an_index(
    tmp_path: Path, changes: dict[str, Any], index: str
) -> None:
    with closing(InSqlite(tmp_path)) as store:
        plan = plans(store, lambda tracking: tracking.find(replace(ALL, **changes), MONDAY))[0]
        assert f"INDEX {index}" in plan


# ── what Elasticsearch shows meanwhile ──


@pytest.fixture
def elastic(on_server: Callable[[Path], InElasticsearch], tmp_path: Path) -> Iterator[InElasticsearch]:
    with closing(on_server(tmp_path)) as made:
        yield made


def test_a_case_that_has_moved_on_is_left_out_before_its_document_says_so(elastic: InElasticsearch) -> None:
    elastic.put(*(case(number, unit="dishub") for number in range(1, 7)))
    gone = [case(1), case(2, unit="dinas-pupr"), case(3, private=True, unit="dishub"), case(4)]
    elastic.save(*(state.but({"seq": 2}) for state in gone))
    mine = replace(ALL, units=("dishub",), private=False, limit=2)
    assert [state.id for state in pages(elastic.tracking, mine)] == [
        state.id for state in pages(elastic.tracking, replace(mine, limit=50))
    ]
    assert {state.id for state in pages(elastic.tracking, mine)} == {case(5).id, case(6).id}


def test_waiting_for_a_document_ends_when_it_comes(elastic: InElasticsearch) -> None:
    looked: list[float] = []

    def pause(span: float) -> None:
        looked.append(span)
        if len(looked) == 3:
            elastic.put(case(1, seq=4))

    tracking = ElasticsearchTracking(
        elastic.client, elastic.engine, elastic.indices, clock=lambda: 0.0, pause=pause
    )
    elastic.put(case(1, seq=3))
    assert tracking.visible(case(1).id, 3) and looked == []
    assert tracking.visible(case(1).id, 4) and len(looked) == 3
    assert tracking.visible(case(1).id, 2), "a later one has it all"
    assert found(elastic, ALL) == [case(1).id]


def test_nobody_waits_for_ever(elastic: InElasticsearch) -> None:
    at = [0.0]

    def pause(span: float) -> None:
        at[0] += span

    tracking = ElasticsearchTracking(
        elastic.client, elastic.engine, elastic.indices, clock=lambda: at[0], pause=pause
    )
    assert not tracking.visible(case(1).id, 1, patience=2.0)
    assert at == [2.0]
    tracking.settle(case(1).id, 1)


def test_those_who_wait_at_once_share_a_refresh(elastic: InElasticsearch) -> None:
    elastic.put(case(1))
    begun, go, queued = threading.Event(), threading.Event(), threading.Semaphore(0)
    refreshed: list[int] = []

    class Told(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            queued.release()
            return super().wait(timeout)

    class Slow(ElasticsearchTracking):
        def _refresh(self) -> None:
            refreshed.append(1)
            begun.set()
            assert go.wait(60)
            super()._refresh()

    tracking = Slow(elastic.client, elastic.engine, elastic.indices)
    tracking._refreshing._state = Told()
    people = [threading.Thread(target=tracking.settle, args=(case(1).id, 1)) for _ in range(10)]
    people[0].start()
    assert begun.wait(60)
    for person in people[1:]:
        person.start()
    for _ in people[1:]:
        assert queued.acquire(timeout=60)
    go.set()
    for person in people:
        person.join(60)
    assert len(refreshed) == 2, "one was on its way already and may have missed them; they share the next"


def test_a_server_that_is_away_is_a_reason_to_try_again(elastic: InElasticsearch) -> None:
    with Elasticsearch("http://127.0.0.1:1") as nobody:
        away = ElasticsearchTracking(nobody, elastic.engine, elastic.indices)
        for ask in (
            lambda: away.find(ALL, MONDAY),
            lambda: away.count(ALL, "status", MONDAY),
            lambda: away.settle("c", 1),
        ):
            with pytest.raises(RetryLater):
                ask()
    missing = ElasticsearchTracking(elastic.client, elastic.engine, Indices("test-nowhere"))
    with pytest.raises(RetryLater, match="laporhub setup"):
        missing.find(ALL, MONDAY)
