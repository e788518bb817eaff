"""What people send in, checked and cleaned: the complaint form, the API's complaint, and their fields."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import phonenumbers
from fastapi import Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, field_validator

from laporhub.pipeline import ids, media
from laporhub.pipeline.door import TEXT_LIMIT
from laporhub.pipeline.messages import Attachment, Inbound, InlineFile, Location
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_intake import Requirement

LINE_LIMIT = 500
FILES = 3
"""How many may come with one form, and"""
FILE_LIMIT = 10 * 1024 * 1024
"""bytes of each."""
PART_LIMIT = 16 * 1024 * 1024
"""Bytes of one field: more than a whole body may have (see `WebSettings`), so that only that limit counts."""
EARLIEST_YEAR, LATEST_YEAR = 1945, 2200
_FILLED_IN = "(Kelengkapan diisi di halaman laporan.)"
"""The words of a message that only filled in what was missing."""

# Control characters but tab and line feed, and marks that turn the direction of the text around them.
_UNWANTED = re.compile("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ufeff]")
_PHONE = re.compile(r"\+?[\d\s().\-/]+")


def clean(text: str) -> str:
    """Without invisible characters that could deceive a reader or break a store; line ends as line feeds."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNWANTED.sub("", unified.encode("utf-8", "replace").decode()).strip()


def is_phone(text: str) -> bool:
    """Whether it can be a phone number: 8 to 15 digits, written any way."""
    return bool(_PHONE.fullmatch(text)) and 8 <= sum(c.isdecimal() for c in text) <= 15


def is_email(text: str) -> bool:
    return bool(re.fullmatch(r"[^@\s<>,;]+@[^@\s<>,;]+\.[^@\s<>,;]{2,}", text)) and len(text) <= 254


def is_remembered(at: datetime) -> bool:
    """Whether something that happened in this year can be complained about; others no zone may be able to hold."""
    return EARLIEST_YEAR <= at.year <= LATEST_YEAR


