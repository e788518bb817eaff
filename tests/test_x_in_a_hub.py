"""X from the mention to the answer below it, through a whole hub and against the simulated X."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support import COMPLETE, Clock, hub_on

from laporhub.hub.hub import Hub
from laporhub.hub.polling import Poller, polled_accounts
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor
from laporhub.pipeline.connector import Raw
from laporhub.pipeline.tracking import Query
from laporhub.simulators import x_rules
from laporhub.simulators.x import XSimulator
from laporhub.simulators.x_answers import Failure

PROFILE = "laporgub-jateng"
ADMIN_X = Actor(id="x-demo", role="admin_x")
ANSWER = "Lubang sudah ditambal hari ini. Hubungi 0811 0000 0001."


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def x(clock: Clock) -> AsyncIterator[XSimulator]:
    simulator = XSimulator("@LaporGub_", "http://127.0.0.1:1/hooks/x", clock)
    yield simulator
    await simulator.aclose()


@pytest.fixture
async def hub(tmp_path: Path, x: XSimulator, clock: Clock) -> AsyncIterator[Hub]:
    async with x.running() as (_, told):
        settings = {"connectors": {"x": {**told, "search": "laporgub"}}}
        async with hub_on(tmp_path, clock, **settings) as hub:
            yield hub


async def deliver(hub: Hub, x: XSimulator) -> None:
    """All events of X until now, to the hook."""
    for body in x.events:
        signed = {"x-twitter-webhooks-signature": x_rules.signature(x.keys.consumer_secret, body)}
        await hub.hook(PROFILE, "x", Raw(body, headers=signed))


async def poll(hub: Hub, clock: Clock) -> None:
    clock.forward(minutes=3)
    accounts = polled_accounts(hub.rulebooks, hub._connectors)
    (account,) = [each for each in accounts if each.provider == "x"]
    await Poller(hub.database, hub, accounts, hub.now).ask(account)


async def send(hub: Hub, clock: Clock) -> None:
    for _ in range(8):
        while await hub.publisher.send_due():
            pass
        clock.forward(seconds=20)


def cases(hub: Hub) -> list[CaseState]:
    return list(hub.tracking.find(Query((PROFILE,), channels=("x",), order="oldest"), hub.now()).cases)


async def test_a_mention_is_acknowledged_and_answered_in_its_thread(
    hub: Hub, x: XSimulator, clock: Clock
) -> None:
    post = await x.citizen_posts("warga1", f"@LaporGub_ {COMPLETE}"[:280], name="Warga Contoh")
    await deliver(hub, x)
    await poll(hub, clock)
    (case,) = cases(hub)
    assert case.text.startswith("Jalan provinsi"), "without our own name"
    await send(hub, clock)
    _, (author, receipt) = x.said(post)
    assert author == "LaporGub_"
    assert case.ticket in receipt

    follow_up = await x.citizen_posts("warga1", "di Kecamatan Batang", reply_to=x.network.thread(post.id)[-1])
    await poll(hub, clock)
    (case,) = cases(hub)
    assert "di Kecamatan Batang" in case.text
    await send(hub, clock)
    before = len(x.said(post))
    await hub.act(case.id, "answer", {"response": ANSWER}, ADMIN_X)
    await send(hub, clock)
    *_, (author, answer) = x.said(post)
    assert len(x.said(post)) == before + 1
    assert author == "LaporGub_"
    assert "Lubang sudah ditambal hari ini." in answer
    assert "0811" not in answer, "everybody can read it: only what was redacted is said"
    assert x.network.thread(post.id)[-1].reply_to == follow_up
    assert cases(hub)[0].status == "answered"


async def test_a_direct_message_is_answered_in_private_and_in_full(
    hub: Hub, x: XSimulator, clock: Clock
) -> None:
    await x.citizen_messages("warga1", COMPLETE)
    await deliver(hub, x)
    (case,) = cases(hub)
    await send(hub, clock)
    await hub.act(case.id, "answer", {"response": f"{ANSWER} https://contoh.go.id/jalan"}, ADMIN_X)
    await send(hub, clock)
    assert x.network.posts == {}
    assert ANSWER in x.talk("warga1")[-1][1]
    assert "https://contoh.go.id/jalan" in x.talk("warga1")[-1][1]


async def test_who_was_asked_for_a_direct_message_goes_on_in_it_and_is_answered_there(
    hub: Hub, x: XSimulator, clock: Clock
) -> None:
    post = await x.citizen_posts("warga1", "@LaporGub_ jalan rusak pak")
    await deliver(hub, x)
    await send(hub, clock)
    assert "(DM)" in x.said(post)[-1][1]
    await x.citizen_messages("warga1", f"{COMPLETE}, HP 0811 0000 0001")
    await x.citizen_messages("warga2", f"{COMPLETE}, HP 0811 0000 0002")
    await deliver(hub, x)
    await send(hub, clock)
    case, other = cases(hub)
    assert (case.messages, other.messages) == (2, 1)
    in_public = len(x.said(post))
    await hub.act(case.id, "answer", {"response": ANSWER}, ADMIN_X)
    await send(hub, clock)
    assert ANSWER in x.talk("warga1")[-1][1], "in full: nobody else reads it"
    assert len(x.said(post)) == in_public
    assert cases(hub)[0].status == "answered"


async def test_who_answers_a_question_of_unknown_fate_goes_on_with_the_case_it_was_about(
    hub: Hub, x: XSimulator, clock: Clock
) -> None:
    post = await x.citizen_posts("warga1", "@LaporGub_ jalan rusak pak")
    await deliver(hub, x)
    x.failures.append(Failure.drop(taken=True))
    await hub.publisher.send_due()
    assert {reply.status for reply in cases(hub)[0].replies.values()} == {"queued"}, "nobody told us"
    await x.citizen_messages("warga1", f"{COMPLETE}, HP 0811 0000 0001")
    x.events[:] = x.events[-1:]
    await deliver(hub, x)
    assert [(case.messages, case.status) for case in cases(hub)] == [(2, "received")]
    await send(hub, clock)
    asked = [text for author, text in x.said(post) if author == "LaporGub_"]
    assert len(asked) == 1, "and it is not asked again"


@pytest.mark.parametrize("privately", [True, False])
async def test_an_answer_of_unknown_fate_is_not_said_again_where_the_citizen_wrote_meanwhile(
    hub: Hub, x: XSimulator, clock: Clock, privately: bool
) -> None:
    post = await x.citizen_posts("warga1", "@LaporGub_ jalan rusak pak")
    await deliver(hub, x)
    x.failures.append(Failure.drop(taken=True))
    await hub.publisher.send_due()
    if privately:
        await x.citizen_messages("warga1", f"{COMPLETE}, HP 0811 0000 0001")
    else:
        await x.citizen_posts("warga1", "di Kabupaten Batang", reply_to=x.network.thread(post.id)[-1])
    x.events[:] = x.events[-1:]
    await deliver(hub, x)
    await send(hub, clock)
    replies = [reply for case in cases(hub) for reply in case.replies.values()]
    ours = [text for author, text in [*x.said(post), *x.talk("warga1")] if author == "LaporGub_"]
    assert len(ours) == len(replies), "each once"
    assert {reply.status for reply in replies} == {"sent"}


async def test_who_was_only_found_is_answered_by_a_person(hub: Hub, x: XSimulator, clock: Clock) -> None:
    await x.citizen_posts("warga1", f"laporgub ke mana? {COMPLETE}")
    await poll(hub, clock)
    (case,) = cases(hub)
    await send(hub, clock)
    (reply,) = cases(hub)[0].replies.values()
    assert (reply.status, reply.reason) == ("failed", "by_hand")
    await hub.act(case.id, "answer", {"response": ANSWER}, ADMIN_X)
    await send(hub, clock)
    assert cases(hub)[0].status == "approved", "until a person has said that it is done"
    await hub.act(case.id, "publish", {}, ADMIN_X)
    assert cases(hub)[0].status == "answered"
    assert [post.author.username for post in x.network.posts.values()] == ["warga1"]


async def test_an_answer_of_any_length_goes_out_as_a_thread_and_without_links(
    hub: Hub, x: XSimulator, clock: Clock
) -> None:
    post = await x.citizen_posts("warga1", "@LaporGub_ jalan di Kabupaten Batang rusak sejak kemarin")
    await deliver(hub, x)
    await send(hub, clock)
    (case,) = cases(hub)
    before = len(x.said(post))
    long = " ".join(f"langkah {n} selesai" for n in range(60))
    await hub.act(case.id, "answer", {"response": f"{long}, lihat https://contoh.go.id/jalan"}, ADMIN_X)
    await send(hub, clock)
    parts = [text for _, text in x.said(post)][before:]
    assert len(parts) > 4
    assert [f"({n}/{len(parts)})" in part for n, part in enumerate(parts, 1)] == [True] * len(parts)
    assert sum(x_rules.links(text) for text in parts) == 0
    thread = x.network.thread(post.id)[before:]
    assert all(late.reply_to == early for early, late in zip(thread, thread[1:], strict=False))


@pytest.mark.parametrize("language", ["id", "en"])
def test_what_we_say_by_ourselves_on_x_needs_no_link(language: str) -> None:
    folder = Path(__file__).parents[1] / "profiles" / PROFILE / "templates" / language
    for default in folder.glob("*.txt"):
        name = default.name.split(".")[0]
        text = (
            folder / f"{name}.x.txt" if (folder / f"{name}.x.txt").exists() else folder / f"{name}.txt"
        ).read_text()
        assert "{{ site }}" not in text, f"{name}: X makes a link of the address"
        assert "{{ contact }}" not in text
