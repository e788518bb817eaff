"""Facebook and Instagram: comments, mentions and direct messages of one page and one Instagram account."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any

import orjson

from laporhub.connectors import meta_payload, parts
from laporhub.connectors.config import configured
from laporhub.connectors.meta_errors import outcome, trouble
from laporhub.connectors.meta_graph import GraphRefused, NoAnswer
from laporhub.connectors.meta_payload import Ours
from laporhub.connectors.meta_side import (
    PRIVATE,
    Gone,
    MetaConfig,
    Side,
    heard,
    place_of,
    read,
    reading,
    say,
    sides,
)
from laporhub.connectors.meta_sweep import Sweep, utc_now
from laporhub.connectors.meta_words import HAND, Item, identifier, is_ours, moment, of_dict, sender_of
from laporhub.pipeline.connector import (
    BY_HAND,
    WINDOW_CLOSED,
    Failed,
    Outcome,
    Outgoing,
    Parsed,
    Raw,
    Sent,
    Unknown,
)
from laporhub.pipeline.connector_abilities import Greeting, Health, Polled, Window
from laporhub.pipeline.errors import Forged, Misconfigured, StopChannel

MESSENGER_LIMIT, COMMENT_LIMIT, INSTAGRAM_COMMENT_LIMIT = 2000, 8000, 2000
"""UTF-16 units in one message. Meta tells no limit for comments on Instagram; its app stops at 2,200."""
INSTAGRAM_LIMIT = 1000
"""Bytes in one direct message on Instagram."""
WINDOW, HUMAN_WINDOW = timedelta(hours=24), timedelta(days=7)
"""How long after the citizen's last direct message anybody, and how long a person, may answer; as long as the latter a
comment may be answered in private, once."""
CLOCK_SKEW = timedelta(minutes=2)
"""How far the platform's clock may be behind ours when an attempt is looked up."""
SWEEP_UNTIL, REPLIES_UNTIL = 75.0, 95.0
"""Percent of the rate limit that the sweep, and that replies, may use."""


