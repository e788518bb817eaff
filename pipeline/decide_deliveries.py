"""What became of a reply, and what a person does about one that did not arrive."""

from __future__ import annotations

from laporhub.pipeline import ids
from laporhub.pipeline.case_state import Reply
from laporhub.pipeline.commands import SYSTEM, Actor, Convey, Delivery, Redirect
from laporhub.pipeline.connector import BY_HAND
from laporhub.pipeline.errors import Conflict, Forbidden, NotFound
from laporhub.pipeline.events import ReplyQueued, ReplyUpdated
from laporhub.pipeline.turn import Turn
from laporhub.pipeline.turn_clocks import stop_when_sent
from laporhub.pipeline.turn_steps import follow
from laporhub.pipeline.workflow import may_speak

_DELIVERY_RANK = {"queued": 0, "sent": 1, "delivered": 2, "read": 3}


def convey(turn: Turn, command: Convey) -> None:
    """It has arrived, by word of a person. Raises `Conflict` if it had before."""
    if _undelivered(turn, command.reply_id).status not in ("queued", "failed"):
        raise Conflict("It has reached the reporter already", code="arrived")
    told = ReplyUpdated(reply_id=command.reply_id, status="delivered", reason=BY_HAND)
    _update_reply(turn, command.reply_id, told, command.actor)


def redirect(turn: Turn, command: Redirect) -> None:
    """The same again elsewhere, if it failed and nothing later was said in its place. Raises `Conflict`."""
    failed = _undelivered(turn, command.reply_id)
    if failed.status != "failed" or _newest(turn, failed.purpose) != command.reply_id:
        raise Conflict("It has been said again meanwhile, or has arrived", code="arrived")
    turn.emit(
        ReplyQueued(
            reply_id=ids.reply_id(ids.event_id(turn.state.id, turn.state.seq + 1)),
            purpose=failed.purpose,
            channel=command.channel,
            account=command.account,
            conversation=command.conversation,
            text=command.text,
            pattern=command.pattern,
            sealed=command.sealed,
            human=command.human,
        )
    )


def _undelivered(turn: Turn, reply_id: str) -> Reply:
    """For one of those who answer reporters. Raises `Forbidden`, `NotFound`."""
    if not may_speak(turn.rules, turn.state, turn.command.actor):
        raise Forbidden(f"The role {turn.command.actor.role!r} does not answer reporters on this case")
    if reply_id not in turn.state.replies:
        raise NotFound(f"case {turn.state.ticket} has no reply {reply_id}")
    return turn.state.replies[reply_id]


def _newest(turn: Turn, purpose: str) -> str:
    return [name for name, each in turn.state.replies.items() if each.purpose == purpose][-1]


def deliver(turn: Turn, command: Delivery) -> None:
    """What the publisher or the platform says of a reply. Raises `NotFound`."""
    if command.reply_id not in turn.state.replies:
        raise NotFound(f"case {turn.state.ticket} has no reply {command.reply_id}")
    _update_reply(
        turn,
        command.reply_id,
        ReplyUpdated(
            reply_id=command.reply_id,
            status=command.status,
            platform_id=command.platform_id,
            reason=command.reason,
        ),
    )


def _update_reply(turn: Turn, reply_id: str, update: ReplyUpdated, actor: Actor = SYSTEM) -> None:
    """Statuses only rise. "failed" counts unless it arrived before; then only the platform's word that it did
    arrive after all counts, not that we had handed it over.
    """
    before = turn.state.replies[reply_id]
    if update.status == "failed":
        if before.status in ("failed", "delivered", "read"):
            return
    elif before.status == "failed":
        if update.status not in ("delivered", "read"):
            return
    elif _DELIVERY_RANK[update.status] <= _DELIVERY_RANK[before.status]:
        return
    turn.emit(update, actor)
    if _newest(turn, before.purpose) != reply_id:
        return  # a later one with the same purpose says where the case stands
    rules = turn.profile.publication
    if update.status == "failed":
        follow(turn, rules.on_failed.get(before.purpose))
    elif before.status in ("queued", "failed"):
        stop_when_sent(turn, before.purpose)
        follow(turn, rules.on_sent.get(before.purpose))
