"""Twilio besides webhooks and free words: templates, the sweep for what was missed, how the account stands."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from laporhub.connectors import twilio_templates
from laporhub.connectors.twilio import TwilioConfig, TwilioConnector
from laporhub.connectors.twilio_sweep import GRACE, Cursor
from laporhub.pipeline.connector import Failed, Outgoing, Sent, Template, Unknown
from laporhub.pipeline.connector_abilities import Checks, Polls
from laporhub.pipeline.messages import Inbound
from laporhub.simulators.serving import serving
from laporhub.simulators.twilio import TwilioSimulator
from laporhub.simulators.twilio_answers import Failure

NOW = datetime(2026, 10, 30, 2, 0, tzinfo=UTC)
OFFICE, CITIZEN = "whatsapp:+628112920200", "whatsapp:+628000000123"
TEMPLATE = Template("HX1", ("ticket", "text"), {"ticket": "LG-1"})
LATE = Outgoing(
    "r_1", 0, CITIZEN, OFFICE, "Sudah\nkami  tambal.", NOW - timedelta(hours=30), NOW, template=TEMPLATE
)


class Time:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
async def twilio(clock: Time) -> AsyncIterator[TwilioSimulator]:
    simulator = TwilioSimulator("AC1", "rahasia", [OFFICE], "http://127.0.0.1:1/hooks/twilio", None, clock)
    simulator.network.templates["HX1"] = "Laporan {{1}}: {{2}}"
    yield simulator
    await simulator.aclose()


@pytest.fixture
async def connector(twilio: TwilioSimulator, clock: Time) -> AsyncIterator[TwilioConnector]:
    async with serving(twilio) as url:
        config = TwilioConfig(
            account_sid="AC1",
            auth_token=SecretStr("rahasia"),
            api_base_url=url,
            status_callback_url="https://hub.example/hooks/twilio/status",
        )
        connector = TwilioConnector(config, clock)
        yield connector
        await connector.aclose()


# ── templates ──


async def test_after_a_day_the_answer_goes_by_template(
    twilio: TwilioSimulator, connector: TwilioConnector
) -> None:
    assert isinstance(await connector.publish(LATE), Sent)
    assert twilio.conversation(CITIZEN) == [("outbound", "Laporan LG-1: Sudah kami tambal.")]
    assert "part" not in twilio.log[-1].form["StatusCallback"], "one message says the whole reply"


@pytest.mark.parametrize(
    ("hours", "minutes", "by_template"), [(1, 0, False), (23, 50, False), (23, 56, True), (24, 1, True)]
)
async def test_free_words_as_long_as_they_surely_arrive(
    twilio: TwilioSimulator, connector: TwilioConnector, hours: int, minutes: int, by_template: bool
) -> None:
    last = NOW - timedelta(hours=hours, minutes=minutes)
    assert isinstance(await connector.publish(replace(LATE, last_inbound_at=last)), Sent)
    assert ("ContentSid" in twilio.log[-1].form) == by_template


async def test_nobody_knows_when_they_last_wrote(twilio: TwilioSimulator, connector: TwilioConnector) -> None:
    await connector.publish(replace(LATE, last_inbound_at=None))
    assert "ContentSid" in twilio.log[-1].form


async def test_a_long_answer_is_said_once_by_template(
    twilio: TwilioSimulator, connector: TwilioConnector
) -> None:
    short = replace(LATE, template=Template("HX2", ("ticket",), {"ticket": "LG-1"}))
    twilio.network.templates["HX2"] = "Laporan {{1}} sudah dijawab."
    first = await connector.publish(replace(short, text="a" * 1500))
    assert isinstance(first, Sent)
    second = await connector.publish(replace(short, text="b" * 900, part=1, previous=first.platform_id))
    assert second == first
    assert len(twilio.network.messages) == 1


async def test_a_later_part_of_free_words_does_not_become_a_template(
    twilio: TwilioSimulator, connector: TwilioConnector
) -> None:
    assert await connector.publish(replace(LATE, part=1, previous="SM-free")) == Failed("window_closed")
    assert twilio.network.messages == []


async def test_words_that_do_not_fit_are_not_cut(connector: TwilioConnector) -> None:
    assert await connector.publish(replace(LATE, text="a" * 901)) == Failed("window_closed")


async def test_a_template_that_twilio_does_not_know(
    twilio: TwilioSimulator, connector: TwilioConnector
) -> None:
    twilio.network.templates.clear()
    assert await connector.publish(LATE) == Failed("template_unknown (21655)")


@pytest.mark.parametrize("taken", [True, False])
async def test_a_template_of_unknown_outcome_is_looked_up(
    twilio: TwilioSimulator, connector: TwilioConnector, taken: bool
) -> None:
    twilio.failures.append(Failure.drop(taken=taken))
    assert isinstance(await connector.publish(LATE), Unknown)
    assert (await connector.look_up(LATE, frozenset()) is not None) == taken


@given(st.text(max_size=200), st.dictionaries(st.sampled_from(["ticket", "due"]), st.text(max_size=50)))
def test_values_are_in_one_line_and_never_empty(text: str, facts: dict[str, str]) -> None:
    said = twilio_templates.values(Template("HX1", ("ticket", "due", "text"), facts), text)
    assert said is not None
    for value in said:
        assert value == " ".join(value.split()) != ""
    assert list(orjson.loads(twilio_templates.variables(said))) == ["1", "2", "3"]


# ── the sweep ──


async def swept(connector: TwilioConnector, cursor: str | None = None) -> tuple[list[Inbound], str]:
    found: list[Inbound] = []
    for _ in range(50):
        polled = await connector.poll(OFFICE, cursor)
        for raw in polled.payloads:
            [item] = connector.parse(raw)
            assert isinstance(item, Inbound)
            found.append(item)
        assert polled.cursor is not None
        cursor = polled.cursor
        if not polled.more:
            return found, cursor
    raise AssertionError("it never ends")


async def test_what_no_webhook_brought_is_found_once(
    twilio: TwilioSimulator, connector: TwilioConnector, clock: Time
) -> None:
    assert isinstance(connector, Polls)
    said = twilio.network.receive(CITIZEN, "Jalan rusak")
    assert (await swept(connector))[0] == [], "the hook has its time first: it tells more"
    clock.now += GRACE + timedelta(seconds=1)
    found, cursor = await swept(connector)
    assert [(item.external_id, item.text, item.sent_at) for item in found] == [(said.sid, "Jalan rusak", NOW)]
    assert found[0].account == OFFICE
    clock.now += timedelta(hours=1)
    assert [item.external_id for item in (await swept(connector, cursor))[0]] in ([], [said.sid])
    twilio.network.receive(CITIZEN, "Masih rusak")
    clock.now += timedelta(hours=1)
    assert "Masih rusak" in [item.text for item in (await swept(connector, cursor))[0]]


async def test_the_offices_own_messages_are_not_among_them(
    twilio: TwilioSimulator, connector: TwilioConnector, clock: Time
) -> None:
    twilio.network.send({"From": OFFICE, "To": CITIZEN, "Body": "halo"})
    clock.now += timedelta(minutes=5)
    assert (await swept(connector))[0] == []


async def test_nothing_is_left_out_however_many_there_are(
    twilio: TwilioSimulator, connector: TwilioConnector, clock: Time
) -> None:
    """More than a page, many of them in one second, and new ones while it goes through them."""
    for number in range(450):
        clock.now += timedelta(seconds=number % 3 == 0 and not 100 < number < 380)
        twilio.network.receive(CITIZEN, f"laporan {number}")
    clock.now += timedelta(minutes=5)
    found, _ = await swept(connector)
    assert {item.text for item in found} == {f"laporan {number}" for number in range(450)}


async def test_files_come_with_their_addresses(
    twilio: TwilioSimulator, connector: TwilioConnector, clock: Time
) -> None:
    base = connector._client().api.base_url
    twilio.network.receive(CITIZEN, "Ini fotonya", [f"{base}/2010-04-01/Accounts/AC1/Messages/MM1/Media/ME1"])
    clock.now += timedelta(minutes=5)
    [found] = (await swept(connector))[0]
    [photo] = found.attachments
    assert photo.url.endswith("/Media/ME1")
    assert connector.media_headers(photo.url), "it is fetched with the account's credentials"


def test_a_cursor_that_cannot_be_read_begins_anew() -> None:
    for text in (None, "", "x", "{}"):
        assert Cursor.read(text, NOW, timedelta(days=1)).since == NOW - GRACE - timedelta(days=1)


# ── the account ──


async def test_how_the_account_stands(twilio: TwilioSimulator, connector: TwilioConnector) -> None:
    assert isinstance(connector, Checks)
    health = await connector.check(OFFICE)
    assert (health.ok, dict(health.facts)) == (True, {"status": "active", "balance": "12.50 USD"})
    assert health.credits == {"USD": 12.5}
    twilio.balance = "-0.10"
    assert "top it up" in (await connector.check(OFFICE)).reason
    twilio.status = "suspended"
    assert "suspended" in (await connector.check(OFFICE)).reason


async def test_a_dead_token_is_said_with_its_remedy(connector: TwilioConnector) -> None:
    assert connector._config is not None
    stranger = TwilioConnector(connector._config.model_copy(update={"auth_token": SecretStr("salah")}))
    health = await stranger.check(OFFICE)
    assert not health.ok
    assert "auth_token" in health.reason
    await stranger.aclose()
