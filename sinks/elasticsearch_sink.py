"""Keeps Elasticsearch in step with the cases, a batch of events at a time.

The documents of a case follow from its history alone, whatever order things come in and however often:

- the province's document, and that of the unit which has the case, are the state's, at the state's sequence;
- each unit that the case was taken from keeps a small document at the sequence of the event that took it. A unit
  that gets the case back has it at a later one.

Elasticsearch keeps the highest version of each, so a late or repeated write changes nothing. To write everything anew:
`elasticsearch_rebuild`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from elasticsearch import AsyncElasticsearch

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.errors import RetryLater
from laporhub.pipeline.events import Assigned, CaseEvent
from laporhub.pipeline.evolve import evolve
from laporhub.sinks.documents import case_document, event_document, gone_document, unit_document
from laporhub.sinks.elasticsearch_bulk import Bulk, Operation, Rejected, create, put
from laporhub.sinks.elasticsearch_templates import Indices

_UNREADABLE: Final = (TypeError, ValueError, KeyError, AttributeError)
"""What a document that cannot be made raises: a value that is no JSON, a history with a gap."""


class ElasticsearchSink:
    """See the module. One for each event loop; the caller closes the client."""

    def __init__(
        self, client: AsyncElasticsearch, indices: Indices | None = None, bulk: Bulk | None = None
    ) -> None:
        self._indices = indices or Indices()
        self._bulk = bulk or Bulk(client)

    @property
    def health(self) -> str:
        """Why documents are waiting, or "ok"."""
        return self._bulk.health

    @property
    def counted(self) -> Mapping[str, int]:
        """Documents "written", "stale", "rejected", and requests "retried", since the start."""
        return self._bulk.counted

    async def write(self, states: Iterable[CaseState], events: Iterable[CaseEvent]) -> list[Rejected]:
        """Brings the documents of `states` up to date and adds `events`.

        `states` are the cases of all these events, at least as new as the newest of them. Returns when all is durable:
        put the rejected ones into the dead letter, then acknowledge. Raises `RetryLater` if a state is older than its
        events, `Misconfigured` if a person must look; nothing is to be acknowledged then.
        """
        batch = Documents(self._indices, self._bulk)
        known = {state.id: state for state in states}
        for state in known.values():
            batch.add_case(state)
        for event in events:
            state_of = known.get(event.case_id)
            if state_of is None:
                batch.refuse("case", self._indices.cases, event.case_id, "there is no such case")
            elif state_of.seq < event.sequence:
                raise RetryLater(f"{event.case_id} was read at {state_of.seq}, before event {event.sequence}")
            batch.add_event(event, state_of)
        return batch.rejected + await self._bulk.send(batch.operations)


class Documents:
    """The documents of some cases and events. What cannot be made into one is rejected; the others go on."""

    def __init__(self, indices: Indices, bulk: Bulk, *, anew: bool = False) -> None:
        self._indices = indices
        self._bulk = bulk
        self._how = "external_gte" if anew else "external"
        self._anew = anew
        self.operations: list[Operation] = []
        self.rejected: list[Rejected] = []

    def refuse(self, kind: str, index: str, name: str, reason: str) -> None:
        self.rejected.append(self._bulk.refuse(Rejected(kind, index, name, reason)))

    def add_case(self, state: CaseState) -> None:
        try:
            document = case_document(state)
            made = [put("case", self._indices.cases, state.id, state.seq, document, self._how)]
            if state.unit:
                index = self._indices.unit(state.profile, state.unit)
                made.append(put("unit", index, state.id, state.seq, unit_document(document), self._how))
        except _UNREADABLE as error:
            self.refuse("case", self._indices.cases, state.id, type(error).__name__)
            return
        self.operations += made

    def add_event(self, event: CaseEvent, state: CaseState | None) -> None:
        index = self._indices.events(event.time)
        try:
            document = event_document(event)
            if self._anew:
                made = [put("event", index, event.id, 1, document, self._how)]
            else:
                made = [create("event", index, event.id, document)]
            if state is not None and isinstance(event.data, Assigned):
                made += self._gone(event, event.data, state.ticket)
        except _UNREADABLE as error:
            self.refuse("event", index, event.id, type(error).__name__)
            return
        self.operations += made

    def _gone(self, event: CaseEvent, data: Assigned, ticket: str) -> Iterator[Operation]:
        if data.previous is not None and data.previous != data.unit:
            index = self._indices.unit(event.profile, data.previous)
            yield put("unit", index, event.case_id, event.sequence, gone_document(event, ticket), self._how)

    def add_history(self, history: Sequence[CaseEvent]) -> None:
        state: CaseState | None = None
        try:
            for event in history:
                state = evolve(state, event)
        except _UNREADABLE as error:
            self.refuse("case", self._indices.cases, history[0].case_id, type(error).__name__)
        else:
            if state is not None:
                self.add_case(state)
        for event in history:
            self.add_event(event, state)
