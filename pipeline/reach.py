"""Where an answer goes: of the conversations in which a reporter speaks of one case, the one to answer in. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from laporhub.pipeline.connector import Connector
from laporhub.pipeline.connector_abilities import Window, Windows
from laporhub.pipeline.door import address_in
from laporhub.pipeline.intake import Conversation


@dataclass(frozen=True, slots=True)
class Address:
    """The platform's address of the reporter, where the answer belongs there, and what the platform takes there."""

    to: str
    reply_to: str | None
    conversation: Conversation
    window: Window

    def takes(self, *, human: bool) -> bool:
        """Whether an answer arrives there without a template. `human`: a person wrote it."""
        return self.window.state == "open" or (human and self.window.state == "human")


def address_for(
    connector: Connector,
    conversations: Sequence[Conversation],
    opened: Callable[[str], str | None],
    at: datetime,
    *,
    human: bool,
) -> Address | None:
    """Of these conversations, the latest first, the first that takes an answer; if none does, the latest.

    None where the reporter was erased: `opened` unseals an identity.
    """
    found = [
        _address(connector, each, identity, at)
        for each in conversations
        if (identity := opened(each.sealed_identity)) is not None
    ]
    return next((each for each in found if each.takes(human=human)), found[0] if found else None)


def _address(connector: Connector, conversation: Conversation, identity: str, at: datetime) -> Address:
    to, reply_to = address_in(identity)
    window = (
        connector.window(conversation.account, reply_to, conversation.last_inbound_at, at)
        if isinstance(connector, Windows)
        else Window()
    )
    return Address(to, reply_to, conversation, window)
