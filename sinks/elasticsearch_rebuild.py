"""Writes all documents anew from the histories of all cases, as fast as the server takes them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from elasticsearch import AsyncElasticsearch

from laporhub.pipeline.events import CaseEvent
from laporhub.sinks.elasticsearch_bulk import Bulk, Rejected
from laporhub.sinks.elasticsearch_sink import Documents
from laporhub.sinks.elasticsearch_templates import Indices

_AT_ONCE: Final = 20_000
"""Documents gathered before they are sent: so many that a unit's come many at a time (see `Bulk.send`)."""
_BREATH: Final = 20
"""Cases after which those that are on their way get a turn."""

Histories: TypeAlias = Iterable[Sequence[CaseEvent]] | AsyncIterable[Sequence[CaseEvent]]


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild went through, and what it could not write."""

    cases: int = 0
    events: int = 0
    rejected: list[Rejected] = field(default_factory=list)


async def rebuild(
    client: AsyncElasticsearch, indices: Indices, histories: Histories, bulk: Bulk | None = None
) -> Rebuilt:
    """Writes everything anew from each case's whole history, oldest event first; durable when it returns.

    What is there at the same version is written again, what is there at a later one stays: the live sink may go on
    meanwhile. Documents that should not be there are not found out: to be rid of them, `delete_all` and `install`
    before. Raises `Misconfigured` as `Bulk.send` does. Memory: the documents of some thousands of cases.
    """
    bulk = bulk or Bulk(client)
    done = Rebuilt()
    batch = Documents(indices, bulk, anew=True)
    flight: asyncio.Task[list[Rejected]] | None = None
    try:
        async for history in _each(histories):
            batch.add_history(history)
            done.cases += 1
            done.events += len(history)
            if done.cases % _BREATH == 0:
                await asyncio.sleep(0)
            if len(batch.operations) >= _AT_ONCE:
                done.rejected += batch.rejected + (await flight if flight else [])
                flight = asyncio.create_task(bulk.send(batch.operations))
                batch = Documents(indices, bulk, anew=True)
        done.rejected += batch.rejected + (await flight if flight else [])
        done.rejected += await bulk.send(batch.operations)
    finally:
        if flight is not None and not flight.done():
            flight.cancel()
            await asyncio.gather(flight, return_exceptions=True)
    return done


async def _each(histories: Histories) -> AsyncIterator[Sequence[CaseEvent]]:
    if isinstance(histories, AsyncIterable):
        async for history in histories:
            yield history
    else:
        for history in histories:
            yield history
