"""Answering on Facebook and Instagram, against the simulated Graph API on the loopback interface."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from laporhub.connectors.meta import MetaConnector, connector
from laporhub.connectors.parts import octets
from laporhub.pipeline.connector import ALREADY, BY_HAND, Failed, Outgoing, Raw, Sent, Unknown
from laporhub.pipeline.errors import RetryLater, StopChannel
from laporhub.pipeline.messages import Inbound
from laporhub.simulators.meta import MetaSimulator, webhook
from laporhub.simulators.meta_answers import Failure
from laporhub.simulators.meta_network import Network, Said, Where
from laporhub.simulators.serving import serving

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
PAGE, HANDLE = "LaporGub", "@laporgub.jtg"
BOTH: tuple[Where, ...] = ("facebook", "instagram")
on_both = pytest.mark.parametrize("where", BOTH)


class Time:
    """A clock that tests turn."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
async def meta(clock: Time) -> AsyncIterator[MetaSimulator]:
    network = Network("1234", PAGE, "17841", HANDLE, clock, seed=7)
    simulator = MetaSimulator(network, "http://127.0.0.1:1/hooks/meta")
    yield simulator
    await simulator.aclose()


@asynccontextmanager
async def told(meta: MetaSimulator, url: str, **settings: str) -> AsyncIterator[MetaConnector]:
    async with aclosing(connector(meta.settings(url) | settings)) as made:
        yield made


@pytest.fixture
async def hub(meta: MetaSimulator) -> AsyncIterator[MetaConnector]:
    async with serving(meta) as url, told(meta, url) as made:
        yield made


def parsed(hub: MetaConnector, meta: MetaSimulator) -> Inbound:
    """The latest thing that the webhook tells of."""
    [inbound] = hub.parse(Raw(webhook([meta.waiting[-1]])))
    assert isinstance(inbound, Inbound)
    return inbound


def answer_to(inbound: Inbound, text: str = "Laporan Anda kami terima 🙏", **more: object) -> Outgoing:
    assert inbound.account is not None
    assert inbound.sent_at is not None
    made = Outgoing(
        "r-1", 0, inbound.author_id, inbound.account, text, inbound.sent_at, inbound.sent_at, inbound.reply_to
    )
    return replace(made, **more)  # type: ignore[arg-type]


async def a_comment(hub: MetaConnector, meta: MetaSimulator, where: Where = "facebook") -> Inbound:
    await meta.citizen_comments(where, "Warga Contoh", "Jalan rusak")
    return parsed(hub, meta)


async def a_message(hub: MetaConnector, meta: MetaSimulator, where: Where = "facebook") -> Inbound:
    await meta.citizen_messages(where, "Warga Contoh", "Jalan rusak")
    return parsed(hub, meta)


def ours(meta: MetaSimulator) -> list[Said]:
    """What we said, newest first."""
    mine = (meta.network.page_id, meta.network.instagram_id)
    return [each for each in (*meta.network.comments, *meta.network.directs) if each.author in mine]


# ── where it is said ──


@on_both
async def test_a_comment_is_answered_under_it(meta: MetaSimulator, hub: MetaConnector, where: Where) -> None:
    inbound = await a_comment(hub, meta, where)
    assert hub.is_public(inbound.reply_to)
    outcome = await hub.publish(answer_to(inbound))
    [said] = ours(meta)
    assert outcome == Sent(said.id)
    assert (said.parent, said.text) == (inbound.external_id, "Laporan Anda kami terima 🙏")


@on_both
async def test_an_answer_to_an_answer_stays_in_the_thread(
    meta: MetaSimulator, hub: MetaConnector, where: Where
) -> None:
    first = await a_comment(hub, meta, where)
    await hub.publish(answer_to(first))
    await meta.citizen_comments(where, "Warga Contoh", "Di Batang", under=ours(meta)[0])
    second = parsed(hub, meta)
    assert second.thread == first.thread
    await hub.publish(answer_to(second, "Terima kasih."))
    assert ours(meta)[0].parent == first.external_id