def e164(typed: str) -> str:
    """The number as "+62…" where such a number can exist, else as it was typed."""
    try:
        number = phonenumbers.parse(typed, "ID")
    except phonenumbers.NumberParseException:
        return typed
    if not phonenumbers.is_valid_number(number):
        return typed
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a submitted form, cleaned; files are not taken."""
    async with request.form(max_files=0, max_fields=60, max_part_size=PART_LIMIT) as form:
        return {name: clean(value) for name, value in form.items() if isinstance(value, str)}


async def read_upload(request: Request) -> tuple[dict[str, str], list[InlineFile]]:
    """The fields of a submitted form, cleaned, and its files; one that is over `FILE_LIMIT` is cut just above it."""
    limits = {"max_files": FILES + 1, "max_fields": 60, "max_part_size": PART_LIMIT}
    async with request.form(**limits) as form:
        fields = {name: clean(value) for name, value in form.multi_items() if isinstance(value, str)}
        files = [
            InlineFile(
                data=await each.read(FILE_LIMIT + 1),
                media_type=(each.content_type or "")[:LINE_LIMIT] or None,
                name=clean(each.filename or "")[-LINE_LIMIT:] or None,
            )
            for each in form.getlist("files")
            if not isinstance(each, str) and each.filename
        ]
    return fields, files


def check_files(files: Sequence[InlineFile]) -> dict[str, str]:
    """As `check_form`, for what was uploaded."""
    if len(files) > FILES:
        return {"files": "many"}
    if any(len(each.data) > FILE_LIMIT for each in files):
        return {"files": "big"}
    if not all(each.data for each in files):
        return {"files": "hollow"}
    if any(media.type_of(each.data) is None for each in files):
        return {"files": "kind"}
    return {}


def _digests(files: Sequence[InlineFile]) -> list[str]:
    return [hashlib.sha256(each.data).hexdigest() for each in files]


# ── the complaint as the API takes it ────────────────────────────────────────────────────────────

Cleaned = Annotated[str, AfterValidator(clean)]
Line = Annotated[str, Field(max_length=LINE_LIMIT), AfterValidator(clean)]


class LocationBody(BaseModel):
    """Where it happened. Degrees are WGS 84; latitude and longitude go together."""

    model_config = ConfigDict(extra="ignore")

    address: Line | None = None
    lat: float | None = Field(None, ge=-90, le=90, allow_inf_nan=False)
    lon: float | None = Field(None, ge=-180, le=180, allow_inf_nan=False)
    district: Line | None = None
    village: Line | None = None


class AttachmentBody(BaseModel):
    """A photo or document, by its web address."""

    model_config = ConfigDict(extra="ignore")

    url: HttpUrl
    media_type: Line | None = None
    name: Line | None = None


class ComplaintBody(BaseModel):
    """A complaint. Only `text` must be there; what else the service standard needs, the hub asks for.

    `occurred_at` without a zone is in the office's own time. `private` hides the text from the public,
    with `anonymous` nothing is kept that tells who wrote it.
    """

    model_config = ConfigDict(extra="ignore")

    text: Annotated[str, Field(max_length=TEXT_LIMIT), AfterValidator(clean), Field(min_length=1)]
    phone: Line | None = None
    name: Line | None = None
    email: Line | None = None
    location: LocationBody | None = None
    occurred_at: datetime | None = None
    private: bool = False
    anonymous: bool = False
    attachments: tuple[AttachmentBody, ...] = Field((), max_length=10)

    @field_validator("occurred_at")
    @classmethod
    def _occurred_at(cls, value: datetime | None) -> datetime | None:
        if value and not is_remembered(value):
            raise ValueError("not a year that anybody remembers")
        return value

    @field_validator("phone")
    @classmethod
    def _phone(cls, value: str | None) -> str | None:
        if value and not is_phone(value):
            raise ValueError("not a phone number: 8 to 15 digits")
        return e164(value) if value else None

    @field_validator("email")
    @classmethod
    def _email(cls, value: str | None) -> str | None:
        if value and not is_email(value):
            raise ValueError("not an e-mail address")
        return value or None


def complaint(body: ComplaintBody, key: str, zone: ZoneInfo, files: Sequence[InlineFile] = ()) -> Inbound:
    """The message that a complaint means.

    Its id covers the key and what was sent: the same key with the same words is the same message, and nobody
    learns of another's complaint by guessing a key. Each complaint is a conversation of its own.
    """
    external_id = ids.derive("w", key, body.model_dump_json(), *_digests(files))
    where = body.location.model_dump(exclude_none=True) if body.location else {}
    where = {name: value for name, value in where.items() if value != ""}
    occurred = body.occurred_at
    return Inbound(
        external_id=external_id,
        author_id=_author(body, external_id),
        thread=external_id,
        text=body.text,
        location=Location(**where) if where else None,
        attachments=tuple(
            Attachment(url=str(item.url), media_type=item.media_type, name=item.name)
            for item in body.attachments
        ),
        files=tuple(files),
        name=body.name or None,
        phone=body.phone,
        email=body.email,
        occurred_at=occurred.replace(tzinfo=zone) if occurred and occurred.tzinfo is None else occurred,
        private=body.private,
        anonymous=body.anonymous,
    )


def _author(body: ComplaintBody, external_id: str) -> str:
    """Whoever gives the same number or address is the same reporter; who gives neither is a new one."""
    if body.phone:
        return f"tel:{body.phone}"
    return f"mailto:{body.email.casefold()}" if body.email else f"anon:{external_id}"


MISSING_FIELDS = ("phone", "name", "email", "place")
"""What a reporter may add on the tracking page by a field of its own."""


def missing_fields(rulebook: Rulebook, missing: Sequence[str]) -> list[str]:
    """The fields by which the unmet requirements named in `missing` are met."""
    rules = [rulebook.profile.requirements[name] for name in missing if name in rulebook.profile.requirements]
    wanted = {rule.field if rule.check == "identity" else rule.check for rule in rules}
    return [name for name in MISSING_FIELDS if name in wanted]


def check_message(fields: Mapping[str, str], files: Sequence[InlineFile] = ()) -> dict[str, str]:
    """Field at fault → what is wrong, as `check_form`, for a further message."""
    if faults := check_files(files):
        return faults
    if not files and not any(fields.get(name) for name in ("text", *MISSING_FIELDS)):
        return {"text": "empty"}
    return dict(_misshapen(fields))


def further_message(
    case_id: str, reporter: str, fields: Mapping[str, str], key: str, files: Sequence[InlineFile] = ()
) -> Inbound:
    """What a reporter adds on the tracking page; the case tells who they are."""
    given = {name: fields[name] for name in ("text", *MISSING_FIELDS) if fields.get(name)}
    external_id = ids.derive(
        "w", case_id, key, *(part for pair in given.items() for part in pair), *_digests(files)
    )
    return Inbound(
        external_id=external_id,
        author_id=reporter,
        thread=external_id,
        text=given.get("text", "" if files else _FILLED_IN),
        kind="attachment" if files and "text" not in given else "text",
        files=tuple(files),
        case_id=case_id,
        name=given.get("name"),
        phone=e164(given["phone"]) if "phone" in given else None,
        email=given.get("email"),
        location=Location(address=given["place"]) if "place" in given else None,
    )


# ── the complaint as the public form sends it ────────────────────────────────────────────────────


def _asks(rule: Requirement, channel: str, check: str, field: str | None) -> bool:
    applies = rule.channels is None or channel in rule.channels
    return applies and rule.level == "ask" and rule.check == check and rule.field == field


def required_fields(rulebook: Rulebook, channel: str = "web") -> frozenset[str]:
    """The form's fields that the service standard wants filled on a channel."""

    def required(check: str, field: str | None = None) -> bool:
        return any(_asks(rule, channel, check, field) for rule in rulebook.profile.requirements.values())

    wanted = {name for name in ("phone", "name", "email") if required("identity", name)}
    return frozenset(wanted | {"text"} | ({"place"} if required("place") else set()))


