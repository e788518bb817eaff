"""SMS through a local operator's or aggregator's HTTP gateway, as its mapping says (see `sms_gateway`).

Where no gateway is set but a Twilio account is, SMS are sent through that.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import aiohttp
import orjson

from laporhub.connectors import gsm7, parts, sms_answer, sms_payload
from laporhub.connectors.config import configured
from laporhub.connectors.sms_config import SmsConfig, check_complete
from laporhub.connectors.sms_gateway import Gateway, Request, SecretAuth, fill, load_gateway, shipped
from laporhub.connectors.sms_proof import check_proof
from laporhub.connectors.twilio import TwilioConfig, TwilioConnector
from laporhub.pipeline.connector import NOT_TOLD, Failed, Outcome, Outgoing, Parsed, Raw, Sent, Unknown
from laporhub.pipeline.connector_abilities import Greeting, Health
from laporhub.pipeline.errors import Misconfigured, RetryLater

TWILIO = "twilio"
"""The gateway of this name is the Twilio account that WhatsApp has."""
_ANSWER_LIMIT = 65_536
_FORM = "application/x-www-form-urlencoded"


CONFIG = SmsConfig


class SmsConnector:
    """See `Connector`. Without a config it reads what any shipped gateway delivers, and with no more than the name of
    one what that delivers, which is all that files need.
    """

    def __init__(self, config: SmsConfig | None = None) -> None:
        """Raises `Misconfigured` for a mapping that is wrong, or needs settings that are not there."""
        self._config = config
        self._gateway = load_gateway(config.gateway) if config else None
        self._known = [self._gateway] if self._gateway else [load_gateway(name) for name in shipped()]
        self._http: aiohttp.ClientSession | None = None
        self._segments = 0
        if config and self._gateway and config.model_fields_set != {"gateway"}:
            check_complete(config, self._gateway)

    # ── in ──

    @property
    def able(self) -> bool:
        return (
            self._gateway is not None
            and self._gateway.send is not None
            and self._settings().model_fields_set != {"gateway"}
        )

    @property
    def takes_get(self) -> bool:
        return self._gateway is not None and "GET" in self._gateway.incoming.methods

    def acknowledge(self, raw: Raw) -> Greeting:  # noqa: ARG002
        """What the mapping says it wants to read."""
        incoming = self._mapping().incoming
        return Greeting(incoming.answer, incoming.answer_type)

    def verify(self, raw: Raw) -> None:
        """Raises `Forged` unless the gateway proves itself as the mapping says, on its own address."""
        check_proof(self._mapping(), self._secret(), self._settings().hook_user, raw)

    def parse(self, raw: Raw) -> Sequence[Parsed]:
        """Messages, pieces of messages and reports. Raises `Unparsable`."""
        key = self._config.secret.get_secret_value().encode() if self._config else b""
        return sms_payload.parse(raw, self._known, key)

    # ── out ──

    def split(self, text: str) -> Sequence[str]:
        """In parts of as many SMS as the gateway takes at once; in the SMS alphabet where that says the same."""
        most = self._gateway.send.segments if self._gateway and self._gateway.send else 4
        said = gsm7.plain(text)
        measure = gsm7.septets if gsm7.is_gsm7(said) else parts.units
        return parts.split(said, gsm7.room(said, most), measure)

    async def publish(self, outgoing: Outgoing) -> Outcome:
        """Gives one part to the gateway. Raises `RetryLater`, `StopChannel`."""
        send = self._mapping().send
        if send is None:
            raise Misconfigured(
                f"the gateway {self._mapping().name} only delivers: its mapping has no “send”"
            )
        if not sms_payload.is_phone(outgoing.to):
            return Failed("invalid_number")
        more = {} if gsm7.is_gsm7(outgoing.text) else send.unicode
        try:
            status, headers, body = await self._ask(send, self._values(outgoing), more)
        except (TimeoutError, aiohttp.ClientError, ValueError) as error:
            if isinstance(error, aiohttp.ClientConnectorError):  # nothing was sent yet
                raise RetryLater(f"the SMS gateway cannot be reached: {type(error).__name__}") from None
            return Unknown(f"no answer: {type(error).__name__}")
        ours = sms_payload.reference(outgoing.reply_id, outgoing.part)
        outcome = sms_answer.outcome(send.answer, status, headers, body, ours)
        if isinstance(outcome, Sent):
            self._segments += gsm7.cost(outgoing.text).segments
        return outcome

    async def look_up(self, outgoing: Outgoing, known: frozenset[str]) -> Sent | Failed | None:
        """By our own reference, where the gateway can be asked; else nobody can tell, unless repeating does no harm."""
        gateway = self._mapping()
        if gateway.look_up is None:
            return None if gateway.send and gateway.send.repeats == "recognised" else Failed(NOT_TOLD)
        try:
            status, _, body = await self._ask(gateway.look_up, self._values(outgoing), {})
        except (TimeoutError, aiohttp.ClientError, ValueError) as error:
            raise RetryLater(f"the SMS gateway cannot be asked: {type(error).__name__}") from None
        found = sms_answer.found(gateway.look_up, status, body)
        return Sent(found) if found and found not in known else None

    async def check(self, account: str) -> Health:  # noqa: ARG002
        """What this process has sent; a gateway has no common way to be asked more."""
        return Health(True, facts={"gateway": self._mapping().name, "segments sent": str(self._segments)})

    async def aclose(self) -> None:
        """Closes the connections; the next call opens new ones."""
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    # ── inside ──

    async def _ask(
        self, request: Request, values: Mapping[str, str], more: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers (lower-case names) and body of the answer, the body no longer than is sensible."""
        fields = {name: fill(value, values) for name, value in {**request.fields, **more}.items()}
        headers = {name: fill(value, values) for name, value in request.headers.items()}
        if request.basic:
            pair = f"{values['user']}:{values['password']}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        url, data = fill(request.url, values), None
        if request.body == "query":
            url = f"{url}{'&' if '?' in url else '?'}{urlencode(fields)}" if fields else url
        elif request.body == "form":
            data, headers["Content-Type"] = urlencode(fields).encode(), _FORM
        else:
            data, headers["Content-Type"] = orjson.dumps(_nested(fields)), "application/json"
        async with self._session().request(
            request.method, url, data=data, headers=headers, allow_redirects=False
        ) as answer:
            body = await answer.content.read(_ANSWER_LIMIT)
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, body

    def _values(self, outgoing: Outgoing) -> dict[str, str]:
        config, gateway = self._settings(), self._mapping()
        form = gateway.send.number if gateway.send else "digits"
        ours = {"reply": outgoing.reply_id, "part": str(outgoing.part)}
        if isinstance(gateway.auth, SecretAuth) and gateway.auth.kind == "parameter":
            ours[gateway.auth.name] = self._secret()
        return {
            "to": _written(outgoing.to, form, gateway.country),
            "from": _written(outgoing.account, form, gateway.country),
            "text": outgoing.text,
            "reference": sms_payload.reference(outgoing.reply_id, outgoing.part),
            "report_url": f"{config.hook_url}?{urlencode(ours)}",
            "url": config.url.rstrip("/"),
            "user": config.user,
            "password": config.password.get_secret_value(),
            "secret": config.secret.get_secret_value(),
        }

    def _session(self) -> aiohttp.ClientSession:
        """Connections of the running event loop."""
        if self._http is None:
            timeout = aiohttp.ClientTimeout(total=self._settings().timeout)
            self._http = aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())
        return self._http

    def _settings(self) -> SmsConfig:
        if self._config is None:
            raise Misconfigured("SMS need a gateway: set LAPORHUB_SMS_GATEWAY")
        return self._config

    def _mapping(self) -> Gateway:
        if self._gateway is None:
            raise Misconfigured("SMS need a gateway: set LAPORHUB_SMS_GATEWAY")
        return self._gateway

    def _secret(self) -> str:
        secret = self._settings().secret.get_secret_value()
        if not secret:
            raise Misconfigured("nothing proves that it is the SMS gateway: set LAPORHUB_SMS_SECRET")
        return secret