@on_both
async def test_a_direct_message_is_answered_privately(
    meta: MetaSimulator, hub: MetaConnector, where: Where
) -> None:
    inbound = await a_message(hub, meta, where)
    assert not hub.is_public(inbound.reply_to)
    outcome = await hub.publish(answer_to(inbound))
    [said] = ours(meta)
    assert outcome == Sent(said.id)
    assert (said.where, said.citizen, said.tag) == (where, inbound.author_id, "")


@on_both
async def test_a_comment_is_answered_in_private_once_within_a_week(
    meta: MetaSimulator, hub: MetaConnector, where: Where
) -> None:
    inbound = await a_comment(hub, meta, where)
    place = hub.privately(inbound.reply_to, NOW, NOW + timedelta(days=7))
    assert place is not None and not hub.is_public(place)
    outgoing = answer_to(inbound, reply_to=place)
    assert await hub.look_up(outgoing, frozenset()) is None
    outcome = await hub.publish(outgoing)
    [said] = ours(meta)
    assert outcome == Sent(said.id) == await hub.look_up(outgoing, frozenset())
    assert said.citizen == inbound.author_id
    assert await hub.publish(outgoing) == Failed(ALREADY)
    assert len(ours(meta)) == 1
    assert hub.privately(inbound.reply_to, NOW, NOW + timedelta(days=7, seconds=1)) is None


@pytest.mark.parametrize("reply_to", ["dm", None, "hand", "mention:9_9"])
def test_what_is_private_already_or_elsewhere_takes_no_private_answer(reply_to: str | None) -> None:
    assert MetaConnector().privately(reply_to, NOW, NOW) is None


async def test_a_visitors_post_is_answered_under_it(meta: MetaSimulator, hub: MetaConnector) -> None:
    await meta.visitor_posts("Warga Contoh", "Lampu jalan padam")
    inbound = parsed(hub, meta)
    assert isinstance(await hub.publish(answer_to(inbound)), Sent)
    assert ours(meta)[0].post == inbound.external_id


async def test_what_only_a_person_can_answer_is_not_tried(meta: MetaSimulator, hub: MetaConnector) -> None:
    inbound = await a_comment(hub, meta)
    assert await hub.publish(answer_to(inbound, reply_to="hand")) == Failed(BY_HAND)
    meta.failures.append(Failure.refused(10))
    assert await hub.publish(answer_to(inbound, reply_to="mention:9_9")) == Failed(BY_HAND)
    assert [entry.path for entry in meta.log] == ["/v25.0/9_9/comments"]


@on_both
async def test_every_part_of_a_long_answer_is_taken(
    meta: MetaSimulator, hub: MetaConnector, where: Where
) -> None:
    text = "Kami sudah memeriksa lokasi 🙏 dan akan memperbaikinya. " * 160
    for inbound in (await a_comment(hub, meta, where), await a_message(hub, meta, where)):
        parts = hub.split_for(text, str(inbound.account), inbound.reply_to)
        for number, part in enumerate(parts):
            assert isinstance(await hub.publish(answer_to(inbound, part, part=number)), Sent)
    shared = {said.text for said in ours(meta)}
    assert len(shared) > 2
    assert sum(text.count("memeriksa") for text in shared) == 320


def test_the_limit_is_that_of_the_place() -> None:
    told = {"app_secret": "s", "verify_token": "v", "page_token": "t"}
    pages = {"page_id": "1", "facebook_account": PAGE, "instagram_id": "2", "instagram_account": HANDLE}
    hub = connector(told | pages)
    text = "é" * 1900
    assert [len(hub.split_for(text, PAGE, place)) for place in ("comment:1_2", "dm")] == [1, 1]
    assert [len(hub.split_for(text, HANDLE, place)) for place in ("comment:3", "dm")] == [1, 4]
    assert all(octets(part) <= 1000 for part in hub.split(text))


# ── the windows ──


@on_both
async def test_within_a_day_anybody_within_a_week_a_person_may_answer(
    meta: MetaSimulator, hub: MetaConnector, clock: Time, where: Where
) -> None:
    inbound = await a_message(hub, meta, where)
    for hours, human, expected in (
        (24, False, ""),
        (24.1, False, None),
        (24.1, True, "HUMAN_AGENT"),
        (24 * 7, True, "HUMAN_AGENT"),
        (24 * 7 + 0.1, True, None),
    ):
        clock.now = NOW + timedelta(hours=hours)
        asked = len(meta.log)
        outcome = await hub.publish(answer_to(inbound, attempted_at=clock.now, human=human))
        if expected is None:
            assert outcome == Failed("window_closed")
            assert len(meta.log) == asked, "a closed window is not even tried"
        else:
            assert isinstance(outcome, Sent)
            assert ours(meta)[0].tag == expected


