"""The web form and the mobile app: one JSON object is one complaint, and the tracking page is the answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Annotated, Any, Self, TypeAlias

import orjson
import phonenumbers
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from laporhub.pipeline.connector import Outcome, Outgoing, Parsed, Raw, Sent
from laporhub.pipeline.errors import Forged, Misconfigured, Unparsable
from laporhub.pipeline.messages import Attachment, Inbound, Location

TEXT_LIMIT = 100_000
"""Characters in one complaint."""
WIB = timezone(timedelta(hours=7), "WIB")
"""Western Indonesian Time, for times that come without a zone."""
EARLIEST, LATEST = datetime(1945, 8, 17, tzinfo=WIB), datetime(2200, 1, 1, tzinfo=WIB)

_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_SCHEME = re.compile(r"\s*[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def given(value: object) -> object:
    """None for nothing: forms send what was left out as an empty string, spreadsheets send numbers for phones."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str):
        value = value.replace("\0", "").strip()
    return None if value == "" else value


def _said(value: object) -> object:
    """The words as they are, but nothing if they are only white space."""
    value = value.replace("\0", "") if isinstance(value, str) else value
    return "" if isinstance(value, str) and not value.strip() else value


def _phone(value: object) -> object:
    """E.164 where it is a number that exists (a national one is Indonesian), else as it was typed."""
    typed = given(value)
    return (e164(typed) or typed) if isinstance(typed, str) else typed


def _moment(value: object) -> object:
    """An ISO 8601 date or date and time; a date is noon, and what has no zone is Western Indonesian Time."""
    value = given(value)
    if value is None:
        return None
    at = _iso(value)
    at = at if at.tzinfo else at.replace(tzinfo=WIB)
    if not EARLIEST <= at <= LATEST:
        raise ValueError("not a year that anybody remembers")
    return at.astimezone(UTC)


def _iso(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time(12), tzinfo=WIB)
    if not isinstance(value, str):
        raise ValueError("a date is written 2026-10-31, a time 2026-10-31T08:15+07:00")
    try:
        return datetime.combine(date.fromisoformat(value), time(12), tzinfo=WIB)
    except ValueError:
        return datetime.fromisoformat(value)


def _attachment(value: object) -> object:
    """A bare string is a file's address, or the name it was stored under."""
    if isinstance(value, str):
        return {"url": value.strip(), "name": None if _URL.match(value) else value.strip()[-200:]}
    return value


def _attachments(value: object) -> object:
    value = given(value)
    return value.split() if isinstance(value, str) else () if value is None else value


def _location(value: object) -> object:
    return {"address": value} if isinstance(value, str) else value


