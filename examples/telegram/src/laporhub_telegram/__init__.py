"""Telegram as a channel: updates by webhook or by long polling, answers under the message that was asked.

Facts: the Bot API, methods `getUpdates`, `sendMessage`, `getMe`; "Making requests", "Update", "Message".
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from laporhub.connectors import parts
from laporhub.connectors.config import configured
from laporhub.pipeline.errors import Forged, Misconfigured, RetryLater, StopChannel, Unparsable
from laporhub.pipeline.models import Attachment, Inbound, Location
from laporhub.pipeline.ports import (
    NOT_TOLD,
    Failed,
    Health,
    Ignored,
    Outcome,
    Outgoing,
    Parsed,
    Polled,
    Raw,
    Sent,
    Unknown,
)

LIMIT = 4096
"""UTF-16 units in one message."""
_FILES = ("photo", "document", "video", "voice", "audio", "video_note", "animation", "sticker")
_NOT_SAID = ("edited_message", "channel_post", "edited_channel_post", "callback_query", "my_chat_member")


class TelegramConfig(BaseModel):
    """`token` is the bot's; `webhook_secret` what was told to setWebhook; None refuses every hook."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: SecretStr = Field(min_length=1)
    webhook_secret: SecretStr | None = None
    api_url: str = "https://api.telegram.org"
    polling: bool = True
    poll_every: float = Field(2.0, ge=0.1)
    timeout: float = Field(10.0, gt=0)


CONFIG = TelegramConfig
logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs addresses, and Telegram's hold the token


class TelegramConnector:
    """See `laporhub.pipeline.ports`: `Connector`, `Polls`, `Checks`."""

    def __init__(self, config: TelegramConfig | None = None) -> None:
        self._config = config
        self._http: httpx.AsyncClient | None = None

    @property
    def able(self) -> bool:
        return self._config is not None

    @property
    def poll_every(self) -> float:
        return self._configured().poll_every

    def verify(self, raw: Raw) -> None:
        """Telegram repeats our secret in a header; it signs no body. Raises `Forged`."""
        secret = self._configured().webhook_secret
        given = (raw.headers or {}).get("x-telegram-bot-api-secret-token", "")
        known = secret.get_secret_value() if secret else ""
        if not known or not hmac.compare_digest(given.encode("utf-8", "replace"), known.encode()):
            raise Forged("x-telegram-bot-api-secret-token does not match what setWebhook was told")

    def parse(self, raw: Raw) -> Sequence[Parsed]:
        """One update. Raises `Unparsable`."""
        try:
            update = orjson.loads(raw.body)
        except orjson.JSONDecodeError as error:
            raise Unparsable(f"not JSON: {error}") from error
        if not isinstance(update, dict) or not isinstance(update.get("update_id"), int):
            raise Unparsable("no update_id: this is no update of Telegram", field="update_id")
        if "message" not in update:
            known = next((name for name in _NOT_SAID if name in update), "an update")
            return [Ignored(f"{known} says nothing new")]
        try:
            return [_message(update["message"])]
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise Unparsable(f"a message that is none: {type(error).__name__}", field="message") from None

    def split(self, text: str) -> Sequence[str]:
        return parts.split(text, LIMIT)

    async def poll(self, account: str, cursor: str | None) -> Polled:  # noqa: ARG002
        """Updates from the cursor on. Asking for the next ones tells Telegram that these are kept."""
        if not self._configured().polling:
            return Polled([], None)
        updates = await self._read("getUpdates", {"offset": int(cursor or 0), "limit": 100, "timeout": 0})
        payloads = [Raw(orjson.dumps(update), "application/json") for update in updates]
        last = max((int(update["update_id"]) for update in updates), default=None)
        return Polled(payloads, None if last is None else str(last + 1), more=len(updates) == 100)

    async def publish(self, outgoing: Outgoing) -> Outcome:
        """Raises `RetryLater`, `StopChannel`. A broken line leaves open whether it arrived."""
        chat, _, message = (outgoing.reply_to or "").rpartition("/")
        body: dict[str, Any] = {"chat_id": chat or outgoing.to, "text": outgoing.text}
        if message.isdecimal():
            body["reply_parameters"] = {"message_id": int(message), "allow_sending_without_reply": True}
        try:
            answer = await self._call("sendMessage", body)
        except httpx.ConnectError as error:
            raise RetryLater("Telegram cannot be reached") from error
        except (httpx.HTTPError, ValueError) as error:
            return Unknown(f"no answer: {type(error).__name__}")
        if answer.get("ok"):
            return Sent(str(answer["result"]["message_id"]))
        code = answer.get("error_code", 0)
        return Unknown(f"server error {code}") if code >= 500 else Failed(f"refused ({code})")

    async def look_up(self, outgoing: Outgoing, known: frozenset[str]) -> Failed:  # noqa: ARG002
        """A bot cannot read what it said: a person is asked, and nothing is sent twice."""
        return Failed(NOT_TOLD)

    async def check(self, account: str) -> Health:  # noqa: ARG002
        try:
            await self._read("getMe", {})
        except StopChannel as error:
            return Health(ok=False, reason=str(error))
        return Health(ok=True)

    async def aclose(self) -> None:
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    async def _read(self, method: str, body: Mapping[str, Any]) -> Any:
        """Reading changes nothing, so whatever goes wrong it can be tried again."""
        try:
            answer = await self._call(method, body)
        except (httpx.HTTPError, ValueError) as error:
            raise RetryLater(f"Telegram does not answer: {type(error).__name__}") from None
        if not answer.get("ok"):
            raise RetryLater(f"Telegram refuses {method} ({answer.get('error_code')})")
        return answer["result"]

    async def _call(self, method: str, body: Mapping[str, Any]) -> Any:
        config = self._configured()
        if self._http is None:
            self._http = httpx.AsyncClient(timeout=config.timeout, trust_env=False)
        url = f"{config.api_url}/bot{config.token.get_secret_value()}/{method}"
        answer = (await self._http.post(url, json=body)).json()
        code = answer.get("error_code")
        if code in (401, 404):
            raise StopChannel("Telegram refuses the token: ask @BotFather for a new one")
        if code == 429:
            raise RetryLater("Telegram is busy", after=answer.get("parameters", {}).get("retry_after"))
        return answer

    def _configured(self) -> TelegramConfig:
        if self._config is None:
            raise Misconfigured("Telegram needs a bot: set LAPORHUB_TELEGRAM_TOKEN")
        return self._config


