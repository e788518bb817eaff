"""The reporter speaks: a case opens, goes on, is classified, asked about and routed."""

from __future__ import annotations

from laporhub.pipeline import dialogue, said
from laporhub.pipeline.base_model import trusted
from laporhub.pipeline.commands import SYSTEM, Locate, OpenCase
from laporhub.pipeline.decide_acts import is_possible
from laporhub.pipeline.errors import NotFound
from laporhub.pipeline.events import (
    Answered,
    Asked,
    Classified,
    Located,
    MessageAdded,
    MessageWithdrawn,
    Opened,
)
from laporhub.pipeline.messages import Message
from laporhub.pipeline.profile.schema_workflow import OPENED
from laporhub.pipeline.requirements import unmet
from laporhub.pipeline.said_steps import meant
from laporhub.pipeline.turn import Turn
from laporhub.pipeline.turn_clocks import move_clocks
from laporhub.pipeline.turn_steps import is_old_news, queue_reply, take_step
from laporhub.pipeline.workflow import is_final

_ASKED_AT_MOST = 2
"""How often the system itself asks for what is missing; then a person takes over."""

_opened, _message_added, _classified = trusted(Opened), trusted(MessageAdded), trusted(Classified)


def open_case(turn: Turn, command: OpenCase, ticket: str) -> None:
    """A case begins with its first message; what is missing is asked for."""
    message, intake = command.message, turn.profile.intake
    turn.emit(
        _opened(
            ticket=ticket,
            channel=message.channel,
            account=message.account,
            conversation=message.conversation,
            reporter=message.reporter,
            status=intake.initial,
            profile_version=turn.profile.version.isoformat(),
            private=message.private,
            anonymous=message.anonymous,
            occurred_at=message.occurred_at,
        )
    )
    _hear(turn, message)
    move_clocks(turn, {OPENED, intake.initial})
    if turn.state.missing and intake.incomplete:
        guided = dialogue.rules_for(turn.rules, turn.state)
        take_step(turn, intake.incomplete, quiet=guided is not None)
        if guided:
            _ask(turn, dialogue.following(turn.rules, turn.state), guided.first)
        return
    if intake.reply:
        _mention_what_is_advised(turn)
        queue_reply(turn, intake.reply)
    _route(turn)


def add_message(turn: Turn, message: Message) -> None:
    """A further message: it may be the answer to a question, or take the place of an earlier one."""
    rewrites = message.replaces is not None and said.find(turn.state, message.replaces) is not None
    if rewrites and said.is_stale(turn.state, _heard(message)):
        return  # a later version of it is here already
    earlier = dialogue.corrected(turn.rules, turn.state, message)
    step_meant = None if earlier or is_old_news(turn) else meant(turn.rules, turn.state, message)
    _hear(turn, message.but({"replaces": earlier}) if earlier else message)
    if step_meant and is_possible(turn, *step_meant):
        take_step(turn, *step_meant, turn.command.actor)
        return
    if is_final(turn.rules, turn.state):
        if turn.profile.intake.after_end and not rewrites:
            queue_reply(turn, turn.profile.intake.after_end)
        return
    step = turn.profile.intake.complete
    waits = step is not None and turn.state.status in turn.profile.transitions[step].source
    if rewrites and turn.state.missing:
        return  # they may be at it still: nobody is asked for each letter
    if _asks_on(turn, message, waits=waits) or step is None or not waits:
        return
    _mention_what_is_advised(turn)
    take_step(turn, step)
    _route(turn)


def locate(turn: Turn, command: Locate) -> None:
    """A photo that was fetched says where it was taken. The first of a message counts, of what its author did not take
    back; if a case waits only for its place, it goes on.
    """
    known = said.find(turn.state, command.message_id)
    if known is None or known.gone or known.ids[-1] != command.message_id or known.taken is not None:
        return
    lacked = turn.state.missing
    turn.emit(Located(message_id=command.message_id, taken=command.taken), SYSTEM)
    _classify(turn, forget=False)
    step = turn.profile.intake.complete
    if not lacked or turn.state.missing or step is None or not _waits_for_what_was_asked(turn, step):
        return
    if turn.state.asking in lacked:
        turn.emit(Answered(requirement=str(turn.state.asking), met=True), SYSTEM)
    _mention_what_is_advised(turn)
    take_step(turn, step)
    _route(turn)


def _waits_for_what_was_asked(turn: Turn, step: str) -> bool:
    """Whether the case stands where `step` leads on, and the reporter last heard the system's question: not where a
    person has asked since, or nobody was written to.
    """
    intake = turn.profile.intake
    asked = intake.incomplete and turn.profile.transitions[intake.incomplete].reply
    guided = dialogue.rules_for(turn.rules, turn.state)
    questions = {asked, *((guided.first, guided.next, guided.again) if guided else ())}
    heard = [reply.purpose for reply in turn.state.replies.values()]
    return (
        turn.state.status in turn.profile.transitions[step].source
        and heard[-1:] != []
        and heard[-1] in questions
    )


