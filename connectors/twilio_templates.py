"""Answers by approved template, where WhatsApp's window for free words is closed. Pure."""

from __future__ import annotations

from datetime import timedelta

import orjson

from laporhub.connectors.twilio_payload import is_whatsapp
from laporhub.pipeline.connector import Outgoing, Template

WINDOW = timedelta(hours=24)
"""How long after the citizen's last message WhatsApp lets us answer in free words."""
MARGIN = timedelta(minutes=5)
"""Where there is a template it is taken so long before the window closes: Twilio's clock is not ours."""
VALUE_LIMIT = 900
"""Characters of one value: with its own words a template may have 1024."""


def is_closed(outgoing: Outgoing) -> bool:
    """Whether WhatsApp takes no free words any more; Twilio is the judge where nobody knows when they last wrote."""
    if not is_whatsapp(outgoing.to) or outgoing.last_inbound_at is None:
        return False
    return outgoing.attempted_at - outgoing.last_inbound_at > WINDOW


def applies(outgoing: Outgoing) -> bool:
    """Whether it goes by template: there is one, and free words would not arrive, or perhaps not."""
    if outgoing.template is None or not is_whatsapp(outgoing.to):
        return False
    last = outgoing.last_inbound_at
    return last is None or outgoing.attempted_at - last > WINDOW - MARGIN


def values(template: Template, text: str) -> list[str] | None:
    """What fills the template, in order: in one line and never empty, as WhatsApp wants it. None if it does not fit."""
    said = [
        " ".join((text if name == "text" else template.values.get(name, "")).split()) or "-"
        for name in template.variables
    ]
    return None if any(len(value) > VALUE_LIMIT for value in said) else said


def variables(said: list[str]) -> str:
    """As Twilio wants them: JSON, by number from 1."""
    return orjson.dumps({str(number): value for number, value in enumerate(said, 1)}).decode()
