"""`decide(rulebook, state, command, …) -> events`: every rule of the workflow, applied. Pure.

The only time it knows is the command's. A command that the case has seen before yields nothing; one that the
rules do not allow raises `Refused`, and nothing has changed.
"""

from __future__ import annotations

from typing import assert_never

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.classifier import Classifier
from laporhub.pipeline.commands import (
    Act,
    AddMessage,
    Command,
    Confide,
    Convey,
    Delivery,
    Echo,
    Follow,
    Locate,
    Note,
    OpenCase,
    Recount,
    Redirect,
    Tick,
    Withdraw,
)
from laporhub.pipeline.decide_acts import act, confide, note
from laporhub.pipeline.decide_clocks import recount_clocks, ring
from laporhub.pipeline.decide_deliveries import convey, deliver, redirect
from laporhub.pipeline.decide_duplicates import be_followed, echo
from laporhub.pipeline.decide_messages import add_message, locate, open_case, withdraw
from laporhub.pipeline.errors import Conflict, NotFound
from laporhub.pipeline.events import CaseEvent
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.turn import Turn


def decide(
    rulebook: Rulebook,
    state: CaseState | None,
    command: Command,
    classifier: Classifier,
    ticket: str | None = None,
) -> list[CaseEvent]:
    """The events the command leads to. `ticket` is given for `OpenCase`, free in the store."""
    return decided(rulebook, state, command, classifier, ticket)[0]


def decided(
    rulebook: Rulebook,
    state: CaseState | None,
    command: Command,
    classifier: Classifier,
    ticket: str | None = None,
) -> tuple[list[CaseEvent], CaseState | None]:
    """The events, and the state that they add up to: what `evolve` makes of them, worked out on the way."""
    if state is not None and command.id in state.applied:
        return [], state
    rules = rulebook.on(command.at) if state is None else rulebook.of(state)
    turn = Turn(rules, state, command, classifier)
    _decide(turn, command, ticket)
    return turn.events, turn.last


def _decide(turn: Turn, command: Command, ticket: str | None) -> None:
    if isinstance(command, OpenCase):
        if turn.last is not None:
            raise Conflict(f"case {turn.last.id} is open already")
        if ticket is None:
            raise ValueError("a case needs a ticket to open")
        open_case(turn, command, ticket)
        return
    if turn.last is None:
        raise NotFound(f"there is no case {command.case_id}")
    match command:
        case AddMessage():
            add_message(turn, command.message)
        case Locate():
            locate(turn, command)
        case Withdraw():
            withdraw(turn, command.message_id)
        case Act():
            act(turn, command)
        case Tick():
            ring(turn, command)
        case Recount():
            recount_clocks(turn)
        case Delivery():
            deliver(turn, command)
        case Convey():
            convey(turn, command)
        case Redirect():
            redirect(turn, command)
        case Note():
            note(turn, command)
        case Confide():
            confide(turn, command)
        case Follow():
            be_followed(turn, command)
        case Echo():
            echo(turn, command)
        case _:
            assert_never(command)