async def test_comments_know_no_window(meta: MetaSimulator, hub: MetaConnector, clock: Time) -> None:
    inbound = await a_comment(hub, meta)
    clock.forward(days=30)
    assert isinstance(await hub.publish(answer_to(inbound, attempted_at=clock.now)), Sent)


@on_both
async def test_the_platform_is_the_judge_where_we_do_not_know(
    meta: MetaSimulator, hub: MetaConnector, clock: Time, where: Where
) -> None:
    inbound = await a_message(hub, meta, where)
    clock.forward(days=2)
    unknown = answer_to(inbound, last_inbound_at=None, attempted_at=clock.now)
    assert await hub.publish(unknown) == Failed("window_closed")


async def test_an_app_that_may_not_answer_later_does_not_stop_the_channel(
    meta: MetaSimulator, hub: MetaConnector, clock: Time
) -> None:
    inbound = await a_message(hub, meta)
    clock.forward(days=2)
    meta.failures.append(Failure.refused(200))
    late = answer_to(inbound, attempted_at=clock.now, human=True)
    assert await hub.publish(late) == Failed("window_closed")


# ── refusals ──


@pytest.mark.parametrize(
    ("code", "subcode", "expected"),
    [
        (10, 2018278, "window_closed"),
        (10, 2534022, "window_closed"),
        (551, 1545041, "unreachable (551)"),
        (200, 1545041, "unreachable (200)"),
        (100, 33, "gone (100)"),
        (100, 0, "refused (100)"),
        (368, 0, "filtered (368)"),
        (506, 0, "duplicate (506)"),
        (9999, 0, "meta_error (9999)"),
    ],
)
async def test_a_refusal_for_good_says_why(
    meta: MetaSimulator, hub: MetaConnector, code: int, subcode: int, expected: str
) -> None:
    inbound = await a_message(hub, meta)
    meta.failures.append(Failure.refused(code, subcode))
    assert await hub.publish(answer_to(inbound)) == Failed(expected)


@pytest.mark.parametrize("code", [4, 17, 32, 613, 80006])
@pytest.mark.parametrize("minutes", [None, 7])
async def test_a_busy_platform_is_left_alone_for_a_while(
    meta: MetaSimulator, hub: MetaConnector, code: int, minutes: int | None
) -> None:
    inbound = await a_comment(hub, meta)
    meta.failures.append(Failure.refused(code, minutes=minutes))
    with pytest.raises(RetryLater) as caught:
        await hub.publish(answer_to(inbound))
    assert caught.value.after == (None if minutes is None else 420)


@pytest.mark.parametrize(("code", "subcode"), [(190, 460), (10, 1893063), (200, 0), (10, 0), (3, 0)])
async def test_what_concerns_the_account_stops_the_channel(
    meta: MetaSimulator, hub: MetaConnector, code: int, subcode: int
) -> None:
    inbound = await a_comment(hub, meta)
    meta.failures.append(Failure.refused(code, subcode))
    with pytest.raises(StopChannel):
        await hub.publish(answer_to(inbound))


async def test_a_dead_token_says_what_to_do(meta: MetaSimulator, hub: MetaConnector) -> None:
    inbound = await a_comment(hub, meta)
    meta.dead.add(meta.token)
    with pytest.raises(StopChannel, match="LAPORHUB_META_PAGE_TOKEN"):
        await hub.publish(answer_to(inbound))
    with pytest.raises(StopChannel):
        await hub.look_up(answer_to(inbound), frozenset())
    health = await hub.check(PAGE)
    assert not health.ok
    assert "LAPORHUB_META_PAGE_TOKEN" in health.reason


async def test_an_account_that_is_not_configured(meta: MetaSimulator) -> None:
    async with serving(meta) as url, told(meta, url, instagram_id="") as hub:
        with pytest.raises(StopChannel):
            await hub.publish(Outgoing("r", 0, "9", HANDLE, "Halo", NOW, NOW, "dm"))
        assert (await hub.check(HANDLE)).reason.startswith("not configured: set LAPORHUB_META_INSTAGRAM_ID")
        assert (await hub.poll(HANDLE, None)).payloads == []


