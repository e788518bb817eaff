"""Answering and asking X with tweepy, against the simulated one on the loopback interface."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from laporhub.connectors.x import XConfig, XConnector
from laporhub.pipeline.connector import BY_HAND, Failed, Outgoing, Sent, Unknown
from laporhub.pipeline.errors import RetryLater, StopChannel
from laporhub.pipeline.messages import Inbound
from laporhub.simulators.x import XSimulator
from laporhub.simulators.x_answers import Failure

NOW = datetime(2026, 10, 30, 2, 0, tzinfo=UTC)
ACCOUNT = "@LaporGub_"


class Time:
    """A clock that tests turn."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
async def x(clock: Time) -> AsyncIterator[XSimulator]:
    simulator = XSimulator(ACCOUNT, "http://127.0.0.1:1/hooks/x", clock)
    yield simulator
    await simulator.aclose()


@pytest.fixture
async def connector(x: XSimulator, clock: Time) -> AsyncIterator[XConnector]:
    async with x.running() as (_, told):
        connector = XConnector(XConfig.model_validate(told), clock)
        yield connector
        await connector.aclose()


@asynccontextmanager
async def speaking(x: XSimulator, clock: Time, more: Mapping[str, object]) -> AsyncIterator[XConnector]:
    """Another connector to the same account, told something else."""
    async with x.running() as (_, told):
        connector = XConnector(XConfig.model_validate({**told, **more}), clock)
        yield connector
        await connector.aclose()


async def called(x: XSimulator, text: str = "@LaporGub_ jalan rusak") -> Outgoing:
    """Somebody mentions us: the answer to it."""
    post = await x.citizen_posts("warga1", text, push=False)
    return Outgoing(
        "r-1", 0, post.author.id, ACCOUNT, "Laporan Anda kami terima: LG-1.", NOW, NOW, f"post:{post.id}"
    )


async def written(x: XSimulator) -> Outgoing:
    """Somebody writes directly: the answer to it."""
    await x.citizen_messages("warga1", "jalan rusak", push=False)
    to = x.network.person("warga1").id
    return Outgoing("r-1", 0, to, ACCOUNT, "Laporan Anda kami terima: LG-1.", NOW, NOW, "dm")


async def polled(
    connector: XConnector, cursor: str | None = None, pages: int = 99
) -> tuple[list[str], str | None]:
    """What is polled until there is no more, as external ids, and the cursor after it."""
    found: list[str] = []
    for _ in range(pages):
        page = await connector.poll(ACCOUNT, cursor)
        found += [
            each.external_id
            for raw in page.payloads
            for each in connector.parse(raw)
            if isinstance(each, Inbound)
        ]
        cursor = page.cursor
        if not page.more:
            break
    return found, cursor


# ── answering ──


async def test_an_answer_stands_below_the_post(x: XSimulator, connector: XConnector) -> None:
    reply = await called(x)
    outcome = await connector.publish(reply)
    assert isinstance(outcome, Sent)
    assert x.network.posts[outcome.platform_id].text == "@warga1 Laporan Anda kami terima: LG-1."
    assert x.network.posts[outcome.platform_id].reply_to is not None
    assert x.log[-1].body["reply"] == {"in_reply_to_tweet_id": reply.reply_to.removeprefix("post:")}  # type: ignore[union-attr]


async def test_each_part_of_a_long_answer_stands_below_the_one_before(
    x: XSimulator, connector: XConnector
) -> None:
    reply = await called(x)
    parts = connector.split_for(
        "Kami sudah memeriksa lokasi 🙏 dan akan memperbaikinya. " * 20, reply.account, reply.reply_to
    )
    assert len(parts) > 3
    previous = None
    for number, part in enumerate(parts):
        outcome = await connector.publish(replace(reply, part=number, text=part, previous=previous))
        assert isinstance(outcome, Sent)
        post = x.network.posts[outcome.platform_id]
        assert post.reply_to is not None
        assert previous in (None, post.reply_to.id)
        previous = outcome.platform_id


