"""Where on its platform a reply is said, in which words and parts: for everybody to read, or in private. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias

from laporhub.pipeline.connector import Connector, Outgoing, Template
from laporhub.pipeline.connector_abilities import AnswersPrivately, Public, SplitsByPlace

Plain: TypeAlias = Callable[[], str | None]
"""Unseals a reply's words, where that is still possible."""


class Reply(Protocol):
    """What is to be known of a reply. `address`: of a letter to staff; `sent`: ids of the parts that arrived."""

    @property
    def reply_id(self) -> str: ...
    @property
    def account(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def purpose(self) -> str: ...
    @property
    def human(self) -> bool: ...
    @property
    def sent(self) -> Sequence[str]: ...
    @property
    def address(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Receiver:
    """The platform's address, where an answer belongs there, and when they last wrote to us."""

    to: str
    reply_to: str | None = None
    last_inbound_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is said on the platform (see `Outgoing.reply_to`), and in which parts."""

    reply_to: str | None
    parts: Sequence[str]


def place_at(connector: Connector, reply: Reply, reply_to: str | None, plain: Plain) -> Place | None:
    """In plain words, but redacted where everybody can read them; None where the plain ones were erased."""
    public = isinstance(connector, Public) and connector.is_public(reply_to)
    text = reply.text if public else plain()
    if text is None:
        return None
    if isinstance(connector, SplitsByPlace):
        return Place(reply_to, connector.split_for(text, reply.account, reply_to))
    return Place(reply_to, connector.split(text))


def private_place(
    connector: Connector,
    reply: Reply,
    where: Receiver,
    plain: Plain,
    privately: Collection[str],
    at: datetime,
) -> Place | None:
    """As a private answer to what was said in public, if it is one of `privately` and the platform takes one."""
    if reply.purpose not in privately or where.last_inbound_at is None or reply.sent:
        return None
    if not isinstance(connector, AnswersPrivately):
        return None
    reply_to = connector.privately(where.reply_to, where.last_inbound_at, at)
    place = None if reply_to is None else place_at(connector, reply, reply_to, plain)
    return place if place is not None and len(place.parts) == 1 else None


def next_part(
    reply: Reply, where: Receiver, place: Place, at: datetime, template: Template | None = None
) -> Outgoing:
    """`at`: when it was first tried."""
    return Outgoing(
        reply.reply_id,
        len(reply.sent),
        where.to,
        reply.account,
        place.parts[len(reply.sent)],
        where.last_inbound_at,
        at,
        reply_to=place.reply_to,
        purpose=reply.purpose,
        human=reply.human,
        previous=reply.sent[-1] if reply.sent else None,
        template=template,
        subject=reply.text.partition(". ")[0][:120] if reply.address is not None else "",
    )
