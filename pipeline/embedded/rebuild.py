"""Brings a sink back in step with the log: after its form has changed, or when it was damaged."""

from __future__ import annotations

import structlog
from sqlalchemy import Connection, Engine

from laporhub.pipeline.embedded.engine import Sink
from laporhub.pipeline.store import log
from laporhub.pipeline.store.cases import every_case
from laporhub.pipeline.store.database import writer
from laporhub.pipeline.store.tables import events

logger = structlog.get_logger(__name__)


def catch_up(database: Engine, sink: Sink) -> int:
    """Rebuilds the sink if its cursor is not at the log's end. How many cases were written."""
    with database.connect() as connection:
        if log.cursor(connection, sink.name) == log.tail(connection, events):
            return 0
    return rebuild(database, sink)


def rebuild(database: Engine, sink: Sink) -> int:
    """Writes all cases anew, in one transaction: readers see the old rows until it is done. How many."""
    with writer(database).begin() as connection:
        written = _write_all(connection, sink)
    logger.info("rebuilt", sink=sink.name, cases=written)
    return written


def _write_all(connection: Connection, sink: Sink) -> int:
    sink.clear(connection)
    written = 0
    for states in every_case(connection):
        sink.write(connection, states, frozenset(state.id for state in states))
        written += len(states)
    log.advance(connection, sink.name, log.tail(connection, events))
    return written
