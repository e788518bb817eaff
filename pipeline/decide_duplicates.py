"""Duplicates: a case that follows another one, and what its reporter hears of that one. Pure.

What happens in one case and concerns another is a command for that other one (`consequences`); the store decides it in
the same transaction. Ids are derived from the events, so however often it is done, it is done once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from laporhub.pipeline import ids
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import SYSTEM, Command, Echo, Follow, Redirect, Repeated, Words
from laporhub.pipeline.errors import Conflict
from laporhub.pipeline.events import CaseEvent, Followed, Merged, ReplyQueued, Split, Transitioned
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.profile.schema_workflow import BUILT_IN_ROLES
from laporhub.pipeline.turn import Fields, Turn
from laporhub.pipeline.turn_steps import follow as take_if_possible
from laporhub.pipeline.turn_steps import queue_reply
from laporhub.pipeline.workflow import is_final


def consequences(
    rulebook: Rulebook, state: CaseState, command: Command, events: Sequence[CaseEvent]
) -> Iterator[Command]:
    """The commands for other cases that follow from a command and the events that it led to in one case; `state` is
    that case afterwards.

    What a case hears itself goes on to its own followers as it came. What is said elsewhere because it failed
    (`Redirect`) is said to one reporter only: the others have heard it.
    """
    if isinstance(command, Redirect):
        return
    passed_on = command.purpose if isinstance(command, Echo) and state.main == command.main else None
    if isinstance(command, Echo) and passed_on is not None:
        yield from (_onward(command, state, follower) for follower in state.followers)
    rules = rulebook.of(state).profile.duplicates
    tell = [purpose for purpose in rules.tell if purpose != passed_on]
    fields: Fields = {}
    for event in events:
        match event.data:
            case Merged(into=main):
                yield _follow(event, state, main, left=False)
            case Split(main=main):
                yield _follow(event, state, main, left=True)
            case Transitioned(transition=step, target=target, fields=given, ends=ends):
                fields = _open_words(given)
                if ends or step in rules.again:
                    taken = {
                        "step": step,
                        "ended": target if ends else None,
                        "fields": fields,
                        "repeats": event.data.repeats or _by_staff(event, step),
                    }
                    for follower in state.followers:
                        yield _echo(event, follower, taken)
            case ReplyQueued(purpose=purpose) as reply if purpose in tell:
                said = {
                    "purpose": purpose,
                    "fields": fields,
                    "draft": state.draft and Words(text=state.draft.text),
                    "unit": state.unit,
                    "human": reply.human,
                }
                for follower in state.followers:
                    yield _echo(event, follower, said)
            case _:
                pass


def _follow(event: CaseEvent, follower: CaseState, main: str, *, left: bool) -> Follow:
    return Follow(
        id=ids.derive("d", "follow", event.id),
        profile=event.profile,
        case_id=main,
        at=event.time,
        follower=follower.id,
        ticket=follower.ticket,
        left=left,
    )


def _onward(echo: Echo, state: CaseState, follower: str) -> Echo:
    return echo.but({"id": ids.derive("d", "echo", echo.id, follower), "case_id": follower, "main": state.id})


def _echo(event: CaseEvent, follower: str, said: Mapping[str, object]) -> Echo:
    return Echo.model_validate(
        {
            "id": ids.derive("d", "echo", event.id, follower),
            "profile": event.profile,
            "case_id": follower,
            "at": event.time,
            "main": event.case_id,
            **said,
        }
    )


def _by_staff(event: CaseEvent, step: str) -> Repeated | None:
    """What a reporter does in their case names nobody in another one."""
    return None if event.actorrole in BUILT_IN_ROLES else Repeated(step=step, by=event.actorid)


def _open_words(fields: Fields) -> Fields:
    """Without what is sealed: that is the other reporter's."""
    return {
        name: Words(text=value.text) if isinstance(value, Words) else value for name, value in fields.items()
    }


def be_followed(turn: Turn, command: Follow) -> None:
    """Another case follows this one, or no longer. Raises `Conflict` where this one leads nowhere itself."""
    if command.left:
        if command.follower in turn.state.followers:
            turn.emit(Followed(follower=command.follower, ticket=command.ticket, left=True), SYSTEM)
        return
    if turn.state.main is not None:
        raise Conflict(
            f"{turn.state.ticket} follows another case itself: name that one", code="follows_itself"
        )
    if is_final(turn.rules, turn.state):
        raise Conflict(f"{turn.state.ticket} has ended", code="has_ended")
    turn.emit(Followed(follower=command.follower, ticket=command.ticket), SYSTEM)


def echo(turn: Turn, command: Echo) -> None:
    """The reporter hears, in this case's own words and channel, what was said in the one it follows.

    Once: the same words come again only to whom they did not reach.
    """
    if turn.state.main != command.main:
        return  # it stands on its own again
    rules = turn.profile.duplicates
    step = rules.again.get(command.step or "") or rules.ended.get(command.ended or "")
    take_if_possible(turn, step, command.fields, command.repeats)
    if command.purpose is not None:
        seen_as = turn.state.but({"unit": command.unit, "draft": command.draft})
        queue_reply(turn, command.purpose, command.fields, seen_as=seen_as, human=command.human, once=True)