Words: TypeAlias = Annotated[Annotated[str, Field(max_length=1000)] | None, BeforeValidator(given)]
Name: TypeAlias = Annotated[Annotated[str, Field(max_length=200)] | None, BeforeValidator(given)]
Phone: TypeAlias = Annotated[Annotated[str, Field(max_length=40)] | None, BeforeValidator(_phone)]
Email: TypeAlias = Annotated[
    Annotated[str, Field(max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")] | None, BeforeValidator(given)
]
Latitude: TypeAlias = Annotated[Annotated[float, Field(ge=-90, le=90)] | None, BeforeValidator(given)]
Longitude: TypeAlias = Annotated[Annotated[float, Field(ge=-180, le=180)] | None, BeforeValidator(given)]
Moment: TypeAlias = Annotated[datetime | None, BeforeValidator(_moment)]


class _Part(BaseModel):
    """Base of what a form sends: unknown keys are left alone, so that older hubs take newer apps."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ComplaintPlace(_Part):
    """Where it happened. Degrees are WGS 84, both or neither."""

    address: Words = None
    lat: Latitude = None
    lon: Longitude = None
    district: Name = None
    village: Name = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.lat is None) != (self.lon is None):
            raise ValueError("lat and lon go together")
        return self


class ComplaintFile(_Part):
    """A file that came along: an http(s) address, or the name under which the hub stores it."""

    url: str = Field(min_length=1, max_length=2000)
    media_type: str | None = Field(None, max_length=200)
    name: str | None = Field(None, max_length=200)

    @model_validator(mode="after")
    def _nothing_that_runs(self) -> Self:
        if _SCHEME.match(self.url) and not _URL.fullmatch(self.url):
            raise ValueError("only http and https addresses")
        return self


class Complaint(_Part):
    """The body of `POST /api/v1/complaints`."""

    text: Annotated[str, BeforeValidator(_said)] = Field(min_length=1, max_length=TEXT_LIMIT)
    phone: Phone = None
    name: Name = None
    email: Email = None
    location: Annotated[ComplaintPlace | None, BeforeValidator(_location)] = None
    occurred_at: Moment = None
    private: bool = False
    anonymous: bool = False
    attachments: Annotated[
        tuple[Annotated[ComplaintFile, BeforeValidator(_attachment)], ...], BeforeValidator(_attachments)
    ] = Field((), max_length=20)

    def inbound(self, external_id: str, sent_at: datetime | None = None) -> Inbound:
        """The message it is. Each form is a conversation of its own, whoever filled it in."""
        place = self.location.model_dump() if self.location else {}
        return Inbound(
            external_id=external_id,
            author_id=self._author(external_id),
            text=self.text,
            sent_at=sent_at,
            attachments=tuple(Attachment.model_validate(file.model_dump()) for file in self.attachments),
            location=Location.model_validate(place) if any(v is not None for v in place.values()) else None,
            thread=external_id,
            name=self.name,
            phone=self.phone,
            email=self.email,
            occurred_at=self.occurred_at,
            private=self.private,
            anonymous=self.anonymous,
        )

    def _author(self, external_id: str) -> str:
        """A number that cannot exist ("0", "-") is nobody's name: it would make strangers one person."""
        if self.phone is not None and e164(self.phone) is not None:
            return f"tel:{self.phone}"
        return f"mailto:{self.email.casefold()}" if self.email else f"anon:{external_id}"


class ComplaintLine(Complaint):
    """A line of a file of complaints: the body, and what the server would have added."""

    id: Annotated[str, BeforeValidator(given)] = Field(min_length=1, max_length=200)
    sent_at: Moment = None


class WebConnector:
    """See `Connector`. It comes by our own form, by the API and by files; the tracking page shows the answer."""

    able = True

    def verify(self, raw: Raw) -> None:  # noqa: ARG002
        """Who posts to a hook passes by what the form and the API check, and would choose ids and times."""
        raise Forged("the web form has no hook: send POST /api/v1/complaints")

    def parse(self, raw: Raw) -> Sequence[Parsed]:
        """One JSON object, one complaint. Raises `Unparsable`, naming the field at fault."""
        try:
            line = ComplaintLine.model_validate(orjson.loads(raw.body))
        except orjson.JSONDecodeError as error:
            raise Unparsable(f"not JSON: {error}") from error
        except ValidationError as error:
            raise unparsable(error) from None
        return [line.inbound(line.id, line.sent_at)]

    def split(self, text: str) -> Sequence[str]:
        """A page takes any length."""
        return [text]

    async def publish(self, outgoing: Outgoing) -> Outcome:
        """On the tracking page it is there as soon as the case says so."""
        return Sent(outgoing.reply_id)

    async def look_up(self, outgoing: Outgoing, known: frozenset[str]) -> Sent | None:  # noqa: ARG002
        return Sent(outgoing.reply_id)


def connector(settings: Mapping[str, Any]) -> WebConnector:
    """There is nothing to set. Raises `Misconfigured` if something is."""
    if settings:
        raise Misconfigured(f"the web form has no settings: remove {', '.join(sorted(settings))}")
    return WebConnector()


def e164(typed: str) -> str | None:
    """The number as "+62…", or None if no such number can exist. Without a country it is Indonesian."""
    try:
        number = phonenumbers.parse(typed, "ID")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def unparsable(error: ValidationError) -> Unparsable:
    """The first fault, with the field that it is in."""
    first = error.errors(include_url=False)[0]
    field = ".".join(map(str, first["loc"]))
    return Unparsable(f"{field}: {first['msg']}" if field else first["msg"], field=field or None)
