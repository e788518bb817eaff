"""X: posts that mention, answer or quote our account, and direct messages, by webhook and by polling."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Self

import orjson
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from laporhub.connectors import parts, x_payload, x_polling, x_text
from laporhub.connectors.config import configured
from laporhub.connectors.x_api import Json, NoAnswer, Refused, Tokens, XApi, signature_for
from laporhub.connectors.x_payload import Ours
from laporhub.connectors.x_refusals import reading, refusal
from laporhub.pipeline.connector import BY_HAND, Failed, Outcome, Outgoing, Parsed, Raw, Sent, Unknown
from laporhub.pipeline.connector_abilities import Greeting, Health, Polled
from laporhub.pipeline.errors import Forged, Misconfigured, RetryLater, StopChannel

POST_LIMIT = 280
"""As X counts, see `x_text.weight`."""
DM_LIMIT = 10_000
CLOCK_SKEW = timedelta(minutes=2)
"""How far the platform's clock may be behind ours when an attempt is looked up."""
LOOK_BACK = 5
"""How many pages of our own posts, a hundred each, are looked through."""

_PRIVATE_FILES = ("https://ton.twitter.com/", "https://ton.x.com/")
_TOKEN = re.compile(r"[\w+/=.-]{1,200}", re.ASCII)
_SECRETS = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")


