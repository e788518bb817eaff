"""The simulated X keeps X's rules, or tests against it would prove nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import requests
from requests_oauthlib import OAuth1
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from laporhub.connectors.x import XConfig, XConnector
from laporhub.hub.simulated import SIMULATORS
from laporhub.pipeline.connector import Parsed, Raw, Withdrawn
from laporhub.pipeline.errors import Forged
from laporhub.pipeline.messages import Inbound
from laporhub.pipeline.profile.load import load
from laporhub.simulators import x_rules
from laporhub.simulators.citizens import DemoComplaint
from laporhub.simulators.serving import serving
from laporhub.simulators.x import Keys, XSimulator
from laporhub.simulators.x_answers import Failure

NOW = datetime(2026, 10, 30, 2, 0, tzinfo=UTC)
ACCOUNT = "@LaporGub_"
KEYS = Keys()
AUTH = OAuth1(KEYS.consumer_key, KEYS.consumer_secret, KEYS.access_token, KEYS.access_token_secret)


class Time:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


class Hub:
    """The receiving end: verifies and parses with the real connector, and remembers."""

    def __init__(self) -> None:
        told = XSimulator(ACCOUNT, "", datetime.now, KEYS).settings("http://127.0.0.1:1")
        self.connector = XConnector(XConfig.model_validate(told))
        self.items: list[Parsed] = []
        self.app = Starlette(
            routes=[Route("/hooks/x", self.hook, methods=["POST"]), Route("/hooks/x", self.greet)]
        )

    async def hook(self, request: Request) -> Response:
        try:
            self.connector.verify(Raw(await request.body(), headers=dict(request.headers)))
        except Forged:
            return Response(status_code=403)
        self.items += self.connector.parse(Raw(await request.body()))
        return Response()

    async def greet(self, request: Request) -> Response:
        said = self.connector.greet(dict(request.query_params))
        return Response(said.body, media_type=said.content_type)


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
async def x(hub: Hub, clock: Time) -> AsyncIterator[XSimulator]:
    async with serving(hub.app) as url:
        simulator = XSimulator(ACCOUNT, f"{url}/hooks/x", clock, KEYS)
        yield simulator
        await simulator.aclose()


@pytest.fixture
async def url(x: XSimulator) -> AsyncIterator[str]:
    async with x.running() as (address, _):
        yield address


async def ask(method: str, url: str, auth: OAuth1 | None = AUTH, **more: object) -> requests.Response:
    """As any client signs, without the connector."""

    def call() -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, url, auth=auth, timeout=10, **more)  # type: ignore[arg-type]

    return await asyncio.to_thread(call)


async def test_events_are_signed_and_arrive(x: XSimulator, hub: Hub) -> None:
    assert await x.asks_the_hook()
    post = await x.citizen_posts("warga1", "@LaporGub_ jalan rusak", name="Warga Contoh")
    answer = x.network.post(x.network.office, "Terima kasih", post)
    await x.citizen_posts("warga1", "di Desa Contoh", reply_to=answer)
    await x.citizen_posts("warga2", "di sini juga", quotes=answer)
    await x.citizen_messages("warga1", "halo")
    edited = await x.citizen_edits(post, "@LaporGub_ jalan rusak parah")
    await x.citizen_deletes(edited)
    *messages, deleted = hub.items
    assert [each.text for each in messages if isinstance(each, Inbound)] == [
        "jalan rusak",
        "di Desa Contoh",
        "di sini juga",
        "halo",
        "jalan rusak parah",
    ]
    assert [each.replaces for each in messages if isinstance(each, Inbound)] == [
        None,
        None,
        None,
        None,
        post.id,
    ]
    assert deleted == Withdrawn(edited.id, edited.author.id, ACCOUNT)


async def test_events_may_come_again_and_out_of_order(x: XSimulator, hub: Hub) -> None:
    for number in range(4):
        await x.citizen_posts("warga1", f"@LaporGub_ jalan {number}")
    assert await x.repeat_events(shuffle=True) == [200] * 4
    names = [each.external_id for each in hub.items if isinstance(each, Inbound)]
    assert len(names) == 8
    assert len(set(names)) == 4


async def test_some_events_are_missed_and_only_polling_finds_them(x: XSimulator, hub: Hub, url: str) -> None:
    post = await x.citizen_posts("warga1", "@LaporGub_ jalan", push=False)
    await x.citizen_posts("warga1", "tanpa menyebut siapa pun")
    assert hub.items == []
    page = (await ask("GET", f"{url}/2/users/1111/mentions")).json()
    assert [each["id"] for each in page["data"]] == [post.id]


async def test_who_does_not_sign_or_signs_wrongly_is_refused(x: XSimulator, url: str) -> None:
    wrong = OAuth1(KEYS.consumer_key, "salah", KEYS.access_token, KEYS.access_token_secret)
    for auth in (None, wrong):
        assert (await ask("GET", f"{url}/2/dm_events", auth)).status_code == 401
    assert (await ask("GET", f"{url}/2/dm_events?max_results=5&dm_event.fields=text%2Cid")).status_code == 200


async def test_only_those_who_called_may_be_answered(x: XSimulator, url: str) -> None:
    post = await x.citizen_posts("warga1", "jalan rusak")
    body = {"text": "halo", "reply": {"in_reply_to_tweet_id": post.id}}
    assert (await ask("POST", f"{url}/2/tweets", json=body)).status_code == 403


async def test_posts_are_weighed_and_not_repeated(x: XSimulator, url: str) -> None:
    async def status(text: str) -> int:
        return (await ask("POST", f"{url}/2/tweets", json={"text": text})).status_code

    assert await status("a" * 280) == 201
    assert await status("a" * 280) == 403, "the same words again"
    assert await status("a" * 281) == 400
    assert await status("日" * 140) == 201
    assert await status("日" * 141) == 400
    assert await status("👨‍👩‍👧" * 140) == 201
    assert await status(f"{'a' * 256} https://contoh.go.id/{'b' * 100}") == 201, "a link counts 23"


async def test_the_newest_comes_first_and_nothing_has_no_data(x: XSimulator, url: str) -> None:
    assert (await ask("GET", f"{url}/2/users/1111/mentions")).json() == {"meta": {"result_count": 0}}
    names = [(await x.citizen_posts("warga1", f"@LaporGub_ {n}")).id for n in range(5)]
    page = (await ask("GET", f"{url}/2/users/1111/mentions?max_results=2")).json()
    assert [each["id"] for each in page["data"]] == [names[4], names[3]]
    token = page["meta"]["next_token"]
    page = (await ask("GET", f"{url}/2/users/1111/mentions?max_results=2&pagination_token={token}")).json()
    assert [each["id"] for each in page["data"]] == [names[2], names[1]]
    page = (await ask("GET", f"{url}/2/users/1111/mentions?since_id={names[3]}")).json()
    assert [each["id"] for each in page["data"]] == [names[4]]


async def test_direct_messages_are_kept_for_thirty_days(x: XSimulator, url: str, clock: Time) -> None:
    await x.citizen_messages("warga1", "lama")
    clock.now = NOW + timedelta(days=30, seconds=1)
    await x.citizen_messages("warga1", "baru")
    assert [each["text"] for each in (await ask("GET", f"{url}/2/dm_events")).json()["data"]] == ["baru"]
    assert (await ask("GET", f"{url}/2/dm_events?since_id=1")).status_code == 400


async def test_each_route_takes_so_many_calls_in_a_quarter_of_an_hour(
    x: XSimulator, url: str, clock: Time
) -> None:
    answers = [await ask("GET", f"{url}/2/dm_events") for _ in range(16)]
    assert [each.status_code for each in answers] == [200] * 15 + [429]
    assert [each.headers["x-rate-limit-remaining"] for each in answers[-2:]] == ["0", "0"]
    assert int(answers[-1].headers["x-rate-limit-reset"]) == int((NOW + timedelta(minutes=15)).timestamp())
    clock.now = NOW + timedelta(minutes=15)
    assert (await ask("GET", f"{url}/2/dm_events")).status_code == 200


async def test_calls_cost_and_can_be_told_to_fail(x: XSimulator, url: str) -> None:
    x.credits = 1
    assert (await ask("GET", f"{url}/2/dm_events")).status_code == 200
    refused = await ask("GET", f"{url}/2/dm_events")
    assert (refused.status_code, refused.json()["title"]) == (402, "CreditsDepleted")
    x.credits = None
    x.failures += [Failure.busy(), Failure.broken(), Failure.drop(taken=False)]
    assert "x-rate-limit-reset" in (await ask("GET", f"{url}/2/dm_events")).headers
    assert (await ask("GET", f"{url}/2/dm_events")).text.startswith("<html>")
    with pytest.raises(requests.RequestException):
        await ask("GET", f"{url}/2/dm_events")


async def test_the_page_shows_what_was_said_and_lets_one_write(x: XSimulator, hub: Hub, url: str) -> None:
    async with httpx.AsyncClient(base_url=url, trust_env=False, follow_redirects=True) as browser:
        for through, text in (("post", "Jalan <b>rusak</b>"), ("dm", "Nomor saya")):
            page = await browser.post(
                "/kirim", data={"nama": "warga_contoh", "lewat": through, "pesan": text}
            )
            assert "Terkirim" in page.text
        assert "@LaporGub_ Jalan &lt;b&gt;rusak&lt;/b&gt;" in page.text
        assert "Nomor saya" in page.text
        assert "Isi nama akun" in (await browser.post("/kirim", data={"nama": "../x", "pesan": "a"})).text
    assert [each.text for each in hub.items if isinstance(each, Inbound)] == [
        "Jalan <b>rusak</b>",
        "Nomor saya",
    ]


async def test_the_demo_can_play_it(hub: Hub, clock: Time) -> None:
    async with serving(hub.app) as address:
        platform = SIMULATORS["x"](load("laporgub-jateng"), address, clock)
        person = DemoComplaint(
            "web", "+628000000001", "Warga Contoh 0001", "Jalan rusak di Batang", None, "road", 1
        )
        async with platform.running() as (_, told):
            XConfig.model_validate(told)
            for _ in range(20):
                await platform.citizen_writes("x", person)
    said = [each for each in hub.items if isinstance(each, Inbound)]
    assert [each.text for each in said] == ["Jalan rusak di Batang"] * 20
    assert {each.reply_to == "dm" for each in said} == {True, False}


@pytest.mark.parametrize(
    ("text", "length"), [("日本", 4), ("👨‍👩‍👧", 2), ("a.b halo", 8), ("contoh.id", 23), ("e\u0301", 1)]
)
def test_weights(text: str, length: int) -> None:
    assert x_rules.weight(text) == length
