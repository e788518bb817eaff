"""Sending through Twilio, against the simulated one on the loopback interface."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from laporhub.connectors.twilio import TwilioConfig, TwilioConnector
from laporhub.pipeline.connector import Failed, Outgoing, Sent, Unknown
from laporhub.pipeline.errors import RetryLater, StopChannel
from laporhub.simulators.serving import serving
from laporhub.simulators.twilio import TwilioSimulator
from laporhub.simulators.twilio_answers import Failure

NOW = datetime(2026, 10, 30, 2, 0, tzinfo=UTC)
OFFICE = "whatsapp:+628112920200"
SMS_OFFICE = "+628112920200"
CITIZEN = "whatsapp:+628000000123"
REPLY = Outgoing("r-1", 0, CITIZEN, OFFICE, "Laporan Anda kami terima.", NOW - timedelta(hours=1), NOW)


class Time:
    """A clock that tests turn."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
async def twilio(clock: Time) -> AsyncIterator[TwilioSimulator]:
    nowhere = "http://127.0.0.1:1/hooks/twilio"
    simulator = TwilioSimulator("AC1", "rahasia", [OFFICE, SMS_OFFICE], nowhere, None, clock)
    yield simulator
    await simulator.aclose()


@pytest.fixture
async def connector(twilio: TwilioSimulator) -> AsyncIterator[TwilioConnector]:
    async with serving(twilio) as url:
        config = TwilioConfig(
            account_sid="AC1",
            auth_token="rahasia",
            api_base_url=url,
            status_callback_url="https://hub.example/hooks/twilio/status?profile=a",
        )
        connector = TwilioConnector(config)
        yield connector
        await connector.aclose()


async def test_an_answer_reaches_the_citizen(twilio: TwilioSimulator, connector: TwilioConnector) -> None:
    await twilio.citizen_says(CITIZEN, "Jalan rusak")
    outcome = await connector.publish(REPLY)
    assert isinstance(outcome, Sent)
    assert outcome.platform_id == twilio.network.messages[-1].sid
    assert twilio.conversation("+628000000123") == [
        ("inbound", "Jalan rusak"),
        ("outbound", "Laporan Anda kami terima."),
    ]


async def test_the_callback_names_reply_and_part(twilio: TwilioSimulator, connector: TwilioConnector) -> None:
    await connector.publish(replace(REPLY, reply_id="r/ 1&", part=2))
    query = parse_qs(urlsplit(twilio.log[-1].form["StatusCallback"]).query)
    assert query == {"profile": ["a"], "reply": ["r/ 1&"], "part": ["2"]}


async def test_sms_knows_no_window(twilio: TwilioSimulator, connector: TwilioConnector) -> None:
    long_ago = replace(REPLY, to="+628000000456", account=SMS_OFFICE, last_inbound_at=NOW - timedelta(days=9))
    assert isinstance(await connector.publish(long_ago), Sent)


async def test_a_closed_window_is_not_even_tried(twilio: TwilioSimulator, connector: TwilioConnector) -> None:
    on_the_dot = replace(REPLY, last_inbound_at=NOW - timedelta(hours=24))
    assert isinstance(await connector.publish(on_the_dot), Sent)
    asked = len(twilio.log)
    late = replace(REPLY, last_inbound_at=NOW - timedelta(hours=24, seconds=1))
    assert await connector.publish(late) == Failed("window_closed")
    assert len(twilio.log) == asked


async def test_every_part_of_a_long_answer_is_taken(
    twilio: TwilioSimulator, connector: TwilioConnector
) -> None:
    parts = connector.split("Kami sudah memeriksa lokasi 🙏 dan akan memperbaikinya. " * 90)
    outcomes = [await connector.publish(replace(REPLY, part=n, text=part)) for n, part in enumerate(parts)]
    assert len(parts) > 2
    assert all(isinstance(outcome, Sent) for outcome in outcomes)


@pytest.mark.parametrize("after", [None, 7])
async def test_a_busy_platform_is_left_alone_for_a_while(
    twilio: TwilioSimulator, connector: TwilioConnector, after: int | None
) -> None:
    twilio.failures.append(Failure.busy(after))
    with pytest.raises(RetryLater) as caught:
        await connector.publish(REPLY)
    assert caught.value.after == after
    assert isinstance(await connector.publish(REPLY), Sent)


@pytest.mark.parametrize("code", [20429, 63018])
async def test_busy_may_also_be_said_by_code(
    twilio: TwilioSimulator, connector: TwilioConnector, code: int
) -> None:
    twilio.failures.append(Failure(status=400, code=code))
    with pytest.raises(RetryLater):
        await connector.publish(REPLY)