def local_time(typed: str, zone: ZoneInfo) -> datetime | None:
    """A date and time as a browser sends it, or as people type it (31-12-2026 14.30); None if neither."""
    text = typed.replace("T", " ").replace("/", "-").replace(".", ":")
    for form in ("%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d", "%d-%m-%Y %H:%M", "%d-%m-%Y"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=zone)
        except ValueError:
            continue
    return None


def unfilled(fields: Mapping[str, str], required: frozenset[str]) -> list[str]:
    """The required fields that were left empty, in the form's order; a spot on the map is a place, and who wants to be
    nobody gives no name.
    """
    who = () if "anonymous" in fields else ("phone", "name", "email")
    return [
        name
        for name in ("text", "place", *who)
        if name in required and not fields.get(name) and not (name == "place" and _coordinates(fields))
    ]


def check_form(
    fields: Mapping[str, str], rulebook: Rulebook, now: datetime, required: frozenset[str] | None = None
) -> dict[str, str]:
    """Field at fault → what is wrong: "empty", "long", "phone", "email", "time", "future", "machine".

    `required` are the fields that must be filled; those of the web form when left out.
    """
    wanted = required_fields(rulebook) if required is None else required
    faults: dict[str, str] = dict.fromkeys(unfilled(fields, wanted), "empty")
    faults |= dict(_misshapen(fields))
    if fields.get("occurred_at"):
        at = local_time(fields["occurred_at"], rulebook.calendar.zone)
        if at is None or not is_remembered(at):
            faults["occurred_at"] = "time"
        elif at > now:
            faults["occurred_at"] = "future"
    if fields.get("website"):
        faults["website"] = "machine"
    return faults


def _misshapen(fields: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Fields that are filled in, but too long or not what they should be."""
    limits = {"text": TEXT_LIMIT, "place": LINE_LIMIT, "name": LINE_LIMIT}
    yield from ((name, "long") for name, most in limits.items() if len(fields.get(name, "")) > most)
    if fields.get("phone") and not is_phone(fields["phone"]):
        yield "phone", "phone"
    if fields.get("email") and not is_email(fields["email"]):
        yield "email", "email"


def from_form(fields: Mapping[str, str], zone: ZoneInfo) -> ComplaintBody:
    """A form without faults as a complaint."""
    spot = _coordinates(fields)
    where = LocationBody(address=fields.get("place") or None, lat=spot and spot[0], lon=spot and spot[1])
    return ComplaintBody(
        text=fields["text"],
        phone=fields.get("phone"),
        name=fields.get("name"),
        email=fields.get("email"),
        location=where if where.address or spot else None,
        occurred_at=local_time(fields.get("occurred_at", ""), zone),
        private="private" in fields,
        anonymous="anonymous" in fields,
    )


def _coordinates(fields: Mapping[str, str]) -> tuple[float, float] | None:
    """Latitude and longitude that the browser filled in, if they are on this planet."""
    try:
        lat, lon = float(fields.get("lat", "")), float(fields.get("lon", ""))
    except ValueError:
        return None
    return (lat, lon) if -90 <= lat <= 90 and -180 <= lon <= 180 else None
