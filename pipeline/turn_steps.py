"""A step of the workflow with all its effects, and the replies that go with it."""

from __future__ import annotations

from datetime import timedelta

from laporhub.pipeline import ids
from laporhub.pipeline.base_model import trusted
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import SYSTEM, Actor, AddMessage, OpenCase, Repeated, Words
from laporhub.pipeline.decide_life import life_effects
from laporhub.pipeline.events import Assigned, Drafted, Rated, ReplyQueued, Transitioned
from laporhub.pipeline.profile.schema_workflow import BUILT_IN_ROLES
from laporhub.pipeline.turn import Fields, Turn
from laporhub.pipeline.turn_clocks import move_clocks, stop_clocks, stop_when_sent
from laporhub.pipeline.wording import compose

_ANSWERED_WITHIN = timedelta(days=1)
"""How old a message may be to be answered by itself: nobody is written to about last year's complaint."""

_transitioned, _assigned, _reply_queued = trusted(Transitioned), trusted(Assigned), trusted(ReplyQueued)


def take_step(
    turn: Turn,
    name: str,
    fields: Fields | None = None,
    actor: Actor = SYSTEM,
    *,
    quiet: bool = False,
    other: str | None = None,
    repeats: Repeated | None = None,
) -> None:
    """Takes a transition with all its effects; the caller has checked that it may, and says more if `quiet`.

    `other` is the case that its case field names; `repeats` the step of another case that led to it.
    """
    step, fields = turn.profile.transitions[name], fields or {}
    turn.emit(
        _transitioned(
            transition=name,
            source=turn.state.status,
            target=step.target,
            ends=turn.profile.states[step.target].final,
            fields=fields,
            repeats=repeats,
        ),
        actor,
    )
    triggers = {name, step.target}
    if step.assign or step.unassign:
        stop_clocks(turn, triggers)  # as whose time it was until now
    if step.assign and (unit := fields.get(step.assign)):
        turn.emit(_assigned(unit=str(unit), previous=turn.state.unit), actor)
    if step.unassign and turn.state.unit is not None:
        turn.emit(_assigned(unit=None, previous=turn.state.unit), actor)
    if step.draft and isinstance(words := fields.get(step.draft), Words) and words.text.strip():
        turn.emit(Drafted(words=words), actor)
    if step.rate and isinstance(rating := fields.get(step.rate), int):
        turn.emit(Rated(rating=rating), actor)
    life_effects(turn, step, fields, actor, other)
    move_clocks(turn, triggers)
    if step.reply and not quiet:
        queue_reply(turn, step.reply, fields)
    if step.at_last and turn.state.taken[name][0] == step.at_most:
        follow(turn, step.at_last)


def queue_reply(
    turn: Turn,
    purpose: str,
    fields: Fields | None = None,
    *,
    seen_as: CaseState | None = None,
    human: bool | None = None,
    once: bool = False,
) -> None:
    """Says what the template `purpose` says on this channel; on a page channel it has arrived with that.

    `seen_as` is the case that the words are about, `human` whether a person wrote them, where another case says so.
    `once`: not if the newest reply of this purpose has the same words and did not fail.
    """
    if is_old_news(turn):
        return
    said = compose(turn.rules, seen_as or turn.state, purpose, fields or {})
    if not said.text:  # this channel's template is only a comment: nothing is to be said there
        return
    if once and _was_said(turn.state, purpose, said.text):
        return
    channel = turn.profile.channels.get(turn.state.channel)
    on_page = channel is not None and channel.delivery == "page"
    turn.emit(
        _reply_queued(
            reply_id=ids.reply_id(ids.event_id(turn.state.id, turn.state.seq + 1)),
            purpose=purpose,
            channel=turn.state.channel,
            account=turn.state.account,
            conversation=turn.state.conversation,
            text=said.text,
            pattern=said.pattern,
            sealed=said.sealed,
            human=_is_a_persons_word(turn, fields or {}) if human is None else human,
            status="sent" if on_page else "queued",
        ),
        SYSTEM,
    )
    if on_page:
        stop_when_sent(turn, purpose)
        follow(turn, turn.profile.publication.on_sent.get(purpose))


def _was_said(state: CaseState, purpose: str, text: str) -> bool:
    said = [reply for reply in state.replies.values() if reply.purpose == purpose]
    return bool(said) and said[-1].status != "failed" and said[-1].words == ids.words(text)


def follow(
    turn: Turn, transition: str | None, fields: Fields | None = None, repeats: Repeated | None = None
) -> None:
    """Takes a transition of the system, if there is one and the case is where it begins; with those of the fields that
    it has.
    """
    step, given = turn.profile.transitions[transition] if transition else None, fields or {}
    if transition and step and turn.state.status in step.source:
        own = {name: given[name] for name in step.fields if name in given}
        take_step(turn, transition, own, repeats=repeats)


def _is_a_persons_word(turn: Turn, fields: Fields) -> bool:
    """Whether the reply says what a member of staff wrote, in this step or in the draft that it sends."""
    by_staff = turn.command.actor.role not in BUILT_IN_ROLES
    return by_staff and (turn.state.draft is not None or any(isinstance(v, Words) for v in fields.values()))


def is_old_news(turn: Turn) -> bool:
    """A message that comes in long after it was written (a backfill) gets no automatic answer."""
    if not isinstance(turn.command, OpenCase | AddMessage):
        return False
    written = turn.command.message.sent_at
    return written is not None and turn.now - written > _ANSWERED_WITHIN
