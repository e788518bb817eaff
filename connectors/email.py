"""E-mail: IMAP in, SMTP out. One mailbox, that is our address; mails are polled, and marked as read once they are kept.

SMTP tells nobody later whether it took a mail. So each of ours also goes to our own mailbox (in the envelope, not in
its head) under a Message-ID that is always the same: there it is looked for when an answer did not come.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any, Final, Literal

import aiosmtplib
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from laporhub.connectors import email_payload
from laporhub.connectors.config import configured
from laporhub.connectors.email_mailbox import Mailbox, Position, why
from laporhub.connectors.email_payload import Place, our_id
from laporhub.connectors.files import MAIL
from laporhub.pipeline.connector import Failed, Outcome, Outgoing, Parsed, Raw, Sent, Unknown
from laporhub.pipeline.connector_abilities import Health, Polled
from laporhub.pipeline.errors import Forged, Misconfigured, RetryLater, StopChannel
from laporhub.pipeline.ids import ticket_in

COPY_WITHIN: Final = timedelta(minutes=2)
"""How long our own copy may take to lie in our mailbox."""
_PAGE: Final = 20

Security = Literal["tls", "starttls", "none"]


class EmailConfig(BaseModel):
    """The mailbox and the server that sends for it; user and password are the same for both unless told otherwise.

    `authserv_id` is the name by which our own mail server signs its `Authentication-Results`; without it no sender
    counts as verified. `max_bytes`: of a larger mail only the beginning is read. `timeout`: seconds for one step.
    `ca`: who signed the servers' certificates, as PEM; the machine's own list without it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    imap_host: str = Field(min_length=1)
    imap_port: int = Field(993, ge=1, le=65535)
    imap_security: Security = "tls"
    imap_folder: str = "INBOX"
    smtp_host: str = Field(min_length=1)
    smtp_port: int = Field(587, ge=1, le=65535)
    smtp_security: Security = "starttls"
    username: str = Field(min_length=1)
    password: SecretStr = Field(min_length=1)
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    sender_name: str = ""
    authserv_id: str | None = None
    poll_every: float = Field(60.0, ge=1)
    max_bytes: int = Field(30 * 2**20, ge=2**16)
    timeout: float = Field(30.0, gt=0)
    ca: str | None = None

    @model_validator(mode="after")
    def _no_password_in_the_clear(self) -> EmailConfig:
        for security, host in ((self.imap_security, self.imap_host), (self.smtp_security, self.smtp_host)):
            if security == "none" and host not in ("localhost", "127.0.0.1", "::1"):
                raise ValueError(f"{host}: without encryption only on this machine; choose tls or starttls")
        return self

    @field_validator("ca")
    @classmethod
    def _is_a_certificate(cls, ca: str | None) -> str | None:
        try:
            _ = ca and ssl.create_default_context(cadata=ca)
        except ssl.SSLError:
            raise ValueError(
                "this is no certificate in PEM: name its file in LAPORHUB_EMAIL_CA_FILE"
            ) from None
        return ca

    def tls(self) -> ssl.SSLContext:
        """How the servers' certificates are checked."""
        return ssl.create_default_context(cadata=self.ca)


CONFIG = EmailConfig


def _utc_now() -> datetime:
    return datetime.now(UTC)


