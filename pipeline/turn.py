"""One command being decided: the events so far, and the state they add up to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from laporhub.pipeline import ids
from laporhub.pipeline.base_model import trusted
from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.classifier import Classifier
from laporhub.pipeline.commands import Actor, Command, Words
from laporhub.pipeline.events import Assigned, CaseEvent, EventData, Opened, cloud_type
from laporhub.pipeline.evolve import evolve
from laporhub.pipeline.profile.rulebook import Rulebook

Fields = Mapping[str, Words | str | int]

_event = trusted(CaseEvent)


class Turn:
    """One command being decided: emits events and sees, at each step, the state they add up to."""

    def __init__(
        self, rulebook: Rulebook, state: CaseState | None, command: Command, classifier: Classifier
    ) -> None:
        self.rules = rulebook
        self.profile = rulebook.profile
        self.last = state
        self.command = command
        # Clocks of several machines differ: the time of a case never goes back.
        self.now = command.at if state is None else max(command.at, state.updated_at)
        self.classifier = classifier
        self.events: list[CaseEvent] = []
        self._alike: Any = {
            "source": f"/laporhub/{command.profile}",
            "subject": command.case_id,
            "time": self.now,
            "dataschema": "urn:laporhub:case-event:1",
            "profile": command.profile,
            "cause": command.id,
        }

    @property
    def state(self) -> CaseState:
        """As of the last event."""
        if self.last is None:
            raise AssertionError("no event yet")
        return self.last

    def emit(self, data: EventData, actor: Actor | None = None) -> CaseEvent:
        """The next event; it is by whoever gave the command where no other `actor` is named."""
        actor = actor or self.command.actor
        sequence = 1 if self.last is None else self.last.seq + 1
        event = _event(
            **self._alike,
            id=ids.event_id(self.command.case_id, sequence),
            type=cloud_type(data),
            sequence=sequence,
            channel=data.channel if isinstance(data, Opened) else self.state.channel,
            unit=data.unit if isinstance(data, Assigned) else self.last and self.last.unit,
            actorid=actor.id,
            actorrole=actor.role,
            actorunit=actor.unit,
            data=data,
        )
        self.last = evolve(self.last, event)
        self.events.append(event)
        return event
