"""The simulated Graph API keeps Meta's rules, or tests against it would prove nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from support import laporgub

from laporhub.connectors.meta import connector
from laporhub.hub.simulated import SIMULATORS
from laporhub.pipeline.connector import Ignored, Parsed, Raw, Withdrawn
from laporhub.pipeline.errors import Forged
from laporhub.pipeline.messages import Inbound
from laporhub.simulators import meta_fields
from laporhub.simulators.citizens import complaints
from laporhub.simulators.meta import MetaSimulator, playing, webhook
from laporhub.simulators.meta_answers import Failure
from laporhub.simulators.meta_network import Network, Where
from laporhub.simulators.serving import serving

PAGE, HANDLE = "LaporGub", "@laporgub.jtg"
START = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
on_both = pytest.mark.parametrize("where", ["facebook", "instagram"])


class Time:
    now = START

    def __call__(self) -> datetime:
        return self.now


class Hub:
    """The receiving end: verifies and parses with the real connector, and remembers. `deaf`: how often it fails."""

    def __init__(self) -> None:
        self.connector = connector({"app_secret": "rahasia-aplikasi", "verify_token": "kata-sandi-hook"})
        self.heard: list[Parsed] = []
        self.posts = 0
        self.deaf = 0
        hook = Route("/hooks/meta", self.hook, methods=["POST", "GET"])
        self.app = Starlette(routes=[hook])

    async def hook(self, request: Request) -> Response:
        if request.method == "GET":
            return PlainTextResponse(self.connector.greet(request.query_params).body)
        if self.deaf:
            self.deaf -= 1
            return Response(status_code=503)
        raw = Raw(await request.body(), headers=dict(request.headers))
        try:
            self.connector.verify(raw)
        except Forged:
            return Response(status_code=403)
        self.posts += 1
        self.heard += self.connector.parse(raw)
        return Response("ok")

    @property
    def messages(self) -> list[Inbound]:
        return [item for item in self.heard if isinstance(item, Inbound)]


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
async def meta(hub: Hub, clock: Time) -> AsyncIterator[MetaSimulator]:
    async with serving(hub.app) as url:
        simulator = MetaSimulator(Network("1234", PAGE, "17841", HANDLE, clock, seed=7), f"{url}/hooks/meta")
        yield simulator
        await simulator.aclose()


@pytest.fixture
async def api(meta: MetaSimulator) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(meta)
    proof = {"appsecret_proof": proof_of(meta.token)}
    headers = {"Authorization": f"Bearer {meta.token}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://graph", headers=headers, params=proof
    ) as client:
        yield client


def proof_of(token: str) -> str:
    return hmac.new(b"rahasia-aplikasi", token.encode(), hashlib.sha256).hexdigest()


def code(answer: httpx.Response) -> tuple[int, int]:
    error = answer.json()["error"]
    assert error["fbtrace_id"]
    return error["code"], error.get("error_subcode", 0)


def direct(citizen: str, text: str = "Terima kasih", **more: object) -> dict[str, Any]:
    return {"recipient": json.dumps({"id": citizen}), "message": json.dumps({"text": text}), **more}


# ── webhooks ──


async def test_the_hook_is_asked_whether_it_is_ours(meta: MetaSimulator) -> None:
    assert await meta.subscribe()


async def test_webhooks_are_signed_over_escaped_bytes(meta: MetaSimulator, hub: Hub) -> None:
    await meta.citizen_comments("facebook", "Warga 🙏", "Jalan/gang rusak 🙏")
    body = webhook(meta.waiting)
    assert body.isascii()
    assert b"\\ud83d\\ude4f" in body
    assert b"\\/" in body
    assert await meta.deliver() == 1
    assert (hub.messages[0].text, hub.messages[0].name) == ("Jalan/gang rusak 🙏", "Warga 🙏")
    meta.app_secret = "lain"
    assert await meta.post([meta.network.told_of(meta.network.comments[0])]) == 403


async def test_they_come_repeated_shuffled_and_in_batches(meta: MetaSimulator, hub: Hub) -> None:
    for number in range(6):
        await meta.citizen_comments("facebook", "Warga", f"f{number}")
        await meta.citizen_messages("instagram", "Warga", f"i{number}")
    assert await meta.deliver(times=2, shuffle=True, batch=True) == 2
    texts = [message.text for message in hub.messages]
    assert sorted(texts) == sorted([f"{kind}{number}" for kind in "fi" for number in range(6)] * 2)
    assert texts != sorted(texts)
    assert hub.posts == 2


async def test_what_is_not_taken_comes_again(meta: MetaSimulator, hub: Hub) -> None:
    await meta.citizen_comments("facebook", "Warga", "Jalan rusak")
    hub.deaf = 2
    assert [await meta.deliver() for _ in range(4)] == [0, 0, 1, 0]
    assert len(hub.messages) == 1


async def test_citizens_edit_and_take_back(meta: MetaSimulator, hub: Hub) -> None:
    comment = await meta.citizen_comments("facebook", "Warga", "Jalan rusak")
    await meta.edits(comment, "Jalan provinsi rusak")
    await meta.takes_back(comment)
    message = await meta.citizen_messages("instagram", "Warga", "salah kirim")
    await meta.takes_back(message)
    await meta.deliver()
    first, edited, gone, _, unsent = hub.heard
    assert isinstance(first, Inbound)
    assert isinstance(edited, Inbound)
    assert edited.replaces == first.external_id == comment.id
    assert isinstance(gone, Withdrawn)
    assert isinstance(unsent, Withdrawn)
    assert (gone.external_id, unsent.external_id) == (comment.id, message.id)


@on_both
async def test_what_the_office_says_comes_back_and_is_ignored(
    meta: MetaSimulator, hub: Hub, api: httpx.AsyncClient, where: Where
) -> None:
    comment = await meta.citizen_comments(where, "Warga", "Jalan rusak")
    message = await meta.citizen_messages(where, "Warga", "Jalan rusak")
    await meta.deliver()
    edge = "comments" if where == "facebook" else "replies"
    assert (await api.post(f"/v25.0/{comment.id}/{edge}", data={"message": "Baik"})).status_code == 200
    assert (await api.post("/v25.0/me/messages", data=direct(message.author))).status_code == 200
    hub.heard.clear()
    assert await meta.deliver() == 4
    assert all(isinstance(item, Ignored) for item in hub.heard)


async def test_an_office_that_does_not_answer(clock: Time) -> None:
    simulator = MetaSimulator(Network("1", PAGE, "2", HANDLE, clock), "http://127.0.0.1:1/")
    await simulator.citizen_comments("facebook", "Warga", "Halo")
    assert await simulator.deliver() == 0
    assert len(simulator.waiting) == 1
    await simulator.aclose()


# ── who may ask ──


async def test_a_token_a_proof_and_a_living_version_are_wanted(
    meta: MetaSimulator, api: httpx.AsyncClient
) -> None:
    assert (await api.get("/v25.0/me")).status_code == 200
    assert code(await api.get("/v3.1/me")) == (2635, 0)
    assert code(await api.get("/v25.0/me", params={"appsecret_proof": "x"})) == (100, 0)
    bare = httpx.AsyncClient(transport=httpx.ASGITransport(meta), base_url="http://graph")
    async with bare:
        assert code(await bare.get("/v25.0/me")) == (190, 0)
        assert code(await bare.get("/v25.0/me", params={"access_token": meta.token})) == (100, 0)
        told = {"access_token": meta.token, "appsecret_proof": proof_of(meta.token)}
        assert (await bare.get("/v25.0/me", params=told)).status_code == 200
    meta.dead.add(meta.token)
    assert code(await api.get("/v25.0/me")) == (190, 463)


async def test_the_limit_is_told_before_it_is_reached_and_passes(
    meta: MetaSimulator, api: httpx.AsyncClient, clock: Time
) -> None:
    meta.calls_an_hour = 4
    shares = [json.loads((await api.get("/v25.0/me")).headers["x-app-usage"])["call_count"] for _ in range(4)]
    assert shares == [25, 50, 75, 100]
    assert code(await api.get("/v25.0/me")) == (4, 0)
    clock.now += timedelta(hours=1)
    assert (await api.get("/v25.0/me")).status_code == 200


# ── what may be said ──


@on_both
async def test_the_windows(meta: MetaSimulator, api: httpx.AsyncClient, clock: Time, where: Where) -> None:
    message = await meta.citizen_messages(where, "Warga", "Halo")
    closed = (10, 2534022 if where == "instagram" else 2018278)
    human = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}

    async def say(hours: float, **more: str) -> tuple[int, int] | None:
        clock.now = START + timedelta(hours=hours)
        answer = await api.post("/v25.0/me/messages", data=direct(message.author, **more))
        return None if answer.status_code == 200 else code(answer)

    assert await say(24) is None
    assert await say(24.01) == closed
    assert await say(24.01, **human) is None
    assert await say(168, **human) is None
    assert await say(168.01, **human) == closed


@pytest.mark.parametrize("tag", ["POST_PURCHASE_UPDATE", "ACCOUNT_UPDATE", "CONFIRMED_EVENT_UPDATE", ""])
async def test_other_tags_are_gone(meta: MetaSimulator, api: httpx.AsyncClient, tag: str) -> None:
    message = await meta.citizen_messages("facebook", "Warga", "Halo")
    told = direct(message.author, messaging_type="MESSAGE_TAG", tag=tag)
    assert code(await api.post("/v25.0/me/messages", data=told))[0] == 100


@pytest.mark.parametrize(
    ("where", "text", "fits"),
    [
        ("facebook", "é" * 2000, True),
        ("facebook", "é" * 2001, False),
        ("instagram", "é" * 500, True),
        ("instagram", "é" * 501, False),
    ],
)
async def test_a_message_has_a_limit(
    meta: MetaSimulator, api: httpx.AsyncClient, where: Where, text: str, fits: bool
) -> None:
    message = await meta.citizen_messages(where, "Warga", "Halo")
    answer = await api.post("/v25.0/me/messages", data=direct(message.author, text))
    assert (answer.status_code == 200) == fits


async def test_nested_values_must_be_json(meta: MetaSimulator, api: httpx.AsyncClient) -> None:
    message = await meta.citizen_messages("facebook", "Warga", "Halo")
    as_a_library_might = {"recipient": str({"id": message.author}), "message": "text"}
    assert code(await api.post("/v25.0/me/messages", data=as_a_library_might))[0] == 100


async def test_nobody_is_written_to_first(api: httpx.AsyncClient) -> None:
    assert code(await api.post("/v25.0/me/messages", data=direct("999"))) == (100, 2018001)


async def test_one_private_reply_a_comment_within_a_week(
    meta: MetaSimulator, api: httpx.AsyncClient, clock: Time
) -> None:
    first = await meta.citizen_comments("facebook", "Warga", "Jalan rusak")
    late = await meta.citizen_comments("facebook", "Warga", "Air keruh")

    async def reply(comment: str, text: str = "Halo") -> httpx.Response:
        told = {"recipient": json.dumps({"comment_id": comment}), "message": json.dumps({"text": text})}
        return await api.post("/v25.0/1234/messages", data=told)

    assert code(await reply(first.id, "x" * 2001))[0] == 100
    assert (await reply(first.id)).status_code == 200
    assert code(await reply(first.id)) == (10900, 0)
    clock.now += timedelta(days=7, seconds=1)
    assert code(await reply(late.id)) == (10903, 0)


@on_both
async def test_a_private_reply_goes_to_what_a_citizen_said_on_our_own_page(
    meta: MetaSimulator, api: httpx.AsyncClient, where: Where
) -> None:
    comment = await meta.citizen_comments(where, "Warga", "Jalan rusak")
    own = meta.network.comment(comment, "Terima kasih.")
    visitors = await meta.visitor_posts("Warga", "Air keruh")

    async def reply(**recipient: str) -> httpx.Response:
        told = {"recipient": json.dumps(recipient), "message": json.dumps({"text": "Halo"})}
        return await api.post("/v25.0/me/messages", data=told)

    assert code(await reply(comment_id="9_9")) == (100, 33), "on somebody else's page"
    assert code(await reply(comment_id=own.id)) == (10902, 0)
    assert code(await reply(comment_id=comment.post)) == (10902, 0), "our own post"
    assert code(await reply(comment_id=visitors.id)) == (10902, 0), "a post is no comment"
    assert (await reply(post_id=visitors.id)).status_code == 200
    meta.network.unreachable.add(comment.author)
    assert code(await reply(comment_id=comment.id)) == (551, 1545041)
    meta.network.unreachable.clear()
    assert (await reply(comment_id=comment.id)).status_code == 200
    again = await api.post("/v25.0/me/messages", data=direct(comment.author))
    assert code(again) == (100, 2018001), "it opens no window"


@on_both
async def test_only_what_is_there_can_be_answered(
    meta: MetaSimulator, api: httpx.AsyncClient, where: Where
) -> None:
    comment = await meta.citizen_comments(where, "Warga", "Jalan rusak")
    right, wrong = ("comments", "replies") if where == "facebook" else ("replies", "comments")
    assert code(await api.post(f"/v25.0/{comment.id}/{wrong}", data={"message": "x"})) == (100, 33)
    assert code(await api.post(f"/v25.0/{comment.id}/{right}", data={"message": " "}))[0] == 100
    comment.is_gone = True
    assert code(await api.post(f"/v25.0/{comment.id}/{right}", data={"message": "x"})) == (100, 33)


# ── what can be read ──


def test_fields_are_read_with_arguments_and_nesting() -> None:
    asked = meta_fields.read("id,comments.limit(2).filter(stream){id,from{name}},message")
    assert list(asked) == ["id", "comments", "message"]
    assert asked["comments"].args == {"limit": "2", "filter": "stream"}
    assert list(asked["comments"].inner["from"].inner) == ["name"]
    for broken in ("id{", "a}", "a{b,c"):
        with pytest.raises(ValueError, match="brace|unexpected"):
            meta_fields.read(broken)


async def test_only_what_was_asked_for_is_shown(meta: MetaSimulator, api: httpx.AsyncClient) -> None:
    comment = await meta.citizen_comments("facebook", "Warga", "Jalan rusak")
    shown = (await api.get(f"/v25.0/{comment.id}", params={"fields": "from{id}"})).json()
    assert shown == {"id": comment.id, "from": {"id": comment.author}}


async def test_lists_come_page_by_page_and_stay_in_step_when_something_is_added(
    meta: MetaSimulator, api: httpx.AsyncClient, clock: Time
) -> None:
    for number in range(5):
        clock.now += timedelta(seconds=1)
        await meta.citizen_comments("facebook", "Warga", f"m{number}")
    post = meta.network.posts[-1].id
    args = {"fields": "message", "order": "reverse_chronological", "limit": "2"}
    seen, after = [], ""
    while True:
        page = (
            await api.get(f"/v25.0/{post}/comments", params=args | ({"after": after} if after else {}))
        ).json()
        seen += [each["message"] for each in page["data"]]
        await meta.citizen_comments("facebook", "Warga", "lebih baru")
        if "next" not in page["paging"]:
            break
        after = page["paging"]["cursors"]["after"]
    assert seen == ["m4", "m3", "m2", "m1", "m0"]
    assert code(await api.get(f"/v25.0/{post}/comments", params={"after": "entah"})) == (100, 0)


async def test_scripted_failures_come_in_order(meta: MetaSimulator, api: httpx.AsyncClient) -> None:
    meta.read_failures.extend([Failure.broken(), Failure.refused(613, minutes=3)])
    assert (await api.get("/v25.0/me")).headers["content-type"].startswith("text/html")
    busy = await api.get("/v25.0/me")
    assert code(busy) == (613, 0)
    assert '"estimated_time_to_regain_access":3' in busy.headers["x-business-use-case-usage"]
    assert (await api.get("/v25.0/me")).status_code == 200
    assert [entry.status for entry in meta.log] == [502, 400, 200]


# ── in the demo ──


async def test_it_is_played_with_the_accounts_of_the_profile(hub: Hub, clock: Time) -> None:
    async with serving(hub.app) as url:
        platform = SIMULATORS["meta"](laporgub(), url, clock)
        assert platform.provider == "meta"
        async with platform.running() as (address, told):
            assert connector(told).able
            assert (told["facebook_account"], told["instagram_account"]) == (PAGE, HANDLE)
            people = complaints(1)
            for channel in ("facebook", "instagram") * 4:
                await platform.citizen_writes(channel, next(people))
            assert len(hub.messages) == 8
            assert {message.account for message in hub.messages} == {"102030405060", "17841400000000001"}
            async with httpx.AsyncClient(base_url=address) as browser:
                await see_and_write(browser, hub)


async def see_and_write(browser: httpx.AsyncClient, hub: Hub) -> None:
    """The pages load nothing from elsewhere; a citizen can write on them."""
    for path in ("/", "/percakapan"):
        page = (await browser.get(path)).text
        assert 'lang="id"' in page
        assert 'name="viewport"' in page
        assert not any(mark in page for mark in ("http://", "https://", "<script", "@import", "url("))
    for how in ("facebook-komentar", "facebook-pesan", "instagram-komentar", "instagram-pesan"):
        sent = await browser.post("/kirim", data={"nama": "Warga", "lewat": how, "pesan": f"<b>{how}"})
        assert sent.status_code == 303
        assert hub.messages[-1].text == f"<b>{how}"
        assert f"&lt;b&gt;{how}" in (await browser.get("/percakapan")).text
    empty = await browser.post("/kirim", data={"nama": "", "pesan": "x"})
    assert "Isi nama" in (await browser.get(empty.headers["location"])).text


def test_a_profile_without_them_gets_made_up_accounts(clock: Time) -> None:
    network = playing([], "http://hub", clock).network
    assert network.handle.startswith("@")
    assert not network.page_name.startswith("@")