async def test_a_direct_message_is_answered_directly(x: XSimulator, connector: XConnector) -> None:
    reply = await written(x)
    assert isinstance(await connector.publish(reply), Sent)
    assert x.talk("warga1") == [("warga1", "jalan rusak"), ("LaporGub_", reply.text)]
    assert x.network.posts == {}


async def test_who_did_not_call_us_is_left_to_a_person_unasked(x: XSimulator, connector: XConnector) -> None:
    post = await x.citizen_posts("warga1", "jalan di Batang rusak", push=False)
    reply = replace(await called(x), reply_to=f"found:{post.id}")
    assert await connector.publish(reply) == Failed(BY_HAND)
    assert await connector.look_up(reply, frozenset()) is None
    assert x.log == []


async def test_a_post_that_x_does_not_let_us_answer_is_left_to_a_person(
    x: XSimulator, connector: XConnector
) -> None:
    post = await x.citizen_posts("warga1", "jalan di Batang rusak", push=False)
    assert await connector.publish(replace(await called(x), reply_to=f"post:{post.id}")) == Failed(BY_HAND)


async def test_a_post_that_is_gone_cannot_be_answered(x: XSimulator, connector: XConnector) -> None:
    reply = await called(x)
    for post in x.network.posts.values():
        post.deleted = True
    assert await connector.publish(reply) == Failed("gone")


async def test_the_same_words_again_are_found_where_they_stand(x: XSimulator, connector: XConnector) -> None:
    reply = await called(x)
    first = await connector.publish(reply)
    assert await connector.publish(reply) == first
    elsewhere = await called(x, "@LaporGub_ yang lain")
    assert await connector.publish(elsewhere) == Failed("duplicate")


async def test_no_credits_stop_the_channel_and_say_so(x: XSimulator, connector: XConnector) -> None:
    reply, x.credits = await called(x), 0
    with pytest.raises(StopChannel, match="credits"):
        await connector.publish(reply)
    with pytest.raises(StopChannel, match="credits"):
        await connector.poll(ACCOUNT, None)
    health = await connector.check(ACCOUNT)
    assert not health.ok
    assert "buy" in health.reason


async def test_a_suspended_account_stops_the_channel(x: XSimulator, connector: XConnector) -> None:
    reply, x.suspended = await called(x), True
    with pytest.raises(StopChannel, match="suspended"):
        await connector.publish(reply)


async def test_refused_tokens_stop_the_channel(x: XSimulator, clock: Time) -> None:
    async with speaking(x, clock, {"access_token_secret": "salah"}) as wrong:
        with pytest.raises(StopChannel, match="401"):
            await wrong.publish(await called(x))
        assert not (await wrong.check(ACCOUNT)).ok


async def test_an_app_without_the_rights_says_which(x: XSimulator, connector: XConnector) -> None:
    detail = (
        "Your client app is not configured with the appropriate oauth1 app permissions for this endpoint."
    )
    x.failures.append(Failure(status=403, detail=detail))
    with pytest.raises(StopChannel, match="read, write and direct messages"):
        await connector.publish(await called(x))


async def test_a_limit_is_waited_for_as_long_as_x_says(
    x: XSimulator, connector: XConnector, clock: Time
) -> None:
    reply = await written(x)
    for number in range(15):
        assert isinstance(await connector.publish(replace(reply, text=f"kabar {number}")), Sent)
    clock.now = NOW + timedelta(minutes=5)
    with pytest.raises(RetryLater) as caught:
        await connector.publish(replace(reply, text="satu lagi"))
    assert caught.value.after == pytest.approx(601, abs=1)
    clock.now = NOW + timedelta(minutes=16)
    assert isinstance(await connector.publish(replace(reply, text="satu lagi")), Sent)


