"""What every connector is asked: to read what comes in from its platform, and to say there what goes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeAlias

from laporhub.pipeline.commands import DeliveryStatus
from laporhub.pipeline.messages import Inbound


@dataclass(frozen=True, slots=True)
class Raw:
    """A payload as it came: the body's bytes, its content type and headers (lower-case names).

    `url` is the public address it was sent to, which some signatures cover.
    """

    body: bytes
    content_type: str = ""
    headers: Mapping[str, str] | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """A payload, or part of one, that is understood and needs nothing: an echo, a test event."""

    reason: str


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """What a platform's callback says of a message sent earlier."""

    reply_id: str
    status: DeliveryStatus
    platform_id: str | None = None
    reason: str | None = None
    part: int | None = None
    """Which part of the reply, from 0; None where the platform cannot tell."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The author took a message back on the platform: its words are to be shown to nobody any more."""

    external_id: str
    author_id: str | None = None
    account: str | None = None
    """Our address that was written to, as in `Inbound`."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of a long message that the platform hands over in pieces, in any order; the hub puts them together.

    `whole` tells the long messages of one author apart, `number` counts from 1 to `total`. `message` is the piece as if
    it stood alone, with an external id of its own. After `patience` what is there becomes a message without the rest.
    """

    whole: str
    number: int
    total: int
    message: Inbound
    patience: timedelta = timedelta(minutes=10)


Parsed: TypeAlias = Inbound | Fragment | StatusUpdate | Withdrawn | Ignored


@dataclass(frozen=True, slots=True)
class Template:
    """A message that the platform has approved beforehand, for when it lets no free words through.

    `content` is the platform's name of it. `variables` are filled in this order from `values`; "text" is the reply's
    own words.
    """

    content: str
    variables: Sequence[str]
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Enclosure:
    """A file that goes with a message of ours."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to publish: part `part` (from 0) of the reply `reply_id`, in plain words.

    `to` is the platform's address of the reporter, unsealed only for this; `reply_to` what `Inbound.reply_to` said of
    their latest message. `last_inbound_at` is when they last wrote, which opens the platform's reply window.
    `attempted_at` is when this part was first tried. `human`: a person wrote the words. `previous` is the platform's id
    of the part before.
    """

    reply_id: str
    part: int
    to: str
    account: str
    text: str
    last_inbound_at: datetime | None
    attempted_at: datetime
    reply_to: str | None = None
    purpose: str = ""
    """The template's name, as in `ReplyQueued`."""
    human: bool = False
    previous: str | None = None
    template: Template | None = None
    """What the profile has for this purpose where the platform's reply window is closed."""
    subject: str = ""
    """What stands above it, on a channel that has such a line; "": that of the message it answers."""
    files: Sequence[Enclosure] = ()
    """What goes with it, on a channel that can."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The platform took it."""

    platform_id: str


@dataclass(frozen=True, slots=True)
class Failed:
    """It will never arrive this way; a person must find another. `reason` is a word that staff's pages explain."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No answer came: it may have arrived. Look it up before trying again."""

    reason: str


Outcome: TypeAlias = Sent | Failed | Unknown

BY_HAND: Final = "by_hand"
"""The reason of a `Failed` that is nobody's fault: the platform wants a person to do it (a call, a post by hand)."""

ALREADY: Final = "already_answered"
"""The reason of a `Failed` private answer (see `AnswersPrivately`): there was one, and the platform takes no other."""

WINDOW_CLOSED: Final = "window_closed"
"""The reason of a `Failed` that comes too late: the platform takes no answer to this person any more."""

NOT_TOLD: Final = "outcome_unknown"
"""The reason of a `Failed` of which nobody can say whether it arrived: never sent again by itself."""


class Connector(Protocol):
    """One channel's wire format. `parse` and `verify` are pure; `publish` and `look_up` talk to the platform.

    Both raise `RetryLater` when the platform is busy, and `StopChannel` when the account is dead.
    """

    @property
    def able(self) -> bool:
        """Whether it has what it needs to answer; without that it still parses, and replies wait."""
        ...

    def verify(self, raw: Raw) -> None:
        """Raises `Forged` unless the platform signed it."""
        ...

    def parse(self, raw: Raw) -> Sequence[Parsed]:
        """Raises `Unparsable`."""
        ...

    def split(self, text: str) -> Sequence[str]:
        """The text in parts that the platform takes."""
        ...

    async def publish(self, outgoing: Outgoing) -> Outcome: ...

    async def look_up(self, outgoing: Outgoing, known: frozenset[str]) -> Sent | Failed | None:
        """Whether an attempt of unknown outcome did arrive; `known` are ids that belong to other replies.

        None: it certainly did not, and is sent again. `Failed(NOT_TOLD)` where the platform cannot be asked: then a
        person is.
        """
        ...
