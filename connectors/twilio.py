"""WhatsApp and SMS through Twilio. The address tells the two apart: WhatsApp's begin with "whatsapp:"."""

from __future__ import annotations

import asyncio
import hashlib
from base64 import b64encode
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import aiohttp
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from laporhub.connectors import parts, twilio_payload, twilio_sweep, twilio_templates
from laporhub.connectors.config import configured
from laporhub.connectors.download import origin
from laporhub.connectors.twilio_client import SILENT, Http, never_left, reading, refusal
from laporhub.pipeline.connector import WINDOW_CLOSED, Failed, Outcome, Outgoing, Parsed, Raw, Sent, Unknown
from laporhub.pipeline.connector_abilities import Greeting, Health, Polled, Window
from laporhub.pipeline.errors import Forged, Misconfigured, RetryLater, StopChannel, Unparsable

T = TypeVar("T")

BODY_LIMIT = 1600
"""UTF-16 units in one message, WhatsApp and SMS alike."""
SWEEP_SECONDS = 120.0
"""Between two looks for messages that no webhook brought."""
CLOCK_SKEW = timedelta(minutes=2)
"""How far the platform's clock may be behind ours when an attempt is looked up."""
LOOK_BACK = 200
"""How many messages to one citizen are looked through, newest first."""


