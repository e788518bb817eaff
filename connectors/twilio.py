"""WhatsApp and SMS through Twilio. The address tells the two apart: WhatsApp's begin with "whatsapp:"."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]
from twilio.http.async_http_client import AsyncTwilioHttpClient  # type: ignore[import-untyped]
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from laporhub.connectors import parts, twilio_payload
from laporhub.connectors.config import configured
from laporhub.connectors.download import origin
from laporhub.pipeline.errors import Forged, Misconfigured, RetryLater, StopChannel, Unparsable
from laporhub.pipeline.ports import Failed, Greeting, Outcome, Outgoing, Parsed, Raw, Sent, Unknown, Window

T = TypeVar("T")

BODY_LIMIT = 1600
"""UTF-16 units in one message, WhatsApp and SMS alike."""
WINDOW = timedelta(hours=24)
"""How long after the citizen's last message WhatsApp lets us answer in free words."""
CLOCK_SKEW = timedelta(minutes=2)
"""How far the platform's clock may be behind ours when an attempt is looked up."""
LOOK_BACK = 200
"""How many messages to one citizen are looked through, newest first."""

_BUSY = frozenset({20429, 63018})
_DEAD = frozenset({20003, 20005})  # credentials refused, account not active
_SILENT = logging.Logger("twilio.http", level=logging.CRITICAL)  # the library logs phone numbers


class TwilioConfig(BaseModel):
    """The account. `api_base_url`: None is Twilio's own. `timeout`: seconds for one call.

    `status_callback_url` is the public address of `/hooks/twilio/status`; None asks for no callbacks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    account_sid: str = Field(min_length=1)
    auth_token: SecretStr = Field(min_length=1)
    api_base_url: str | None = None
    status_callback_url: str | None = None
    timeout: float = Field(10.0, gt=0)


class TwilioConnector:
    """See `Connector`. Without a config it can parse and split, which is all that files need."""

    def __init__(self, config: TwilioConfig | None = None) -> None:
        self._config = config
        self._http: AsyncTwilioHttpClient | None = None

    @property
    def able(self) -> bool:
        return self._config is not None

    @property
    def media_origins(self) -> frozenset[str]:
        base = self._config.api_base_url if self._config else None
        return frozenset({origin(base)} if base else ())

    def media_headers(self, url: str) -> Mapping[str, str]:
        """Photos lie behind the account's own credentials, which nobody but Twilio is shown."""
        host = urlsplit(url).hostname or ""
        ours = host.endswith(".twilio.com") and url.startswith("https://")
        if self._config is None or not (ours or origin(url) in self.media_origins):
            return {}
        signed = f"{self._config.account_sid}:{self._config.auth_token.get_secret_value()}".encode()
        return {"Authorization": f"Basic {b64encode(signed).decode()}"}

    def acknowledge(self, raw: Raw) -> Greeting:  # noqa: ARG002
        """An empty TwiML document: nothing is to be said at once."""
        return Greeting("<Response/>", "text/xml")

    def verify(self, raw: Raw) -> None:
        """Raises `Forged` unless Twilio signed the form, for exactly the public address in `raw.url`.

        A body that is no form is signed by the address alone, which then holds its digest as `bodySHA256`.
        """
        config = self._configured()
        signature = (raw.headers or {}).get("x-twilio-signature", "")
        validator = RequestValidator(config.auth_token.get_secret_value())
        try:
            fields = {} if _holds_digest(raw) else _signed(raw)
            valid = bool(signature) and validator.validate(raw.url, fields, signature)
        except (ValueError, Unparsable) as error:  # an address or a form that nobody could have signed
            raise Forged(f"the signature cannot be checked: {error}") from error
        if not valid:
            raise Forged(
                "x-twilio-signature does not match: check the auth token, and that the public address is "
                "written here exactly as in Twilio's console"
            )

    def parse(self, raw: Raw) -> Sequence[Parsed]:
        """One payload is one message or one status. Raises `Unparsable`."""
        return [twilio_payload.parse(raw)]

    def split(self, text: str) -> Sequence[str]:
        return parts.split(text, BODY_LIMIT)

    def window(self, account: str, reply_to: str | None, last_inbound_at: datetime, now: datetime) -> Window:  # noqa: ARG002
        """WhatsApp takes free words for a day after the citizen wrote, SMS always."""
        if not twilio_payload.is_whatsapp(account):
            return Window()
        until = last_inbound_at + WINDOW
        return Window("open", until) if now <= until else Window("closed")

    async def publish(self, outgoing: Outgoing) -> Outcome:
        """Sends one part. Raises `RetryLater`, `StopChannel`.

        A server error other than 503 leaves open whether the message was taken, so it is `Unknown`.
        """
        if _window_is_closed(outgoing):
            return Failed("window_closed")
        create = self._client().messages.create_async(
            to=outgoing.to, from_=outgoing.account, body=outgoing.text, **self._callback(outgoing)
        )
        try:
            message = await self._in_time(create)
        except (TimeoutError, aiohttp.ClientError, ValueError) as error:
            if _never_left(error):
                raise RetryLater(f"Twilio cannot be reached: {error}") from error
            return Unknown(f"no answer: {type(error).__name__}")
        except TwilioException as error:
            return _refusal(error)
        return Sent(message.sid) if message.sid else Unknown("an answer without a sid")

    async def look_up(self, outgoing: Outgoing, known: frozenset[str]) -> Sent | None:
        """The oldest message since shortly before the attempt with the same words that is nobody else's.

        Twilio's own date filter goes by when a message was sent on, which a waiting one has not been; so
        the date is compared here.
        """
        since = outgoing.attempted_at - CLOCK_SKEW
        found = None
        async with _reading():
            for message in await self._in_time(self._to(outgoing)):
                if message.date_created is None or message.date_created < since or message.sid in known:
                    continue
                if message.direction != "inbound" and _words(message.body) == _words(outgoing.text):
                    found = Sent(message.sid)  # newest first, so the last one found is the oldest
        return found

    async def aclose(self) -> None:
        """Closes the connections; the next call opens new ones."""
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    async def _to(self, outgoing: Outgoing) -> Sequence[Any]:
        messages: Sequence[Any] = await self._client().messages.list_async(
            to=outgoing.to, from_=outgoing.account, limit=LOOK_BACK, page_size=100
        )
        return messages

    async def _in_time(self, call: Awaitable[T]) -> T:
        return await asyncio.wait_for(call, self._configured().timeout)

    def _configured(self) -> TwilioConfig:
        if self._config is None:
            raise Misconfigured("Twilio needs account_sid and auth_token: set both for this channel")
        return self._config

    def _client(self) -> Any:
        """A client on the connections of the running event loop."""
        config = self._configured()
        if self._http is None:
            self._http = _Http(logger=_SILENT)
        client = Client(config.account_sid, config.auth_token.get_secret_value(), http_client=self._http)
        if config.api_base_url is not None:
            client.api.base_url = config.api_base_url.rstrip("/")
        return client

    def _callback(self, outgoing: Outgoing) -> Mapping[str, str]:
        """The address of the status callback names the reply, so it needs no record of ours to be read."""
        address = self._configured().status_callback_url
        if address is None:
            return {}
        url = urlsplit(address)
        reply = urlencode({"reply": outgoing.reply_id, "part": outgoing.part})
        return {
            "status_callback": urlunsplit(url._replace(query=f"{url.query}&{reply}" if url.query else reply))
        }


