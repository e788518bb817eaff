"""How the two simulated SMS gateways speak, and what they refuse. No input or output."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from hmac import compare_digest
from typing import Final, Literal, Protocol, TypeAlias

from starlette.responses import JSONResponse, PlainTextResponse, Response

from laporhub.simulators import twilio_rules

WIB = timezone(timedelta(hours=7))
LONGEST = 4
"""SMS in one message that the aggregator takes."""

Fields: TypeAlias = Mapping[str, str | bytes]
Request: TypeAlias = tuple[str, str, Fields]
"""Method, address, fields."""


@dataclass(frozen=True, slots=True)
class Keys:
    """What the office and the gateway prove themselves with to each other."""

    user: str
    password: str
    secret: str


@dataclass(slots=True)
class Sms:
    """A message in either direction; `reference` and `callback` are what the office gave with it."""

    sid: str
    direction: Literal["inbound", "outbound-api"]
    sender: str
    to: str
    body: str
    created: datetime
    status: str
    reference: str = ""
    callback: str = ""
    error_code: int | None = None
    media: tuple[str, ...] = ()
    location: tuple[float, float] | None = None

    @property
    def citizen(self) -> str:
        return self.sender if self.direction == "inbound" else self.to

    @property
    def segments(self) -> int:
        return twilio_rules.segments(self.body)


class Wire(Protocol):
    """One gateway's wire format. The first of `paths` is where messages are given to it."""

    paths: tuple[str, ...]

    def delivered(self, message: Sms) -> tuple[str, Sequence[Fields]]: ...
    def headers(self) -> Mapping[str, str]: ...
    def allowed(self, fields: Mapping[str, str]) -> bool: ...
    def read(self, fields: Mapping[str, str], sid: str, now: datetime) -> Sms: ...
    def refusal(
        self, message: Sms, numbers: Collection[str], opted_out: Collection[str], credit: int
    ) -> Response | None: ...
    def accepted(self, message: Sms) -> Response: ...
    def denied(self) -> Response: ...
    def busy(self, retry_after: int | None) -> Response: ...
    def broken(self) -> Response: ...
    def status(self, fields: Mapping[str, str], messages: Sequence[Sms]) -> Response: ...
    def reports(self, message: Sms, *, reached: bool) -> Iterator[Request]: ...


class Agregator:
    """Posts forms with a token in a header, pieces of long messages one by one; takes messages by GET."""

    paths: tuple[str, ...] = ("/api/send", "/api/status")

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def delivered(self, message: Sms) -> tuple[str, Sequence[Fields]]:
        common = {
            "msisdn": message.sender.removeprefix("+"),
            "to": message.to.removeprefix("+"),
            "received_at": message.created.astimezone(WIB).strftime("%Y-%m-%d %H:%M:%S"),
        }
        size = 153 if twilio_rules.is_gsm7(message.body) else 67
        whole = message.segments == 1
        pieces = (
            [message.body]
            if whole
            else [message.body[at : at + size] for at in range(0, len(message.body), size)]
        )
        reference = str(int(sha256(message.sid.encode()).hexdigest(), 16) % 256)
        return "POST", [
            common
            | {"message_id": message.sid if whole else f"{message.sid}-{number}", "message": piece}
            | (
                {}
                if whole
                else {"part_ref": reference, "part_no": str(number), "part_total": str(len(pieces))}
            )
            for number, piece in enumerate(pieces, 1)
        ]

    def headers(self) -> Mapping[str, str]:
        return {"X-Callback-Token": self._keys.secret}

    def allowed(self, fields: Mapping[str, str]) -> bool:
        return _same(fields.get("api_key", ""), self._keys.password)

    def read(self, fields: Mapping[str, str], sid: str, now: datetime) -> Sms:
        to, sender = (f"+{fields.get(name, '')}" for name in ("msisdn", "sender"))
        message = Sms(sid, "outbound-api", sender, to, fields.get("message", ""), now, "queued")
        message.reference, message.callback = fields.get("ref", ""), fields.get("callback", "")
        return message

    def refusal(
        self, message: Sms, numbers: Collection[str], opted_out: Collection[str], credit: int
    ) -> Response | None:
        checks = (
            (not twilio_rules.is_address(message.to), "10", "nomor tujuan salah"),
            (message.to in opted_out, "11", "penerima menolak"),
            (message.sender not in numbers, "15", "pengirim tidak dikenal"),
            (not message.body, "13", "pesan kosong"),
            (message.segments > LONGEST, "14", "pesan terlalu panjang"),
            (credit < message.segments, "21", "saldo habis"),
        )
        return next((_told(code, text) for wrong, code, text in checks if wrong), None)

    def accepted(self, message: Sms) -> Response:
        return JSONResponse({"code": 0, "message": "ok", "data": {"message_id": message.sid}})

    def denied(self) -> Response:
        return _told("20", "kunci salah")

    def busy(self, retry_after: int | None) -> Response:
        response = _told("30", "terlalu banyak", 429)
        if retry_after is not None:
            response.headers["Retry-After"] = str(retry_after)
        return response

    def broken(self) -> Response:
        return _told("99", "galat")

    def status(self, fields: Mapping[str, str], messages: Sequence[Sms]) -> Response:
        for message in messages:
            if message.reference and message.reference == fields.get("ref"):
                return self.accepted(message)
        return _told("40", "tidak ada", 404)

    def reports(self, message: Sms, *, reached: bool) -> Iterator[Request]:
        for status in ("sent", "delivered" if reached else "undelivered"):
            message.status = status
            if message.callback:
                told = {"message_id": message.sid, "ref": message.reference, "status": status}
                yield "POST", message.callback, told | ({} if reached else {"error": "absent"})


