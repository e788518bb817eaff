"""Tracking on Elasticsearch: it says which cases fit and in which order; what they are, the database says.

Documents come a moment after the events: so a case that by now fits the query no longer is left out of the page, and
`settle` waits for the document of a case that was just changed. Times are compared to the millisecond.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

import structlog
from elasticsearch import ApiError, Elasticsearch, TransportError
from sqlalchemy import Engine

from laporhub.pipeline.case_state import CaseState
from laporhub.pipeline.errors import Misconfigured, Refused, RetryLater
from laporhub.pipeline.ids import parse_ticket
from laporhub.pipeline.store.cases import load_cases
from laporhub.pipeline.tracking import Page, Query
from laporhub.sinks.documents import WORDS_LONGEST, searchable
from laporhub.sinks.elasticsearch_templates import Indices

logger = structlog.get_logger(__name__)

_WORDS_AT_MOST: Final = 16
_BUCKETS: Final = 10_000
"""More than any government has units: counts are whole."""
_PATIENCE: Final = 5.0
"""Seconds that a person waits for the list to show what they did."""
_FIRST_LOOK, _LONGEST_LOOK = 0.02, 0.25

_URGENT_FIRST: Final = (
    {"urgency_rank": "desc"},
    {"due_at": {"order": "asc", "missing": "_last"}},
    {"case_id": "asc"},
)
_ORDERS: Final[Mapping[str, Sequence[Mapping[str, Any]]]] = {
    "urgency": _URGENT_FIRST,
    "newest": ({"opened_at": "desc"}, {"case_id": "desc"}),
    "oldest": ({"opened_at": "asc"}, {"case_id": "asc"}),
}
_COUNTED: Final = ("status", "unit", "channel", "urgency")


class ElasticsearchTracking:
    """Implements `tracking.Tracking`. May be used from any thread; raises `RetryLater` while Elasticsearch is away."""

    def __init__(
        self,
        client: Elasticsearch,
        database: Engine,
        indices: Indices | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._database = database
        self._index = (indices or Indices()).cases
        self._clock = clock
        self._pause = pause
        self._refreshing = _Shared(self._refresh)

    def find(self, query: Query, now: datetime) -> Page:
        """A page of cases. Raises `Refused` for a cursor that is none."""
        after = _decoded(query.cursor, query.order) if query.cursor else None
        while True:
            hits = self._hits(query, now, after)
            more = len(hits) > query.limit
            hits = hits[: query.limit]
            with self._database.connect() as connection:
                states = load_cases(connection, (hit["_id"] for hit in hits))
            found = [states[hit["_id"]] for hit in hits if hit["_id"] in states]
            fitting = [state for state in found if _still_fits(state, query)]
            if not more:
                return Page(fitting, None)
            after = hits[-1]["sort"]
            if fitting:
                return Page(fitting, _cursor(after))

    def count(self, query: Query, by: str, now: datetime) -> Mapping[str, int]:
        if by not in _COUNTED:
            raise KeyError(by)
        buckets = {"terms": {"field": by, "size": _BUCKETS, "missing": ""}}
        with _answered():
            answer = self._client.search(
                index=self._index, size=0, query=_conditions(query, now), aggs={"by": buckets}
            )
        return {bucket["key"]: bucket["doc_count"] for bucket in answer["aggregations"]["by"]["buckets"]}

    def settle(self, case_id: str, sequence: int) -> None:
        """Returns when lists and counts know the case as of `sequence`; after a few seconds without, all the same."""
        if not self.visible(case_id, sequence):
            logger.warning("the lists are behind", case=case_id, sequence=sequence, waited=_PATIENCE)

    def visible(self, case_id: str, sequence: int, patience: float = _PATIENCE) -> bool:
        """Whether lists and counts know the case as of `sequence`, after waiting at most `patience` seconds for it."""
        end = self._clock() + patience
        look = _FIRST_LOOK
        while self._version(case_id) < sequence:
            left = end - self._clock()
            if left <= 0:
                return False
            self._pause(min(look, left))
            look = min(look * 2, _LONGEST_LOOK)
        self._refreshing.run()
        return True

    def _version(self, case_id: str) -> int:
        """The sequence at which the case was last written, refreshed or not; 0 if it never was."""
        with _answered():
            found = self._client.options(ignore_status=404).get(
                index=self._index, id=case_id, source=False, realtime=True
            )
        return int(found.get("_version", 0))

    def _refresh(self) -> None:
        with _answered():
            self._client.indices.refresh(index=self._index)

    def _hits(self, query: Query, now: datetime, after: Sequence[Any] | None) -> list[dict[str, Any]]:
        """One more than a page, to see whether another follows."""
        with _answered():
            answer = self._client.search(
                index=self._index,
                size=query.limit + 1,
                query=_conditions(query, now),
                sort=list(_ORDERS.get(query.order, _URGENT_FIRST)),
                search_after=list(after) if after else None,
                source=False,
                track_total_hits=False,
            )
        return list(answer["hits"]["hits"])


class _Shared:
    """Work whose result serves all who asked before it began: ten people at once cause one refresh, or two."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._state = threading.Condition()
        self._begun = self._done = 0
        self._busy = False

    def run(self) -> None:
        """Returns when the work was done once from beginning to end since the call. Raises what it raises."""
        with self._state:
            wanted = self._begun + 1
            while self._busy and self._done < wanted:
                self._state.wait()
            if self._done >= wanted:
                return
            self._busy = True
            self._begun += 1
            number = self._begun
        try:
            self._work()
        except BaseException:
            with self._state:
                self._busy = False
                self._state.notify_all()  # the next one tries for itself
            raise
        with self._state:
            self._busy = False
            self._done = number
            self._state.notify_all()


