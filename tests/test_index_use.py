"""What the hub asks its database while it works is found by an index: it stays as fast with years of cases."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from support import ADMIN, form, hub_on, unit_admin, whatsapp

from laporhub.hub.hub import Hub
from laporhub.pipeline.store.reporter_names import names_of
from laporhub.pipeline.tracking import Query

PROFILE = "laporgub-jateng"
GROWING = (
    "cases",
    "conversations",
    "events",
    "messages",
    "notices",
    "outbox",
    "received",
    "reporter_keys",
    "tracking",
)
"""Tables that have a row for each case, message or step."""

Asked = dict[str, Any]


@pytest.fixture
def asked() -> Iterator[Asked]:
    """Statement → parameters of what every database is asked meanwhile."""
    seen: Asked = {}

    def note(_: object, __: object, statement: str, parameters: Any, ___: object, many: bool) -> None:  # noqa: FBT001
        seen[statement] = parameters[0] if many else parameters

    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


async def lifecycle(hub: Hub, number: int) -> None:
    receipt = await hub.receive(PROFILE, "web", form(number))
    await hub.receive(PROFILE, "whatsapp", whatsapp(number))
    unit = next(iter(hub.rulebooks[PROFILE].units))
    await hub.act(receipt.case_id, "dispose", {"unit": unit}, ADMIN)
    await hub.act(receipt.case_id, "respond", {"response": "Sudah diperbaiki."}, unit_admin(unit))
    state = await hub.act(receipt.case_id, "approve", {}, ADMIN)
    assert hub.tracking.find(Query((PROFILE,), text=state.ticket), hub.now()).cases


def walks_through(plan: list[str]) -> set[str]:
    """The growing tables that a plan reads from end to end."""
    steps = [step.split() for step in plan]
    return {step[1] for step in steps if step[0] == "SCAN"} & set(GROWING)


async def test_no_step_of_a_case_reads_a_whole_table(tmp_path: Path, asked: Asked) -> None:
    async with hub_on(tmp_path) as hub:
        await lifecycle(hub, 1)
        asked.clear()
        await lifecycle(hub, 2)
        statements = dict(asked)
    database = sqlite3.connect(tmp_path / "hub.db")
    plans = {
        each: [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {each}", parameters)]
        for each, parameters in statements.items()
        if each.split()[0] in ("SELECT", "UPDATE", "DELETE")
    }
    database.close()
    assert len(plans) >= 8
    assert {each: found for each, plan in plans.items() if (found := walks_through(plan))} == {}


async def test_the_name_of_the_reporter_is_known_without_reading_the_history(
    tmp_path: Path, asked: Asked
) -> None:
    async with hub_on(tmp_path) as hub:
        receipt = await hub.receive(PROFILE, "web", form(1, name="Nawang Wulansih"))
        unit = next(iter(hub.rulebooks[PROFILE].units))
        asked.clear()
        await hub.act(receipt.case_id, "dispose", {"unit": unit}, ADMIN)
        said = {"response": "Pak Nawang, jalannya sudah ditambal."}
        state = await hub.act(receipt.case_id, "respond", said, unit_admin(unit))
    assert state.draft is not None
    assert "Nawang" not in state.draft.text
    assert not [each for each in asked if "FROM events" in each and "body" in each]


async def test_the_name_is_known_too_for_a_case_of_an_earlier_release(tmp_path: Path) -> None:
    async with hub_on(tmp_path) as hub:
        await hub.receive(PROFILE, "web", form(1, name="Nawang Wulansih"))
        [state] = hub.tracking.find(Query((PROFILE,)), hub.now()).cases
        then = state.but({"sealed_name": None})
        assert names_of(hub.database, hub.ring, then) == names_of(hub.database, hub.ring, state)
        assert names_of(hub.database, hub.ring, then) == ("Nawang Wulansih",)
