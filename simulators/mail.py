"""A mail server to talk to: SMTP takes mails for anybody, IMAP shows the office's mailbox, and a page shows both.

It keeps the rules that matter: sign-in first, unknown receivers refused, UIDs that only rise under a UIDVALIDITY, a
mail taken at its last dot and not before. `failures` is the queue of what goes wrong next.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import warnings
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime
from typing import Any, Literal

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from laporhub.simulators.citizens import DemoComplaint
from laporhub.simulators.mail_imap import Folder, imap_session
from laporhub.simulators.mail_page import page
from laporhub.simulators.serving import serving

PASSWORD = "rahasia-contoh"  # noqa: S105
Failure = Literal["taken", "lost", "busy", "refused"]
"""What becomes of the next mail: the line breaks after its last dot, or before it is kept; 451; 550."""


@dataclass
class MailSimulator:
    """One office, `address`, and everybody else. Implements `platform.Platform`."""

    address: str
    clock: Callable[[], datetime]
    provider: str = "email"
    failures: deque[Failure] = field(default_factory=deque)
    unknown: set[str] = field(default_factory=set)
    """Addresses that do not exist."""
    sent: list[tuple[str, bytes]] = field(default_factory=list)
    """What citizens got: their address, and the mail."""
    copies: bool = True
    """Whether mails to the office's own address come at once."""
    tls: ssl.SSLContext | None = None
    """The servers' certificate; without it they speak in the clear."""
    security: Literal["tls", "starttls"] = "tls"
    """Whether TLS begins at once, or is asked for; nobody signs in before it."""

    def __post_init__(self) -> None:
        self.folder = Folder()
        self.sign_ins = 0
        self.encrypted: set[Literal["imap", "smtp"]] = set()
        """Where somebody signed in, and nobody could listen."""
        self._written = 0

    @asynccontextmanager
    async def running(
        self, port: int = 0, host: str = "127.0.0.1"
    ) -> AsyncIterator[tuple[str, Mapping[str, str]]]:
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # the library logs who writes to whom
        loop = asyncio.get_running_loop()
        async with AsyncExitStack() as stack:
            at_once = self.tls if self.security == "tls" else None
            smtp = await loop.create_server(self._smtp, host, 0, ssl=at_once)
            imap = await asyncio.start_server(self._imap, host, 0, ssl=at_once)
            for server in (smtp, imap):
                stack.callback(server.close)
            routes = [Route("/", self._page), Route("/kirim", self._typed, methods=["POST"])]
            address = await stack.enter_async_context(serving(Starlette(routes=routes), port, host))
            yield (
                address,
                {
                    "imap_host": host,
                    "imap_port": str(imap.sockets[0].getsockname()[1]),
                    "imap_security": self.security if self.tls else "none",
                    "smtp_host": host,
                    "smtp_port": str(smtp.sockets[0].getsockname()[1]),
                    "smtp_security": self.security if self.tls else "none",
                    "username": self.address,
                    "password": PASSWORD,
                    "poll_every": "2",
                },
            )

    async def citizen_writes(self, channel: str, person: DemoComplaint) -> None:
        self._written += 1
        self.arrives(f"warga{self._written}@contoh.test", person.text, name=person.name)

    def arrives(
        self, sender: str, text: str, subject: str = "", name: str | None = None, *, checked_by: str = ""
    ) -> None:
        """A citizen's mail lies in the office's mailbox. `checked_by`: the server that vouches for its sender."""
        mail = EmailMessage(policy=WIRE)
        mail["From"] = f"{name} <{sender}>" if name else sender
        mail["To"] = self.address
        mail["Date"] = format_datetime(self.clock())
        mail["Message-ID"] = f"<{len(self.folder.mails) + 1}.{sender}>"
        if checked_by:
            domain = sender.rpartition("@")[2]
            mail["Authentication-Results"] = f"{checked_by}; dmarc=pass header.from={domain}"
        if subject:
            mail["Subject"] = subject
        mail.set_content(text)
        self.folder.add(mail.as_bytes())

    # ── SMTP ──

    @property
    def _asked_for(self) -> ssl.SSLContext | None:
        return self.tls if self.security == "starttls" else None

    def _smtp(self) -> SMTP:
        with warnings.catch_warnings():  # it advises against passwords without TLS: here they are made up
            warnings.simplefilter("ignore")
            return SMTP(
                self,
                auth_require_tls=self._asked_for is not None,
                tls_context=self._asked_for,
                require_starttls=self._asked_for is not None,
                authenticator=self._authenticate,
                auth_required=True,
                hostname="contoh.test",
                data_size_limit=30 * 2**20,
            )

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, way: str, said: Any
    ) -> AuthResult:
        right = isinstance(said, LoginPassword) and said.password == PASSWORD.encode()
        self._signs_in("smtp", encrypted=server.transport is not None and _is_tls(server.transport))
        return AuthResult(success=right, handled=False)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        if address in self.unknown:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        failure = self.failures.popleft() if self.failures else None
        if failure == "busy":
            return "451 4.7.1 greylisted, try again later"
        if failure == "refused":
            return "550 5.7.1 rejected"
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        if failure != "lost":
            self._deliver(envelope.rcpt_tos, content)
        if failure is not None and server.transport is not None:
            server.transport.abort()  # type: ignore[attr-defined]
        return "250 OK"

    def _deliver(self, receivers: list[str], content: bytes) -> None:
        for receiver in receivers:
            if receiver != self.address:
                self.sent.append((receiver, content))
            elif self.copies:
                self.folder.add(content)

    # ── IMAP and the page ──

    async def _imap(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def signs_in() -> None:
            self._signs_in("imap", encrypted=_is_tls(writer.transport))

        await imap_session(reader, writer, self.folder, (self.address, PASSWORD), self._asked_for, signs_in)

    def _signs_in(self, where: Literal["imap", "smtp"], *, encrypted: bool) -> None:
        self.sign_ins += 1
        if encrypted:
            self.encrypted.add(where)

    async def _page(self, request: Request) -> HTMLResponse:
        inbox = [message_from_bytes(each.body) for each in self.folder.mails]
        return HTMLResponse(page(self.address, inbox, [message_from_bytes(body) for _, body in self.sent]))

    async def _typed(self, request: Request) -> HTMLResponse:
        form = await request.form()
        sender, text = str(form.get("dari", "")).strip(), str(form.get("pesan", "")).strip()
        if "@" in sender and text:
            self.arrives(sender, text, str(form.get("perihal", "")).strip())
        return await self._page(request)


def _is_tls(transport: asyncio.BaseTransport) -> bool:
    return transport.get_extra_info("ssl_object") is not None
