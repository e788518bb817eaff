"""E-mail over TLS: only with servers whose certificate is trusted, and nothing is said to others."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal, get_args

import pytest
import trustme
from support import MONDAY, Clock
from test_contract_email import ADDRESS

from laporhub.connectors.email import EmailConnector, connector
from laporhub.pipeline.connector import Outgoing, Sent
from laporhub.pipeline.errors import Misconfigured, RetryLater
from laporhub.simulators.mail import MailSimulator

Security = Literal["tls", "starttls"]

both_ways = pytest.mark.parametrize("security", get_args(Security))


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def stranger() -> trustme.CA:
    return trustme.CA()


def certificate(authority: trustme.CA, host: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(host).configure_cert(context)
    return context


@asynccontextmanager
async def office(
    security: Security, authority: trustme.CA, trusted: trustme.CA | None, host: str = "127.0.0.1"
) -> AsyncIterator[tuple[MailSimulator, EmailConnector]]:
    """A mail server with a certificate of `authority` for `host`, and a connector that trusts `trusted`."""
    server = MailSimulator(ADDRESS, Clock(), tls=certificate(authority, host), security=security)
    async with server.running() as (_, told):
        trust = {"ca": trusted.cert_pem.bytes().decode()} if trusted else {}
        yield server, connector({**told, **trust})


def reply() -> Outgoing:
    return Outgoing("r_1", 0, "mailto:warga1@warga.contoh.test", ADDRESS, "Sudah ditambal.", None, MONDAY)


@both_ways
async def test_mails_come_and_go_encrypted(security: Security, authority: trustme.CA) -> None:
    async with office(security, authority, authority) as (server, mail):
        server.arrives("warga1@warga.contoh.test", "Jalan rusak sejak kemarin")
        assert len((await mail.poll(ADDRESS, None)).payloads) == 1
        assert isinstance(await mail.publish(reply()), Sent)
        [(to, _)] = server.sent
        assert to == "warga1@warga.contoh.test"
        assert (await mail.check(ADDRESS)).ok
        assert server.encrypted == {"imap", "smtp"}, "nobody signed in in the clear"


@both_ways
@pytest.mark.parametrize("whose", ["nobody's", "somebody else's", "another host's"])
async def test_a_certificate_that_is_not_trusted_is_refused(
    security: Security, whose: str, authority: trustme.CA, stranger: trustme.CA
) -> None:
    trusted = {"nobody's": None, "somebody else's": stranger, "another host's": authority}[whose]
    host = "lain.contoh.test" if whose == "another host's" else "127.0.0.1"
    async with office(security, authority, trusted, host) as (server, mail):
        server.arrives("warga1@warga.contoh.test", "Jalan rusak sejak kemarin")
        for ask in (mail.poll(ADDRESS, None), mail.publish(reply()), mail.check(ADDRESS)):
            with pytest.raises(RetryLater, match="certificate is not trusted.*LAPORHUB_EMAIL_CA_FILE"):
                await ask
        assert server.sent == []
        assert server.sign_ins == 0, "a server that is not the office's never hears the password"


async def test_a_server_without_tls_is_not_talked_to_in_the_clear(authority: trustme.CA) -> None:
    """Somebody between us and the server may say that it knows no TLS."""
    server = MailSimulator(ADDRESS, Clock())
    async with server.running() as (_, told):
        asked = {**told, "imap_security": "starttls", "smtp_security": "starttls"}
        mail = connector({**asked, "ca": authority.cert_pem.bytes().decode()})
        for ask in (mail.poll(ADDRESS, None), mail.publish(reply()), mail.check(ADDRESS)):
            with pytest.raises(RetryLater):
                await ask
        assert server.sign_ins == 0


def test_what_is_no_certificate_is_said_at_the_start() -> None:
    told = {
        "imap_host": "mail.contoh.test",
        "smtp_host": "mail.contoh.test",
        "username": "a",
        "password": "b",
    }
    with pytest.raises(Misconfigured, match="LAPORHUB_EMAIL_CA: .*no certificate"):
        connector({**told, "ca": "-----BEGIN CERTIFICATE-----\nbukan\n-----END CERTIFICATE-----"})