def connector(settings: Mapping[str, Any]) -> TelegramConnector:
    return TelegramConnector(configured("telegram", TelegramConfig, settings))


def _message(message: Mapping[str, Any]) -> Parsed:
    chat, sender = message["chat"], message.get("from") or {}
    if chat["type"] != "private":
        return Ignored("said in a group")
    if sender.get("is_bot"):
        return Ignored("said by a bot")
    text = str(message.get("text") or message.get("caption") or "")
    files = tuple(_files(message))
    place = message.get("location")
    location = Location(lat=float(place["latitude"]), lon=float(place["longitude"])) if place else None
    number, who = int(chat["id"]), int(message["message_id"])
    names = (str(sender.get(each) or "") for each in ("first_name", "last_name"))
    return Inbound(
        external_id=f"{who}.{_digits(number)}",
        author_id=str(number),
        text=text,
        kind="location" if location else "attachment" if files else "text" if text else "unsupported",
        sent_at=datetime.fromtimestamp(int(message["date"]), UTC),
        attachments=files,
        location=location,
        reply_to=f"{number}/{who}",
        name=" ".join(filter(None, names)) or None,
        verified=True,
    )


def _digits(chat: int) -> str:
    """Tells chats apart, and cannot be read as an address: ids of messages are not sealed."""
    return hmac.digest(b"telegram chat", str(chat).encode(), "sha256").hex()[:12]


def _files(message: Mapping[str, Any]) -> Sequence[Attachment]:
    """Files are fetched by id, which is not yet done here: a person sees that there is one."""
    found = [(kind, message[kind]) for kind in _FILES if message.get(kind)]
    largest = [(kind, each[-1] if isinstance(each, list) else each) for kind, each in found]
    return [
        Attachment(
            url=f"telegram:{each['file_id']}", media_type=each.get("mime_type"), name=each.get("file_name")
        )
        for _, each in largest
    ]
