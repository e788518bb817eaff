"""A report of a hub: from the database's events, all that concern the period and no more work than that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from histories import PROFILE, history, last, moved, started
from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine, delete
from support import ADMIN, COMPLETE, Clock, form, hub_on, laporgub, unit_admin, whatsapp
from test_report_counting import spread

from laporhub.hub.reporting import FRESH, Reporter
from laporhub.pipeline.counting import make_report
from laporhub.pipeline.errors import NotFound
from laporhub.pipeline.events import CaseEvent, Rated
from laporhub.pipeline.periods import parse_period
from laporhub.pipeline.store import cases, log, past, tables
from laporhub.pipeline.store.database import open_database, writer
from laporhub.pipeline.tracking import Query

RULES = laporgub()
ZONE = RULES.calendar.zone
NOVEMBER = parse_period("2026-11", ZONE)
LATER = datetime(2027, 3, 1, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    sqlite = request.param == "sqlite"
    engine = open_database(tmp_path / "hub.db" if sqlite else request.getfixturevalue("postgres"))
    yield engine
    engine.dispose()


def store(database: Engine, histories: list[list[CaseEvent]]) -> None:
    """As the engines do, and nothing else is there."""
    with writer(database).begin() as connection:
        for table in (tables.cases, tables.events):
            connection.execute(delete(table))
        cases.save_cases(connection, [last(events) for events in histories])
        records = [
            (event.id, events[0].time, event.model_dump_json(exclude_none=True))
            for events in histories
            for event in events
        ]
        log.append_events(connection, records)


@given(histories=spread())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_report_from_the_database_is_that_of_all_events(
    database: Engine, histories: list[list[CaseEvent]]
) -> None:
    store(database, histories)
    for written in ("2026-10", "2026-Q4", "2026-11-20..2026-12-03"):
        period = parse_period(written, ZONE)
        made = Reporter(database, {RULES.name: RULES}, lambda: LATER).report(RULES.name, period)
        assert made == make_report(histories, RULES, period, None, LATER)


def test_only_cases_that_concern_the_period_are_read(database: Engine) -> None:
    """Closed before it, opened after it, of another profile: left where they are."""
    at = datetime(2026, 11, 10, tzinfo=UTC)
    told = {
        "inside": history(1, at=at),
        "still open since long ago": history(2, [started("first_response")], at=at - timedelta(days=300)),
        "closed long ago": history(3, [moved("closed", ends=True)], at=at - timedelta(days=300)),
        "rated now": history(4, [moved("closed", ends=True), Rated(rating=5)], at=at - timedelta(days=300)),
        "opened later": history(5, at=at + timedelta(days=60)),
        "of another profile": history(6, profile="kota-lain", at=at),
    }
    told["rated now"][-1] = told["rated now"][-1].but({"time": at})
    store(database, list(told.values()))
    found = past.histories(database, PROFILE, NOVEMBER.start, NOVEMBER.end)
    names = {events[0].case_id: name for name, events in told.items()}
    assert sorted(names[events[0].case_id] for events in found) == [
        "inside",
        "rated now",
        "still open since long ago",
    ]


@pytest.mark.parametrize("looked_at", [1, 2, 5])
def test_however_many_cases_a_statement_looks_at_all_are_found(
    database: Engine, monkeypatch: pytest.MonkeyPatch, looked_at: int
) -> None:
    store(database, [history(number) for number in range(5)])
    monkeypatch.setattr(past, "_LOOKED_AT", looked_at)
    past._page.cache_clear()
    assert len(list(past.histories(database, PROFILE, NOVEMBER.start, NOVEMBER.end))) == 5
    past._page.cache_clear()


def test_what_takes_long_to_count_is_not_counted_all_the_time(tmp_path: Path) -> None:
    """A year of a province takes a minute: whoever looks at it again gets what there is."""
    database = open_database(tmp_path / "hub.db")
    at = datetime(2026, 11, 20, tzinfo=UTC)
    moments = iter([at, at + timedelta(minutes=1), at + timedelta(minutes=20), at + timedelta(minutes=22)])
    reporter = Reporter(database, {RULES.name: RULES}, lambda: next(moments))
    first = reporter.report(RULES.name, NOVEMBER)
    store(database, [[event.but({"profile": RULES.name}) for event in history(1, at=at)]])
    assert reporter.report(RULES.name, NOVEMBER) is first
    moments = iter([at + timedelta(minutes=22)] * 2)
    assert reporter.report(RULES.name, NOVEMBER).figures.cases == 1
    database.dispose()


# ── a hub ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_hubs_report_has_the_numbers_of_its_lists(tmp_path: Path) -> None:
    clock = Clock()
    async with hub_on(tmp_path, clock) as hub:
        done = await hub.receive(RULES.name, "web", form(1))
        await hub.act(done.case_id, "dispose", {"unit": "dinas-pupr"}, ADMIN)
        await hub.act(done.case_id, "respond", {"response": "Sudah ditambal."}, unit_admin("dinas-pupr"))
        await hub.act(done.case_id, "approve", {}, ADMIN)
        await hub.act(done.case_id, "close", {}, ADMIN)
        refused = await hub.receive(RULES.name, "web", form(2, COMPLETE + " lagi"))
        fields = {"reason": "unclear", "explanation": "Mohon dijelaskan."}
        await hub.act(refused.case_id, "reject", fields, ADMIN)
        returned = await hub.receive(RULES.name, "whatsapp", whatsapp(3, COMPLETE + " juga"))
        await hub.act(returned.case_id, "dispose", {"unit": "dishub"}, ADMIN)
        await hub.act(returned.case_id, "return", {"reason": "Bukan kami."}, unit_admin("dishub"))
        clock.forward(hours=14)
        await hub.receive(RULES.name, "whatsapp", whatsapp(4, COMPLETE + " pula"))
        made = hub.report(RULES.name, NOVEMBER).figures
        query, now = Query((RULES.name,)), clock()
        for by, counted in (("channel", made.by_channel), ("status", made.by_status), ("unit", made.by_unit)):
            assert dict(hub.tracking.count(query, by, now)) == dict(counted), by
        late = hub.tracking.count(replace(query, overdue=True), "status", now)
        assert made.overdue == sum(late.values()) == 1
    assert (made.cases, made.closed, made.rejected, made.returned) == (4, 2, 1, 1)
    assert made.by_reason == {"unclear": 1}
    assert made.by_outcome == {"closed": 1, "rejected": 1}
    assert made.units["dishub"].returned == 1
    assert made.clocks["first_response"].in_time == 3
    assert made.open == 2


async def test_a_report_is_remembered_while_it_can_be(tmp_path: Path) -> None:
    clock = Clock()
    async with hub_on(tmp_path, clock) as hub:
        await hub.receive(RULES.name, "web", form(1))
        before = hub.report(RULES.name, NOVEMBER)
        await hub.receive(RULES.name, "web", form(2))
        assert hub.report(RULES.name, NOVEMBER) == before, "each form of a report has the same numbers"
        clock.forward(seconds=FRESH.total_seconds() + 1)
        assert hub.report(RULES.name, NOVEMBER).figures.cases == 2
        clock.at = NOVEMBER.end + timedelta(seconds=1)
        assert not before.is_final and hub.report(RULES.name, NOVEMBER).is_final
        clock.forward(seconds=FRESH.total_seconds() + 1)
        over = hub.report(RULES.name, NOVEMBER)
        clock.forward(days=400)
        assert hub.report(RULES.name, NOVEMBER) is over, "it cannot change any more"
        with pytest.raises(NotFound, match="nowhere"):
            hub.report(RULES.name, NOVEMBER, "nowhere")