async def test_busy_without_a_hint_is_left_to_the_hub(x: XSimulator, connector: XConnector) -> None:
    x.failures.append(Failure(status=429, detail="Too Many Requests", with_reset=False))
    with pytest.raises(RetryLater) as caught:
        await connector.publish(await called(x))
    assert caught.value.after is None


@pytest.mark.parametrize("direct", [True, False])
@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("failure", ["broken", "drop"])
async def test_an_unknown_outcome_is_looked_up_and_never_said_twice(
    x: XSimulator, connector: XConnector, failure: str, taken: bool, direct: bool
) -> None:
    reply = await written(x) if direct else await called(x)
    x.failures.append(Failure.broken(taken=taken) if failure == "broken" else Failure.drop(taken=taken))
    assert isinstance(await connector.publish(reply), Unknown)
    found = await connector.look_up(reply, frozenset())
    assert (found is not None) == taken
    if found is None:
        assert isinstance(await connector.publish(reply), Sent)
    office = x.network.office
    said = [each for each in x.network.posts.values() if each.author == office]
    assert len(said) + len([each for each in x.network.dms if each.sender == office]) == 1


async def test_no_answer_in_time_is_an_unknown_outcome(x: XSimulator, clock: Time) -> None:
    gate, reply = asyncio.Event(), await called(x)
    x.failures.append(Failure.slow(gate))
    async with speaking(x, clock, {"timeout": 0.2}) as hasty:
        assert isinstance(await hasty.publish(reply), Unknown)
        gate.set()
        assert isinstance(await hasty.look_up(reply, frozenset()), Sent)


async def test_what_never_left_can_be_said_later(x: XSimulator, clock: Time) -> None:
    told = {**x.settings("http://127.0.0.1:1")}
    async with aclosing(XConnector(XConfig.model_validate(told), clock)) as cut_off:
        for ask in (cut_off.publish(await called(x)), cut_off.look_up(await called(x), frozenset())):
            with pytest.raises(RetryLater):
                await ask


async def test_other_words_other_places_and_other_replies_are_not_ours(
    x: XSimulator, connector: XConnector, clock: Time
) -> None:
    reply = await called(x)
    clock.now = NOW - timedelta(hours=1)
    x.network.post(
        x.network.office, reply.text, x.network.posts[(reply.reply_to or "").removeprefix("post:")]
    )
    clock.now = NOW
    x.network.post(x.network.office, reply.text)
    x.network.post(
        x.network.office, "Yang lain.", x.network.posts[(reply.reply_to or "").removeprefix("post:")]
    )
    assert await connector.look_up(reply, frozenset()) is None
    mine = x.network.post(
        x.network.office, reply.text, x.network.posts[(reply.reply_to or "").removeprefix("post:")]
    )
    assert await connector.look_up(reply, frozenset({mine.id})) is None
    assert await connector.look_up(reply, frozenset()) == Sent(mine.id)


@pytest.mark.parametrize("content", [["x"], "x", {"errors": None}, {"errors": [1]}, 7])
async def test_an_odd_refusal_is_no_accident_of_ours(
    x: XSimulator, connector: XConnector, content: object
) -> None:
    """tweepy's own errors break on most of these."""
    x.failures.append(Failure(status=404, content=content))
    assert await connector.publish(await called(x)) == Failed("x_error (404)")
    x.failures.append(Failure(status=200, content=content))
    assert isinstance(await connector.publish(await called(x)), Unknown)


# ── being asked ──


async def test_all_that_a_hook_missed_is_polled_and_then_only_what_is_new(
    x: XSimulator, connector: XConnector, clock: Time
) -> None:
    posts = [(await x.citizen_posts("warga1", f"@LaporGub_ jalan {n}", push=False)).id for n in range(230)]
    dms = [await x.citizen_messages("warga2", f"halo {n}", push=False) for n in range(3)]
    found, cursor = await polled(connector)
    assert sorted(found) == sorted(posts + dms)
    assert await polled(connector, cursor) == ([], cursor)
    clock.now = NOW + timedelta(minutes=2)
    late = [(await x.citizen_posts("warga1", "@LaporGub_ lagi", push=False)).id]
    late.append(await x.citizen_messages("warga3", "halo lagi", push=False))
    found, cursor = await polled(connector, cursor)
    assert found == late
    assert x.log[-1].query["max_results"] == "20", (
        "messages are charged for again each time: only a few are read"
    )