class XConfig(BaseModel):
    """Our app and our account. Without the four secrets files can be read, and our own posts in them told.

    `account` is our handle as the profile writes it, `user_id` X's id of it (by default the beginning of the access
    token). `search` is what to look for besides, in X's query language. `timeout` and `poll_every` are seconds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: str | None = Field(None, pattern=r"^@\w{1,15}$")
    user_id: str | None = Field(None, pattern=r"^\d{1,25}$")
    consumer_key: SecretStr | None = None
    consumer_secret: SecretStr | None = None
    access_token: SecretStr | None = None
    access_token_secret: SecretStr | None = None
    search: str | None = Field(None, max_length=512)
    api_url: str = Field("https://api.x.com", pattern=r"^https?://")
    timeout: float = Field(10.0, gt=0)
    poll_every: float = Field(120.0, gt=0)

    @model_validator(mode="after")
    def _all_or_none(self) -> Self:
        missing = [name for name in _SECRETS if getattr(self, name) is None]
        if missing and len(missing) < len(_SECRETS):
            raise ValueError(f"set {', '.join(missing)} too")
        if not missing and (self.account is None or self.ours.user_id is None):
            raise ValueError("set account, our @handle as in the profile, and user_id, X's number of it")
        return self

    @property
    def ours(self) -> Ours:
        token = self.access_token.get_secret_value().partition("-")[0] if self.access_token else ""
        return Ours(self.account, self.user_id or (token if token.isascii() and token.isdecimal() else None))

    @property
    def tokens(self) -> Tokens | None:
        kept = [getattr(self, name) for name in _SECRETS]
        return None if None in kept else Tokens(*(each.get_secret_value() for each in kept))


class XConnector:
    """See `Connector`. Without a config it can parse and split, which is all that files need."""

    def __init__(self, config: XConfig | None = None, now: Callable[[], datetime] | None = None) -> None:
        self._config = config or XConfig()
        self.now = now or (lambda: datetime.now(UTC))
        self._tokens = self._config.tokens
        self._kept: XApi | None = None
        self._feeds = x_polling.Feeds(self._config.search)

    # ── in ──

    @property
    def able(self) -> bool:
        return self._tokens is not None

    def has(self, account: str) -> bool:
        return self.able and account == self._config.account

    @property
    def poll_every(self) -> float:
        return self._config.poll_every

    def greet(self, query: Mapping[str, str]) -> Greeting:
        """X asks whether we know the app's secret, and repeats that every hour.

        The answer is made with the key that signs events. So only what looks like a token is answered: otherwise
        anybody could have us sign an event of their own.
        """
        token = query.get("crc_token", "")
        if not _TOKEN.fullmatch(token):
            raise Forged("no crc_token: this is not X's question")
        answer = {"response_token": f"sha256={self._signature(token.encode())}"}
        return Greeting(orjson.dumps(answer).decode(), "application/json")

    def verify(self, raw: Raw) -> None:
        """Raises `Forged` unless X signed these very bytes."""
        told = (raw.headers or {}).get("x-twitter-webhooks-signature", "")
        if not hmac.compare_digest(told.encode(), f"sha256={self._signature(raw.body)}".encode()):
            raise Forged("x-twitter-webhooks-signature does not match: check LAPORHUB_X_CONSUMER_SECRET")

    def parse(self, raw: Raw) -> Sequence[Parsed]:
        return x_payload.parse(raw, self._config.ours)

    async def poll(self, account: str, cursor: str | None) -> Polled:  # noqa: ARG002
        """One page: of mentions, of direct messages, of what `search` finds, in turn. Raises as `Polls` does."""
        async with reading(self.now):
            return await self._feeds.page(self._api(), self._user_id(), cursor, self.now())

    def link(self, external_id: str) -> str | None:
        """Of a post; direct messages have none that others could open."""
        return f"https://x.com/i/web/status/{external_id}" if external_id.isdecimal() else None

    @property
    def media_origins(self) -> frozenset[str]:
        return frozenset()

    def media_headers(self, url: str) -> Mapping[str, str]:
        """Pictures in direct messages are shown to our account only; those of posts to everybody."""
        if self._tokens is None or not url.startswith(_PRIVATE_FILES):
            return {}
        return {"Authorization": signature_for(self._tokens, url)}

    # ── out ──

    def is_public(self, reply_to: str | None) -> bool:
        return reply_to != x_payload.DM

    def split(self, text: str) -> Sequence[str]:
        """As public answers go out: without links, see `split_for`."""
        return parts.split(x_text.without_links(text), POST_LIMIT, x_text.weight)

    def split_for(self, text: str, account: str, reply_to: str | None) -> Sequence[str]:  # noqa: ARG002
        """A direct message is long and may hold links; a post is short, and a link makes it far dearer."""
        return self.split(text) if self.is_public(reply_to) else parts.split(text, DM_LIMIT)

    async def publish(self, outgoing: Outgoing) -> Outcome:
        """Raises `RetryLater`, `StopChannel`. A post whose author did not call us is left to a person unasked."""
        ask = _asked(outgoing)
        if ask is None:
            return Failed(BY_HAND)
        try:
            answer = await self._api().call(ask)
        except NoAnswer as error:
            if not error.left:
                raise RetryLater(f"X cannot be reached: {error}") from error
            return Unknown(str(error))
        except Refused as refused:
            if refused.status == 403 and "duplicate" in refused.said:
                return await self.look_up(outgoing, frozenset()) or Failed("duplicate")
            return refusal(refused, self.now())
        data = answer.get("data")
        told = (data.get("id") or data.get("dm_event_id")) if isinstance(data, dict) else None
        return Sent(str(told)) if told else Unknown("an answer without an id")

    async def look_up(self, outgoing: Outgoing, known: frozenset[str]) -> Sent | None:
        """The oldest of our posts, or messages to them, since shortly before the attempt, with the same words in the
        same place, that is nobody else's.
        """
        if _asked(outgoing) is None:
            return None
        since = outgoing.attempted_at - CLOCK_SKEW
        async with reading(self.now):
            said = await (self._posts(outgoing, since) if _parent(outgoing) else self._messages(outgoing))
        found = [
            name
            for item in said
            if (name := x_payload.id_of(item)) is not None
            and name not in known
            and (at := _at(item)) is not None
            and at >= since
            and x_text.words(str(item.get("text", ""))) == x_text.words(outgoing.text)
        ]
        return Sent(min(found, key=int)) if found else None

    async def _posts(self, outgoing: Outgoing, since: datetime) -> Sequence[Json]:
        """Our own answers to the same post."""
        found: list[Json] = []
        token: str | None = None
        for _ in range(LOOK_BACK):
            ask = partial(
                _own_posts, user_id=self._user_id(), start_time=since, max_results=100, pagination_token=token
            )
            page = await self._api().call(ask)
            found += [each for each in x_polling.items(page) if _answers(each, _parent(outgoing))]
            token = x_polling.next_token(page)
            if token is None:
                break
        return found

    async def _messages(self, outgoing: Outgoing) -> Sequence[Json]:
        page = await self._api().call(
            lambda client: client.get_direct_message_events(
                participant_id=outgoing.to,
                max_results=100,
                dm_event_fields=["created_at", "sender_id", "text"],
                user_auth=True,
            )
        )
        return [each for each in x_polling.items(page) if str(each.get("sender_id")) == self._user_id()]

    # ── health ──

    async def check(self, account: str) -> Health:
        """Asks for the mentions of the last minute: X charges for what it hands out, and this is next to nothing.

        X tells how much of each limit is left, but not the credits; only that they are used up.
        """
        if not self.has(account):
            return Health(ok=False, reason=f"not configured: LAPORHUB_X_ACCOUNT is not {account}")
        recent = self.now() - timedelta(minutes=1)
        try:
            async with reading(self.now):
                await self._api().call(
                    lambda client: client.get_users_mentions(
                        self._user_id(), start_time=recent, max_results=5, user_auth=True
                    )
                )
        except StopChannel as error:
            return self._health(str(error))
        return self._health()

    def _health(self, reason: str = "") -> Health:
        """With the limits that X told of and that still hold: one that began anew is whole until it is told again."""
        limits = self._kept.limits if self._kept else {}
        current = {route: each for route, each in limits.items() if each.resets_at > self.now()}
        return Health(
            ok=not reason,
            reason=reason,
            facts={
                route: f"{each.remaining}/{each.limit} → {each.resets_at:%H:%M} UTC"
                for route, each in current.items()
            },
            left={route: current[route].share if route in current else 1.0 for route in limits},
        )

    async def aclose(self) -> None:
        if self._kept is not None:
            self._kept.close()

    # ── inside ──

    def _api(self) -> XApi:
        if self._kept is None:
            if self._tokens is None:
                raise Misconfigured(f"X needs {', '.join(_SECRETS)}: set all four for this channel")
            self._kept = XApi(self._config.api_url, self._tokens, self._config.timeout)
        return self._kept

    def _user_id(self) -> str:
        return self._config.ours.user_id or ""

    def _signature(self, data: bytes) -> str:
        if self._tokens is None:
            raise Misconfigured("X's hook needs LAPORHUB_X_CONSUMER_SECRET and its three companions")
        digest = hmac.digest(self._tokens.consumer_secret.encode(), data, "sha256")
        return base64.b64encode(digest).decode()


CONFIG = XConfig


def connector(settings: Mapping[str, Any]) -> XConnector:
    """From a channel's settings; none at all is enough to read files. Raises `Misconfigured`."""
    return XConnector(configured("x", XConfig, settings))


