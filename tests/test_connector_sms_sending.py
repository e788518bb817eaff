"""Sending through an SMS gateway, against the simulated ones on the loopback interface."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from laporhub.connectors.sms import SmsConnector
from laporhub.connectors.sms_config import SmsConfig
from laporhub.pipeline.connector import NOT_TOLD, Failed, Outgoing, Sent, Unknown
from laporhub.pipeline.errors import RetryLater, StopChannel
from laporhub.simulators.serving import serving
from laporhub.simulators.sms import SmsSimulator
from laporhub.simulators.twilio_answers import Failure

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
OFFICE, CITIZEN = "+628112920200", "+62811000001"
REPLY = Outgoing("r_1", 0, CITIZEN, OFFICE, "Laporan Anda kami terima.", None, NOW)


@pytest.fixture(params=["agregator", "kannel"])
async def gateway(request: pytest.FixtureRequest) -> AsyncIterator[SmsSimulator]:
    simulator = SmsSimulator(request.param, [OFFICE], "http://127.0.0.1:1/hooks/sms/x", lambda: NOW)
    yield simulator
    await simulator.aclose()


@pytest.fixture
async def connector(gateway: SmsSimulator) -> AsyncIterator[SmsConnector]:
    keys = gateway.keys
    async with serving(gateway) as url:
        config = SmsConfig(
            gateway=gateway.style,
            url=url,
            user=keys.user,
            password=SecretStr(keys.password),
            secret=SecretStr(keys.secret),
            hook_url=f"https://hub.example/hooks/sms/{gateway.style}",
        )
        async with aclosing(SmsConnector(config)) as connector:
            yield connector


def changed(connector: SmsConnector, **settings: object) -> SmsConnector:
    assert connector._config is not None
    return SmsConnector(connector._config.model_copy(update=settings))


async def test_an_answer_reaches_the_citizen(gateway: SmsSimulator, connector: SmsConnector) -> None:
    outcome = await connector.publish(REPLY)
    assert isinstance(outcome, Sent)
    named = gateway.messages[-1].sid if gateway.style == "agregator" else "r_1.0"
    assert outcome.platform_id == named
    assert gateway.conversation(CITIZEN) == [("outbound", REPLY.text)]
    assert gateway.messages[-1].sender == OFFICE


@pytest.mark.parametrize("text", ["Café [1] € & 50%+", "Terima kasih 🙏 ñ á", 'kata "kutip" = ? # {to} %d'])
async def test_every_letter_arrives(gateway: SmsSimulator, connector: SmsConnector, text: str) -> None:
    assert isinstance(await connector.publish(replace(REPLY, text=text)), Sent)
    assert gateway.messages[-1].body == text


async def test_the_report_finds_its_way_back(gateway: SmsSimulator, connector: SmsConnector) -> None:
    await connector.publish(replace(REPLY, part=2))
    query = parse_qs(urlsplit(gateway.messages[-1].callback).query)
    assert (query["reply"], query["part"]) == (["r_1"], ["2"])
    assert ("token" in query) == (gateway.style == "kannel"), (
        "the secret stands only where it proves the gateway"
    )


async def test_busy_is_later(gateway: SmsSimulator, connector: SmsConnector) -> None:
    gateway.failures.append(Failure.busy(7))
    with pytest.raises(RetryLater) as caught:
        await connector.publish(REPLY)
    assert caught.value.after == 7
    assert gateway.messages == []


async def test_a_wrong_password_stops_the_channel(gateway: SmsSimulator, connector: SmsConnector) -> None:
    async with aclosing(changed(connector, password=SecretStr("salah"))) as stranger:
        with pytest.raises(StopChannel, match="LAPORHUB_SMS_PASSWORD"):
            await stranger.publish(REPLY)


async def test_no_number_is_not_even_tried(gateway: SmsSimulator, connector: SmsConnector) -> None:
    for to in ("TOKO", "99123"):
        assert await connector.publish(replace(REPLY, to=to)) == Failed("invalid_number")
    assert gateway.log == []


@pytest.mark.parametrize("taken", [True, False])
@pytest.mark.parametrize("failure", ["broken", "drop"])
async def test_an_unknown_outcome_is_never_sent_twice(
    gateway: SmsSimulator, connector: SmsConnector, failure: str, taken: bool
) -> None:
    gateway.failures.append(Failure.broken(taken=taken) if failure == "broken" else Failure.drop(taken=taken))
    assert isinstance(await connector.publish(REPLY), Unknown)
    found = await connector.look_up(REPLY, frozenset())
    if gateway.style == "kannel":  # it cannot be asked: a person must find out
        assert found == Failed(NOT_TOLD)
    else:
        assert found == (Sent(gateway.messages[-1].sid) if taken else None)
    assert len(gateway.messages) == taken


async def test_no_answer_in_time_is_an_unknown_outcome(
    gateway: SmsSimulator, connector: SmsConnector
) -> None:
    gate = asyncio.Event()
    gateway.failures.append(Failure.slow(gate))
    async with aclosing(changed(connector, timeout=0.2)) as hasty:
        assert isinstance(await hasty.publish(REPLY), Unknown)
    gate.set()


async def test_a_gateway_that_is_away_was_told_nothing(
    gateway: SmsSimulator, connector: SmsConnector
) -> None:
    async with aclosing(changed(connector, url="http://127.0.0.1:1")) as gone:
        with pytest.raises(RetryLater):
            await gone.publish(REPLY)
        if gateway.style == "agregator":
            with pytest.raises(RetryLater):
                await gone.look_up(REPLY, frozenset())


async def test_what_it_refuses_for_good(gateway: SmsSimulator, connector: SmsConnector) -> None:
    if gateway.style == "kannel":
        assert await connector.publish(replace(REPLY, account="+62811999")) == Failed("refused")
        return
    gateway.opted_out.add(CITIZEN)
    assert await connector.publish(REPLY) == Failed("opted_out (11)")
    gateway.opted_out.clear()
    gateway.credit = 0
    with pytest.raises(StopChannel, match="credit"):
        await connector.publish(REPLY)


async def test_long_answers_go_in_parts_that_it_takes(gateway: SmsSimulator, connector: SmsConnector) -> None:
    parts = connector.split("Kami sudah memeriksa lokasi 🙏 dan akan memperbaikinya. " * 30)
    assert len(parts) > 2
    for number, part in enumerate(parts):
        assert isinstance(await connector.publish(replace(REPLY, part=number, text=part)), Sent)
    assert max(message.segments for message in gateway.messages) <= 4


async def test_what_was_spent_is_told(gateway: SmsSimulator, connector: SmsConnector) -> None:
    await connector.publish(replace(REPLY, text="a" * 161))
    assert (await connector.check(OFFICE)).facts["segments sent"] == "2"


async def test_neither_number_nor_password_is_logged(
    gateway: SmsSimulator, connector: SmsConnector, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        gateway.failures.append(Failure.broken())
        outcomes = [await connector.publish(REPLY) for _ in range(2)]
    ours = "".join(
        record.getMessage() for record in caplog.records if record.name.startswith("aiohttp.client")
    )
    for secret in (CITIZEN.removeprefix("+"), gateway.keys.password, REPLY.text):
        assert secret not in f"{ours}{outcomes}"
