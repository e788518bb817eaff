"""What a file is, what a picture tells of itself, and the picture as it may be shown. Pure: bytes in, values out.

A file's type is read from its bytes; what its sender calls it counts for nothing. Pictures are shown re-encoded: what
a camera writes into them (where, when, whose) is read once, for staff, and is in nothing that is shown.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, Final

import filetype  # type: ignore[import-untyped]
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

LIMIT: Final = 25 * 1024 * 1024
"""Bytes of one file; more is refused."""
PIXELS: Final = 64_000_000
"""Of one picture; more is not decoded."""
SHOWN_SIDE: Final = 2048
PREVIEW_SIDE: Final = 480
"""The longer side, in pixels."""

PICTURES: Final = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
KEPT: Final = PICTURES | {
    *("application/pdf", "text/plain", "text/vcard"),
    *("image/heic", "image/heif", "image/avif", "image/tiff", "image/bmp"),
    *("video/mp4", "video/quicktime", "video/3gpp", "video/webm", "video/x-msvideo"),
    *("audio/mpeg", "audio/ogg", "audio/amr", "audio/aac", "audio/mp4", "audio/x-wav", "audio/wav"),
    *("application/msword", "application/vnd.ms-excel", "application/rtf"),
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""Types that complaints come with. Nothing that runs, and nothing that a browser would run."""

_ALIASES: Final = {"audio/m4a": "audio/mp4", "video/x-m4v": "video/mp4", "audio/x-m4a": "audio/mp4"}
_FEWEST: Final = 6
"""Bits of each kind that a fingerprint needs to tell pictures apart."""
_UNREADABLE: Final = (
    *(UnidentifiedImageError, OSError, ValueError, SyntaxError, TypeError, Image.DecompressionBombError),
    # what decoders do with a damaged file
    *(MemoryError, OverflowError, ZeroDivisionError, KeyError, IndexError, AttributeError, EOFError),
)
_WORDS = 4096
"""How much of a text is looked at to tell that it is one."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a picture says of itself: its size in pixels, and when and where it was taken, if it tells (WGS 84)."""

    width: int
    height: int
    taken_at: datetime | None = None
    lat: float | None = None
    lon: float | None = None
    fingerprint: str | None = None
    """What it looks like, in 64 bits (hexadecimal); None where there is nothing to tell it by."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A picture looked into: its facts, and itself as JPEG without them, large and small."""

    facts: Facts
    shown: bytes
    preview: bytes


def type_of(data: bytes) -> str | None:
    """The media type by the file's own bytes; None for what is none of `KEPT`.

    >>> type_of(b"%PDF-1.7 ..."), type_of(b"<script>"), type_of(b"")
    ('application/pdf', None, None)
    """
    found = filetype.guess_mime(data) if data else None
    found = _ALIASES.get(str(found), found) or _plain_text(data)
    return found if found in KEPT else None


def _plain_text(data: bytes) -> str | None:
    """Words in UTF-8 that no browser would take for a page."""
    start = data[:_WORDS]
    if not data.strip() or b"\0" in start or b"<" in start:
        return None
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(start) - 3 or len(data) <= _WORDS:
            return None
    return "text/vcard" if start.lstrip().upper().startswith(b"BEGIN:VCARD") else "text/plain"


def look_into(data: bytes, zone: tzinfo) -> Looked | None:
    """A picture's facts and how it may be shown; None for what cannot be decoded, or has too many pixels.

    `zone` is where cameras without a zone of their own are thought to be.
    """
    try:
        facts, plain = _decoded(data, zone)
        return Looked(facts, _jpeg(plain, SHOWN_SIDE, 82), _jpeg(plain, PREVIEW_SIDE, 75))
    except _UNREADABLE:
        return None


def facts_of(data: bytes) -> Facts | None:
    """A picture's facts alone; None as in `look_into`, and for what is no picture."""
    try:
        return _decoded(data, UTC)[0] if type_of(data) in PICTURES else None
    except _UNREADABLE:
        return None


def place_of(data: bytes) -> tuple[float, float] | None:
    """Where a picture says that it was taken, in degrees, without decoding it; None where it does not, or is none."""
    if type_of(data) not in PICTURES:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data)) as picture:
                small = picture.width * picture.height <= PIXELS
                lat, lon = _place(picture.getexif()) if small else (None, None)
    except _UNREADABLE:
        return None
    return None if lat is None or lon is None else (lat, lon)


def _decoded(data: bytes, zone: tzinfo) -> tuple[Facts, Image.Image]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # odd files are met every day
        with Image.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > PIXELS:
                raise ValueError("too many pixels")
            exif = picture.getexif()
            facts = Facts(picture.width, picture.height, _taken_at(exif, zone), *_place(exif))
            plain = _on_white(ImageOps.exif_transpose(picture))
    return replace(facts, fingerprint=fingerprint(plain)), plain


def without_traces(data: bytes) -> bytes:
    """A picture re-encoded, so that it tells nothing of who took it, where and when; anything else as it is."""
    looked = look_into(data, UTC) if type_of(data) in PICTURES else None
    return looked.shown if looked else data


def fingerprint(picture: Image.Image) -> str | None:
    """Whether each spot of a small grey copy is brighter than the one left of it, in 64 bits as 16 hexadecimal digits.

    It stays nearly the same when a picture is made smaller, saved anew or a little brighter. None for a picture
    without anything in it: those are all alike.
    """
    small = picture.convert("L").resize((9, 8), Image.Resampling.LANCZOS)
    grey = small.tobytes()
    bits = [grey[row * 9 + spot] < grey[row * 9 + spot + 1] for row in range(8) for spot in range(8)]
    if not _FEWEST <= sum(bits) <= len(bits) - _FEWEST:
        return None
    return f"{sum(bit << place for place, bit in enumerate(bits)):016x}"


def _on_white(picture: Image.Image) -> Image.Image:
    """Without transparency, which JPEG has not."""
    if picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        ground = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(ground, layer).convert("RGB")
    return picture.convert("RGB")


def _jpeg(picture: Image.Image, side: int, quality: int) -> bytes:
    small = picture.copy()
    small.thumbnail((side, side))
    small.info.clear()
    out = io.BytesIO()
    small.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()


def _taken_at(exif: Image.Exif, zone: tzinfo) -> datetime | None:
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    said = inner.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    try:
        at = datetime.strptime(str(said).strip("\0 "), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - its zone follows
        at = at.replace(tzinfo=_offset(inner.get(ExifTags.Base.OffsetTimeOriginal)) or zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if 1990 <= at.year < 2200 else None


def _offset(said: object) -> timezone | None:
    """ "+07:00" """
    try:
        hours, _, minutes = str(said).strip("\0 ").partition(":")
        return timezone(timedelta(hours=int(hours), minutes=int(minutes)))
    except ValueError:
        return None


def _place(exif: Image.Exif) -> tuple[float | None, float | None]:
    gps: Mapping[int, Any] = exif.get_ifd(ExifTags.IFD.GPSInfo)
    lat = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef), "S", 90)
    lon = _degrees(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef), "W", 180)
    if lat is None or lon is None or (lat, lon) == (0.0, 0.0):  # what cameras write before they know
        return None, None
    return lat, lon


def _degrees(parts: object, side: object, negative: str, most: int) -> float | None:
    try:
        degrees, minutes, seconds = (float(part) for part in parts)  # type: ignore[attr-defined]
        value = degrees + minutes / 60 + seconds / 3600
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    value = round(-value if str(side).strip("\0 ").upper() == negative else value, 6)
    return value if abs(value) <= most else None
