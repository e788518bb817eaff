"""The sweep over the Graph API: what a hook missed is found, wherever it was broken off, and it comes to an end."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laporhub.connectors.meta import MetaConfig, MetaConnector
from laporhub.pipeline.connector import Raw
from laporhub.pipeline.errors import RetryLater, StopChannel
from laporhub.pipeline.messages import Inbound
from laporhub.simulators.meta import MetaSimulator, webhook
from laporhub.simulators.meta_answers import Failure
from laporhub.simulators.meta_network import Network, Where
from laporhub.simulators.serving import serving

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
PAGE, HANDLE = "LaporGub", "@laporgub.jtg"
ACCOUNTS: dict[Where, str] = {"facebook": PAGE, "instagram": HANDLE}
on_both = pytest.mark.parametrize("where", ["facebook", "instagram"])


class Time:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def meta(clock: Time) -> MetaSimulator:
    return MetaSimulator(Network("1234", PAGE, "17841", HANDLE, clock, seed=7), "http://127.0.0.1:1/")


@pytest.fixture
async def hub(meta: MetaSimulator, clock: Time) -> AsyncIterator[MetaConnector]:
    async with serving(meta) as url:
        config = MetaConfig.model_validate(meta.settings(url))
        async with aclosing(MetaConnector(config, now=clock)) as made:
            yield made


async def swept(hub: MetaConnector, account: str, cursor: str | None) -> tuple[list[Inbound], str | None]:
    """A whole pass."""
    found: list[Inbound] = []
    for _ in range(200):
        page = await hub.poll(account, cursor)
        found += [item for raw in page.payloads for item in hub.parse(raw) if isinstance(item, Inbound)]
        cursor = page.cursor
        if not page.more:
            return found, cursor
    raise AssertionError("the sweep does not end")


def words(found: list[Inbound]) -> list[str]:
    return sorted(item.text for item in found)


@on_both
async def test_comments_answers_and_messages_are_found_as_the_hook_tells_them(
    meta: MetaSimulator, hub: MetaConnector, where: Where
) -> None:
    comment = await meta.citizen_comments(where, "Warga A", "Jalan rusak")
    mine = meta.network.comment(comment, "Terima kasih")
    await meta.citizen_comments(where, "Warga A", "Di Batang", under=mine)
    await meta.citizen_messages(where, "Warga B", "Air keruh")
    if where == "facebook":
        await meta.visitor_posts("Warga C", "Lampu padam")
    told = [item for event in meta.waiting for item in hub.parse(Raw(webhook([event])))]
    found, _ = await swept(hub, ACCOUNTS[where], None)

    def keys(items: object) -> list[tuple[str, str, str, str | None, str | None]]:
        return sorted(
            (item.external_id, item.author_id, item.text, item.thread, item.reply_to)
            for item in items  # type: ignore[attr-defined]
            if isinstance(item, Inbound)
        )

    assert keys(found) == keys(told)
    assert len(found) == (4 if where == "facebook" else 3)


@on_both
async def test_the_next_pass_brings_only_what_is_new(
    meta: MetaSimulator, hub: MetaConnector, clock: Time, where: Where
) -> None:
    await meta.citizen_comments(where, "Warga A", "lama")
    await meta.citizen_messages(where, "Warga A", "pesan lama")
    clock.now += timedelta(hours=1)
    _, cursor = await swept(hub, ACCOUNTS[where], None)
    clock.now += timedelta(hours=1)
    await meta.citizen_comments(where, "Warga A", "baru")
    await meta.citizen_messages(where, "Warga A", "pesan baru")
    found, cursor = await swept(hub, ACCOUNTS[where], cursor)
    assert words(found) == ["baru", "pesan baru"]
    clock.now += timedelta(hours=1)
    _, cursor = await swept(hub, ACCOUNTS[where], cursor)
    clock.now += timedelta(hours=1)
    quiet = await hub.poll(ACCOUNTS[where], cursor)
    assert quiet.payloads == []


@on_both
async def test_the_first_pass_leaves_old_complaints_alone(
    meta: MetaSimulator, hub: MetaConnector, clock: Time, where: Where
) -> None:
    clock.now = NOW - timedelta(days=8)
    await meta.citizen_comments(where, "Warga A", "bulan lalu")
    clock.now = NOW - timedelta(days=6)
    await meta.citizen_comments(where, "Warga A", "minggu ini")
    clock.now = NOW
    found, _ = await swept(hub, ACCOUNTS[where], None)
    assert words(found) == ["minggu ini"]


@pytest.mark.parametrize("where", ["facebook", "instagram"])
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 999),
    comments=st.integers(0, 140),
    messages=st.integers(0, 60),
    broken=st.integers(0, 9),
)
async def test_wherever_it_is_broken_off_there_is_no_gap(
    where: Where, seed: int, comments: int, messages: int, broken: int
) -> None:
    clock, rng = Time(), random.Random(seed)
    meta = MetaSimulator(Network("1234", PAGE, "17841", HANDLE, clock, seed=seed), "http://127.0.0.1:1/")
    expected = []
    for number in range(comments + messages):
        clock.now += timedelta(seconds=rng.randint(1, 60))
        text, name = f"m{number}", f"Warga {rng.randint(1, 30)}"
        if number < comments:
            tops = [c for c in meta.network.comments if c.where == where and not c.parent]
            under = rng.choice(tops) if tops and rng.random() < 0.3 else None
            if not rng.randint(0, 20):
                meta.network.post(where, "kiriman baru")
            await meta.citizen_comments(where, name, text, under=under)
        else:
            await meta.citizen_messages(where, name, text)
        expected.append(text)
    for _ in range(broken):
        meta.read_failures.append(rng.choice([Failure.broken(), Failure.refused(4), Failure(taken=True)]))
    found: set[str] = set()
    cursor: str | None = None
    async with serving(meta) as url:
        config = MetaConfig.model_validate(meta.settings(url))
        async with aclosing(MetaConnector(config, now=clock)) as hub:
            for _ in range(300):
                with suppress(RetryLater):
                    page = await hub.poll(ACCOUNTS[where], cursor)
                    found |= {
                        i.text for raw in page.payloads for i in hub.parse(raw) if isinstance(i, Inbound)
                    }
                    cursor = page.cursor
                    if not page.more:
                        break
    assert sorted(found) == sorted(expected)


async def test_many_posts_are_read_page_by_page_but_not_for_ever(
    meta: MetaSimulator, hub: MetaConnector, clock: Time
) -> None:
    for day in range(120, 0, -1):
        clock.now = NOW - timedelta(days=day)
        meta.network.post("facebook", f"kiriman {day}")
    clock.now = NOW
    meta.network.comment(meta.network.posts[50], "di kiriman lama", by="Warga A")
    found, _ = await swept(hub, PAGE, None)
    assert words(found) == ["di kiriman lama"]
    assert sum(entry.path.endswith("/feed") for entry in meta.log) == 4, "25 posts a page, 60 days"


async def test_a_post_that_goes_away_in_between_stops_nothing(
    meta: MetaSimulator, hub: MetaConnector, clock: Time
) -> None:
    for number in range(60):
        clock.now += timedelta(seconds=1)
        await meta.citizen_comments("facebook", "Warga A", f"m{number}")
    await meta.citizen_messages("facebook", "Warga B", "pesan")
    first = await hub.poll(PAGE, None)
    meta.network.posts[-1].is_gone = True
    found, _ = await swept(hub, PAGE, first.cursor)
    assert "pesan" in words(found)


async def test_a_platforms_page_that_ran_out_makes_the_pass_begin_again(
    meta: MetaSimulator, hub: MetaConnector
) -> None:
    await meta.citizen_comments("facebook", "Warga A", "Jalan rusak")
    since = (NOW - timedelta(days=1)).isoformat()
    cursor = orjson.dumps(
        {"since": since, "began": NOW.isoformat(), "todo": [["feed", "", "habis"]]}
    ).decode()
    page = await hub.poll(PAGE, cursor)
    assert (page.payloads, page.more) == ([], False)
    found, _ = await swept(hub, PAGE, page.cursor)
    assert words(found) == ["Jalan rusak"]


@pytest.mark.parametrize("cursor", ["", "{", "[]", '{"since": 5, "todo": 1}', '{"todo": [1]}'])
async def test_a_cursor_that_cannot_be_read_begins_anew(
    meta: MetaSimulator, hub: MetaConnector, cursor: str
) -> None:
    await meta.citizen_comments("facebook", "Warga A", "Jalan rusak")
    found, _ = await swept(hub, PAGE, cursor)
    assert words(found) == ["Jalan rusak"]


async def test_a_dead_token_stops_the_sweep_and_a_wrong_page_says_so(
    meta: MetaSimulator, hub: MetaConnector
) -> None:
    meta.read_failures.append(Failure.refused(100))
    with pytest.raises(StopChannel, match="check the ids"):
        await hub.poll(PAGE, None)
    meta.read_failures.append(Failure.refused(200))
    with pytest.raises(StopChannel, match="Advanced Access"):
        await hub.poll(PAGE, None)
    meta.dead.add(meta.token)
    with pytest.raises(StopChannel, match="LAPORHUB_META_PAGE_TOKEN"):
        await hub.poll(PAGE, None)
