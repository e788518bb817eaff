"""Names and values in what recording systems write, read leniently: an odd time costs nobody their words. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from laporhub.connectors import asterisk

NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "call_id": ("call_id", "callid", "uniqueid", "id_panggilan", "contactid", "sessionid", "jobname", "id"),
    "revision": ("revision", "revisi"),
    "started_at": ("started_at", "calldate", "waktu_mulai", "waktu", "tanggal", "start_time"),
    "caller": ("caller", "caller_id", "nomor_penelepon", "nomor", "penelepon", "phone", "from", "src"),
    "name": ("caller_name", "nama", "nama_penelepon", "name"),
    "agent": ("agent", "agent_id", "petugas", "operator"),
    "asr_model": ("asr_model", "model"),
    "recording": ("recording", "recording_url", "rekaman"),
    "seconds": ("billsec", "seconds", "durasi"),
    "speaker": ("speaker", "role", "pembicara", "peran", "participantrole"),
    "text": ("text", "transcript", "transkrip", "isi", "ucapan", "content"),
    "start": ("start_ms", "start", "mulai", "begin", "beginoffsetmillis"),
    "end": ("end_ms", "end", "selesai", "endoffsetmillis"),
    "conf": ("conf", "confidence", "keyakinan", "probability"),
}  # fmt: skip
"""What a column or key may be called, the first found counts. Capitals do not matter."""
_LONGEST_MS: Final = 10 * 24 * 3600 * 1000
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2}(?:[.,]\d{1,6})?)")


def named(names: Mapping[str, Any], wanted: str) -> Any:
    """What a record has under one of the names for it; None for nothing."""
    return next((names[name] for name in NAMES[wanted] if names.get(name) not in (None, "")), None)


def plain(value: Any) -> str | None:
    """A plain value as text; None for what is empty, or no plain value."""
    if value is None or isinstance(value, bool | dict | list):
        return None
    text = str(value).replace("\0", "").encode("utf-8", "replace").decode()
    return text.strip() or None


def count(text: str, otherwise: int) -> int:
    """A whole number of up to six digits."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else otherwise


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(str(value).replace(",", "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def millis(value: Any, scale: int) -> int | None:
    """An offset in milliseconds: a number times `scale`, or "00:01:02.5"; None if it is neither."""
    if isinstance(value, str) and (clock := _CLOCK.fullmatch(value.strip())):
        hours, minutes, seconds = (float((part or "0").replace(",", ".")) for part in clock.groups())
        return round(((hours * 60 + minutes) * 60 + seconds) * 1000)
    number = _number(value)
    if number is None or not 0 <= number * scale < _LONGEST_MS:
        return None
    return round(number * scale)


def share(value: Any) -> float | None:
    """A confidence from 0 to 1; percents are taken as such."""
    number = _number(value)
    if number is None or number < 0 or number > 100:
        return None
    return number if number <= 1 else number / 100


def moment(text: str) -> datetime | None:
    """ISO 8601, "31/10/2026 08:15" or seconds since 1970; without a zone in the telephone system's own."""
    for form in ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M"):
        try:
            return datetime.strptime(text.strip(), form)  # noqa: DTZ007
        except ValueError:
            continue
    if re.fullmatch(r"1\d{9}(?:\.\d+)?", text.strip()):
        return datetime.fromtimestamp(float(text), UTC)
    return asterisk.moment(text)
