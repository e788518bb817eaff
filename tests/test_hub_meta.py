"""A complaint on Facebook or Instagram, from the citizen's words to our answer under them, through a whole hub."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from support import COMPLETE, Clock, hub_on, unit_admin

from laporhub.hub.hub import Hub
from laporhub.hub.polling import Poller, polled_accounts
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.connector import Raw
from laporhub.pipeline.errors import Forged, LaporHubError
from laporhub.pipeline.tracking import Query
from laporhub.simulators.meta import MetaSimulator
from laporhub.simulators.meta_answers import Failure
from laporhub.simulators.meta_network import Network, Said, Where
from laporhub.simulators.serving import serving

PROFILE, PAGE, HANDLE = "laporgub-jateng", "LaporGub", "@laporgub.jtg"
ADMINS: dict[Where, Actor] = {
    "facebook": Actor(id="fb-demo", role="admin_facebook"),
    "instagram": Actor(id="ig-demo", role="admin_instagram"),
}
on_both = pytest.mark.parametrize("where", ["facebook", "instagram"])


@dataclass
class Town:
    """A hub on the networks, with a clock that tests turn."""

    hub: Hub
    meta: MetaSimulator
    clock: Clock

    async def heard(self) -> None:
        """All that waits is delivered, and all that is due is answered, until nothing more happens."""
        while self.meta.waiting or self.hub.publisher.next_due() is not None:
            before = len(self.meta.waiting)
            await self.meta.deliver(times=2, shuffle=True)
            if not await self.hub.publisher.send_due() and len(self.meta.waiting) in (0, before):
                return

    def cases(self) -> list[CaseState]:
        return list(self.hub.tracking.find(Query((PROFILE,), order="oldest"), self.hub.now()).cases)

    def ours(self) -> list[Said]:
        """What the office said, oldest first."""
        mine = (self.meta.network.page_id, self.meta.network.instagram_id)
        said = [*reversed(self.meta.network.comments), *reversed(self.meta.network.directs)]
        return [each for each in said if each.author in mine]

    async def answered(self, case: CaseState, where: Where, words: str) -> CaseState:
        unit = next(iter(self.hub.rulebooks[PROFILE].units))
        await self.hub.act(case.id, "dispose", {"unit": unit}, ADMINS[where])
        await self.hub.act(case.id, "respond", {"response": words}, unit_admin(unit))
        return await self.hub.act(case.id, "approve", {}, ADMINS[where])


@asynccontextmanager
async def hooked(hub: list[Hub]) -> AsyncIterator[str]:
    async def hook(request: Request) -> Response:
        raw = Raw(await request.body(), headers=dict(request.headers))
        try:
            await hub[0].hook(PROFILE, "meta", raw)
        except Forged:
            return Response(status_code=403)
        except LaporHubError:
            return Response(status_code=503)
        return Response("ok")

    async with serving(Starlette(routes=[Route("/hooks/meta", hook, methods=["POST"])])) as url:
        yield url


@asynccontextmanager
async def a_town(folder: Path, hook: str | None = None) -> AsyncIterator[Town]:
    clock, hubs = Clock(), list[Hub]()
    async with hooked(hubs) as url:
        network = Network("1234", PAGE, "17841", HANDLE, clock, seed=7)
        meta = MetaSimulator(network, hook or f"{url}/hooks/meta")
        async with meta.running() as (_, told), hub_on(folder, clock, connectors={"meta": told}) as hub:
            hubs.append(hub)
            yield Town(hub, meta, clock)


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with a_town(tmp_path) as made:
        yield made


@on_both
async def test_a_comment_is_acknowledged_and_answered_under_it(town: Town, where: Where) -> None:
    comment = await town.meta.citizen_comments(where, "Warga Contoh", COMPLETE)
    await town.heard()
    [case] = town.cases()
    [ack] = town.ours()
    assert (ack.parent, case.channel) == (comment.id, where)
    assert case.ticket in ack.text
    await town.answered(case, where, "Jalan sudah ditambal.")
    await town.heard()
    last = town.ours()[-1]
    assert last.parent == comment.id
    assert "Jalan sudah ditambal." in last.text
    assert town.cases()[0].status == "answered"
    assert len(town.ours()) == 3, "receipt, forwarded, response: each once"


@on_both
async def test_a_direct_message_is_answered_privately_while_the_window_is_open(
    town: Town, where: Where
) -> None:
    await town.meta.citizen_messages(where, "Warga Contoh", f"{COMPLETE}. HP 0811 2345 678")
    await town.heard()
    [case] = town.cases()
    town.clock.forward(days=2)
    unit = next(iter(town.hub.rulebooks[PROFILE].units))
    await town.hub.act(case.id, "dispose", {"unit": unit}, ADMINS[where])
    await town.heard()
    assert len(town.ours()) == 1, "an automatic notice does not go out after a day"
    await town.hub.act(case.id, "respond", {"response": "Sudah ditambal."}, unit_admin(unit))
    await town.hub.act(case.id, "approve", {}, ADMINS[where])
    await town.heard()
    last = town.ours()[-1]
    assert (last.tag, last.citizen) == ("HUMAN_AGENT", town.meta.network.citizen(where, "Warga Contoh"))
    assert town.cases()[0].status == "answered"


async def test_after_a_week_a_person_is_told_that_the_answer_cannot_arrive(town: Town) -> None:
    await town.meta.citizen_messages("facebook", "Warga Contoh", COMPLETE)
    await town.heard()
    town.clock.forward(days=8)
    await town.answered(town.cases()[0], "facebook", "Sudah ditambal.")
    await town.heard()
    [case] = town.cases()
    assert case.status == "approved"
    failed = [event.data for event in town.hub.events(case.id) if event.data.kind == "reply_updated"]
    assert failed[-1].reason == "window_closed"


async def test_what_can_be_read_by_everybody_holds_no_number(town: Town) -> None:
    await town.meta.citizen_comments("facebook", "Warga Contoh", f"{COMPLETE}. HP saya 0811 2345 678")
    await town.heard()
    [case] = town.cases()
    await town.hub.act(case.id, "ask", {"question": "Apakah nomor Anda 0811 2345 678?"}, ADMINS["facebook"])
    await town.heard()
    assert "2345" not in "".join(said.text for said in town.ours() if not said.citizen)
    assert case.ticket in town.ours()[-1].text


@on_both
async def test_two_people_in_one_thread_and_one_person_in_two(town: Town, where: Where) -> None:
    first = await town.meta.citizen_comments(where, "Warga A", f"{COMPLETE} A")
    await town.meta.citizen_comments(where, "Warga B", f"{COMPLETE} B", under=first)
    other = await town.meta.citizen_comments(where, "Warga A", f"{COMPLETE} lain")
    await town.meta.citizen_messages(where, "Warga A", f"{COMPLETE} pribadi")
    await town.heard()
    assert len(town.cases()) == 4, "nobody was asked yet"
    assert sorted(said.parent or said.citizen for said in town.ours()) == sorted(
        [first.id, first.id, other.id, town.meta.network.citizen(where, "Warga A")]
    )


SHORT, REST = "Jalan rusak pak", "Di Kabupaten Batang depan Pasar Contoh, sejak minggu lalu. HP 0811 2345 678"


@on_both
async def test_who_was_asked_for_a_direct_message_goes_on_in_it(town: Town, where: Where) -> None:
    await town.meta.citizen_comments(where, "Warga Contoh", SHORT)
    await town.heard()
    [asked] = town.ours()
    assert "pesan pribadi" in asked.text
    town.clock.forward(hours=1)
    await town.meta.citizen_messages(where, "Warga Contoh", REST)
    await town.heard()
    [case] = town.cases()
    assert (case.messages, case.status) == (2, "received")
    citizen = town.meta.network.citizen(where, "Warga Contoh")
    assert [said.citizen for said in town.ours()[1:]] == [citizen], "it is told where they wrote last"
    await town.meta.citizen_messages(where, "Warga Contoh", "Lubangnya di sebelah kiri")
    await town.heard()
    assert [case.messages for case in town.cases()] == [3]


@on_both
async def test_the_answer_stands_under_the_comment_when_the_direct_message_takes_none(
    town: Town, where: Where
) -> None:
    comment = await town.meta.citizen_comments(where, "Warga Contoh", SHORT)
    await town.heard()
    await town.meta.citizen_messages(where, "Warga Contoh", REST)
    await town.heard()
    [case] = town.cases()
    town.clock.forward(days=8)
    assert town.hub.way(case).window.state == "open"
    await town.answered(case, where, "Sudah ditambal. Hubungi 0811 2345 678.")
    await town.heard()
    last = [said for said in town.ours() if said.parent == comment.id][-1]
    assert "Sudah ditambal." in last.text
    assert "2345" not in last.text, "everybody can read it"
    assert town.cases()[0].status == "answered"


@on_both
async def test_only_one_case_that_waits_is_gone_on_with_unless_the_ticket_is_named(
    town: Town, where: Where
) -> None:
    await town.meta.citizen_comments(where, "Warga Contoh", SHORT)
    await town.meta.citizen_comments(where, "Warga Contoh", "Lampu mati pak")
    await town.meta.citizen_comments(where, "Warga Lain", SHORT)
    await town.heard()
    first, second, others = town.cases()
    await town.meta.citizen_messages(where, "Warga Contoh", f"Untuk {second.ticket.lower()}: {REST}")
    await town.heard()
    assert [case.messages for case in town.cases()] == [1, 2, 1]
    await town.meta.citizen_messages(where, "Warga Baru", f"{REST}, sama dengan {others.ticket}")
    await town.heard()
    assert [case.messages for case in town.cases()] == [1, 2, 1, 1], "somebody else's ticket opens nothing"


@on_both
async def test_nobody_can_tell_which_of_two_cases_a_direct_message_is_about(town: Town, where: Where) -> None:
    await town.meta.citizen_comments(where, "Warga Contoh", SHORT)
    await town.meta.citizen_comments(where, "Warga Contoh", "Lampu mati pak")
    await town.heard()
    await town.meta.citizen_messages(where, "Warga Contoh", REST)
    await town.heard()
    assert [case.messages for case in town.cases()] == [1, 1, 1]


async def test_who_was_not_asked_begins_a_case_of_their_own(town: Town) -> None:
    await town.meta.citizen_comments("facebook", "Warga Contoh", SHORT)
    await town.heard()
    town.clock.forward(minutes=1)
    await town.meta.citizen_comments("facebook", "Warga Kedua", SHORT)
    await town.heard()
    first, _ = town.cases()
    await town.hub.act(first.id, "verify", {}, ADMINS["facebook"])
    await town.meta.citizen_messages("facebook", "Warga Contoh", REST)
    await town.meta.citizen_messages("facebook", "Warga Kedua", "Aduan baru: lampu jalan di Batang mati")
    await town.heard()
    assert [case.messages for case in town.cases()] == [1, 1, 1, 1]


async def test_what_the_citizen_adds_under_our_answer_goes_to_the_same_case(town: Town) -> None:
    comment = await town.meta.citizen_comments("facebook", "Warga Contoh", "Jalan rusak")
    await town.heard()
    await town.meta.citizen_comments("facebook", "Warga Contoh", "Di Kabupaten Batang", under=town.ours()[-1])
    await town.heard()
    [case] = town.cases()
    assert case.messages == 2
    assert {said.parent for said in town.ours()} == {comment.id}


async def test_a_dead_token_loses_no_answer(town: Town) -> None:
    await town.meta.citizen_comments("facebook", "Warga Contoh", COMPLETE)
    town.meta.dead.add(town.meta.token)
    await town.meta.deliver()
    await town.hub.publisher.send_due()
    assert town.ours() == []
    assert town.hub.publisher.stopped_accounts == [PAGE]
    town.meta.dead.clear()
    town.clock.forward(minutes=6)
    await town.heard()
    assert len(town.ours()) == 1


async def test_an_answer_whose_fate_is_unknown_is_not_said_twice(town: Town) -> None:
    await town.meta.citizen_comments("instagram", "Warga Contoh", COMPLETE)
    town.meta.failures.append(Failure.drop(taken=True))
    await town.meta.deliver()
    await town.hub.publisher.send_due()
    town.clock.forward(minutes=1)
    await town.heard()
    assert len(town.ours()) == 1


@on_both
async def test_what_the_hook_missed_is_found_by_the_sweep_and_is_not_taken_twice(
    tmp_path: Path, where: Where
) -> None:
    async with a_town(tmp_path) as town:
        await town.meta.citizen_comments(where, "Warga A", f"{COMPLETE} A")
        await town.meta.deliver()
        await town.meta.citizen_comments(where, "Warga B", f"{COMPLETE} B")
        await town.meta.citizen_messages(where, "Warga C", f"{COMPLETE} C")
        missed, town.meta.waiting = town.meta.waiting, []
        connectors = {"meta": town.hub._connectors["meta"]}
        accounts = polled_accounts(town.hub.rulebooks, connectors)
        poller = Poller(town.hub.database, town.hub, accounts, town.hub.now)
        assert sum([await poller.ask(account) for account in accounts if account.channel == where]) > 0
        town.meta.waiting = missed  # the hook comes late, and tells the same
        await town.heard()
        assert len(town.cases()) == 3
        assert len(town.ours()) == 3


async def test_an_account_that_no_profile_has_is_kept_for_a_person(town: Town) -> None:
    event = town.meta.network.told_of(await town.meta.citizen_comments("facebook", "Warga", "Halo"))
    assert await town.meta.post([event | {"id": "777"}]) == 200
    [letter] = town.hub.dead_letters()
    assert "profile.yaml" in letter.reason
    assert town.cases() == []
