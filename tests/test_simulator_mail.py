"""The simulated mail server, and a hub that works with it."""

from __future__ import annotations

from email import message_from_bytes
from pathlib import Path

import httpx
from support import Clock, hub_on
from test_contract_email import ADDRESS, EmailSpecimen

from laporhub.hub.contract_ground import profile_with
from laporhub.hub.hub import Hub
from laporhub.hub.polling import Poller, polled_accounts
from laporhub.pipeline.tracking import Query
from laporhub.simulators.citizens import complaints
from laporhub.simulators.mail import MailSimulator


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
        settings = {"profile": str(profile), "connectors": {"email": dict(told)}}
        async with hub_on(tmp_path / "data", clock, **settings) as hub:
            server.arrives("warga1@warga.contoh.test", "Jalan rusak di Batang sejak kemarin", "Jalan rusak")
            await polled(hub, clock)
            [ticket] = tickets(hub, clock)
            [(to, body)] = server.sent
            assert to == "warga1@warga.contoh.test"
            assert ticket in message_from_bytes(body)["Subject"]
            async with httpx.AsyncClient() as browser:
                page = (await browser.get(url)).text
            assert ticket in page
            assert "Jalan rusak di Batang" in page

            server.arrives("warga1@warga.contoh.test", "Apa kabarnya?", f"Tanya {ticket}")
            await polled(hub, clock)
            case = hub.case(ticket)
            assert case is not None
            assert case.messages == 2

            server.arrives("lain@warga.contoh.test", "Saya mau tahu juga", f"Tanya {ticket}")
            await polled(hub, clock)
            assert len(tickets(hub, clock)) == 2, "somebody else's ticket opens nothing"


async def test_a_made_up_citizen_writes(tmp_path: Path) -> None:
    server = MailSimulator(ADDRESS, Clock())
    person = next(complaints(7))
    await server.citizen_writes("email", person)
    [mail] = server.folder.mails
    assert message_from_bytes(mail.body)["To"] == ADDRESS
