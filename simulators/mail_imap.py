"""As much of IMAP4rev1 (RFC 3501) as a client needs that polls one folder: sign in, select, search, fetch, mark."""

from __future__ import annotations

import asyncio
import re
import shlex
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes


@dataclass
class Mail:
    uid: int
    body: bytes
    seen: bool = False


@dataclass
class Folder:
    """UIDs rise and are never used twice while `validity` stays."""

    mails: list[Mail] = field(default_factory=list)
    validity: int = 1
    next_uid: int = 1

    def add(self, body: bytes) -> None:
        self.mails.append(Mail(self.next_uid, body))
        self.next_uid += 1

    def renumber(self) -> None:
        """What a server does after it was set up anew."""
        self.validity += 1
        for number, mail in enumerate(self.mails, 1):
            mail.uid = number
        self.next_uid = len(self.mails) + 1

    def between(self, words: str) -> list[Mail]:
        first, _, last = words.partition(":")
        highest = max((mail.uid for mail in self.mails), default=0)
        low, high = int(first), highest if last == "*" else int(last or first)
        low, high = min(low, high), max(low, high)
        return [mail for mail in self.mails if low <= mail.uid <= high]


async def imap_session(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    folder: Folder,
    account: tuple[str, str],
    tls: ssl.SSLContext | None,
    signs_in: Callable[[], None],
) -> None:
    """One connection, until it signs off. With `tls` nobody signs in before they have asked for it. `account`: user
    and password; `signs_in` is called when somebody tries to.
    """
    writer.write(b"* OK IMAP4rev1 ready\r\n")
    inside = False
    with suppress(ConnectionError, ssl.SSLError):
        while line := (await reader.readline()).decode("utf-8", "replace").strip():
            tag, _, rest = line.partition(" ")
            command, _, words = rest.partition(" ")
            command = command.upper()
            if command == "STARTTLS" and tls is not None:
                writer.write(f"{tag} OK begin\r\n".encode())
                await writer.start_tls(tls)
                tls = None
                continue
            if command == "LOGIN" and tls is not None:
                answer = b"", "NO [PRIVACYREQUIRED]"
            elif command == "LOGIN":
                signs_in()
                inside = tuple(shlex.split(words)) == account
                answer = b"", "OK" if inside else "NO [AUTHENTICATIONFAILED]"
            elif command in ("CAPABILITY", "NOOP", "LOGOUT"):
                answer = (
                    {"CAPABILITY": _able(tls), "LOGOUT": b"* BYE\r\n"}.get(command, b""),
                    "OK",
                )
            elif not inside:
                answer = b"", "NO sign in first"
            else:
                answer = _inside(command, words, folder)
            writer.write(answer[0] + f"{tag} {answer[1]} {command}\r\n".encode())
            await writer.drain()
            if command == "LOGOUT":
                break
    writer.close()


def _able(tls: ssl.SSLContext | None) -> bytes:
    return f"* CAPABILITY IMAP4rev1{' STARTTLS' if tls else ''}\r\n".encode()


def _inside(command: str, words: str, folder: Folder) -> tuple[bytes, str]:
    if command in ("SELECT", "EXAMINE"):
        told = f"* {len(folder.mails)} EXISTS\r\n* OK [UIDVALIDITY {folder.validity}]\r\n"
        return told.encode(), "OK [READ-WRITE]"
    if command == "UID":
        inner, _, words = words.partition(" ")
        with suppress(ValueError):
            match inner.upper():
                case "SEARCH":
                    found = " ".join(str(mail.uid) for mail in _found(words, folder))
                    return f"* SEARCH {found}\r\n".encode(), "OK"
                case "FETCH":
                    which, _, what = words.partition(" ")
                    return b"".join(_fetched(mail, what, folder) for mail in folder.between(which)), "OK"
                case "STORE":
                    for mail in folder.between(words.partition(" ")[0]):
                        mail.seen = True
                    return b"", "OK"
    return b"", "BAD"


def _found(words: str, folder: Folder) -> list[Mail]:
    if header := re.fullmatch(r'HEADER ([\w-]+) "?([^"]*)"?', words):
        return [m for m in folder.mails if header[2] in str(message_from_bytes(m.body).get(header[1], ""))]
    return folder.between(words.removeprefix("UID ")) if words != "ALL" else folder.mails


def _fetched(mail: Mail, what: str, folder: Folder) -> bytes:
    part = re.search(r"<0\.(\d+)>", what)
    body = mail.body[: int(part[1])] if part else mail.body
    number = folder.mails.index(mail) + 1
    head = f"* {number} FETCH (UID {mail.uid} BODY[]{'<0>' if part else ''} {{{len(body)}}}\r\n"
    return head.encode() + body + b")\r\n"
