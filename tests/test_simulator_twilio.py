"""The simulated Twilio keeps Twilio's rules, or tests against it would prove nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from laporhub.connectors.twilio import TwilioConfig, TwilioConnector
from laporhub.pipeline.connector import Raw, StatusUpdate
from laporhub.pipeline.errors import Forged
from laporhub.pipeline.messages import Inbound, Location
from laporhub.simulators import twilio_rules
from laporhub.simulators.serving import serving
from laporhub.simulators.twilio import TwilioSimulator

OFFICE, SMS_OFFICE = "whatsapp:+628112920200", "+628112920200"
CITIZEN, SMS_CITIZEN = "whatsapp:+628000000123", "+628000000456"
MESSAGES = "/2010-04-01/Accounts/AC1/Messages.json"
START = datetime(2026, 10, 30, 2, 0, tzinfo=UTC)


class Hub:
    """The receiving end: verifies and parses with the real connector, and remembers."""

    def __init__(self) -> None:
        self.connector = TwilioConnector(TwilioConfig(account_sid="AC1", auth_token="rahasia"))
        self.messages: list[Inbound] = []
        self.statuses: list[StatusUpdate] = []
        self.app = Starlette(routes=[Route("/{path:path}", self.hook, methods=["POST"])])

    async def hook(self, request: Request) -> Response:
        raw = Raw(await request.body(), headers=dict(request.headers), url=str(request.url))
        try:
            self.connector.verify(raw)
        except Forged:
            return Response(status_code=403)
        for item in self.connector.parse(raw):
            if isinstance(item, Inbound):
                self.messages.append(item)
            elif isinstance(item, StatusUpdate):
                self.statuses.append(item)
        return Response("<Response/>", media_type="text/xml")


class Time:
    now = START

    def __call__(self) -> datetime:
        return self.now


Twilio = tuple[TwilioSimulator, httpx.AsyncClient]


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def hub() -> Hub:
    return Hub()


@pytest.fixture
async def hub_url(hub: Hub) -> AsyncIterator[str]:
    async with serving(hub.app) as url:
        yield url


@pytest.fixture
async def twilio(hub_url: str, clock: Time) -> AsyncIterator[Twilio]:
    simulator = TwilioSimulator(
        "AC1", "rahasia", [OFFICE, SMS_OFFICE], f"{hub_url}/hooks/twilio", None, clock, seed=7
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(simulator), base_url="http://twilio", auth=("AC1", "rahasia")
    ) as client:
        yield simulator, client
    await simulator.aclose()


def form(url: str = "", **changes: str) -> dict[str, str]:
    callback = {"StatusCallback": f"{url}/status?reply=r-1"} if url else {}
    return {"From": OFFICE, "To": CITIZEN, "Body": "Terima kasih"} | callback | changes


# ── what the citizen does ──


async def test_a_message_arrives_signed(twilio: Twilio, hub: Hub) -> None:
    simulator, _ = twilio
    assert await simulator.citizen_says(CITIZEN, "Jalan rusak", media=["https://foto.example/1.jpg"]) == 200
    assert await simulator.citizen_says(SMS_CITIZEN, "Air keruh") == 200
    assert await simulator.citizen_says(CITIZEN, "", location=(-7.1, 110.4)) == 200
    photo, sms, place = hub.messages
    assert (photo.text, photo.kind, photo.account) == ("Jalan rusak", "attachment", OFFICE)
    assert (sms.author_id, sms.account) == (SMS_CITIZEN, SMS_OFFICE)
    assert place.location == Location(lat=-7.1, lon=110.4)


async def test_a_webhook_may_come_twice(twilio: Twilio, hub: Hub) -> None:
    simulator, _ = twilio
    await simulator.citizen_says(CITIZEN, "Jalan rusak")
    assert await simulator.repeat_webhook() == 200
    assert hub.messages[0] == hub.messages[1]


async def test_an_office_that_does_not_answer(clock: Time) -> None:
    simulator = TwilioSimulator("AC1", "rahasia", [OFFICE], "http://127.0.0.1:1/", None, clock)
    assert await simulator.citizen_says(CITIZEN, "Halo") == 502
    await simulator.aclose()


async def test_nobody_writes_from_nowhere(twilio: Twilio) -> None:
    simulator, _ = twilio
    with pytest.raises(ValueError, match="not an address"):
        await simulator.citizen_says("0812", "Halo")


# ── what the office may do ──


async def test_only_the_account_gets_in(twilio: Twilio) -> None:
    _, client = twilio
    for auth in (("AC1", "salah"), ("AC2", "rahasia")):
        answer = await client.post(MESSAGES, data=form(), auth=auth)
        assert (answer.status_code, answer.json()["code"]) == (401, 20003)
        assert (await client.get(MESSAGES, auth=auth)).status_code == 401
    assert (await client.get(MESSAGES.replace("AC1", "AC2"))).status_code == 404


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"To": ""}, 21604),
        ({"To": "0812"}, 21211),
        ({"From": ""}, 21603),
        ({"From": "LaporGub"}, 21212),
        ({"From": "whatsapp:+628000000001"}, 63007),
        ({"From": "+628000000001", "To": SMS_CITIZEN}, 21660),
        ({"To": SMS_CITIZEN}, 21910),
        ({"To": OFFICE}, 21266),
        ({"Body": ""}, 21602),
        ({"Body": "a" * 1601}, 21617),
        ({"Body": "🙏" * 801}, 21617),
        ({"To": "whatsapp:+628000000999"}, 21610),
    ],
)
async def test_what_breaks_a_rule_is_refused(twilio: Twilio, changes: dict[str, str], code: int) -> None:
    simulator, client = twilio
    simulator.opted_out.add("whatsapp:+628000000999")
    answer = await client.post(MESSAGES, data=form(**changes))
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert simulator.conversation(CITIZEN) == []


async def test_only_forms_are_read(twilio: Twilio) -> None:
    _, client = twilio
    assert (await client.post(MESSAGES, json=form())).json()["code"] == 21604


async def test_every_request_is_logged(twilio: Twilio) -> None:
    simulator, client = twilio
    await client.post(MESSAGES, data=form())
    await client.get(MESSAGES)
    assert [(entry.method, entry.status) for entry in simulator.log] == [("POST", 201), ("GET", 200)]
    assert simulator.log[0].form["Body"] == "Terima kasih"


async def test_lists_are_filtered_and_paged_newest_first(twilio: Twilio) -> None:
    simulator, client = twilio
    await simulator.citizen_says(CITIZEN, "Halo")
    for number in range(3):
        await client.post(MESSAGES, data=form(Body=f"jawaban {number}"))
    await client.post(MESSAGES, data=form(To="whatsapp:+628000000999"))
    first = (await client.get(MESSAGES, params={"To": CITIZEN, "PageSize": 2})).json()
    assert [message["body"] for message in first["messages"]] == ["jawaban 2", "jawaban 1"]
    second = (await client.get(first["next_page_uri"])).json()
    assert [message["body"] for message in second["messages"]] == ["jawaban 0"]
    assert second["next_page_uri"] is None
    assert len((await client.get(MESSAGES, params={"From": CITIZEN})).json()["messages"]) == 1


async def test_the_date_filter_does_not_see_what_still_waits(twilio: Twilio) -> None:
    simulator, client = twilio
    await client.post(MESSAGES, data=form())
    since = {"DateSent>": (START - timedelta(days=1)).isoformat()}
    assert (await client.get(MESSAGES, params=since)).json()["messages"] == []
    await simulator.deliver()
    assert len((await client.get(MESSAGES, params=since)).json()["messages"]) == 1
    later = {"DateSent>": (START + timedelta(days=1)).date().isoformat()}
    assert (await client.get(MESSAGES, params=later)).json()["messages"] == []


async def test_one_message_can_be_fetched(twilio: Twilio) -> None:
    _, client = twilio
    sent = (await client.post(MESSAGES, data=form())).json()
    assert sent["status"] == "queued"
    assert (await client.get(sent["uri"])).json() == sent
    assert (await client.get(sent["uri"].replace(sent["sid"], "SM0"))).json()["code"] == 20404


# ── what becomes of it ──


async def test_statuses_arrive_signed_and_in_order(twilio: Twilio, hub: Hub, hub_url: str) -> None:
    simulator, client = twilio
    await simulator.citizen_says(CITIZEN, "Halo")
    await client.post(MESSAGES, data=form(hub_url))
    assert await simulator.deliver() == 3
    assert [update.status for update in hub.statuses] == ["sent", "delivered", "read"]
    assert {update.reply_id for update in hub.statuses} == {"r-1"}


async def test_statuses_may_come_twice_and_out_of_order(twilio: Twilio, hub: Hub, hub_url: str) -> None:
    simulator, client = twilio
    await simulator.citizen_says(CITIZEN, "Halo")
    await client.post(MESSAGES, data=form(hub_url))
    assert await simulator.deliver(duplicate=True, shuffle=True) == 6
    statuses = [update.status for update in hub.statuses]
    assert sorted(statuses) == ["delivered", "delivered", "read", "read", "sent", "sent"]
    assert statuses != sorted(statuses)


async def test_free_words_after_a_day_are_taken_and_then_not_delivered(
    twilio: Twilio, hub: Hub, hub_url: str, clock: Time
) -> None:
    simulator, client = twilio
    await simulator.citizen_says(CITIZEN, "Halo")
    clock.now = START + timedelta(hours=24, seconds=1)
    assert (await client.post(MESSAGES, data=form(hub_url))).status_code == 201
    await simulator.deliver()
    [update] = hub.statuses
    assert (update.status, update.reason) == ("failed", "window_closed")
    simulator.network.templates["HX1"] = "Laporan {{1}} dijawab."
    await client.post(MESSAGES, data=form(hub_url, ContentSid="HX1", ContentVariables='{"1": "LG-1"}'))
    await simulator.deliver()
    assert hub.statuses[-1].status == "read"
    assert simulator.network.messages[-1].body == "Laporan LG-1 dijawab."


@pytest.mark.parametrize(
    ("content", "variables", "code"),
    [
        ("HX9", '{"1": "a"}', 21655),
        ("HX1", "", 21656),
        ("HX1", "bukan JSON", 21656),
        ("HX1", '{"1": ""}', 21656),
        ("HX1", '{"1": "dua\\nbaris"}', 21656),
        ("HX1", '{"1": "a     b"}', 21656),
        ("HX1", '{"1": "a", "2": "b"}', 21656),
    ],
)
async def test_templates_are_known_and_filled_in_one_line(
    twilio: Twilio, hub_url: str, content: str, variables: str, code: int
) -> None:
    simulator, client = twilio
    simulator.network.templates["HX1"] = "Laporan {{1}} dijawab."
    answer = await client.post(MESSAGES, data=form(hub_url, ContentSid=content, ContentVariables=variables))
    assert (answer.status_code, answer.json()["code"]) == (400, code)


async def test_a_paused_template_does_not_arrive(twilio: Twilio, hub: Hub, hub_url: str) -> None:
    simulator, client = twilio
    simulator.network.templates["HX1"] = "Laporan Anda dijawab."
    simulator.network.paused.add("HX1")
    await client.post(MESSAGES, data=form(hub_url, ContentSid="HX1"))
    await simulator.deliver()
    assert hub.statuses[-1].reason == "template_paused (63041)"


async def test_photos_are_shown_to_the_account_only(twilio: Twilio) -> None:
    simulator, client = twilio
    simulator.photos["ME1"] = b"jpeg"
    url = "/2010-04-01/Accounts/AC1/Messages/SM1/Media/ME1"
    assert (await client.get(url)).content == b"jpeg"
    assert (await client.get(url, auth=("AC1", "salah"))).status_code == 401
    assert (await client.get(f"{url}2")).status_code == 404


async def test_a_phone_that_is_off(twilio: Twilio, hub: Hub, hub_url: str) -> None:
    simulator, client = twilio
    simulator.network.unreachable.add(SMS_CITIZEN)
    await client.post(MESSAGES, data=form(hub_url, From=SMS_OFFICE, To=SMS_CITIZEN))
    await simulator.deliver()
    assert [(update.status, update.reason) for update in hub.statuses] == [
        ("sent", None),
        ("failed", "unreachable (30003)"),
    ]


async def test_by_itself_it_reports_as_it_goes(hub: Hub, hub_url: str, clock: Time) -> None:
    simulator = TwilioSimulator("AC1", "rahasia", [SMS_OFFICE], hub_url, None, clock, automatic=True)
    transport = httpx.ASGITransport(simulator)
    async with httpx.AsyncClient(transport=transport, base_url="http://t", auth=("AC1", "rahasia")) as client:
        await client.post(MESSAGES, data=form(hub_url, From=SMS_OFFICE, To=SMS_CITIZEN))
    await simulator.aclose()
    assert [update.status for update in hub.statuses] == ["sent", "delivered"]


@pytest.mark.parametrize(
    ("body", "count"),
    [("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("🙏" + "a" * 68, 1), ("🙏" + "a" * 69, 2)],
)
def test_one_emoji_makes_a_text_message_longer(body: str, count: int) -> None:
    assert twilio_rules.segments(body) == count


# ── the phones on the screen ──


async def test_a_citizen_can_write_on_the_page(twilio: Twilio, hub: Hub) -> None:
    _, client = twilio
    sent = await client.post(
        "/kirim", data={"nomor": "0800-0000-123", "lewat": "whatsapp", "pesan": "Jalan <rusak>"}
    )
    assert sent.status_code == 303
    assert hub.messages[0].author_id == CITIZEN
    page = (await client.get(sent.headers["location"])).text
    assert "Jalan &lt;rusak&gt;" in page
    bubbles = (await client.get("/percakapan", params={"dengan": CITIZEN})).text
    assert "Jalan &lt;rusak&gt;" in bubbles


async def test_the_page_says_what_is_missing(twilio: Twilio) -> None:
    _, client = twilio
    sent = await client.post("/kirim", data={"nomor": "", "pesan": "Halo"})
    assert "Isi nomor HP" in (await client.get(sent.headers["location"])).text


async def test_the_page_loads_nothing_from_elsewhere(twilio: Twilio) -> None:
    simulator, client = twilio
    await simulator.citizen_says(CITIZEN, "Halo")
    for path in ("/", f"/?dengan={CITIZEN}", f"/percakapan?dengan={CITIZEN}"):
        page = (await client.get(path)).text
        assert 'lang="id"' in page
        assert 'name="viewport"' in page
        assert not any(mark in page for mark in ("http://", "https://", "<script", "@import", "url("))


async def test_sms_and_whatsapp_of_one_number_are_two_conversations(twilio: Twilio) -> None:
    simulator, client = twilio
    await simulator.citizen_says("+628000000123", "lewat SMS")
    await simulator.citizen_says(CITIZEN, "lewat WhatsApp")
    bubbles = (await client.get("/percakapan", params={"dengan": "+628000000123"})).text
    assert "lewat SMS" in bubbles
    assert "lewat WhatsApp" not in bubbles
    assert len(simulator.conversation("+628000000123")) == 2
