"""X's rules, as far as a client can notice them. Pure."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, unquote

POST_LIMIT = 280
DM_LIMIT = 10_000
DM_KEPT = timedelta(days=30)
MENTIONS_KEPT = 800
WINDOW = timedelta(minutes=15)
LIMITS: Mapping[tuple[str, str], int] = {
    ("POST", "/2/tweets"): 100,
    ("POST", "/2/dm_conversations/with/:id/messages"): 15,
    ("GET", "/2/users/:id/mentions"): 300,
    ("GET", "/2/users/:id/tweets"): 900,
    ("GET", "/2/dm_events"): 15,
    ("GET", "/2/dm_conversations/with/:id/dm_events"): 15,
    ("GET", "/2/tweets/search/recent"): 300,
    ("GET", "/2/users/me"): 75,
}
"""Calls of one account in `WINDOW`, by route."""

_URL = re.compile(
    r"https?://\S+|(?<![\w@.-])(?:[a-z0-9-]+\.)+(?:com|net|org|id|info|io|ly|me)(?:/\S*)?(?!\w)",
    re.IGNORECASE,
)
_EMOJI = re.compile(
    "(?:[\U0001f1e6-\U0001f1ff]{2}|[\u231a-\u27bf\U0001f300-\U0001faff])"
    "(?:\ufe0f|[\U0001f3fb-\U0001f3ff]|\u200d[\u2640-\u27bf\U0001f300-\U0001faff])*"
)
_MENTION = re.compile(r"(?<![\w@])@(\w{1,15})\b", re.ASCII)


def weight(text: str) -> int:
    """The length of a post as X counts: 23 for a link, 2 for an emoji and for what is no alphabet's letter."""
    text, links = _URL.subn("", unicodedata.normalize("NFC", text))
    text, emoji = _EMOJI.subn("", text)
    light = sum(ord(c) <= 4351 or 8192 <= ord(c) <= 8205 or 8208 <= ord(c) <= 8223 for c in text)
    return 23 * links + 2 * emoji + 2 * len(text) - light


def links(text: str) -> int:
    """How many links X makes of the words."""
    return len(_URL.findall(text))


def mentions(text: str) -> list[str]:
    """The handles that are named, without "@"."""
    return _MENTION.findall(text)


def escaped(text: str) -> str:
    """As X hands a text out."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def snowflake(at: datetime, number: int) -> str:
    """An id: later ones are greater."""
    return str(((int(at.timestamp() * 1000) - 1288834974657) << 22) | number & 0x3FFFFF)


def signature(secret: str, body: bytes) -> str:
    """What is in the header of a webhook, and in the answer to its question."""
    return "sha256=" + base64.b64encode(hmac.digest(secret.encode(), body, "sha256")).decode()


def is_signed(
    method: str, url: str, authorization: str, keys: tuple[str, str], secrets: tuple[str, str]
) -> bool:
    """Whether OAuth 1.0a holds: HMAC-SHA1 over method, address and parameters, for the app and account named."""
    scheme, _, rest = authorization.partition(" ")
    given = {n.strip(): unquote(v.strip('"')) for n, _, v in (p.partition("=") for p in rest.split(","))}
    signed = given.pop("oauth_signature", "")
    named = (given.get("oauth_consumer_key"), given.get("oauth_token"))
    if scheme != "OAuth" or named != keys or given.get("oauth_signature_method") != "HMAC-SHA1":
        return False
    base, _, query = url.partition("?")
    pairs = [*given.items(), *parse_qsl(query, keep_blank_values=True)]
    said = "&".join(f"{n}={v}" for n, v in sorted((_quoted(n), _quoted(v)) for n, v in pairs))
    over = "&".join((method, _quoted(base), _quoted(said))).encode()
    made = hmac.digest("&".join(map(_quoted, secrets)).encode(), over, hashlib.sha1)
    return hmac.compare_digest(base64.b64encode(made).decode(), signed)


def _quoted(text: str) -> str:
    return quote(text, safe="~")


@dataclass(slots=True)
class Windows:
    """How many calls each route had in its quarter of an hour."""

    begun: dict[tuple[str, str], datetime]
    used: Counter[tuple[str, str]]

    def take(self, route: tuple[str, str], now: datetime) -> dict[str, str]:
        """Counts one call: the headers that tell how it stands. "remaining" is -1 where it is one too many."""
        most = LIMITS[route]
        if now - self.begun.setdefault(route, now) >= WINDOW:
            self.begun[route], self.used[route] = now, 0
        self.used[route] += 1
        reset = int((self.begun[route] + WINDOW).astimezone(UTC).timestamp())
        return {
            "x-rate-limit-limit": str(most),
            "x-rate-limit-remaining": str(max(-1, most - self.used[route])),
            "x-rate-limit-reset": str(reset),
        }
