"""An SMS gateway as data: a YAML mapping that says how it delivers, reports and sends. `laporhub gateway` checks one.

A field is named as in the form or query, or by the path inside a JSON body ("data.0.msisdn"). Values to send are texts
with slots, as `{to}`; nothing else in a mapping means anything: no code, no expressions.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Final, Literal, Self, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from laporhub.pipeline.commands import DeliveryStatus
from laporhub.pipeline.errors import Misconfigured
from laporhub.pipeline.profile.source import nearest, read

SHIPPED: Final = Path(__file__).parent / "gateways"

SLOTS: Final = frozenset(
    {"to", "from", "text", "reference", "report_url", "url", "user", "password", "secret"}
)
"""What `{…}` may stand for in what is sent: our settings, and the message. `reference` is our own id of a part."""

_SLOT = re.compile(r"\{(\w+)\}")


def _slots(value: str) -> str:
    for name in _SLOT.findall(value):
        if name not in SLOTS:
            raise ValueError(f"nothing fills {{{name}}}. {nearest(name, SLOTS)}")
    return value


def _charset(value: str) -> str:
    try:
        return codecs.lookup(value).name
    except LookupError:
        raise ValueError("there is no such character set: utf-8, iso-8859-1, utf-16-be") from None


def _zone(value: str) -> str:
    try:
        return ZoneInfo(value).key
    except (ZoneInfoNotFoundError, OSError, ValueError):
        raise ValueError("there is no such time zone: Asia/Jakarta, Asia/Makassar, UTC") from None


def _pattern(value: str) -> str:
    try:
        groups = set(re.compile(value).groupindex)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    if not groups or groups - {"id", "code"}:
        raise ValueError("it names its groups id and code: (?P<id>…), (?P<code>…)")
    return value


Where: TypeAlias = Annotated[str, Field(min_length=1, max_length=200)]
"""The name of a form's field, or the path of a value inside JSON."""
Filled: TypeAlias = Annotated[str, AfterValidator(_slots)]
Outcome: TypeAlias = Annotated[str, Field(pattern=r"^(sent|retry|dead|unknown|failed:[a-z][a-z_]{0,40})$")]
"""What an answer means: taken, busy (later), the account is refused, nobody knows, or never, with a reason."""
Body: TypeAlias = Literal["form", "json", "query"]


class Section(BaseModel):
    """Base of the mapping: unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Part(Section):
    """Where a piece of a long message says which message it belongs to, which piece it is (from 1), and of how many."""

    reference: Where
    number: Where
    total: Where
    wait_minutes: int = Field(10, ge=1, le=1440)
    """How long the rest is waited for; then what is there becomes a message, with marks where words are missing."""


class Incoming(Section):
    """How the gateway hands over what citizens write.

    `time_format` is `iso`, `epoch`, `epoch_ms` or a pattern of strptime; `zone` counts where the time names none.
    `each` is the path of a list of messages in a JSON body. `answer` is what it wants to read.
    """

    methods: tuple[Literal["GET", "POST"], ...] = Field(("POST",), min_length=1)
    charset: Annotated[str, AfterValidator(_charset)] = "utf-8"
    charset_field: Where | None = None
    """Where it says the character set of the text, if that differs from message to message."""
    each: Where | None = None
    id: Where | None = None
    sender: Where
    receiver: Where | None = None
    text: Where
    time: Where | None = None
    time_format: str = "iso"
    zone: Annotated[str, AfterValidator(_zone)] = "Asia/Jakarta"
    part: Part | None = None
    answer: str = Field("OK", max_length=1000)
    answer_type: str = "text/plain"

    @model_validator(mode="after")
    def _something_tells_two_apart(self) -> Self:
        if self.id is None and self.time is None:
            raise ValueError(
                "without “id:” there must be “time:”, or the same words twice would be one message"
            )
        return self


class SecretAuth(Section):
    """A shared secret in a header, or as a parameter of the address or the form."""

    kind: Literal["header", "parameter"]
    name: str = Field(min_length=1, max_length=100)


class BasicAuth(Section):
    """HTTP Basic: the user is `hook_user`, the password the secret."""

    kind: Literal["basic"]


class HmacAuth(Section):
    """A signature over the body as it came (of a GET: over the query), with the secret as key."""

    kind: Literal["hmac"]
    header: str = Field(min_length=1, max_length=100)
    algorithm: Literal["sha256", "sha512", "sha1"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""


class Reports(Section):
    """How it tells what became of a message: a payload with the field `status` is a report.

    Which reply it is about is in the address, where `{report_url}` was sent, or in the field `reference`, where
    `{reference}` was.
    """

    status: Where
    reference: Where | None = None
    id: Where | None = None
    code: Where | None = None
    statuses: dict[str, DeliveryStatus] = Field(min_length=1)
    reasons: dict[str, Annotated[str, Field(pattern=r"^[a-z][a-z_]{0,40}$")]] = {}
    """Its error code → a word that staff's pages explain: unreachable, invalid_number, opted_out, filtered."""