async def test_a_citizen_who_cannot_be_reached(meta: MetaSimulator, hub: MetaConnector) -> None:
    inbound = await a_message(hub, meta)
    meta.network.unreachable.add(inbound.author_id)
    assert await hub.publish(answer_to(inbound)) == Failed("unreachable (551)")


async def test_a_comment_that_was_taken_back(meta: MetaSimulator, hub: MetaConnector) -> None:
    inbound = await a_comment(hub, meta)
    meta.network.comments[0].is_gone = True
    assert await hub.publish(answer_to(inbound)) == Failed("gone (100)")
    assert await hub.look_up(answer_to(inbound), frozenset()) is None


# ── outcomes that nobody knows ──


def failing(how: str, *, taken: bool) -> Failure:
    return {
        "page": Failure.broken(taken=taken),
        "drop": Failure.drop(taken=taken),
        "2": replace(Failure.refused(2, status=500), taken=False),
    }[how]


@on_both
@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("how", ["page", "drop"])
@pytest.mark.parametrize("kind", ["comment", "message", "answer"])
async def test_an_unknown_outcome_is_looked_up_and_never_posted_twice(
    meta: MetaSimulator, hub: MetaConnector, how: str, taken: bool, kind: str, where: Where
) -> None:
    inbound = await (a_message if kind == "message" else a_comment)(hub, meta, where)
    if kind == "answer":  # the citizen writes on under an earlier answer of ours
        meta.network.comment(meta.network.comments[0], "Sebelumnya.")
        await meta.citizen_comments(where, "Warga Lain", "Sama", under=meta.network.comments[0])
        inbound = parsed(hub, meta)
    before = len(ours(meta))
    meta.failures.append(failing(how, taken=taken))
    outgoing = answer_to(inbound)
    assert isinstance(await hub.publish(outgoing), Unknown)
    found = await hub.look_up(outgoing, frozenset())
    assert (found is not None) == taken
    if found is None:
        found = await hub.publish(outgoing)  # type: ignore[assignment]
    assert found == Sent(ours(meta)[0].id)
    assert len(ours(meta)) == before + 1


async def test_a_passing_error_is_looked_up_too(meta: MetaSimulator, hub: MetaConnector) -> None:
    inbound = await a_comment(hub, meta)
    meta.failures.append(failing("2", taken=False))
    assert isinstance(await hub.publish(answer_to(inbound)), Unknown)


async def test_no_answer_in_time_is_an_unknown_outcome(meta: MetaSimulator, hub: MetaConnector) -> None:
    gate = asyncio.Event()
    inbound = await a_comment(hub, meta)
    async with serving(meta) as url, told(meta, url, timeout="0.3") as hasty:
        meta.failures.append(Failure.slow(gate))
        assert isinstance(await hasty.publish(answer_to(inbound)), Unknown)
        gate.set()
    assert await hub.look_up(answer_to(inbound), frozenset()) == Sent(ours(meta)[0].id)


@pytest.mark.parametrize("kind", ["comment", "message"])
async def test_only_our_own_new_words_are_taken_for_ours(
    meta: MetaSimulator, hub: MetaConnector, clock: Time, kind: str
) -> None:
    inbound = await (a_comment if kind == "comment" else a_message)(hub, meta)
    old = await hub.publish(answer_to(inbound))
    assert isinstance(old, Sent)
    clock.forward(hours=1)
    outgoing = answer_to(inbound, attempted_at=clock.now)
    if kind == "comment":
        await meta.citizen_comments("facebook", "Warga", outgoing.text, under=meta.network.comments[-1])
    else:
        await meta.citizen_messages("facebook", "Warga Contoh", outgoing.text)
    assert await hub.look_up(outgoing, frozenset()) is None
    first, second = await hub.publish(outgoing), await hub.publish(outgoing)
    assert isinstance(first, Sent)
    assert await hub.look_up(outgoing, frozenset({first.platform_id})) == second