async def test_unavailable_means_not_taken(twilio: TwilioSimulator, connector: TwilioConnector) -> None:
    twilio.failures.append(Failure(status=503))
    with pytest.raises(RetryLater):
        await connector.publish(REPLY)


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("failure", ["broken", "drop"])
async def test_an_unknown_outcome_is_looked_up_and_never_posted_twice(
    twilio: TwilioSimulator, connector: TwilioConnector, failure: str, taken: bool
) -> None:
    twilio.failures.append(Failure.broken(taken=taken) if failure == "broken" else Failure.drop(taken=taken))
    assert isinstance(await connector.publish(REPLY), Unknown)
    found = await connector.look_up(REPLY, frozenset())
    assert (found is not None) == taken
    if found is None:
        assert isinstance(await connector.publish(REPLY), Sent)
    assert len(twilio.conversation(CITIZEN)) == 1


async def test_no_answer_in_time_is_an_unknown_outcome(
    twilio: TwilioSimulator, connector: TwilioConnector
) -> None:
    gate = asyncio.Event()
    twilio.failures.append(Failure.slow(gate))
    assert connector._config is not None
    config = connector._config.model_copy(update={"timeout": 0.2})
    async with aclosing(TwilioConnector(config)) as hasty:
        assert isinstance(await hasty.publish(REPLY), Unknown)
    gate.set()
    assert await connector.look_up(REPLY, frozenset()) == Sent(twilio.network.messages[-1].sid)


async def test_the_same_words_of_another_reply_are_not_taken_for_ours(
    twilio: TwilioSimulator, connector: TwilioConnector
) -> None:
    first = await connector.publish(REPLY)
    assert isinstance(first, Sent)
    assert await connector.look_up(REPLY, frozenset({first.platform_id})) is None
    second = await connector.publish(REPLY)
    assert isinstance(second, Sent)
    assert await connector.look_up(REPLY, frozenset({first.platform_id})) == second
    assert await connector.look_up(REPLY, frozenset()) == first


async def test_old_messages_other_words_and_the_citizens_own_are_not_ours(
    twilio: TwilioSimulator, connector: TwilioConnector, clock: Time
) -> None:
    clock.now = NOW - timedelta(hours=2)
    await connector.publish(REPLY)
    clock.now = NOW
    await connector.publish(replace(REPLY, text="Yang lain."))
    await connector.publish(replace(REPLY, to="whatsapp:+628000000999"))
    await twilio.citizen_says(CITIZEN, REPLY.text)
    assert await connector.look_up(REPLY, frozenset()) is None


async def test_a_lookup_reads_beyond_the_first_page(
    twilio: TwilioSimulator, connector: TwilioConnector, clock: Time
) -> None:
    wanted = await connector.publish(REPLY)
    for n in range(120):
        twilio.network.send({"From": OFFICE, "To": CITIZEN, "Body": f"lain {n}"})
    assert await connector.look_up(REPLY, frozenset()) == wanted


async def test_a_lookup_that_cannot_be_made_is_made_later(connector: TwilioConnector) -> None:
    assert connector._config is not None
    config = connector._config.model_copy(update={"api_base_url": "http://127.0.0.1:1"})
    async with aclosing(TwilioConnector(config)) as gone:
        with pytest.raises(RetryLater):
            await gone.look_up(REPLY, frozenset())
        with pytest.raises(RetryLater):  # nothing left this machine, so nothing can have arrived
            await gone.publish(REPLY)


async def test_a_refused_account_stops_the_channel(connector: TwilioConnector) -> None:
    assert connector._config is not None
    config = connector._config.model_copy(update={"auth_token": SecretStr("salah")})
    async with aclosing(TwilioConnector(config)) as stranger:
        with pytest.raises(StopChannel, match="auth_token"):
            await stranger.publish(REPLY)
        with pytest.raises(StopChannel):
            await stranger.look_up(REPLY, frozenset())


async def test_a_refusal_for_good_says_why(twilio: TwilioSimulator, connector: TwilioConnector) -> None:
    twilio.opted_out.add(CITIZEN)
    assert await connector.publish(REPLY) == Failed("opted_out (21610)")
    assert await connector.publish(replace(REPLY, to="bukan nomor")) == Failed("invalid_number (21211)")
    assert await connector.publish(replace(REPLY, account="whatsapp:+628000000001")) == Failed(
        "twilio_error (63007)"
    )


async def test_closing_twice_or_unused_is_fine_and_it_opens_again(
    twilio: TwilioSimulator, connector: TwilioConnector
) -> None:
    await connector.aclose()
    assert isinstance(await connector.publish(REPLY), Sent)
    await connector.aclose()
    await connector.aclose()
    assert isinstance(await connector.publish(REPLY), Sent)