class EmailConnector:
    """See `Connector`, `Polls` and `Checks`. Without a config it can parse and split."""

    def __init__(self, config: EmailConfig | None = None, now: Callable[[], datetime] = _utc_now) -> None:
        self._config = config
        self._now = now

    @property
    def able(self) -> bool:
        return self._config is not None

    @property
    def poll_every(self) -> float:
        return self._configured().poll_every

    def verify(self, raw: Raw) -> None:  # noqa: ARG002
        """Mails are polled; whoever posts one is not our mail server."""
        raise Forged("e-mail has no hook: mails are fetched from the mailbox")

    def parse(self, raw: Raw) -> Sequence[Parsed]:
        """One mail. Raises `Unparsable`."""
        return [email_payload.parse(raw, self._config.authserv_id if self._config else None)]

    def split(self, text: str) -> Sequence[str]:
        """A mail takes any length."""
        return [text]

    # ── in ──

    async def poll(self, account: str, cursor: str | None) -> Polled:  # noqa: ARG002
        """The next mails of the folder. Those before the cursor are kept by now, and are marked as read.

        Raises `RetryLater`, `StopChannel`.
        """
        return await asyncio.to_thread(self._page, cursor)

    def _page(self, cursor: str | None) -> Polled:
        config = self._configured()
        with Mailbox.open(config) as mailbox:
            known = Position.read(cursor, mailbox.validity)
            if known.last > known.marked:
                mailbox.mark_read(known.marked + 1, known.last)
            waiting = mailbox.after(known.last)
            page = waiting[:_PAGE]
            payloads = [Raw(body, MAIL) for uid in page if (body := mailbox.mail(uid, config.max_bytes))]
        at = Position(known.validity, page[-1] if page else known.last, known.last)
        return Polled(payloads, at.written(), more=len(waiting) > len(page))

    # ── out ──

    async def publish(self, outgoing: Outgoing) -> Outcome:
        """Hands it to our mail server. Raises `RetryLater`, `StopChannel`.

        Up to the last dot of the mail nothing was taken; only what breaks after that has an unknown outcome.
        """
        mail = compose(outgoing, self._configured().sender_name, self._now())
        client = self._client()
        try:
            await self._ready(client, outgoing)
            try:
                await client.data(mail.as_bytes(policy=SMTP))
            except aiosmtplib.SMTPResponseException as error:
                if error.code == 421 or error.code < 0:
                    return Unknown("the mail server broke off")
                return _refused(error)
            except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
                return Unknown(f"no answer: {type(error).__name__}")
            return Sent(str(mail["Message-ID"]))
        except _Refusal as refusal:
            return Failed(refusal.reason)
        finally:
            client.close()

    async def _ready(self, client: aiosmtplib.SMTP, outgoing: Outgoing) -> None:
        """Up to where the mail itself is next. Raises `_Refusal` where this receiver will never do."""
        config = self._configured()
        secret = config.smtp_password or config.password
        try:
            await client.connect()
            await client.login(config.smtp_username or config.username, secret.get_secret_value())
            await client.mail(outgoing.account)
            await client.rcpt(outgoing.to.removeprefix("mailto:"))
        except aiosmtplib.SMTPAuthenticationError as error:
            raise StopChannel(
                f"the mail server refuses the password ({error.code}): check LAPORHUB_EMAIL_USERNAME and _PASSWORD"
            ) from None
        except aiosmtplib.SMTPRecipientRefused as error:
            if error.code >= 500:
                raise _Refusal(f"no_such_address ({error.code})") from None
            raise RetryLater(f"the mail server will not take it now ({error.code})") from None
        except aiosmtplib.SMTPSenderRefused as error:
            if error.code >= 500:
                raise StopChannel(
                    f"the mail server does not let us send as our address ({error.code})"
                ) from None
            raise RetryLater(f"the mail server will not take it now ({error.code})") from None
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise RetryLater(f"the mail server cannot be reached: {why(error)}") from None
        try:
            await client.rcpt(outgoing.account)
        except aiosmtplib.SMTPResponseException:
            return  # without our copy it still goes out
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise RetryLater(f"the mail server cannot be reached: {why(error)}") from None

    async def look_up(self, outgoing: Outgoing, known: frozenset[str]) -> Sent | None:  # noqa: ARG002
        """Whether our own copy lies in our mailbox. While it may still come, nothing is sent again."""
        name = _name(outgoing)
        if await asyncio.to_thread(self._has, name):
            return Sent(name)
        waited = self._now() - outgoing.attempted_at
        if timedelta() <= waited < COPY_WITHIN:
            raise RetryLater("our own copy may still come", after=(COPY_WITHIN - waited).total_seconds())
        return None

    def _has(self, message_id: str) -> bool:
        with Mailbox.open(self._configured()) as mailbox:
            return mailbox.has(message_id)

    async def check(self, account: str) -> Health:  # noqa: ARG002
        """Signs in at both servers, and changes nothing. Raises `RetryLater`."""
        config, client = self._configured(), self._client()
        try:
            await asyncio.to_thread(self._look_in)
            await client.connect()
            secret = config.smtp_password or config.password
            await client.login(config.smtp_username or config.username, secret.get_secret_value())
        except StopChannel as error:
            return Health(ok=False, reason=str(error))
        except aiosmtplib.SMTPAuthenticationError as error:
            return Health(ok=False, reason=f"the server that sends refuses the password ({error.code})")
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise RetryLater(f"the mail server cannot be reached: {why(error)}") from None
        finally:
            client.close()
        return Health(ok=True)

    def _look_in(self) -> None:
        with Mailbox.open(self._configured()):
            pass

    def _client(self) -> aiosmtplib.SMTP:
        config = self._configured()
        return aiosmtplib.SMTP(
            hostname=config.smtp_host,
            port=config.smtp_port,
            timeout=config.timeout,
            use_tls=config.smtp_security == "tls",
            start_tls=config.smtp_security == "starttls",
            tls_context=None if config.smtp_security == "none" else config.tls(),
        )

    def _configured(self) -> EmailConfig:
        if self._config is None:
            raise Misconfigured("e-mail needs a mailbox: set LAPORHUB_EMAIL_IMAP_HOST and the rest")
        return self._config