class Answer(Section):
    """What the gateway says when a message was given to it.

    `id` and `code` are paths in JSON, or groups of `pattern` in text. An answer whose code is in `outcomes`
    means that; else the HTTP status does: by `statuses`, or 2xx sent, 401, 402 and 403 dead, 429 and 503 retry,
    other 4xx failed, and the rest nobody knows. Where there are `outcomes`, a 2xx without a known code is unknown.
    """

    id: Where | None = None
    code: Where | None = None
    pattern: Annotated[str, AfterValidator(_pattern)] | None = None
    outcomes: dict[str, Outcome] = {}
    statuses: dict[int, Outcome] = {}

    @model_validator(mode="after")
    def _one_way_to_read(self) -> Self:
        if self.pattern is not None and (self.id or self.code):
            raise ValueError("either “pattern” for text, or “id” and “code” for JSON")
        if self.outcomes and not (self.code or self.pattern):
            raise ValueError("“outcomes” needs “code:”, where the code stands")
        return self


class Request(Section):
    """A request to the gateway. `fields` with dots make objects in JSON."""

    url: Filled
    method: Literal["GET", "POST"] = "POST"
    body: Body = "form"
    fields: dict[str, Filled] = {}
    headers: dict[str, Filled] = {}
    basic: bool = False
    """Whether user and password go as HTTP Basic."""


class Send(Request):
    """How a message is given to it. `unicode` are fields more for a text outside of the SMS alphabet."""

    unicode: dict[str, Filled] = {}
    number: Literal["e164", "digits", "national"] = "digits"
    """How numbers are written: +628…, 628…, 08…"""
    segments: int = Field(4, ge=1, le=20)
    """The longest message, in SMS; longer answers go in several messages."""
    answer: Answer = Answer()
    repeats: Literal["doubled", "recognised"] = "doubled"
    """Whether the gateway recognises a message that it was given before, by `{reference}`."""

    @model_validator(mode="after")
    def _recognised_by_something(self) -> Self:
        values = [*self.fields.values(), *self.unicode.values(), *self.headers.values(), self.url]
        if self.repeats == "recognised" and not any("{reference}" in value for value in values):
            raise ValueError("“repeats: recognised” needs {reference} in a field")
        return self


class LookUp(Request):
    """How it is asked for a message by our `{reference}`: with an `id` in the answer it has it, with 404 or without it
    has not.
    """

    id: Where


class Gateway(Section):
    """One gateway. `country` is the calling code of numbers that are written without one."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")
    title: str
    country: str = Field("62", pattern=r"^[1-9]\d{0,2}$")
    auth: Annotated[SecretAuth | BasicAuth | HmacAuth, Field(discriminator="kind")]
    incoming: Incoming
    reports: Reports | None = None
    send: Send | None = None
    """None: it only delivers."""
    look_up: LookUp | None = None

    def needs(self) -> frozenset[str]:
        """The settings that its requests use: `url`, `user`, `password`, `secret`."""
        asked = [request for request in (self.send, self.look_up) if request is not None]
        values = [
            value
            for request in asked
            for value in (request.url, *request.fields.values(), *request.headers.values())
        ]
        named = {name for value in values for name in _SLOT.findall(value)}
        basic = {"user", "password"} if any(request.basic for request in asked) else set()
        return frozenset((named | basic) & {"url", "user", "password", "secret"})


def fill(value: str, values: Mapping[str, str]) -> str:
    """The text with its slots filled; nothing in a value is read as a slot again."""
    return _SLOT.sub(lambda slot: values[slot[1]], value)


def shipped() -> list[str]:
    """The names of the gateways that come with the hub."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def load_gateway(where: str) -> Gateway:
    """A shipped gateway by its name, or the mapping in a file. Raises `Misconfigured`: all mistakes, by line."""
    if not re.fullmatch(r"[a-z][a-z0-9-]*", where):
        return _read(Path(where))
    if not (SHIPPED / f"{where}.yaml").is_file():
        raise Misconfigured(f"there is no SMS gateway “{where}”. {nearest(where, shipped())} Or name a file.")
    return _shipped(where)


@cache
def _shipped(name: str) -> Gateway:
    return _read(SHIPPED / f"{name}.yaml")


def _read(path: Path) -> Gateway:
    document, problems = read(path.parent, path.name)
    if document is None or problems:
        raise Misconfigured("\n".join(map(str, problems)))
    try:
        return Gateway.model_validate(document.data)
    except ValidationError as error:
        found = [
            document.problem(_trail(each["loc"]), each["msg"].removeprefix("Value error, "))
            for each in error.errors(include_url=False, include_input=False)
        ]
        raise Misconfigured("\n".join(map(str, sorted(found)))) from None


def gateway_name(where: str) -> str:
    """What a gateway is called in its address. Raises `Misconfigured` as `load_gateway` does."""
    return load_gateway(where).name if where else ""


def _trail(loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Without the kind of authentication, which pydantic puts in between."""
    return tuple(step for at, step in enumerate(loc) if not (at == 1 and loc[0] == "auth"))