async def test_broken_off_between_pages_nothing_is_left_out(
    x: XSimulator, connector: XConnector, clock: Time
) -> None:
    posts = [(await x.citizen_posts("warga1", f"@LaporGub_ jalan {n}", push=False)).id for n in range(250)]
    found, cursor = await polled(connector, pages=1)
    assert len(found) == 100
    clock.now = NOW + timedelta(minutes=2)
    late = (await x.citizen_posts("warga1", "@LaporGub_ lagi", push=False)).id
    more, cursor = await polled(connector, cursor)
    last, _ = await polled(connector, cursor)
    assert sorted({*found, *more, *last}) == sorted([*posts, late])


async def test_a_page_that_x_has_forgotten_is_begun_anew(x: XSimulator, connector: XConnector) -> None:
    post = await x.citizen_posts("warga1", "@LaporGub_ jalan", push=False)
    stale = orjson.dumps(
        {"turn": "mentions", "feeds": {"mentions": {"next": "lama", "newest": "5"}}}
    ).decode()
    assert (await polled(connector, stale))[0] == [post.id]


@pytest.mark.parametrize(
    "cursor", ["{}", "bukan", '{"feeds": {"mentions": {"seen": "x"}}}', '{"turn": "lain"}']
)
async def test_a_cursor_nobody_can_read_begins_at_the_beginning(
    x: XSimulator, connector: XConnector, cursor: str
) -> None:
    post = await x.citizen_posts("warga1", "@LaporGub_ jalan", push=False)
    assert (await polled(connector, cursor))[0] == [post.id]


async def test_a_limit_on_messages_does_not_hold_up_mentions(
    x: XSimulator, connector: XConnector, clock: Time
) -> None:
    cursor = None
    for _ in range(15):
        _, cursor = await polled(connector, cursor)
    for _ in range(2):
        post = await x.citizen_posts("warga1", "@LaporGub_ jalan", push=False)
        name = await x.citizen_messages("warga1", "halo", push=False)
        found, cursor = await polled(connector, cursor)
        assert found == [post.id]
    assert len([each for each in x.log if each.status == 429]) == 1, "it is not asked again before its time"
    clock.now = NOW + timedelta(minutes=16)
    assert name in (await polled(connector, cursor))[0]


async def test_what_a_search_finds_is_left_to_a_person(x: XSimulator, clock: Time) -> None:
    await x.citizen_posts("warga1", "laporgub tolong jalan rusak", push=False)
    async with speaking(x, clock, {"search": "laporgub"}) as seeking:
        page, cursor = None, None
        while page is None or page.more:
            page = await seeking.poll(ACCOUNT, cursor)
            cursor = page.cursor
        ((found,),) = [seeking.parse(raw) for raw in page.payloads]
        assert isinstance(found, Inbound)
        assert found.reply_to == f"found:{found.external_id}"
        assert (await polled(seeking, cursor))[0] == []


async def test_how_the_account_stands_is_told_with_its_limits(
    x: XSimulator, connector: XConnector, clock: Time
) -> None:
    mentions = "GET /2/users/:id/mentions"
    health = await connector.check(ACCOUNT)
    assert health.ok
    assert health.facts == {mentions: "299/300 → 02:15 UTC"}
    assert health.left == {mentions: pytest.approx(299 / 300)}
    clock.now = NOW + timedelta(minutes=16)
    x.failures.append(Failure.drop(taken=False))
    with pytest.raises(RetryLater):
        await connector.check(ACCOUNT)
    assert connector._health().left == {mentions: 1.0}, "it began anew"