class TwilioConfig(BaseModel):
    """The account. `api_base_url`: None is Twilio's own. `timeout`: seconds for one call.

    `status_callback_url` is the public address of `/hooks/twilio/status`; None asks for no callbacks. `sweep_days` is
    how far back the first look goes for messages that no webhook brought.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    account_sid: str = Field(min_length=1)
    auth_token: SecretStr = Field(min_length=1)
    api_base_url: str | None = None
    status_callback_url: str | None = None
    timeout: float = Field(10.0, gt=0)
    sweep_days: int = Field(1, ge=0, le=400)


class TwilioConnector:
    """See `Connector`. Without a config it can parse and split, which is all that files need."""

    def __init__(
        self,
        config: TwilioConfig | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._config = config
        self.now = now
        self._http: Http | None = None
        self._by_template: deque[str] = deque(maxlen=1000)
        """What was sent by template lately, and so said a reply of several parts at once."""

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
        until = last_inbound_at + twilio_templates.WINDOW
        return Window("open", until) if now <= until else Window("closed")

    async def publish(self, outgoing: Outgoing) -> Outcome:
        """Sends one part. Raises `RetryLater`, `StopChannel`.

        A server error other than 503 leaves open whether the message was taken, so it is `Unknown`.
        """
        if outgoing.previous is not None and outgoing.previous in self._by_template:
            return Sent(outgoing.previous)
        said = self._by_its_template(outgoing) if twilio_templates.applies(outgoing) else None
        if said is None and twilio_templates.is_closed(outgoing):
            return Failed(WINDOW_CLOSED)
        words = {"body": outgoing.text, **self._callback(outgoing, outgoing.part)} if said is None else said
        create = self._client().messages.create_async(to=outgoing.to, from_=outgoing.account, **words)
        try:
            message = await self._in_time(create)
        except (TimeoutError, aiohttp.ClientError, ValueError) as error:
            if never_left(error):
                raise RetryLater(f"Twilio cannot be reached: {error}") from error
            return Unknown(f"no answer: {type(error).__name__}")
        except TwilioException as error:
            return refusal(error)
        if message.sid and said is not None:
            self._by_template.append(message.sid)
        return Sent(message.sid) if message.sid else Unknown("an answer without a sid")

    def _by_its_template(self, outgoing: Outgoing) -> Mapping[str, str] | None:
        """What to send for a whole reply; None for a later part, whose beginning went in free words, and for words
        that the template has no room for.
        """
        if outgoing.template is None or outgoing.part > 0:
            return None
        said = twilio_templates.values(outgoing.template, outgoing.text)
        if said is None:
            return None
        more = {"content_variables": twilio_templates.variables(said)} if said else {}
        return {"content_sid": outgoing.template.content, **more, **self._callback(outgoing, None)}

    async def look_up(self, outgoing: Outgoing, known: frozenset[str]) -> Sent | None:
        """The oldest message since shortly before the attempt with the same words that is nobody else's.

        Twilio's own date filter goes by when a message was sent on, which a waiting one has not been; so
        the date is compared here.
        """
        since = outgoing.attempted_at - CLOCK_SKEW
        found = None
        async with reading():
            for message in await self._in_time(self._to(outgoing)):
                if message.date_created is None or message.date_created < since or message.sid in known:
                    continue
                if message.direction != "inbound" and _says(message.body, outgoing):
                    found = Sent(message.sid)  # newest first, so the last one found is the oldest
        return found

    @property
    def poll_every(self) -> float:
        return SWEEP_SECONDS

    async def poll(self, account: str, cursor: str | None) -> Polled:
        """What came to `account` and no webhook brought. Raises `RetryLater`, `StopChannel`."""
        now = self.now()
        at = twilio_sweep.Cursor.read(cursor, now, timedelta(days=self._configured().sweep_days))
        end = at.end(now)
        async with reading():
            found = await self._in_time(
                self._client().messages.list_async(
                    to=account, date_sent_after=at.since, date_sent_before=end, limit=at.size, page_size=100
                )
            )
            payloads = [
                twilio_sweep.payload(message, await self._media(message))
                for message in found
                if message.direction == "inbound"
            ]
        following = at.after([message.date_sent or end for message in found], end)
        return Polled(payloads, following.model_dump_json(), more=following.in_between)

    async def check(self, account: str) -> Health:  # noqa: ARG002 - all senders are of one account
        """How the account stands: active or not, and what money is left."""
        api = self._client().api.v2010
        try:
            async with reading():
                status = str((await self._in_time(api.account.fetch_async())).status)
                balance = await self._in_time(api.account.balance.fetch_async())
        except StopChannel as dead:
            return Health(False, str(dead))
        left = f"{balance.balance} {balance.currency}"
        amount, reason = _amount(balance.balance), ""
        if status != "active":
            reason = f"Twilio's account is {status}: see Twilio's console"
        elif amount is not None and amount <= 0:
            reason = f"Twilio's account has no money left ({left}): top it up"
        facts = {"status": status, "balance": left}
        money = {} if amount is None else {str(balance.currency): amount}
        return Health(not reason, reason, facts=facts, credits=money)

    async def _media(self, message: Any) -> Sequence[tuple[str, str]]:
        """Address and type of each file of a message."""
        if message.num_media in (None, "", "0"):
            return ()
        client = self._client()
        found = await self._in_time(client.messages(message.sid).media.list_async())
        return [
            (f"{client.api.base_url}{file.uri.removesuffix('.json')}", file.content_type) for file in found
        ]

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
            self._http = Http(logger=SILENT)
        client = Client(config.account_sid, config.auth_token.get_secret_value(), http_client=self._http)
        if config.api_base_url is not None:
            client.api.base_url = config.api_base_url.rstrip("/")
        return client

    def _callback(self, outgoing: Outgoing, part: int | None) -> Mapping[str, str]:
        """The address of the status callback names the reply, so it needs no record of ours to be read; and the part,
        None where one message says it all.
        """
        address = self._configured().status_callback_url
        if address is None:
            return {}
        url = urlsplit(address)
        reply = urlencode({"reply": outgoing.reply_id} | ({} if part is None else {"part": part}))
        return {
            "status_callback": urlunsplit(url._replace(query=f"{url.query}&{reply}" if url.query else reply))
        }


def connector(settings: Mapping[str, Any]) -> TwilioConnector:
    """From a channel's settings; none at all is enough to read files. Raises `Misconfigured`."""
    return TwilioConnector(configured("twilio", TwilioConfig, settings))


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


def _says(body: str | None, outgoing: Outgoing) -> bool:
    """Whether a message has the words of this one; of a template, those that fill it."""
    if _words(body) == _words(outgoing.text):
        return True
    if not twilio_templates.applies(outgoing) or outgoing.template is None:
        return False
    said = twilio_templates.values(outgoing.template, outgoing.text)
    return bool(said) and all(value in _words(body) for value in said or ())


def _amount(balance: Any) -> float | None:
    """Money left; None where a bill is paid later, which is nothing to worry about."""
    try:
        return float(balance)
    except (TypeError, ValueError):
        return None


def _words(body: str | None) -> str:
    """Twilio trims and folds white space: only the words count."""
    return " ".join((body or "").split())
