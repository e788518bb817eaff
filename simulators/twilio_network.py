"""The telephone network behind the simulated Twilio: who wrote what to whom, and what became of it.

No input or output: webhooks and statuses are made here as forms, and posted elsewhere.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any, Literal, TypeAlias

from laporhub.simulators import twilio_rules

Form: TypeAlias = dict[str, str]


@dataclass(slots=True)
class SimMessage:
    """A message in either direction, seen from the office: "inbound" is what a citizen wrote."""

    sid: str
    direction: Literal["inbound", "outbound-api"]
    sender: str
    to: str
    body: str
    created: datetime
    status: str
    sent: datetime | None = None
    error_code: int | None = None
    media: tuple[str, ...] = ()
    location: tuple[float, float] | None = None

    @property
    def citizen(self) -> str:
        """The address on the citizen's side."""
        return self.sender if self.direction == "inbound" else self.to


class Network:
    """All messages of one account. `numbers` are its senders."""

    def __init__(
        self, account_sid: str, numbers: Sequence[str], clock: Callable[[], datetime], seed: int
    ) -> None:
        self.account_sid = account_sid
        self.numbers = numbers
        self.messages: list[SimMessage] = []
        self.unreachable: set[str] = set()
        """Phones that are off: messages to them end as undelivered."""
        self.templates: dict[str, str] = {}
        """Approved messages by ContentSid; "{{1}}" is a variable."""
        self.paused: set[str] = set()
        """Templates that WhatsApp has paused: they end as undelivered."""
        self._clock = clock
        self._random = random.Random(seed)

    def receive(
        self,
        citizen: str,
        text: str,
        media: Sequence[str] = (),
        location: tuple[float, float] | None = None,
    ) -> SimMessage:
        """A citizen writes, to the office's first number on the same channel. Raises ValueError."""
        if not twilio_rules.is_address(citizen):
            raise ValueError(f"{citizen!r} is not an address: +628… for SMS, whatsapp:+628… for WhatsApp")
        whatsapp = twilio_rules.is_whatsapp(citizen)
        number = next((n for n in self.numbers if twilio_rules.is_whatsapp(n) == whatsapp), None)
        if number is None:
            raise ValueError(f"the office has no number that {citizen} could write to")
        now = self._clock()
        message = SimMessage(self._sid(), "inbound", citizen, number, text, now, "received", sent=now)
        message.media, message.location = tuple(media), location
        self.messages.append(message)
        return message

    def send(self, form: Mapping[str, str]) -> tuple[SimMessage, list[Form]]:
        """The office writes: the message, still waiting, and the statuses it will have, in order."""
        message = SimMessage(
            self._sid(),
            "outbound-api",
            form["From"],
            form["To"],
            twilio_rules.rendered(form, self.templates) or "",
            self._clock(),
            "queued",
        )
        fate = self._fate(message, form.get("ContentSid"))
        self.messages.append(message)
        return message, [self._status(message, status, code) for status, code in fate]

    def settle(self, status: Mapping[str, str]) -> None:
        """A message has come as far as this status says."""
        for message in self.messages:
            if message.sid == status["MessageSid"]:
                message.status = status["MessageStatus"]
                message.error_code = int(status["ErrorCode"]) if "ErrorCode" in status else None
                message.sent = message.sent or self._clock()

    def with_citizen(self, citizen: str) -> list[SimMessage]:
        """All messages with one phone, oldest first; without "whatsapp:" it means both channels."""
        return [m for m in self.messages if citizen in (m.citizen, m.citizen.removeprefix("whatsapp:"))]

    def phones(self) -> list[tuple[str, str]]:
        """Each citizen with the last words said, the latest first."""
        last = {message.citizen: message.body for message in self.messages}
        order = dict.fromkeys(message.citizen for message in reversed(self.messages))
        return [(citizen, last[citizen]) for citizen in order]

    def webhook(self, message: SimMessage, name: str | None) -> Form:
        """What Twilio posts of a citizen's message."""
        form = self._common(message) | {
            "SmsStatus": "received",
            "Body": message.body,
            "NumSegments": str(twilio_rules.segments(message.body)),
            "NumMedia": str(len(message.media)),
        }
        for number, url in enumerate(message.media):
            form |= {f"MediaUrl{number}": url, f"MediaContentType{number}": "image/jpeg"}
        if message.location is not None:
            form |= {"Latitude": str(message.location[0]), "Longitude": str(message.location[1])}
        if twilio_rules.is_whatsapp(message.sender):
            kind = "location" if message.location else "image" if message.media else "text"
            form |= {"MessageType": kind, "ProfileName": name or "Warga"}
            if message.sender.startswith("whatsapp:+"):
                form["WaId"] = message.sender.removeprefix("whatsapp:+")
        return form

    def _fate(self, message: SimMessage, template: str | None) -> list[tuple[str, int | None]]:
        whatsapp = twilio_rules.is_whatsapp(message.to)
        written = [m.created for m in self.messages if m.direction == "inbound" and m.sender == message.to]
        is_open = twilio_rules.is_open(message.created, max(written, default=None))
        if whatsapp and template is None and not is_open:
            return [("undelivered", 63016)]
        if template in self.paused:
            return [("undelivered", 63041)]
        if message.to in self.unreachable:
            return [("sent", None), ("undelivered", 30003)]
        return [(status, None) for status in ("sent", "delivered", "read")[: 3 if whatsapp else 2]]

    def _status(self, message: SimMessage, status: str, code: int | None) -> Form:
        form = self._common(message) | {"SmsStatus": status, "MessageStatus": status}
        return form | ({"ErrorCode": str(code)} if code is not None else {})

    def _common(self, message: SimMessage) -> Form:
        sids = {"MessageSid": message.sid, "SmsSid": message.sid, "AccountSid": self.account_sid}
        return sids | {"From": message.sender, "To": message.to, "ApiVersion": "2010-04-01"}

    def _sid(self) -> str:
        return f"SM{self._random.getrandbits(128):032x}"


