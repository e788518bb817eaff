"""From a message to the command it means: open a case, or add to one. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from laporhub.pipeline import ids
from laporhub.pipeline.base_model import trusted
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Actor, AddMessage, OpenCase, Withdraw
from laporhub.pipeline.messages import Message
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.workflow import is_final, is_past

_actor, _open, _add = trusted(Actor), trusted(OpenCase), trusted(AddMessage)


@dataclass(frozen=True, slots=True)
class Conversation:
    """What the hub remembers of one reporter on one account.

    `sealed_identity` is the latest, from which the address to answer is unsealed; `last_inbound_at` opens the
    platform's reply window.
    """

    id: str
    profile: str
    channel: str
    account: str
    reporter: str
    case_id: str
    last_inbound_at: datetime
    sealed_identity: str

    @property
    def private(self) -> str:
        """The id of the same reporter's conversation on the account that has no thread: their direct messages."""
        return ids.derive("v", self.profile, self.channel, self.account, self.reporter, "")


def interpret(rulebook: Rulebook, message: Message, latest: CaseState | None) -> OpenCase | AddMessage:
    """`latest` is the conversation's newest case, or the one the message names.

    A message that names its case always joins it. Otherwise it joins the newest case while that is open, or
    was closed less than `intake.follow_up` ago and still leads on, unless it begins with one of
    `intake.new_case_words`.
    """
    if latest is not None and _joins(rulebook, message, latest):
        return add_to(message, latest)
    return _open(
        id=ids.derive("d", "open", message.id),
        profile=message.profile,
        case_id=ids.case_id(message.id),
        at=message.received_at,
        actor=_writer(message),
        message=message,
    )


def is_private(message: Message) -> bool:
    """Whether it is of the reporter's direct messages, where others are parts of threads."""
    private = ids.derive("v", message.profile, message.channel, message.account, message.reporter, "")
    return message.conversation == private


def asks_privately(rulebook: Rulebook, channel: str) -> bool:
    """Whether the profile asks on this channel in public, and to be answered in a direct message."""
    rules = rulebook.profile.intake.in_private
    return rules is not None and channel in rules.channels


def goes_on(
    rulebook: Rulebook,
    message: Message,
    latest: CaseState | None,
    theirs: Iterable[CaseState],
    tried: Collection[str] = (),
) -> CaseState | None:
    """The case that a direct message is about: of its own conversation the one that is open, `latest`; else the one
    that its author was asked to go on with in a direct message, of all cases of `theirs`. Where that is more than one,
    nobody can tell. `tried` are replies that a platform may have taken without telling us.
    """
    if latest is not None and not is_final(rulebook, latest):
        return latest
    asked = [case for case in theirs if _awaits_privately(rulebook, case, message, tried)]
    return asked[0] if len(asked) == 1 else latest


def _awaits_privately(rulebook: Rulebook, case: CaseState, message: Message, tried: Collection[str]) -> bool:
    """Whether the case stands where a step left it whose reply has asked for a direct message to this account.

    A question of unknown fate counts as asked: the direct message is the best sign that it was read.
    """
    rulebook = rulebook.of(case)
    rules = rulebook.profile.intake.in_private
    if rules is None or (case.channel, case.account) != (message.channel, message.account):
        return False
    said = {
        reply.purpose
        for name, reply in case.replies.items()
        if reply.status in ("sent", "delivered", "read") or (reply.status == "queued" and name in tried)
    }
    asked = said & set(rules.replies)
    steps = rulebook.profile.transitions.values()
    return any(step.reply in asked and step.target == case.status for step in steps) and not is_final(
        rulebook, case
    )


def add_to(message: Message, case: CaseState) -> AddMessage:
    """The command that adds it to this case."""
    return _add(
        id=ids.derive("d", "add", message.id),
        profile=message.profile,
        case_id=case.id,
        at=message.received_at,
        actor=_writer(message),
        message=message,
    )


def withdrawal(message_id: str, case: CaseState, at: datetime) -> Withdraw:
    """The command that takes a message of this case back."""
    return Withdraw(
        id=ids.derive("d", "withdraw", message_id),
        profile=case.profile,
        case_id=case.id,
        at=at,
        actor=_actor(id=case.reporter, role="reporter"),
        message_id=message_id,
    )


def _writer(message: Message) -> Actor:
    return _actor(id=message.reporter, role="reporter")


def _joins(rulebook: Rulebook, message: Message, latest: CaseState) -> bool:
    if message.case_id is not None:
        return True
    rulebook = rulebook.of(latest)
    rules = rulebook.profile.intake
    if message.text.lower().startswith(tuple(word.lower() for word in rules.new_case_words)):
        return False
    if not is_final(rulebook, latest):
        return True
    if rules.follow_up is None or latest.closed_at is None or not _leads_on(rulebook, latest):
        return False
    return not is_past(rulebook, latest.closed_at, rules.follow_up, message.received_at)


def _leads_on(rulebook: Rulebook, ended: CaseState) -> bool:
    """Whether the reporter can still do something with a case that has ended; a rejected one is over for chats."""
    if (known := rulebook.profile.states.get(ended.status)) is not None and not known.follow_up:
        return False
    steps = rulebook.profile.transitions.values()
    return any(ended.status in step.source and "reporter" in step.roles for step in steps)


def remember(message: Message, case_id: str) -> Conversation:
    """The conversation after the message."""
    return Conversation(
        id=message.conversation,
        profile=message.profile,
        channel=message.channel,
        account=message.account,
        reporter=message.reporter,
        case_id=case_id,
        last_inbound_at=min(message.received_at, message.sent_at or message.received_at),
        sealed_identity=message.sealed_identity,
    )
