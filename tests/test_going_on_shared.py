"""Going on in direct messages where several workers share the work: the post is one's, the direct message another's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import seeded
from test_stages import DATABASES, PROFILE, Office

from laporhub.hub.ground import Ground, lay_ground
from laporhub.hub.settings import Settings
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Delivery
from laporhub.pipeline.distributed.records import Taken
from laporhub.pipeline.messages import Inbound
from laporhub.pipeline.streams import write_command
from laporhub.pipeline.topics import COMMANDS

SHORT, REST = "jalan rusak pak", "Di Kabupaten Batang depan Pasar Contoh, sejak minggu lalu. HP 0811 0000 001"


@pytest.fixture(params=DATABASES)
def ground(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    url = request.getfixturevalue("postgres") if request.param == "postgresql" else None
    made = lay_ground(Settings(data=tmp_path, profile=PROFILE, database_url=url), seeded())
    yield made
    made.database.dispose()


def said(office: Office, text: str, name: str, author: str = "11", **more: Any) -> Taken:
    given = {"external_id": name, "author_id": author, "text": text, "verified": True}
    return office.said(Inbound.model_validate(given | more), "x")


def sent(office: Office, case: CaseState) -> list[Taken]:
    """What the sender tells of the case's replies."""
    about = {"profile": PROFILE, "case_id": case.id, "at": office.clock(), "status": "sent"}
    commands = [Delivery(id=f"d_{name}", reply_id=name, **about) for name in case.replies]
    return [office.taken(COMMANDS, write_command(each), case.conversation.encode()) for each in commands]


def test_the_direct_message_is_another_workers_and_joins_all_the_same(ground: Ground) -> None:
    one, other = Office(ground), Office(ground)
    one.stage.process([said(one, SHORT, "1", thread="1")])
    [case] = one.cases
    one.stage.process(sent(one, case))
    direct = said(other, REST, "2")
    assert direct.key != case.conversation.encode(), "it may be on another partition"
    other.stage.process([direct, said(other, "Tambahan: di kiri jalan", "3")])
    other.stage.process([direct])
    [case] = one.cases
    assert (case.messages, case.status) == (3, "received")
    assert [event.sequence for event in one.history(case.id)] == list(range(1, case.seq + 1))
    one.stage.process([said(one, "Masih rusak", "4", thread="1")])
    assert [each.messages for each in one.cases] == [4]


def test_it_joins_in_the_very_batch_in_which_it_was_asked_for(ground: Ground) -> None:
    """Told by its author's cases as they are by then, not as they were stored."""
    office = Office(ground)
    office.stage.process([said(office, SHORT, "1", thread="1"), said(office, SHORT, "5", "12", thread="5")])
    told = [each for case in office.cases for each in sent(office, case)]
    office.stage.process([*told, said(office, REST, "2")])
    assert sorted(case.messages for case in office.cases) == [1, 2]
