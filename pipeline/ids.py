"""Ids that are derived, never drawn: the same input has the same id, so a repeat is recognised anywhere."""

from __future__ import annotations

import hashlib
import re

from stdnum import damm

_TICKET_DIGITS = 11
_TICKET = re.compile(r"(?<![^\W_])[A-Z]{3,6}(?:[\s.\-–_/]{0,2}\d{4}){3}(?!\d)", re.ASCII | re.IGNORECASE)


def derive(prefix: str, *parts: str) -> str:
    """An id of 128 bits from `parts`; no two different lists of parts share one.

    >>> derive("m", "web", "a") == derive("m", "web", "a") != derive("m", "we", "ba")
    True
    """
    each = [part.encode("utf-8", "surrogatepass") for part in parts]
    told_apart = b"".join([b"%d:%b" % (len(data), data) for data in each])
    return f"{prefix}_{hashlib.sha256(told_apart).hexdigest()[:32]}"


def message_id(profile: str, channel: str, account: str, external_id: str) -> str:
    return derive("m", profile, channel, account, external_id)


def case_id(first_message_id: str) -> str:
    return derive("c", first_message_id)


def event_id(case: str, sequence: int) -> str:
    """Sorts in the order of the case's history."""
    return f"{case}.{sequence:06d}"


def reply_id(event: str) -> str:
    return derive("r", event)


def words(text: str) -> str:
    """By which the words of a reply are told from others."""
    return derive("w", text)


def ticket(prefix: str, channel_code: str, case: str, attempt: int = 0) -> str:
    """What a citizen reads out over the phone: `LGWA-4821-0937-5568`, the last digit being a Damm check digit.

    11 digits are derived from the case; in the rare event that they are taken, the caller asks for the next
    `attempt`.
    """
    number = int.from_bytes(hashlib.sha256(f"{case}/{attempt}".encode()).digest()[:16], "big")
    digits = f"{number % 10**_TICKET_DIGITS:0{_TICKET_DIGITS}d}"
    digits += damm.calc_check_digit(digits)
    return f"{prefix}{channel_code}-" + "-".join(digits[i : i + 4] for i in range(0, len(digits), 4))


def parse_ticket(typed: str) -> str | None:
    """The canonical ticket, however it was typed; None if it cannot be one (e.g. the check digit is wrong)."""
    found = re.fullmatch(r"([A-Z]{3,6})([0-9]{12})", re.sub(r"[\s.\-–_/]", "", typed).upper())
    if found is None or not damm.is_valid(found[2]):
        return None
    digits = found[2]
    return f"{found[1]}-" + "-".join(digits[i : i + 4] for i in range(0, len(digits), 4))


def ticket_in(words: str) -> str | None:
    """The first ticket that they name, however it was typed; None if they name none."""
    return next((found for each in _TICKET.findall(words) if (found := parse_ticket(each))), None)