async def test_a_lookup_reads_beyond_the_first_page(
    meta: MetaSimulator, hub: MetaConnector, clock: Time
) -> None:
    inbound = await a_comment(hub, meta)
    wanted = await hub.publish(answer_to(inbound))
    on = meta.network.find(inbound.external_id)
    assert on is not None
    for number in range(150):
        clock.forward(seconds=1)
        meta.network.comment(on, f"lain {number}")
    assert await hub.look_up(answer_to(inbound), frozenset()) == wanted


async def test_what_never_left_is_tried_again(meta: MetaSimulator) -> None:
    async with told(meta, "http://127.0.0.1:1") as hub:
        inbound = await a_comment(hub, meta)
        for call in (
            hub.publish(answer_to(inbound)),
            hub.look_up(answer_to(inbound), frozenset()),
            hub.check(PAGE),
        ):
            with pytest.raises(RetryLater) as caught:
                await call
            assert meta.token not in str(caught.value)


async def test_reading_that_fails_is_done_later(meta: MetaSimulator, hub: MetaConnector) -> None:
    inbound = await a_comment(hub, meta)
    for failure in (
        Failure.broken(),
        Failure.drop(taken=False),
        Failure.refused(2),
        Failure.broken(status=404),
    ):
        meta.read_failures.append(failure)
        with pytest.raises(RetryLater):
            await hub.look_up(answer_to(inbound), frozenset())


# ── manners ──


async def test_the_token_is_in_no_address_and_the_secret_is_proved(
    meta: MetaSimulator, hub: MetaConnector
) -> None:
    inbound = await a_comment(hub, meta)
    await hub.publish(answer_to(inbound))
    await hub.look_up(answer_to(inbound), frozenset())
    assert all("access_token" not in entry.form for entry in meta.log)
    assert all(entry.form["appsecret_proof"] for entry in meta.log)


async def test_the_library_is_made_to_ask_for_a_version_that_lives(meta: MetaSimulator) -> None:
    async with serving(meta) as url, told(meta, url, graph_version="v18.0") as hub:
        inbound = await a_comment(hub, meta)
        assert await hub.publish(answer_to(inbound)) == Failed("meta_error (2635)")


async def test_the_sweep_rests_before_replies_do_and_both_before_the_limit(
    meta: MetaSimulator, hub: MetaConnector, clock: Time
) -> None:
    inbound = await a_comment(hub, meta)
    meta.calls_an_hour = 20
    meta.network.clock()
    sent = 0
    while sent < 15:
        assert isinstance(await hub.publish(answer_to(inbound, f"Bagian {sent}")), Sent)
        sent += 1
    with pytest.raises(RetryLater, match="rate limit"):
        await hub.poll(PAGE, None)
    with pytest.raises(RetryLater, match="rate limit"):
        while True:
            await hub.publish(answer_to(inbound, f"Bagian {sent}"))
            sent += 1
    assert 15 < sent < 20
    assert all(entry.status == 200 for entry in meta.log)


async def test_a_refusal_is_logged_with_metas_trace_and_without_words(
    meta: MetaSimulator, hub: MetaConnector
) -> None:
    inbound = await a_comment(hub, meta)
    meta.failures.append(Failure.refused(368))
    with structlog.testing.capture_logs() as logs:
        await hub.publish(answer_to(inbound))
    [entry] = logs
    assert entry["fbtrace_id"].startswith("A")
    assert "Laporan" not in str(entry)
    assert meta.token not in str(entry)


async def test_health_tells_when_the_token_ends(meta: MetaSimulator) -> None:
    async with serving(meta) as url, told(meta, url, app_id="123") as hub:
        health = await hub.check(PAGE)
        assert (health.ok, health.expires_at) == (True, datetime(2030, 1, 1, tzinfo=UTC))
        assert health.facts == {"rate_limit_used": "1 %"}
        assert health.left == {"rate": 0.99}


@pytest.mark.parametrize(
    ("reply_to", "hours", "state"),
    [("dm", 23, "open"), ("dm", 25, "human"), ("dm", 24 * 7 + 1, "closed"), ("comment:1_2", 1000, "open")],
)
def test_staff_is_told_beforehand_what_meta_takes(reply_to: str, hours: int, state: str) -> None:
    now = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
    assert MetaConnector().window("", reply_to, now - timedelta(hours=hours), now).state == state
