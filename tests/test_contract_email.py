"""E-mail keeps the connectors' contract."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from hypothesis import strategies as st

from laporhub.connectors.specimen import Answer, Said, Specimen
from laporhub.hub.contract import contract_of
from laporhub.pipeline.connector import Raw
from laporhub.simulators.mail import MailSimulator

ADDRESS = "lapor@kota.contoh.test"
TOLD = {
    "imap_host": "127.0.0.1",
    "imap_security": "none",
    "smtp_host": "127.0.0.1",
    "smtp_security": "none",
    "username": ADDRESS,
    "password": "rahasia-percobaan",
}


class EmailSpecimen(Specimen):
    provider = "email"
    channel = "email"
    account = ADDRESS
    settings = TOLD
    hook = "none"
    threads = True
    words = st.text(
        st.characters(categories=["L", "N", "Zs", "Po"], exclude_characters=":"), min_size=1
    ).filter(lambda words: words == words.strip() and len(words.splitlines()) == 1)
    """One line; what mail programs make of the rest is tested in test_email_words.py."""

    def payload(self, said: Said) -> Raw:
        mail = EmailMessage(policy=SMTP)
        mail["From"] = f"Warga Percobaan {said.author} <{self.address(said.author)}>"
        mail["To"] = ADDRESS
        mail["Date"] = format_datetime(said.at)
        mail["Message-ID"] = self.where(said)
        root = f"<utas-{said.thread}-{said.author}@warga.contoh.test>"
        mail["References"] = root
        mail.set_content(said.words)
        return Raw(mail.as_bytes(), "message/rfc822")

    def with_more(self, raw: Raw, more: Mapping[str, str]) -> Raw:
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in more.items())
        return replace(raw, body=head.encode() + raw.body)

    def address(self, author: int) -> str:
        return f"warga-percobaan-{author}@warga.contoh.test"

    def identity(self, author: int) -> Sequence[str]:
        return (f"Warga Percobaan {author}", f"warga-percobaan-{author}")

    def where(self, said: Said) -> str:
        return f"<{said.id}.{said.thread}.{said.author}@warga.contoh.test>"

    @asynccontextmanager
    async def platform(self, now: Callable[[], datetime]) -> AsyncIterator[Played]:
        simulator = MailSimulator(ADDRESS, now)
        async with simulator.running() as (_, settings):
            yield Played(self, simulator, settings)


@dataclass
class Played:
    specimen: EmailSpecimen
    simulator: MailSimulator
    settings: Mapping[str, str]

    def heard(self) -> Sequence[Answer]:
        mails = [message_from_bytes(body) for _, body in self.simulator.sent]
        return [Answer(mail["In-Reply-To"], mail.get_payload(decode=True).decode()) for mail in mails]

    def arrives(self, said: Said) -> None:
        self.simulator.folder.add(self.specimen.payload(said).body)

    def break_next(self, *, taken: bool) -> None:
        self.simulator.failures.append("taken" if taken else "lost")


TestEmail = contract_of(EmailSpecimen())
