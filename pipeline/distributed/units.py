"""The units' intake: what a unit's own system asks for becomes a command, like everybody's. Blocking."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import Engine

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.commands import Act, Words
from laporhub.pipeline.distributed.graves import Graves
from laporhub.pipeline.distributed.records import ASKED, ASKED_BY, Given, Taken
from laporhub.pipeline.door import Door
from laporhub.pipeline.errors import NotFound, Refused, RetryLater, Unparsable
from laporhub.pipeline.profile.rulebook import Rulebook
from laporhub.pipeline.store import cases
from laporhub.pipeline.store.database import is_transient, writer
from laporhub.pipeline.store.keys import KeyRing, save_keys
from laporhub.pipeline.store.outcomes import Outcome, Refusal, load_outcomes, save_outcomes
from laporhub.pipeline.store.reporter_names import names_of
from laporhub.pipeline.streams import write_command
from laporhub.pipeline.topics import COMMANDS
from laporhub.pipeline.unit_commands import UnitRequest, refusal, unit_command


class UnitIntake:
    """See the module."""

    def __init__(
        self,
        database: Engine,
        rulebooks: Mapping[str, Rulebook],
        door: Door,
        ring: KeyRing,
        graves: Graves,
        prefix: str,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._rulebooks = rulebooks
        self._door = door
        self._ring = ring
        self._graves = graves
        self._prefix = prefix
        self._now = now

    def process(self, records: Sequence[Taken]) -> list[Given]:
        """Raises `RetryLater`: give it the same batch again; and `Misconfigured` as `CaseStage.process` does."""
        return [given for record in records for given in self._carefully(record)]

    def _carefully(self, record: Taken) -> list[Given]:
        """What a unit's system sends must never stop the others'."""
        try:
            given = self._take(record)
        except Exception as error:
            if is_transient(error):
                if isinstance(error, RetryLater):
                    raise
                raise RetryLater(f"The database cannot be reached: {type(error).__name__}") from error
            return [self._graves.give_up(record, "unit", error)]
        self._graves.went_well("unit")
        return given

    def _take(self, record: Taken) -> list[Given]:
        at = self._now()
        try:
            request = unit_command(record.topic, record.value, self._rulebooks, self._prefix)
            if (known := self._told(request)) is not None and known.refusal is not None:
                at = known.at
                raise known.refusal.as_error()
            try:
                return [self._command(record, request)]
            except Refused as error:
                self._remember(request, error, at)
                raise
        except Refused as error:
            answer = refusal(record.topic, record.value, error, at, self._prefix)
            told = [Given(*answer)] if answer else []
            if answer is None or isinstance(error, Unparsable):
                told.append(self._graves.bury(record, "unit", str(error)))
            return told

    def _told(self, request: UnitRequest) -> Outcome | None:
        with self._database.connect() as connection:
            return load_outcomes(connection, [request.id]).get(request.id)

    def _remember(self, request: UnitRequest, error: Refused, at: datetime) -> None:
        """The same request is answered alike, though the case may be the unit's by then."""
        with writer(self._database).begin() as connection:
            save_outcomes(connection, [Outcome(request.id, None, Refusal.of(error), at)])

    def _command(self, record: Taken, request: UnitRequest) -> Given:
        with self._database.connect() as connection:
            state = cases.load_cases(connection, [request.case_id]).get(request.case_id)
        # A unit learns nothing of a case that is not its own, not even that it exists.
        if state is None or state.profile != request.profile or state.unit != request.actor.unit:
            raise NotFound("Your unit has no such case", field="case_id")
        act = Act(
            id=request.id,
            profile=request.profile,
            case_id=request.case_id,
            at=self._now(),
            actor=request.actor,
            transition=request.transition,
            fields=self._fields(state, request),
        )
        headers = ((ASKED_BY, record.topic.encode()), (ASKED, record.value or b""))
        return Given(self._prefix + COMMANDS, state.conversation.encode(), write_command(act), headers)

    def _fields(self, state: CaseState, request: UnitRequest) -> dict[str, Words | str | int]:
        """As the transition wants them: words redacted, and sealed for the case's reporter."""
        names = partial(names_of, self._database, self._ring, state)
        rulebook, now = self._rulebooks[state.profile].of(state), self._now()
        fields = self._door.typed(rulebook, state.reporter, request.transition, request.fields, now, names)
        if (key := self._ring.pending(state.reporter)) is not None:
            with writer(self._database).begin() as connection:
                save_keys(connection, [key])
            self._ring.stored(key)
        return fields