class _Refusal(Exception):
    """This mail will never be taken."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def connector(settings: Mapping[str, Any]) -> EmailConnector:
    """From a channel's settings; none at all is enough to read files. Raises `Misconfigured`."""
    return EmailConnector(configured("email", EmailConfig, settings))


def compose(outgoing: Outgoing, sender_name: str, now: datetime) -> EmailMessage:
    """The mail: in the thread of the one it answers, "Re:" its subject, with the ticket where the words name one."""
    place, mail = Place.unpacked(outgoing.reply_to), EmailMessage(policy=SMTP)
    user, _, domain = outgoing.account.partition("@")
    mail["From"] = Address(sender_name, user, domain)
    mail["To"] = outgoing.to.removeprefix("mailto:")
    mail["Subject"] = outgoing.subject or _subject(place.subject if place else "", outgoing.text)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = _name(outgoing)
    if place is not None:
        mail["In-Reply-To"] = place.message_id
        mail["References"] = " ".join(place.references)
    if not outgoing.human:  # RFC 3834: so that no other machine answers this one
        mail["Auto-Submitted"] = "auto-generated" if outgoing.subject else "auto-replied"
        mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(outgoing.text)
    for file in outgoing.files:
        kind, _, name = file.media_type.partition(";")[0].partition("/")
        mail.add_attachment(file.data, maintype=kind, subtype=name, filename=file.name)
    return mail


def _name(outgoing: Outgoing) -> str:
    place = Place.unpacked(outgoing.reply_to)
    domain = outgoing.account.rpartition("@")[2]
    return our_id(outgoing.reply_id, outgoing.part, place.thread if place else "0" * 20, domain)


def _subject(asked: str, text: str) -> str:
    asked = re.sub(r"^(?:(?:re|bls|balas)\s*:\s*)+", "", asked, flags=re.IGNORECASE)
    ticket = ticket_in(text)
    tail = f"[{ticket}]" if ticket and ticket not in asked else ""
    return " ".join(filter(None, ("Re:", asked[:200] or "Laporan Anda", tail)))


def _refused(error: aiosmtplib.SMTPResponseException) -> Failed:
    """What the server says to the mail itself. Raises `RetryLater`."""
    if error.code < 500:
        raise RetryLater(f"the mail server will not take it now ({error.code})") from None
    return Failed(f"rejected ({error.code})")
