"""Asterisk's call detail records: `Master.csv` without a header, or a table with one. Pure.

A record knows who rang and whether anybody answered, but no words: those come in a transcript of the same uniqueid.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from laporhub.connectors.calls import CALL_RECORD, Call

COLUMNS: Final = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata",
    "start", "answer", "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield",
)  # fmt: skip
"""What stands where in `Master.csv`."""
DISPOSITIONS: Final = frozenset(("ANSWERED", "NO ANSWER", "BUSY", "FAILED", "CONGESTION"))
UNIQUE_ID: Final = re.compile(r"(?<!\d)\d{9,10}\.\d{1,9}(?!\d)")

_EXTENSION = re.compile(r"\d{1,5}")
_ADDRESS = re.compile(r"<([^<>]*)>")


def is_record(row: Sequence[str]) -> bool:
    """Whether a row without a header is one of `Master.csv`."""
    at = COLUMNS.index
    return (
        at("disposition") < len(row) <= len(COLUMNS) + 4
        and row[at("disposition")].strip().upper() in DISPOSITIONS
        and moment(row[at("start")]) is not None
    )


def named(row: Sequence[str]) -> dict[str, str]:
    return dict(zip(COLUMNS, row, strict=False))


def call(record: Mapping[str, str]) -> Call | None:
    """The call of a record; None for one that went out, or from desk to desk."""
    number = record.get("src", "").strip()
    if not number and (found := _ADDRESS.search(record.get("clid", ""))):
        number = found[1].strip()
    if _EXTENSION.fullmatch(number):
        return None
    seconds = record.get("billsec", "").strip()
    talked = int(seconds) if seconds.isascii() and seconds.isdecimal() and len(seconds) < 7 else None
    started = moment(record.get("start") or record.get("calldate") or "")
    answered = record.get("disposition", "").strip().upper() == "ANSWERED" and talked != 0
    return Call(
        call_id=record.get("uniqueid", "").strip() or _made_up(record),
        revision=CALL_RECORD,
        started_at=started,
        caller=number or None,
        agent=record.get("dstchannel", "").strip() or None,
        answered=answered,
        seconds=talked,
        source="asterisk",
    )


def moment(text: str) -> datetime | None:
    """ "2026-11-23 09:15:00", in whatever zone the telephone system lives."""
    try:
        return datetime.fromisoformat(text.strip()) if len(text.strip()) >= len("2026-11-23T09:15") else None
    except ValueError:
        return None


def _made_up(record: Mapping[str, str]) -> str:
    """Where uniqueids are not written: one caller cannot ring twice in the same second on the same line."""
    started = record.get("start") or record.get("calldate") or ""
    return "-".join((started.strip(), record.get("src", "").strip(), record.get("channel", "").strip()))
