"""The tables of tracking on SQLite, and their indices."""

from __future__ import annotations

from sqlalchemy import Column, Connection, Integer, Table, Text, text

from laporhub.pipeline.store.tables import Moment, metadata

URGENCY = {"normal": 0, "high": 1, "critical": 2}

VERSIONS = 1024
"""Full-text rows a case may have: one for each message it grew by."""

tracking = Table(
    "tracking",
    metadata,
    Column("rowid", Integer, primary_key=True),
    Column("case_id", Text, nullable=False, unique=True),
    Column("profile", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("final", Integer, nullable=False),
    Column("unit", Text),
    Column("channel", Text, nullable=False),
    Column("urgency", Integer, nullable=False),
    Column("private", Integer, nullable=False),
    Column("attention", Integer, nullable=False),
    Column("opened_at", Moment, nullable=False),
    Column("due", Integer, nullable=False),
)

undelivered = Table("tracking_undelivered", metadata, Column("case_id", Text, primary_key=True))
"""The cases of which a reply, the newest of its purpose, failed: few, and asked for by themselves."""

helpers = Table(
    "tracking_helpers",
    metadata,
    Column("unit", Text, primary_key=True),
    Column("case_id", Text, primary_key=True),
)
"""Units beside the responsible one, and the cases in which they are asked for their part: few."""

_INDICES = (
    "CREATE INDEX IF NOT EXISTS tracking_queue ON tracking (profile, status, urgency DESC, due, rowid)",
    "CREATE INDEX IF NOT EXISTS tracking_urgent ON tracking (profile, urgency DESC, due, rowid)",
    "CREATE INDEX IF NOT EXISTS tracking_opened ON tracking (profile, opened_at, rowid)",
    # All that the work list's counts need, in the order in which `count` groups: they read nothing else.
    "CREATE INDEX IF NOT EXISTS tracking_counts ON tracking (profile, channel, status, unit, private)",
    "CREATE INDEX IF NOT EXISTS tracking_units ON tracking (profile, unit, channel, status, private)",
    "CREATE INDEX IF NOT EXISTS tracking_attention ON tracking (profile, channel, status, unit, private, attention)"
    " WHERE attention = 1",
    "CREATE INDEX IF NOT EXISTS tracking_open_due ON tracking (profile, due, channel, status, unit, private, final)"
    " WHERE final = 0",
    "CREATE INDEX IF NOT EXISTS tracking_helped ON tracking_helpers (case_id)",
    "CREATE VIRTUAL TABLE IF NOT EXISTS tracking_text USING fts5("
    "said, content='', tokenize='unicode61 remove_diacritics 2', detail='full')",
)


def create_tables(connection: Connection) -> None:
    """Tables and indices, where they are missing."""
    tracking.create(connection, checkfirst=True)
    undelivered.create(connection, checkfirst=True)
    helpers.create(connection, checkfirst=True)
    for statement in _INDICES:
        connection.execute(text(statement))
