"""Twilio's rules for a message, as far as a sender can notice them. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

BODY_LIMIT = 1600
WINDOW = timedelta(hours=24)

_NUMBER = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
_WHATSAPP = re.compile(r"whatsapp:(\+[1-9]\d{6,14}|[A-Z]{2}\.\w{3,64})", re.ASCII)
_VARIABLE = re.compile(r"(?!.*    )[^\n\r\t]+")
"""No line feeds, no tabs, no long gaps, not empty."""
_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "ÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà^{}\\[~]|€"
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer: HTTP status, Twilio's code, and what it says."""

    status: int
    code: int
    message: str


def refusal(
    form: Mapping[str, str],
    numbers: Collection[str],
    opted_out: Collection[str],
    templates: Mapping[str, str],
) -> Refusal | None:
    """Why Twilio would not take this message; None if it would. `templates` are the account's, by ContentSid."""
    to, sender, body = form.get("To", ""), form.get("From", ""), form.get("Body", "")
    content = form.get("ContentSid")
    known = content is None or content in templates
    checks = (
        (not to, 21604, "A 'To' phone number is required."),
        (not is_address(to), 21211, f"Invalid 'To' Phone Number: {to}"),
        (not sender, 21603, "A 'From' phone number is required."),
        (not is_address(sender), 21212, f"Invalid 'From' Number: {sender}"),
        (sender not in numbers, _unknown_sender(sender), f"{sender} is not a sender of this account."),
        (is_whatsapp(to) != is_whatsapp(sender), 21910, "'From' and 'To' are not of the same channel."),
        (to == sender, 21266, "'To' and 'From' cannot be the same."),
        (not body and not form.get("ContentSid"), 21602, "Message body is required."),
        (not known, 21655, f"The ContentSid {content} is Invalid"),
        (known and rendered(form, templates) is None, 21656, "The Content Variables parameter is invalid."),
        (length(body) > BODY_LIMIT, 21617, f"The message body exceeds the {BODY_LIMIT} character limit."),
        (to in opted_out, 21610, "Attempt to send to an unsubscribed recipient."),
    )
    return next((Refusal(400, code, message) for wrong, code, message in checks if wrong), None)


def rendered(form: Mapping[str, str], templates: Mapping[str, str]) -> str | None:
    """The words that arrive; None where a template's variables are missing, empty, or not in one line."""
    if "ContentSid" not in form:
        return form.get("Body", "")
    text = templates[form["ContentSid"]]
    try:
        values = json.loads(form.get("ContentVariables") or "{}")
    except ValueError:
        return None
    wanted = set(re.findall(r"\{\{(\d+)\}\}", text))
    if not isinstance(values, dict) or set(values) != wanted:
        return None
    if not all(isinstance(value, str) and _VARIABLE.fullmatch(value) for value in values.values()):
        return None
    return re.sub(r"\{\{(\d+)\}\}", lambda slot: values[slot[1]], text)


def is_address(value: str) -> bool:
    """A number in E.164, or a WhatsApp address with a number or a business-scoped id."""
    return bool(_NUMBER.fullmatch(value) or _WHATSAPP.fullmatch(value))


def is_whatsapp(address: str) -> bool:
    return address.startswith("whatsapp:")


def length(body: str) -> int:
    """Characters as Twilio counts them: UTF-16 units."""
    return len(body.encode("utf-16-le")) // 2


def segments(body: str) -> int:
    """How many SMS it is: 160 or 153 characters each, 70 or 67 as soon as one is not in the GSM alphabet."""
    alone, joined = (160, 153) if is_gsm7(body) else (70, 67)
    return 1 if length(body) <= alone else -(-length(body) // joined)


def is_gsm7(body: str) -> bool:
    return _GSM7.issuperset(body)


def is_open(now: datetime, last_inbound: datetime | None) -> bool:
    """Whether WhatsApp lets free words through."""
    return last_inbound is not None and now - last_inbound <= WINDOW


def _unknown_sender(sender: str) -> int:
    return 63007 if is_whatsapp(sender) else 21660
