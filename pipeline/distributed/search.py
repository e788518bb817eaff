"""The sink stage: events in, documents out. Independent of who reads Kafka and of which search server it is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Protocol

from sqlalchemy import Engine

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.distributed.graves import Graves
from laporhub.pipeline.distributed.records import Given, Taken
from laporhub.pipeline.errors import RetryLater, Unparsable
from laporhub.pipeline.events import CaseEvent
from laporhub.pipeline.store import cases
from laporhub.pipeline.store.database import is_transient
from laporhub.pipeline.streams import read_event


class Refusal(Protocol):
    """A document that the search server will never take."""

    @property
    def id(self) -> str: ...

    @property
    def reason(self) -> str: ...


class Sink(Protocol):
    """Writes documents, each once however often it is asked; returns when all are there or refused for good."""

    async def write(self, states: Iterable[CaseState], events: Iterable[CaseEvent]) -> Sequence[Refusal]: ...

    @property
    def health(self) -> str: ...


class SinkStage:
    """See the module. The states are read from the database: as new as the events, or newer."""

    def __init__(self, database: Engine, sink: Sink, graves: Graves) -> None:
        self._database = database
        self._sink = sink
        self._graves = graves

    async def process(self, records: Sequence[Taken]) -> list[Given]:
        """Raises `RetryLater`: give it the same batch again."""
        events: list[CaseEvent] = []
        by_name: dict[str, Taken] = {}
        given: list[Given] = []
        for record in records:
            try:
                event = read_event(record.value)
            except Unparsable as error:
                given.append(await asyncio.to_thread(self._graves.bury, record, "sink", str(error)))
                continue
            events.append(event)
            by_name[event.id] = by_name[event.case_id] = record
        states = await asyncio.to_thread(self._states, {event.case_id for event in events})
        for refused in await self._sink.write(states.values(), events):
            record = by_name.get(refused.id) or records[0]
            given.append(await asyncio.to_thread(self._graves.bury, record, "sink", refused.reason))
        return given

    def _states(self, ids: Iterable[str]) -> dict[str, CaseState]:
        try:
            with self._database.connect() as connection:
                return cases.load_cases(connection, ids)
        except Exception as error:
            if is_transient(error):
                raise RetryLater(
                    f"The cases cannot be read: {type(error).__name__}, it will be tried again"
                ) from error
            raise