def _own_posts(client: Any, user_id: str, **query: Any) -> Any:
    fields = ["created_at", "referenced_tweets"]
    return client.get_users_tweets(user_id, tweet_fields=fields, user_auth=True, **query)


def _parent(outgoing: Outgoing) -> str | None:
    """The post that is answered: the one before of the same answer, or the author's, if they called us."""
    place = outgoing.reply_to or ""
    return (
        (outgoing.previous or place.removeprefix(x_payload.SUMMONED))
        if place.startswith(x_payload.SUMMONED)
        else None
    )


def _asked(outgoing: Outgoing) -> Callable[[Any], Any] | None:
    """What tweepy is to do; None where the interface may not say it."""
    if outgoing.reply_to == x_payload.DM and outgoing.to.isascii() and outgoing.to.isdecimal():
        return lambda client: client.create_direct_message(
            participant_id=outgoing.to, text=outgoing.text, user_auth=True
        )
    if (parent := _parent(outgoing)) is not None:
        return lambda client: client.create_tweet(
            text=outgoing.text, in_reply_to_tweet_id=parent, user_auth=True
        )
    return None


def _answers(post: Json, parent: str | None) -> bool:
    referenced = post.get("referenced_tweets", post.get("referenced_posts"))
    every = referenced if isinstance(referenced, list) else []
    return any(
        isinstance(each, dict) and each.get("type") == "replied_to" and str(each.get("id")) == parent
        for each in every
    )


def _at(item: Json) -> datetime | None:
    try:
        return datetime.fromisoformat(str(item.get("created_at"))).astimezone(UTC)
    except ValueError:
        return None