def withdraw(turn: Turn, message_id: str) -> None:
    """The case stays, with its clocks; whether anything is left to do is for a person to say."""
    known = said.find(turn.state, message_id)
    if known is None:
        raise NotFound(f"case {turn.state.ticket} has no message {message_id}")
    if known.gone:
        return
    turn.emit(MessageWithdrawn(message_id=message_id))
    _classify(turn, forget=True)


def _hear(turn: Turn, message: Message) -> None:
    turn.emit(_heard(message))
    _classify(turn, forget=message.replaces is not None)


def _classify(turn: Turn, *, forget: bool) -> None:
    """What the words mean as they are now. `forget`: some are no longer there, and none may be quoted."""
    if is_final(turn.rules, turn.state) and not (forget and turn.state.suggestion):
        return
    suggestion = turn.classifier.suggest(turn.state.text, turn.state.location, said.taken(turn.state))
    if turn.state.unit is not None and turn.state.suggestion is not None:
        # What led to the disposition stays; what a person must look at is always of today.
        units = turn.state.suggestion.units
        if forget:
            units = tuple(unit.but({"reasons": ()}) for unit in units)
        suggestion = turn.state.suggestion.but(
            {"flags": suggestion.flags, "urgency": suggestion.urgency, "units": units}
        )
    gaps = unmet(turn.profile, turn.state, suggestion)
    turn.emit(
        _classified(
            suggestion=suggestion,
            missing=gaps["ask"],
            advised=gaps["advise"],
            review=gaps["review"],
        ),
        SYSTEM,
    )


def _asks_on(turn: Turn, message: Message, *, waits: bool) -> bool:
    """Whether the system has more to say to the reporter: not once a person has asked, nor without end.

    `waits`: the case stands still until they have answered.
    """
    guided = dialogue.rules_for(turn.rules, turn.state)
    asked = turn.state.asking
    if guided is None or asked is None:
        return waits and _asks_for_all_again(turn)
    answer = dialogue.heard(turn.state, message, guided)
    if answer == "again":
        return _ask(turn, asked, guided.again)
    turn.emit(Answered(requirement=asked, met=answer == "met"), SYSTEM)
    if asked in turn.state.missing:
        return False  # asked often enough: a person goes on
    more = dialogue.following(turn.rules, turn.state)
    if waits:
        return more in turn.state.missing and _ask(turn, more, guided.next)
    if answer == "met" and not _ask(turn, more, guided.next):
        queue_reply(turn, guided.next)
    return True


def _ask(turn: Turn, requirement: str | None, template: str) -> bool:
    """Asks for one thing, if there is one. Nobody is asked about what they wrote long ago."""
    if requirement is None or is_old_news(turn):
        return False
    _has_asked(turn, requirement)
    queue_reply(turn, template)
    return True


def _mention_what_is_advised(turn: Turn) -> None:
    """The reply that follows asks for it in passing: so the answer is understood."""
    advised = dialogue.following(turn.rules, turn.state)
    guided = dialogue.rules_for(turn.rules, turn.state)
    if guided and not turn.state.missing and advised in turn.state.advised and not is_old_news(turn):
        _has_asked(turn, str(advised))


def _has_asked(turn: Turn, requirement: str) -> None:
    attempt = turn.state.asked.get(requirement, 0) + 1
    turn.emit(Asked(requirement=requirement, attempt=attempt), SYSTEM)


def _asks_for_all_again(turn: Turn) -> bool:
    step = turn.profile.intake.incomplete
    question = turn.profile.transitions[step].reply if step else None
    said = [reply.purpose for reply in turn.state.replies.values()]
    if not turn.state.missing or question is None or said[-1:] != [question]:
        return False  # complete, or a person has asked meanwhile
    if said.count(question) >= _ASKED_AT_MOST:
        return False
    queue_reply(turn, question)
    return True


def _route(turn: Turn) -> None:
    """Disposes by itself where the profile allows it and the classifier is sure enough."""
    routing, suggestion = turn.profile.routing, turn.state.suggestion
    if routing.automatic is None or suggestion is None or not suggestion.units or turn.state.review:
        return
    best, step = suggestion.units[0], turn.profile.transitions[routing.transition]
    fits = turn.state.status in step.source and best.unit in turn.rules.units and step.assign is not None
    if fits and suggestion.sure and best.probability >= routing.automatic:
        take_step(turn, routing.transition, {str(step.assign): best.unit})


def _heard(message: Message) -> MessageAdded:
    return _message_added(
        message_id=message.id,
        replaces=message.replaces,
        message_kind=message.kind,
        text=message.text,
        sealed_text=message.sealed_text,
        sealed_identity=message.sealed_identity,
        known=message.known,
        attachments=message.attachments,
        location=message.location,
        taken=message.taken,
        sent_at=message.sent_at,
    )