class SmsOverTwilio(TwilioConnector):
    """SMS go out by Twilio's account; recordings of any gateway can still be read."""

    def __init__(self, config: TwilioConfig) -> None:
        super().__init__(config)
        self._known = [load_gateway(name) for name in shipped()]

    def parse(self, raw: Raw) -> Sequence[Parsed]:
        return sms_payload.parse(raw, self._known)

    def split(self, text: str) -> Sequence[str]:
        return super().split(gsm7.plain(text))


def connector(settings: Mapping[str, Any]) -> SmsConnector | SmsOverTwilio:
    """From a channel's settings; none at all is enough to read files. Raises `Misconfigured`."""
    if settings.get("gateway") == TWILIO:
        told = {name: value for name, value in settings.items() if name != "gateway"}
        account = configured(TWILIO, TwilioConfig, told)
        if account is None:
            raise Misconfigured("LAPORHUB_SMS_GATEWAY is twilio: set LAPORHUB_TWILIO_ACCOUNT_SID")
        return SmsOverTwilio(account)
    return SmsConnector(configured("sms", SmsConfig, settings))


def _written(number: str, form: str, country: str) -> str:
    """A number as the gateway writes it; what is no phone number (a sender's name) as it is."""
    if form == "e164" or not sms_payload.is_phone(number):
        return number
    digits = number.removeprefix("+")
    return f"0{digits.removeprefix(country)}" if form == "national" and digits.startswith(country) else digits


def _nested(fields: Mapping[str, str]) -> dict[str, Any]:
    """ "message.text" makes an object inside."""
    document: dict[str, Any] = {}
    for name, value in fields.items():
        inside = document
        *outer, last = name.split(".")
        for step in outer:
            inside = inside.setdefault(step, {})
        inside[last] = value
    return document