class Kannel:
    """smsbox: `get-url` of an sms-service, and `sendsms`. It joins long messages itself, and has no message ids."""

    paths: tuple[str, ...] = ("/cgi-bin/sendsms",)

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def delivered(self, message: Sms) -> tuple[str, Sequence[Fields]]:
        told = {
            "token": self._keys.secret,
            "id": message.sid,
            "from": message.sender,
            "to": message.to,
            "time": str(int(message.created.timestamp())),
            "charset": "UTF-8" if twilio_rules.is_gsm7(message.body) else "UTF-16BE",
        }
        return "GET", [told | {"text": message.body.encode(told["charset"])}]

    def headers(self) -> Mapping[str, str]:
        return {}

    def allowed(self, fields: Mapping[str, str]) -> bool:
        shown = f"{fields.get('username', '')}:{fields.get('password', '')}"
        return _same(shown, f"{self._keys.user}:{self._keys.password}")

    def read(self, fields: Mapping[str, str], sid: str, now: datetime) -> Sms:
        text = fields.get("text", "")
        if fields.get("coding") != "2":  # what the alphabet does not have is lost
            text = "".join(char if twilio_rules.is_gsm7(char) else "?" for char in text)
        to = "+" + fields.get("to", "").removeprefix("+")
        message = Sms(sid, "outbound-api", fields.get("from", ""), to, text, now, "queued")
        message.callback = fields.get("dlr-url", "") if fields.get("dlr-mask") else ""
        return message

    def refusal(
        self,
        message: Sms,
        numbers: Collection[str],
        opted_out: Collection[str],  # noqa: ARG002 - it does not know
        credit: int,  # noqa: ARG002
    ) -> Response | None:
        if message.sender not in numbers:
            return PlainTextResponse("Sender missing and no global set, rejected", 400)
        if not twilio_rules.is_address(message.to):
            return PlainTextResponse("Empty receiver number not allowed, rejected", 400)
        return None

    def accepted(self, message: Sms) -> Response:  # noqa: ARG002
        return PlainTextResponse("0: Accepted for delivery", 202)

    def denied(self) -> Response:
        return PlainTextResponse("Authorization failed for sendsms", 403)

    def busy(self, retry_after: int | None) -> Response:
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        return PlainTextResponse("Temporal failure, try again later.", 503, headers=headers)

    def broken(self) -> Response:
        return PlainTextResponse("Internal error", 500)

    def status(self, fields: Mapping[str, str], messages: Sequence[Sms]) -> Response:  # noqa: ARG002
        return PlainTextResponse("Unknown request", 404)

    def reports(self, message: Sms, *, reached: bool) -> Iterator[Request]:
        for code, status in (("8", "sent"), ("1", "delivered") if reached else ("2", "undelivered")):
            message.status = status
            if message.callback:
                yield "GET", message.callback.replace("%d", code), {}


WIRES: Final[Mapping[str, Callable[[Keys], Wire]]] = {"agregator": Agregator, "kannel": Kannel}


def _told(code: str, text: str, status: int = 200) -> Response:
    return JSONResponse({"code": code, "message": text}, status)


def _same(shown: str, wanted: str) -> bool:
    return compare_digest(shown.encode(), wanted.encode())
