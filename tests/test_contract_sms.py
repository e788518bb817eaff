"""SMS gateways keep the connectors' contract: one that posts and can be asked, one that delivers by GET and cannot.

How each proves itself is told by test_connector_sms: a shared secret covers no words, as the suite's signatures do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlencode

from laporhub.connectors.specimen import FORM, Answer, Said, Specimen
from laporhub.hub.contract import contract_of
from laporhub.pipeline.connector import Raw
from laporhub.simulators.serving import serving
from laporhub.simulators.sms import SmsSimulator
from laporhub.simulators.twilio_answers import Failure

WIB = timezone(timedelta(hours=7))
SECRET = "demo-secret"


@dataclass
class SmsSpecimen(Specimen):
    style: str
    provider: str = "sms"
    channel: str = "sms"
    account: str = "+628112920200"
    signs_body: bool = False

    def __post_init__(self) -> None:
        self.path = f"/hooks/sms/{self.style}"
        self.settings = {"gateway": self.style, "url": "http://127.0.0.1:1", "user": "demo"} | {
            "password": "demo-password",
            "secret": SECRET,
        }
        self.looks_up = self.style == "agregator"
        self.hook = (
            "signed" if self.style == "agregator" else "open"
        )  # Kannel shows its secret in the form itself

    def payload(self, said: Said) -> Raw:
        if self.style == "kannel":
            form = {"token": SECRET, "id": said.id, "from": self.where(said), "to": self.account}
            form |= {"time": str(int(said.at.timestamp())), "text": said.words}
        else:
            form = {"message_id": said.id, "msisdn": self.where(said)[1:], "to": self.account[1:]}
            form |= {
                "message": said.words,
                "received_at": said.at.astimezone(WIB).strftime("%Y-%m-%d %H:%M:%S"),
            }
        return Raw(urlencode(form).encode(), FORM)

    def where(self, said: Said) -> str:
        return f"+6281100000{said.author:03d}"

    def identity(self, author: int) -> Sequence[str]:
        return (f"81100000{author:03d}",)

    def sign(self, raw: Raw) -> Raw:
        return replace(raw, headers={"x-callback-token": SECRET})

    @asynccontextmanager
    async def platform(self, now: Callable[[], datetime]) -> AsyncIterator[Played]:
        simulator = SmsSimulator(self.style, [self.account], "http://127.0.0.1:1/hooks/sms/x", now)
        async with serving(simulator) as url:
            yield Played(simulator, dict(self.settings) | {"url": url})
        await simulator.aclose()


@dataclass
class Played:
    """The simulator, as the suite sees it."""

    simulator: SmsSimulator
    settings: Mapping[str, Any]

    def heard(self) -> Sequence[Answer]:
        return [Answer(m.to, m.body) for m in self.simulator.messages if m.direction != "inbound"]

    def arrives(self, said: Said) -> None:
        """It is delivered, not asked for."""

    def break_next(self, *, taken: bool) -> None:
        self.simulator.failures.append(Failure.drop(taken=taken))


TestAgregator = contract_of(SmsSpecimen("agregator"))
TestKannel = contract_of(SmsSpecimen("kannel"))