@contextmanager
def _answered() -> Iterator[None]:
    """Says what a failed request means to who asked."""
    try:
        yield
    except TransportError as error:
        raise RetryLater(f"Elasticsearch cannot be reached ({type(error).__name__})") from error
    except ApiError as error:
        told = f"{error.status_code} {error.message}"
        if error.status_code == 404:
            raise RetryLater(f"Elasticsearch has no such index ({told}): run `laporhub setup`") from error
        if error.status_code in (408, 429) or error.status_code >= 500:
            raise RetryLater(f"Elasticsearch is busy ({told})") from error
        raise Misconfigured(
            f"Elasticsearch refuses to search ({told}): see `laporhub setup --check`"
        ) from error


# ── questions ────────────────────────────────────────────────────────────────────────────────────


def _conditions(query: Query, now: datetime) -> dict[str, Any]:
    """The query's conditions; nothing is ranked."""
    must: list[dict[str, Any]] = [{"terms": {"profile": list(query.profiles)}}]
    must_not: list[dict[str, Any]] = []
    for field, wanted in (
        ("status", query.statuses),
        ("unit", query.units),
        ("channel", query.channels),
        ("helpers", query.helping),
        ("ticket", query.tickets),
    ):
        if wanted:
            must.append({"terms": {field: list(wanted)}})
    if query.overdue is not None:
        late: list[dict[str, Any]] = [{"range": {"due_at": {"lt": now}}}, {"term": {"final": False}}]
        if query.overdue:
            must += late
        else:
            must_not.append({"bool": {"filter": late}})
    if query.undelivered is not None:
        failed: dict[str, Any] = {"exists": {"field": "failed_replies"}}
        (must if query.undelivered else must_not).append(failed)
    if query.attention is not None:
        must.append({"term": {"attention": query.attention}})
    if query.private is not None:
        must.append({"term": {"private": query.private}})
    if query.opened_from is not None:
        must.append({"range": {"opened_at": {"gte": query.opened_from}}})
    if query.opened_to is not None:
        must.append({"range": {"opened_at": {"lt": query.opened_to}}})
    if query.text.strip():
        must += _matching(query.text)
    return {"bool": {"filter": must, "must_not": must_not}}


def _matching(typed: str) -> list[dict[str, Any]]:
    """A ticket finds its case; otherwise all words must occur, the last one as a beginning."""
    if (ticket := parse_ticket(typed)) is not None:
        return [{"term": {"ticket": ticket}}]
    words = [word[:WORDS_LONGEST] for word in searchable(typed).split()[:_WORDS_AT_MOST]]
    if not words:
        return [{"match_none": {}}]
    return [*({"term": {"words": word}} for word in words[:-1]), {"prefix": {"words": words[-1]}}]


def _still_fits(state: CaseState, query: Query) -> bool:
    """Whether the reader may still have the case before them: it may have moved on since it was indexed."""
    return (
        state.profile in query.profiles
        and (not query.statuses or state.status in query.statuses)
        and (not query.units or state.unit in query.units)
        and (not query.helping or not state.parts.keys().isdisjoint(query.helping))
        and (not query.channels or state.channel in query.channels)
        and query.private in (None, state.private)
    )


# ── cursors ──────────────────────────────────────────────────────────────────────────────────────


def _cursor(place: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def _decoded(cursor: str, order: str) -> list[Any]:
    """The place that `_cursor` wrote down. Raises `Refused` for anything else: readers may send what they like."""
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if isinstance(place, list) and len(place) == len(_ORDERS.get(order, _URGENT_FIRST)):
            *numbers, case_id = place
            if all(_fits(number) for number in numbers) and isinstance(case_id, str) and case_id.isascii():
                return place
    except (ValueError, RecursionError):
        pass
    raise Refused("That is not a cursor of this list", code="bad_cursor", field="cursor")


def _fits(number: object) -> bool:
    """Whether it is a whole number of 64 bits."""
    return type(number) is int and -(2**63) <= number < 2**63