class MetaConnector:
    """See `Connector`. Without a config it can parse and split, which is all that files need."""

    def __init__(self, config: MetaConfig | None = None, now: Callable[[], datetime] = utc_now) -> None:
        self._config = config
        self.now = now
        self._sides = {side.account: side for side in sides(config)} if config else {}
        self._ours = Ours({side.id: side.account for side in self._sides.values()})

    @property
    def able(self) -> bool:
        return bool(self._sides)

    def has(self, account: str) -> bool:
        return account in self._sides

    @property
    def poll_every(self) -> float:
        return self._config.poll_every if self._config else 300.0

    # ── in ──

    def greet(self, query: Mapping[str, str]) -> Greeting:
        """Meta asks at set-up whether the hook is ours. Raises `Forged`."""
        token = self._configured().verify_token.get_secret_value()
        asked = query.get("hub.verify_token", "")
        if query.get("hub.mode") != "subscribe" or not compare_digest(asked.encode(), token.encode()):
            raise Forged("hub.verify_token is not the one in LAPORHUB_META_VERIFY_TOKEN")
        return Greeting(query.get("hub.challenge", ""))

    def verify(self, raw: Raw) -> None:
        """Raises `Forged` unless an app of ours signed exactly these bytes."""
        config = self._configured()
        signature = (raw.headers or {}).get("x-hub-signature-256", "")
        secrets = [config.app_secret, config.instagram_app_secret]
        expected = [
            "sha256=" + hmac.new(secret.get_secret_value().encode(), raw.body, hashlib.sha256).hexdigest()
            for secret in secrets
            if secret.get_secret_value()
        ]
        matches = [compare_digest(signature.encode(), each.encode()) for each in expected]
        if not any(matches):
            raise Forged("x-hub-signature-256 does not match: check LAPORHUB_META_APP_SECRET")

    def parse(self, raw: Raw) -> Sequence[Parsed]:
        """A payload may hold any number of messages. Raises `Unparsable`."""
        return meta_payload.parse(raw, self._ours)

    async def poll(self, account: str, cursor: str | None) -> Polled:
        """One page of the sweep. Raises `RetryLater`, `StopChannel`."""
        side = self._sides.get(account)
        if side is None:
            return Polled([], None)
        side.graph.spare(SWEEP_UNTIL)
        first = timedelta(days=self._configured().backfill_days)
        sweep = Sweep.read(cursor, self.now(), first, is_page=side.is_page)
        ask = sweep.ask(side.id, is_page=side.is_page)
        try:
            answer = await read(side, ask.id, ask.edge, **ask.args)
        except Gone as error:
            if not sweep.is_inside:
                if "after" not in ask.args:
                    raise StopChannel(str(error)) from None
                return Polled([], sweep.anew())
            return Polled([], sweep.without().written(), more=len(sweep.todo) > 1)
        payload, sweep = sweep.after(answer, side.id, is_page=side.is_page)
        payloads = [] if payload is None else [Raw(orjson.dumps(payload), "application/json")]
        return Polled(payloads, sweep.written(), more=bool(sweep.todo))

    # ── out ──

    def is_public(self, reply_to: str | None) -> bool:
        return place_of(reply_to).kind in ("comment", "mention")

    def privately(self, reply_to: str | None, said_at: datetime, at: datetime) -> str | None:
        """To what stands on our own page or under our own media, for a week."""
        place = place_of(reply_to)
        return f"{PRIVATE}:{place.id}" if place.kind == "comment" and at - said_at <= HUMAN_WINDOW else None

    def link(self, external_id: str) -> str | None:
        """Comments and posts of a page have an address; direct messages and Instagram's comments have none."""
        name = external_id.partition("#")[0]
        whole = name.replace("_", "")
        return (
            f"https://www.facebook.com/{name}"
            if "_" in name and whole.isascii() and whole.isdecimal()
            else None
        )

    def split(self, text: str) -> Sequence[str]:
        """For the narrowest place."""
        return parts.split(text, INSTAGRAM_LIMIT, parts.octets)

    def split_for(self, text: str, account: str, reply_to: str | None) -> Sequence[str]:
        """For this place: see the limits."""
        side, public = self._sides.get(account), self.is_public(reply_to)
        if side is None or not (side.is_page or public):
            return self.split(text)
        if not side.is_page:
            return parts.split(text, INSTAGRAM_COMMENT_LIMIT)
        return parts.split(text, COMMENT_LIMIT if public else MESSENGER_LIMIT)

    def window(self, account: str, reply_to: str | None, last_inbound_at: datetime, now: datetime) -> Window:  # noqa: ARG002
        """Direct messages: anything for a day after the citizen wrote, a person's words for a week. Comments always."""
        if place_of(reply_to).kind != "dm":
            return Window()
        if now - last_inbound_at <= WINDOW:
            return Window("open", last_inbound_at + WINDOW)
        if now - last_inbound_at <= HUMAN_WINDOW:
            return Window("human", last_inbound_at + HUMAN_WINDOW)
        return Window("closed")

    async def publish(self, outgoing: Outgoing) -> Outcome:
        """Sends one part. Raises `RetryLater`, `StopChannel`."""
        place = place_of(outgoing.reply_to)
        if place.kind == HAND:
            return Failed(BY_HAND)
        since_last = (
            outgoing.attempted_at - outgoing.last_inbound_at if outgoing.last_inbound_at else timedelta()
        )
        tagged = place.kind == "dm" and since_last > WINDOW
        if tagged and not (outgoing.human and since_last <= HUMAN_WINDOW):
            return Failed(WINDOW_CLOSED)
        side = self._side(outgoing.account)
        side.graph.spare(REPLIES_UNTIL)
        try:
            answer = await say(side, place, outgoing, tagged=tagged)
        except NoAnswer as error:
            return Unknown(str(error))
        except GraphRefused as error:
            if (concern := trouble(error.refusal, error.after)) is not None:
                raise concern from None
            return outcome(error.refusal, tagged=tagged, optional=place.kind in ("mention", PRIVATE))
        name = identifier(answer.get("id")) or identifier(answer.get("message_id"))
        return Sent(name) if name else Unknown("an answer without an id")

    async def look_up(self, outgoing: Outgoing, known: frozenset[str]) -> Sent | None:
        """The oldest of our own words there, said since shortly before the attempt, that are no other reply's."""
        place, side = place_of(outgoing.reply_to), self._side(outgoing.account)
        since, found = outgoing.attempted_at - CLOCK_SKEW, dict[str, datetime]()
        for item in await heard(side, place, outgoing.to):
            name, at = identifier(item.get("id")), moment(item.get("created_time") or item.get("timestamp"))
            text = str(item.get("message") or item.get("text") or "")
            if not name or name in known or at is None or at < since or text.split() != outgoing.text.split():
                continue
            if is_ours(sender_of(item), side.id, side.account):
                found[name] = at
        return Sent(min(found, key=lambda name: found[name])) if found else None

    async def check(self, account: str) -> Health:
        """Raises `RetryLater` where Meta does not answer."""
        side = self._sides.get(account)
        if side is None:
            which = "PAGE_ID" if account == self._configured().facebook_account else "INSTAGRAM_ID"
            return Health(ok=False, reason=f"not configured: set LAPORHUB_META_{which} and what goes with it")
        try:
            await read(side, "me", fields="id")
            told = await self._inspected(side)
        except (StopChannel, Gone) as error:
            return Health(ok=False, reason=str(error))
        valid, expires = told.get("is_valid", True), told.get("expires_at")
        used = side.graph.used.percent
        return Health(
            ok=bool(valid),
            reason=""
            if valid
            else "Meta says that the token is no longer valid: make a new one in the app's dashboard",
            expires_at=moment(expires),
            facts={"rate_limit_used": f"{used:.0f} %"},
            left={"rate": max(0.0, 1 - used / 100)},
        )

    async def aclose(self) -> None:
        """Closes the connections."""
        for side in self._sides.values():
            side.graph.close()

    # ── inside ──

    async def _inspected(self, side: Side) -> Item:
        config = self._configured()
        if not config.app_id or (not side.is_page and config.instagram_token.get_secret_value()):
            return {}
        with reading():
            return of_dict((await side.graph.inspect(config.app_id)).get("data"))

    def _side(self, account: str) -> Side:
        if account not in self._sides:
            raise StopChannel(
                f"no page or Instagram account is configured for {account}: see LAPORHUB_META_…"
            )
        return self._sides[account]

    def _configured(self) -> MetaConfig:
        if self._config is None:
            raise Misconfigured(
                "Facebook and Instagram need LAPORHUB_META_APP_SECRET and LAPORHUB_META_VERIFY_TOKEN"
            )
        return self._config


def connector(settings: Mapping[str, Any]) -> MetaConnector:
    """From a channel's settings; none at all is enough to read files. Raises `Misconfigured`."""
    return MetaConnector(configured("meta", MetaConfig, settings))


CONFIG = MetaConfig