def resource(message: SimMessage, account_sid: str) -> Mapping[str, Any]:
    """A message as the REST interface shows it."""
    created = format_datetime(message.created.astimezone(UTC))
    return {
        "sid": message.sid,
        "account_sid": account_sid,
        "api_version": "2010-04-01",
        "from": message.sender,
        "to": message.to,
        "body": message.body,
        "status": message.status,
        "direction": message.direction,
        "date_created": created,
        "date_updated": created,
        "date_sent": format_datetime(message.sent.astimezone(UTC)) if message.sent else None,
        "num_segments": str(twilio_rules.segments(message.body)),
        "num_media": str(len(message.media)),
        "error_code": message.error_code,
        "error_message": None,
        "price": None,
        "price_unit": "USD",
        "uri": f"/2010-04-01/Accounts/{account_sid}/Messages/{message.sid}.json",
    }


def media_resource(message: SimMessage, number: int, account_sid: str) -> Mapping[str, Any]:
    """A file of a message as the REST interface shows it."""
    name = message.media[number].rpartition("/")[2]
    where = f"/2010-04-01/Accounts/{account_sid}/Messages/{message.sid}/Media/{name}.json"
    created = format_datetime(message.created.astimezone(UTC))
    return {
        "sid": name,
        "account_sid": account_sid,
        "parent_sid": message.sid,
        "content_type": "image/jpeg",
        "date_created": created,
        "date_updated": created,
        "uri": where,
    }


def matches(message: SimMessage, query: Mapping[str, str]) -> bool:
    """Twilio's filters; those on the date leave out what has not been sent on yet. Raises ValueError."""
    if query.get("To", message.to) != message.to or query.get("From", message.sender) != message.sender:
        return False
    for name, after in (("DateSent>", True), ("DateSent<", False)):
        if name in query:
            bound = datetime.fromisoformat(query[name])
            bound = bound if bound.tzinfo else bound.replace(tzinfo=UTC)
            if message.sent is None or (message.sent < bound if after else message.sent > bound):
                return False
    return True
