"""Writes documents to Elasticsearch in bulk until each is there, or refused for good.

Every operation may be repeated: a document carries its version, an event its id. So whatever is unclear (busy, away,
no answer) is tried again, for as long as it takes, with growing, random pauses; meanwhile the caller waits, which
slows down whoever feeds it. What the server says of one document decides:

- 2xx: there. 409: there already, or a later version is: done as well.
- 408, 429 and 5xx: the server's trouble, try again.
- 400: the document's own fault: given back as `Rejected`, for the dead letter.
- anything else (no permission, no index): the installation's fault. Raises `Misconfigured`.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson
import structlog
from elasticsearch import ApiError, AsyncElasticsearch, TransportError

from laporhub.pipeline.errors import Misconfigured
from laporhub.sinks.documents import Document

logger = structlog.get_logger(__name__)

_DOCUMENTS: Final = 3000
"""Documents a request: with six times fewer the server has a quarter more to do."""
_BYTES: Final = 1_000_000
"""Bytes a request, but one document at least: a larger body holds up the event loop, as aiohttp warns."""
_IN_FLIGHT: Final = 3
_PAUSE, _LONGEST_PAUSE = 0.1, 30.0
_TIMEOUT: Final = 60.0
_REJECTED_AT_MOST: Final = 20
"""Documents of a kind that may be refused one after the other: a bad deploy must not drain all into the dead letter."""
_ANSWER: Final = ("errors", "items.*.status", "items.*.error.type", "items.*.error.reason")
_FIELD: Final = re.compile(r"(?:field|introduction of) \[([\w.]+)\]")


class Operation(NamedTuple):
    """One document on its way: `body` is the line that says where to, and the document."""

    kind: str
    """"case", "unit" or "event"."""
    index_name: str
    id: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Rejected:
    """A document that Elasticsearch will never take as it is. `reason` names the fault, never the content."""

    kind: str
    index: str
    id: str
    reason: str


def put(
    kind: str, index: str, name: str, version: int, document: Document, how: str = "external"
) -> Operation:
    """The document at this version: it replaces older ones, with "external_gte" equal ones too, newer ones never.

    Raises `TypeError` for what is not JSON.
    """
    line = b'{"index":{"_index":%b,"_id":%b,"version":%d,"version_type":"%b"}}\n' % (
        _json(index),
        _json(name),
        version,
        how.encode(),
    )
    return Operation(kind, index, name, line + _json(document))


def create(kind: str, index: str, name: str, document: Document) -> Operation:
    """The document, unless there is one of this id. Raises `TypeError` for what is not JSON."""
    line = b'{"create":{"_index":%b,"_id":%b}}\n' % (_json(index), _json(name))
    return Operation(kind, index, name, line + _json(document))


def _json(value: object) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_UTC_Z)


class Bulk:
    """See the module. One for each event loop; `pause` and `chance` (in 0..1) are given by tests."""

    def __init__(
        self,
        client: AsyncElasticsearch,
        *,
        rejected_at_most: int = _REJECTED_AT_MOST,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        # The client's own retries would send everything again, and know nothing of single documents.
        self._client = client.options(max_retries=0, retry_on_timeout=False, request_timeout=_TIMEOUT)
        self._flights = asyncio.Semaphore(_IN_FLIGHT)
        self._rejected_at_most = rejected_at_most
        self._in_a_row: Counter[str] = Counter()
        self._troubles: dict[object, str] = {}
        self._pause = pause
        self._chance = chance
        self.counted: Counter[str] = Counter()
        """Documents "written", "stale" (there already), "rejected"; and requests "retried"."""

    @property
    def health(self) -> str:
        """Why documents are waiting right now, or "ok"."""
        return next(iter(self._troubles.values()), "ok")

    async def send(self, operations: Sequence[Operation]) -> list[Rejected]:
        """Returns when all documents are there; gives back those that never will be.

        Raises `Misconfigured` when too many in a row are refused, or nothing may be written at all. Then, and when
        it is cancelled, some may be there and some not: send all again.
        """
        rejected: list[Rejected] = []

        async def fly(some: Sequence[Operation]) -> None:
            async with self._flights:
                rejected.extend(await self._deliver(some))

        # Each index that a request touches is made durable by itself, which costs more than many documents do.
        by_index = sorted(operations, key=lambda each: each.index_name)
        flights = [asyncio.ensure_future(fly(some)) for some in _requests(by_index)]
        try:
            await asyncio.gather(*flights)
        finally:  # when one fails, the others must not fly on unseen
            for flight in flights:
                flight.cancel()
            await asyncio.gather(*flights, return_exceptions=True)
        return rejected

    async def _deliver(self, operations: Sequence[Operation]) -> list[Rejected]:
        """Tries until nothing is left."""
        rejected: list[Rejected] = []
        attempt = 0
        mark = object()
        try:
            while operations:
                answer = await self._ask(operations)
                if answer is None:
                    return rejected + await self._halves(operations)
                if isinstance(answer, str):
                    again, trouble = list(operations), answer
                else:
                    again, refused, trouble = self._sorted(operations, answer)
                    rejected += refused
                if again:
                    self._troubles[mark] = trouble
                    await self._wait(attempt, len(again), trouble)
                    attempt += 1
                operations = again
        finally:
            self._troubles.pop(mark, None)
        return rejected

    async def _ask(self, operations: Sequence[Operation]) -> Mapping[str, Any] | str | None:
        """The server's answer, or the trouble it is in; None where it will not take this request as it is."""
        lines: Any = [each.body for each in operations]  # two lines each, as they go over the wire
        try:
            response = await self._client.bulk(operations=lines, filter_path=_ANSWER)
        except TransportError as error:
            return f"cannot be reached ({type(error).__name__})"
        except ApiError as error:
            if _passes(error.status_code):
                return f"busy ({error.status_code})"
            if error.status_code in (400, 413):
                return None
            raise Misconfigured(
                f"Elasticsearch takes no documents ({error.status_code} {error.message}): see the account's rights"
            ) from error
        answer: Any = response.body
        return answer if isinstance(answer, dict) and "errors" in answer else "somebody else answers"

    def _sorted(
        self, operations: Sequence[Operation], answer: Mapping[str, Any]
    ) -> tuple[list[Operation], list[Rejected], str]:
        """What to try again, what is refused, and the trouble there is."""
        if not answer["errors"]:
            self.counted["written"] += len(operations)
            for kind in {operation.kind for operation in operations}:
                self._in_a_row[kind] = 0
            return [], [], ""
        again, refused, trouble = [], [], ""
        for operation, item in zip(operations, answer["items"], strict=True):
            ((_, result),) = item.items()
            status: int = result["status"]
            if status < 300 or status == 409:
                self.counted["stale" if status == 409 else "written"] += 1
                self._in_a_row[operation.kind] = 0
            elif _passes(status):
                again.append(operation)
                trouble = f"busy ({status} {result['error']['type']})"
            elif status == 400:
                refused.append(self._refused(operation, _fault(result["error"])))
            else:
                raise Misconfigured(
                    f"Elasticsearch does not take {operation.index_name} ({status} {result['error']['type']}):"
                    " run `laporhub setup --check`"
                )
        return again, refused, trouble

    async def _halves(self, operations: Sequence[Operation]) -> list[Rejected]:
        """Finds the one that spoils a request, by sending halves."""
        if len(operations) == 1:
            return [self._refused(operations[0], "not accepted as a request")]
        middle = len(operations) // 2
        return await self._deliver(operations[:middle]) + await self._deliver(operations[middle:])

    def _refused(self, operation: Operation, reason: str) -> Rejected:
        return self.refuse(Rejected(operation.kind, operation.index_name, operation.id, reason))

    def refuse(self, rejected: Rejected) -> Rejected:
        """Counts and tells of a document that cannot be written. Raises `Misconfigured` for too many in a row."""
        kind = rejected.kind
        self.counted["rejected"] += 1
        self._in_a_row[kind] += 1
        logger.warning("document refused", index=rejected.index, id=rejected.id, reason=rejected.reason)
        if self._in_a_row[kind] > self._rejected_at_most:
            raise Misconfigured(
                f"{self._in_a_row[kind]} documents in a row of kind {kind!r} could not be written, the last to"
                f" {rejected.index} ({rejected.reason}): see `laporhub setup --check`; nothing is lost"
            )
        return rejected

    async def _wait(self, attempt: int, documents: int, trouble: str) -> None:
        """A random part of a span that doubles: many writers must not come back at the same moment."""
        self.counted["retried"] += 1
        span = min(_PAUSE * 2 ** min(attempt, 20), _LONGEST_PAUSE) * self._chance()
        logger.warning(
            "elasticsearch busy", trouble=trouble, documents=documents, attempt=attempt + 1, pause=span
        )
        await self._pause(span)


def _passes(status: int) -> bool:
    """Whether it is worth trying again as it is."""
    return status in (408, 429) or status >= 500


def _fault(error: Mapping[str, Any]) -> str:
    """What kind of fault, in which field. The server's own words may quote the content."""
    field = _FIELD.search(error.get("reason", ""))
    return f"{error['type']} in {field[1]}" if field else str(error["type"])


def _requests(operations: Sequence[Operation]) -> Iterator[Sequence[Operation]]:
    """The operations in parts of a size that the server likes."""
    start, size = 0, 0
    for place, operation in enumerate(operations):
        size += len(operation.body)
        if place > start and (place - start >= _DOCUMENTS or size > _BYTES):
            yield operations[start:place]
            start, size = place, len(operation.body)
    if start < len(operations):
        yield operations[start:]
