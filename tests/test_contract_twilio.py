"""WhatsApp and SMS through Twilio keep the connectors' contract."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from twilio.request_validator import RequestValidator

from laporhub.connectors.contract import Reading
from laporhub.connectors.specimen import FORM, Answer, Said, Specimen
from laporhub.hub.contract import contract_of
from laporhub.pipeline.connector import Raw
from laporhub.simulators.serving import serving
from laporhub.simulators.twilio import TwilioSimulator
from laporhub.simulators.twilio_answers import Failure

TOLD = {"account_sid": "AC1", "auth_token": "rahasia-percobaan"}


@dataclass
class TwilioSpecimen(Specimen):
    provider: str = "twilio"
    channel: str = "whatsapp"
    account: str = "whatsapp:+628112920200"
    settings = TOLD

    def payload(self, said: Said) -> Raw:
        form = {
            "MessageSid": f"SM{said.id}",
            "AccountSid": "AC1",
            "From": self.where(said),
            "To": self.account,
            "Body": said.words,
            "NumMedia": "0",
            "DateSent": said.at.isoformat(),
        }
        if self.channel == "whatsapp":
            form |= {"MessageType": "text", "ProfileName": f"Warga Percobaan {said.author}"}
        return Raw(urlencode(form).encode(), FORM)

    def where(self, said: Said) -> str:
        return f"{'whatsapp:' * (self.channel == 'whatsapp')}+6281100000{said.author:03d}"

    def identity(self, author: int) -> Sequence[str]:
        return (f"Warga Percobaan {author}", f"81100000{author:03d}")

    def sign(self, raw: Raw) -> Raw:
        validator = RequestValidator(TOLD["auth_token"])
        form = dict(parse_qsl(raw.body.decode("utf-8", "replace"), keep_blank_values=True))
        return replace(raw, headers={"x-twilio-signature": validator.compute_signature(raw.url, form)})

    def unsupported(self, said: Said) -> Sequence[Raw]:
        form = dict(parse_qsl(self.payload(said).body.decode(), keep_blank_values=True))
        kinds = ("contacts", "order", "reaksi") if self.channel == "whatsapp" else ()
        odd = (form | {"MessageSid": f"SM{kind}", "MessageType": kind, "Body": ""} for kind in kinds)
        return [Raw(urlencode(each).encode(), FORM) for each in odd]

    def hub_settings(self, told: Mapping[str, Any]) -> Mapping[str, Any]:
        return {f"twilio_{name.replace('api_base', 'api')}": value for name, value in told.items()}

    @asynccontextmanager
    async def platform(self, now: Callable[[], datetime]) -> AsyncIterator[Played]:
        nowhere = "http://127.0.0.1:1/hooks/twilio"
        simulator = TwilioSimulator("AC1", TOLD["auth_token"], [self.account], nowhere, None, now)
        async with serving(simulator) as url:
            yield Played(self, simulator, TOLD | {"api_base_url": url})
        await simulator.aclose()


@dataclass
class Played:
    """The simulator, as the suite sees it."""

    specimen: TwilioSpecimen
    simulator: TwilioSimulator
    settings: Mapping[str, Any]

    def heard(self) -> Sequence[Answer]:
        return [Answer(m.to, m.body) for m in self.simulator.network.messages if m.direction != "inbound"]

    def arrives(self, said: Said) -> None:
        message = self.simulator.network.receive(self.specimen.where(said), said.words, (), None)
        message.sid = f"SM{said.id}"

    def break_next(self, *, taken: bool) -> None:
        self.simulator.failures.append(Failure.drop(taken=taken))


class AsJson(TwilioSpecimen):
    """Backfills have JSON; hooks never do."""

    def payload(self, said: Said) -> Raw:
        form = dict(parse_qsl(super().payload(said).body.decode(), keep_blank_values=True))
        return Raw(orjson.dumps(form), "application/json")


TestWhatsApp = contract_of(TwilioSpecimen())
TestSms = contract_of(TwilioSpecimen("twilio", "sms", "+628112920200"))


class TestJson(Reading):
    specimen = AsJson()
