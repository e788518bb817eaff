"""A mailbox over IMAP, as far as polling needs it: the standard library's client, used from a thread."""

from __future__ import annotations

import imaplib
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import SecretStr

from laporhub.pipeline.errors import RetryLater, StopChannel


class Access(Protocol):
    """What opening a mailbox needs."""

    @property
    def imap_host(self) -> str: ...
    @property
    def imap_port(self) -> int: ...
    @property
    def imap_security(self) -> str: ...
    @property
    def imap_folder(self) -> str: ...
    @property
    def username(self) -> str: ...
    @property
    def password(self) -> SecretStr: ...
    @property
    def timeout(self) -> float: ...
    def tls(self) -> ssl.SSLContext: ...


@dataclass(frozen=True, slots=True)
class Position:
    """How far a folder was read: up to the UID `last`, marked as read up to `marked`. UIDs count while `validity`, the
    server's name for this numbering, stays the same.
    """

    validity: int
    last: int = 0
    marked: int = 0

    @classmethod
    def read(cls, cursor: str | None, validity: int) -> Position:
        """From a cursor; from the beginning where it is of another numbering (what comes again is the same mail)."""
        found = re.fullmatch(r"(\d{1,10}):(\d{1,10}):(\d{1,10})", cursor or "", re.ASCII)
        if found is None or int(found[1]) != validity:
            return cls(validity)
        return cls(validity, int(found[2]), int(found[3]))

    def written(self) -> str:
        return f"{self.validity}:{self.last}:{self.marked}"


class Mailbox:
    """An open folder. Everything raises `RetryLater`, or `StopChannel` where the account is refused."""

    def __init__(self, client: imaplib.IMAP4, validity: int) -> None:
        self._client = client
        self.validity = validity

    @classmethod
    @contextmanager
    def open(cls, access: Access) -> Iterator[Mailbox]:
        try:
            client = _connected(access)
        except (OSError, imaplib.IMAP4.error) as error:
            raise RetryLater(f"the mailbox cannot be reached: {why(error)}") from None
        try:
            yield cls(client, _signed_in(client, access))
        except (OSError, imaplib.IMAP4.error) as error:
            raise RetryLater(f"the mailbox broke off: {type(error).__name__}") from None
        finally:
            with suppress(OSError, imaplib.IMAP4.error):
                client.logout()

    def after(self, uid: int) -> list[int]:
        """UIDs of all mails after this one, in order. ("n:*" names the last mail even where it is before n.)"""
        return sorted(each for each in self._search(f"UID {uid + 1}:*") if each > uid)

    def has(self, message_id: str) -> bool:
        quoted = message_id.replace("\\", "").replace('"', "")
        return bool(self._search(f'HEADER Message-ID "{quoted}"'))

    def mail(self, uid: int, most: int) -> bytes | None:
        """The mail, of a very large one the beginning; None where it is gone meanwhile. It stays unread."""
        answer = self._asked("FETCH", str(uid), f"(BODY.PEEK[]<0.{most}>)")
        return next((bytes(part[1]) for part in answer if isinstance(part, tuple)), None)

    def mark_read(self, first: int, last: int) -> None:
        self._asked("STORE", f"{first}:{last}", "+FLAGS.SILENT", r"(\Seen)")

    def _search(self, criteria: str) -> list[int]:
        answer = self._asked("SEARCH", criteria)
        return [
            int(uid) for line in answer if isinstance(line, bytes) for uid in line.split() if uid.isdigit()
        ]

    def _asked(self, command: str, *words: str) -> list[Any]:
        status, answer = self._client.uid(command, *words)
        if status != "OK":
            raise RetryLater(f"the mailbox refuses {command}")
        return answer


def why(error: BaseException) -> str:
    """Why a server could not be reached; of a certificate nobody here trusts, what to do."""
    causes: list[BaseException | None] = [error, error.__cause__, error.__context__]
    for each in causes:
        if isinstance(each, ssl.SSLCertVerificationError):
            return (
                f"its certificate is not trusted ({each.verify_message}): name the file of who signed it in "
                "LAPORHUB_EMAIL_CA_FILE"
            )
    return type(error).__name__


def _connected(access: Access) -> imaplib.IMAP4:
    where = (access.imap_host, access.imap_port)
    if access.imap_security == "tls":
        return imaplib.IMAP4_SSL(*where, ssl_context=access.tls(), timeout=access.timeout)
    client = imaplib.IMAP4(*where, timeout=access.timeout)
    if access.imap_security == "starttls":
        try:
            client.starttls(access.tls())
        except BaseException:
            client.shutdown()
            raise
    return client


def _signed_in(client: imaplib.IMAP4, access: Access) -> int:
    """The folder's UIDVALIDITY."""
    try:
        client.login(access.username, access.password.get_secret_value())
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error:
        raise StopChannel(
            "the mailbox refuses user or password: check LAPORHUB_EMAIL_USERNAME and _PASSWORD"
        ) from None
    status, _ = client.select(f'"{access.imap_folder}"')
    if status != "OK":
        raise StopChannel(
            f"the mailbox has no folder {access.imap_folder!r}: check LAPORHUB_EMAIL_IMAP_FOLDER"
        )
    _, answer = client.response("UIDVALIDITY")
    return int(answer[0] or 0) if answer else 0
