"""Duplicates: a case that follows another one, and what its reporter hears of that one. Pure.

What happens in one case and concerns another is a command for that other one (`consequences`); the store decides it in
the same transaction. Ids are derived from the events, so however often it is done, it is done once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from laporhub.pipeline import ids
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import SYSTEM, Command, Echo, Follow, Words
from laporhub.pipeline.errors import Conflict
from laporhub.pipeline.events import CaseEvent, Followed, Merged, ReplyQueued, Split, Transitioned
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.turn import Fields, Turn
from laporhub.pipeline.turn_steps import follow as take_if_possible
from laporhub.pipeline.turn_steps import queue_reply
from laporhub.pipeline.workflow import is_final


def consequences(rulebook: Rulebook, state: CaseState, events: Sequence[CaseEvent]) -> Iterator[Command]:
    """The commands for other cases that follow from what one command led to; `state` is the case afterwards."""
    tell = rulebook.of(state).profile.duplicates.tell
    fields: Fields = {}
    for event in events:
        match event.data:
            case Merged(into=main):
                yield _follow(event, state, main, left=False)
            case Split(main=main):
                yield _follow(event, state, main, left=True)
            case Transitioned(fields=given, ends=ends):
                fields = _open_words(given)
                if ends:
                    for follower in state.followers:
                        yield _echo(event, follower, {"ended": event.data.target})
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
    """The reporter hears, in this case's own words and channel, what was said in the one it follows."""
    if turn.state.main != command.main:
        return  # it stands on its own again
    if command.ended is not None:
        take_if_possible(turn, turn.profile.duplicates.ended.get(command.ended))
    if command.purpose is not None:
        seen_as = turn.state.but({"unit": command.unit, "draft": command.draft})
        queue_reply(turn, command.purpose, command.fields, seen_as=seen_as, human=command.human)
