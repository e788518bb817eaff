"""The simulated mail server, and a hub that works with it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest
from support import Clock, hub_on
from test_contract_email import ADDRESS, EmailSpecimen

from laporhub.connectors.email import EmailConnector
from laporhub.hub.contract_ground import profile_with
from laporhub.hub.hub import Hub
from laporhub.hub.polling import Poller, polled_accounts
from laporhub.pipeline.connector import Parsed, Raw
from laporhub.pipeline.door import Door
from laporhub.pipeline.messages import Message
from laporhub.pipeline.tracking import Query
from laporhub.simulators.citizens import complaints
from laporhub.simulators.mail import MailSimulator

CHECKER = "mx.contoh.test"


async def polled(hub: Hub, clock: Clock) -> None:
    clock.forward(minutes=2)
    accounts = polled_accounts(hub.rulebooks, hub._connectors)
    for account in accounts:
        await Poller(hub.database, hub, accounts, clock).ask(account)
    await hub.publisher.send_due()


def tickets(hub: Hub, clock: Clock) -> list[str]:
    return [case.ticket for case in hub.tracking.find(Query(("laporgub-jateng",)), clock()).cases]


async def test_a_mail_is_answered_and_a_later_one_finds_its_case_by_the_ticket(tmp_path: Path) -> None:
    clock, server = Clock(), MailSimulator(ADDRESS, Clock())
    profile = profile_with(EmailSpecimen(), "laporgub-jateng", tmp_path / "laporgub-jateng")
    async with server.running() as (url, told):
        settings = {"profile": str(profile), "connectors": {"email": {**told, "authserv_id": CHECKER}}}
        async with hub_on(tmp_path / "data", clock, **settings) as hub:
            server.arrives(
                "warga1@warga.contoh.test",
                "Jalan rusak di Batang sejak kemarin",
                "Jalan rusak",
                checked_by=CHECKER,
            )
            await polled(hub, clock)
            [ticket] = tickets(hub, clock)
            [(to, body)] = server.sent
            assert to == "warga1@warga.contoh.test"
            assert ticket in message_from_bytes(body)["Subject"]
            async with httpx.AsyncClient() as browser:
                page = (await browser.get(url)).text
            assert ticket in page
            assert "Jalan rusak di Batang" in page

            server.arrives("warga1@warga.contoh.test", "Apa kabarnya?", f"Tanya {ticket}", checked_by=CHECKER)
            await polled(hub, clock)
            case = hub.case(ticket)
            assert case is not None
            assert case.messages == 2

            server.arrives(
                "lain@warga.contoh.test", "Saya mau tahu juga", f"Tanya {ticket}", checked_by=CHECKER
            )
            server.arrives("warga1@warga.contoh.test", "Batalkan saja laporan saya", f"Tanya {ticket}")
            await polled(hub, clock)
            assert len(tickets(hub, clock)) == 3, (
                "a ticket opens nothing to somebody else, nor to a forged sender"
            )
            assert (case := hub.case(ticket)) is not None and case.messages == 2


async def test_a_made_up_citizen_writes(tmp_path: Path) -> None:
    server = MailSimulator(ADDRESS, Clock())
    person = next(complaints(7))
    await server.citizen_writes("email", person)
    [mail] = server.folder.mails
    assert message_from_bytes(mail.body)["To"] == ADDRESS


async def test_a_large_mail_is_read_beside_the_hub_not_in_its_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading and hashing 20 MB of it takes a second, in which nobody else would be answered."""
    clock, read_by = Clock(), dict[int, bool]()
    parse, admit = EmailConnector.parse, Door.admit

    def reading(connector: EmailConnector, raw: Raw) -> Sequence[Parsed]:
        read_by[len(raw.body)] = in_the_way()
        return parse(connector, raw)

    def admitting(door: Door, *what: Any) -> Message:
        read_by[-len(what[2].files)] = in_the_way()
        return admit(door, *what)

    monkeypatch.setattr(EmailConnector, "parse", reading)
    monkeypatch.setattr(Door, "admit", admitting)
    profile = profile_with(EmailSpecimen(), "laporgub-jateng", tmp_path / "laporgub-jateng")
    async with hub_on(tmp_path / "data", clock, profile=str(profile)) as hub:
        for name, files in (("surat", ()), ("foto", (b"\xff\xd8\xff" + bytes(range(256)) * 4000,))):
            mail = EmailMessage()
            mail["From"], mail["Message-ID"] = "warga1@warga.contoh.test", f"<{name}@warga.contoh.test>"
            mail.set_content("Jalan rusak di Batang sejak kemarin")
            for each in files:
                mail.add_attachment(each, maintype="image", subtype="jpeg", filename="jalan.jpg")
            await hub.take("laporgub-jateng", "email", "email", Raw(mail.as_bytes(), "message/rfc822"))
        assert len(tickets(hub, clock)) == 2
    small, large = sorted(size for size in read_by if size > 0)
    assert large > 1_000_000
    assert (read_by[small], read_by[large]) == (True, False)
    assert (read_by[0], read_by[-1]) == (True, False), "nor is it hashed there"


def in_the_way() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
