"""How a platform is described to the contract suite (`laporhub.hub.contract`): one `Specimen` a connector."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Literal, Protocol
from urllib.parse import urlencode

import orjson
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from laporhub.connectors.registry import connect
from laporhub.pipeline.connector import Connector, Raw

HUB = "https://hub.example"
"""The hub's public address, which some signatures cover."""
FORM = "application/x-www-form-urlencoded"

LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
ANY_WORDS = st.text(LETTERS, min_size=1, max_size=200).filter(str.strip)


@dataclass(frozen=True)
class Said:
    """What a citizen says: `author` and `thread` are numbers from 0, `id` is unique and plain (letters, digits)."""

    id: str
    author: int
    words: str
    at: datetime
    thread: int = 0


@dataclass(frozen=True)
class Answer:
    """Something the office said, as the platform has it: to what or whom, see `Specimen.where`, and the words."""

    where: str
    text: str


class FakePlatform(Protocol):
    """A platform that is played, as the suite needs it."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the connector must be told to talk to it."""
        ...

    def heard(self) -> Sequence[Answer]:
        """All that the office said until now, oldest first."""
        ...

    def arrives(self, said: Said) -> None:
        """A citizen writes, before any answer. Where it is polled, it waits there."""
        ...

    def break_next(self, *, taken: bool) -> None:
        """The line breaks at our next message, before it is answered; `taken`: the platform has it all the same."""
        ...


class Specimen:
    """One platform, described to the suite. Override what is marked, and whatever of the rest differs."""

    provider: str
    """Marked: the name of the entry point."""
    channel: str
    """Marked: a channel's name in a profile; templates of that name are used where there are some."""
    account: str
    """Marked: our account there, as `Inbound.account` names it."""
    settings: Mapping[str, Any] = {}
    """What the connector must be told to verify; without a platform."""
    hook: Literal["signed", "open", "none", "files"] = "signed"
    """"open": no header proves it, the payload itself does. "none": nothing may be posted, it is polled only.
    "files": neither; it comes by a form of the hub's own, and from files."""
    signs_body: bool = True
    """Whether the signature covers the body; a mere secret in a header does not."""
    path: str = ""
    """Where the platform posts; by default /hooks/<provider>."""
    threads: bool = False
    """Whether one author may have several conversations with the account (posts, mails)."""
    looks_up: bool = True
    """Whether the platform can be asked if a message arrived. Otherwise a person is, and nothing is sent again."""
    words: SearchStrategy[str] = ANY_WORDS
    """Words that arrive exactly as written."""

    def payload(self, said: Said) -> Raw:
        """Marked: what the platform posts, or is polled for, when somebody says this."""
        raise NotImplementedError

    def batch(self, said: Sequence[Said]) -> Sequence[Raw]:
        """The same of several at once: fewer payloads, where the platform puts several in one."""
        return [self.payload(each) for each in said]

    def identity(self, author: int) -> Sequence[str]:
        """Marked: whatever in payloads tells who this author is: number, handle, name."""
        raise NotImplementedError

    def sign(self, raw: Raw) -> Raw:
        """Marked where `hook` is "signed": with the headers that prove where it comes from."""
        return raw

    def with_more(self, raw: Raw, more: Mapping[str, str]) -> Raw:
        """The payload with fields nobody has heard of."""
        if raw.content_type == FORM:
            return replace(raw, body=raw.body + b"&" + urlencode(more).encode())
        return replace(raw, body=orjson.dumps({**orjson.loads(raw.body), **more}))

    def unsupported(self, said: Said) -> Sequence[Raw]:  # noqa: ARG002
        """Messages of kinds that the connector knows nothing of, or cannot show: one payload each."""
        return ()

    def stale(self, said: Said) -> Raw | None:  # noqa: ARG002
        """A payload signed properly, but too long ago, where the platform's signature covers a time."""
        return None

    def greeting(self) -> tuple[Mapping[str, str], str] | None:
        """Marked where the connector is a `Greets`: a platform's question, and the answer it wants to read."""
        return None

    def platform(
        self,
        now: Callable[[], datetime],  # noqa: ARG002
    ) -> AbstractAsyncContextManager[FakePlatform] | None:
        """Marked where answers are sent or messages polled: a platform to talk to, on the clock `now`."""
        return None

    def where(self, said: Said) -> str:
        """Marked with `platform`: where an answer to this belongs: whom, or to which post, comment or mail."""
        raise NotImplementedError

    def hub_settings(self, told: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the hub is told so that the connector is told `told`."""
        return {"connectors": {self.provider: dict(told)}}

    # ── what follows from it ──

    @cached_property
    def connector(self) -> Connector:
        return connect(self.provider, self.settings)

    def posted(self, raw: Raw) -> Raw:
        """As the platform posts it to the hub: addressed and signed."""
        return self.sign(replace(raw, url=HUB + (self.path or f"/hooks/{self.provider}")))