def connector(settings: Mapping[str, Any]) -> TwilioConnector:
    """From a channel's settings; none at all is enough to read files. Raises `Misconfigured`."""
    return TwilioConnector(configured("twilio", TwilioConfig, settings))


class _Http(AsyncTwilioHttpClient):  # type: ignore[misc]
    """Twilio's client, mended: it signs in a way that aiohttp deprecates, and of a refusal it throws away the
    headers (where the hint stands when to come back) and, for lists, the status.
    """

    async def request(self, method: str, url: str, **kwargs: Any) -> Any:
        user, password = kwargs.pop("auth")
        basic = b64encode(f"{user}:{password}".encode()).decode()
        kwargs["headers"] = {**(kwargs.get("headers") or {}), "Authorization": f"Basic {basic}"}
        response = await super().request(method, url, **kwargs)
        if response.status_code == 401:
            raise _dead(response.status_code)
        if response.status_code in (429, 503):
            hint = (response.headers or {}).get("Retry-After", "")
            raise RetryLater(
                f"Twilio is busy ({response.status_code})", after=float(hint) if hint.isdecimal() else None
            )
        return response


class _Form(dict[str, list[str]]):
    """A form whose names may come several times, as the validator reads it."""

    def getlist(self, name: str) -> list[str]:
        return self[name]


def _holds_digest(raw: Raw) -> bool:
    """Whether the address names the digest of this very body."""
    digests = parse_qs(urlsplit(raw.url).query).get("bodySHA256", [])
    return digests == [hashlib.sha256(raw.body).hexdigest()]


def _signed(raw: Raw) -> _Form:
    form = _Form()
    for name, value in twilio_payload.form_of(raw.body):
        form.setdefault(name, []).append(value)
    return form


def _window_is_closed(outgoing: Outgoing) -> bool:
    """Only where it is known when they last wrote: otherwise Twilio is the judge."""
    if not twilio_payload.is_whatsapp(outgoing.to) or outgoing.last_inbound_at is None:
        return False
    return outgoing.attempted_at - outgoing.last_inbound_at > WINDOW


def _never_left(error: Exception) -> bool:
    """Whether the connection failed before anything was sent."""
    return isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientConnectorCertificateError)


def _refusal(error: Any) -> Outcome:
    """What a refusal means for a message. Raises `RetryLater`, `StopChannel`."""
    status, code = _stop_or_wait(error)
    return Unknown(f"server error {status}") if status >= 500 else Failed(twilio_payload.reason_for(code))


def _stop_or_wait(error: Any) -> tuple[int, int]:
    """HTTP status and Twilio's code of a refusal; raises `RetryLater`, `StopChannel` where these say so."""
    status, code = int(getattr(error, "status", 0) or 0), int(getattr(error, "code", 0) or 0)
    if code in _BUSY:
        raise RetryLater(f"Twilio is busy ({code})") from error
    if code in _DEAD:
        raise _dead(code) from error
    return status, code


def _dead(code: int) -> StopChannel:
    return StopChannel(f"Twilio refuses the account ({code}): check account_sid and auth_token")


@asynccontextmanager
async def _reading() -> AsyncIterator[None]:
    """Reading changes nothing, so whatever goes wrong it can be tried again."""
    try:
        yield
    except (TimeoutError, aiohttp.ClientError, ValueError) as error:
        raise RetryLater(f"Twilio's messages cannot be read: {type(error).__name__}") from error
    except TwilioException as error:
        _stop_or_wait(error)
        raise RetryLater("Twilio's messages cannot be read: the list was refused") from error


def _words(body: str | None) -> str:
    """Twilio trims and folds white space: only the words count."""
    return " ".join((body or "").split())
