"""All tables. Bodies are JSON text: written once, read whole, byte for byte; what is searched by has a column.

A change here needs a migration beside it: see `migrations`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Dialect,
    Float,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)

metadata = MetaData()


class Moment(TypeDecorator[datetime]):
    """A UTC time, kept as microseconds since 1970: exact, small, sorts and compares everywhere."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else to_micros(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else from_micros(value)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_micros(at: datetime) -> int:
    delta = at - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def from_micros(value: int) -> datetime:
    seconds, micros = divmod(value, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros)


class _PostgresText(TypeDecorator[str]):
    """Text as PostgreSQL can keep it: it has no U+0000, which somebody's message may hold; U+FFFD stands for it."""

    impl = Text(collation="C")
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return value.replace("\0", "\ufffd") if value and "\0" in value else value


Exact = Text().with_variant(_PostgresText(), "postgresql")
"""Text that is compared and sorted byte by byte, as SQLite does: a language's order would mix up ids."""

_Number = BigInteger().with_variant(Integer, "sqlite")
"""A row's own number; on SQLite only an INTEGER counts by itself."""


def _numbered(name: str) -> Column[int]:
    """A number that the database gives each row, rising. On PostgreSQL transactions that run at the same time
    may commit in another order than that of their numbers, and a number may be left out.
    """
    return Column(name, _Number, Identity(always=False), primary_key=True)


def _stream(name: str) -> Table:
    """An append-only stream: `offset` orders it, `id` admits each record once."""
    return Table(
        name,
        metadata,
        _numbered("offset"),
        Column("id", Exact, nullable=False, unique=True),
        Column("body", Exact, nullable=False),
    )


def _where(condition: ColumnElement[bool]) -> dict[str, Any]:
    """For an index of only those rows."""
    return {"sqlite_where": condition, "postgresql_where": condition}


messages = _stream("messages")

events = Table(
    "events",
    metadata,
    _numbered("offset"),
    Column("id", Exact, nullable=False),
    Column("opened", BigInteger, nullable=False),
    Column("body", Exact, nullable=False),
)
"""`opened` is when the event's case was, in microseconds: with it a case's events are found.

Ids are hashes: an index of them grows by a page of its own for each case, which was a third of all that the embedded
hub wrote. Times rise, so new entries share pages. Only where several processes write must the ids be kept apart.
"""
Index("events_opened", events.c.opened).ddl_if(dialect="sqlite")
Index("events_id", events.c.id, unique=True).ddl_if(dialect="postgresql")

cursors = Table(
    "cursors",
    metadata,
    Column("consumer", Exact, primary_key=True),
    Column("offset", BigInteger, nullable=False),
)

cases = Table(
    "cases",
    metadata,
    Column("id", Exact, primary_key=True),
    Column("profile", Exact, nullable=False),
    Column("ticket", Exact, nullable=False, unique=True),
    Column("seq", Integer, nullable=False),
    Column("alarm_at", Moment),
    Column("state", Exact, nullable=False),
    Column("streamed", Integer),
)
"""`streamed`: through which sequence all was surely on Kafka when the row was written; what follows may not be. Only
the distributed engine writes it.
"""
Index("cases_alarm", cases.c.alarm_at, **_where(cases.c.alarm_at.is_not(None)))

conversations = Table(
    "conversations",
    metadata,
    Column("id", Exact, primary_key=True),
    Column("profile", Exact, nullable=False),
    Column("channel", Exact, nullable=False),
    Column("account", Exact, nullable=False),
    Column("reporter", Exact, nullable=False),
    Column("case_id", Exact, nullable=False),
    Column("last_inbound_at", Moment, nullable=False),
    Column("sealed_identity", Exact, nullable=False),
)

received = Table(
    "received",
    metadata,
    Column("message_id", Exact, primary_key=True),
    Column("case_id", Exact, nullable=False),
    Column("received_at", Moment, nullable=False),
    sqlite_with_rowid=False,
)

persons = Table(
    "persons",
    metadata,
    Column("reporter", Exact, primary_key=True),
    Column("opened_at", Moment, primary_key=True),
    Column("case_id", Exact, primary_key=True),
    sqlite_with_rowid=False,
)
"""The cases of those whose platform vouches for who they are, by their pseudonym: see `store.persons`."""

outbox = Table(
    "outbox",
    metadata,
    _numbered("ordinal"),
    Column("reply_id", Exact, nullable=False, unique=True),
    Column("case_id", Exact, nullable=False),
    Column("conversation", Exact, nullable=False),
    Column("profile", Exact, nullable=False),
    Column("channel", Exact, nullable=False),
    Column("account", Exact, nullable=False),
    Column("text", Exact, nullable=False),
    Column("pattern", Exact),
    Column("sealed", Exact, nullable=False),
    Column("status", Exact, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Moment),
    Column("attempted_at", Moment),
    Column("sent", Exact, nullable=False),
    Column("reason", Exact),
    Column("purpose", Exact),
    Column("human", Integer),
    Column("talks", Exact),
    Column("address", Exact),
)
"""`address`: where a letter to staff goes; None for a reply, whose reporter's address is sealed elsewhere."""
Index("outbox_due", outbox.c.next_at, **_where(outbox.c.next_at.is_not(None)))
Index("outbox_conversation", outbox.c.conversation, outbox.c.ordinal)

reporter_keys = Table(
    "reporter_keys",
    metadata,
    Column("id", Exact, primary_key=True),
    Column("reporter", Exact, nullable=False),
    Column("master", Exact, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    _numbered("id"),
    Column("at", Moment, nullable=False),
    Column("actor", Exact, nullable=False),
    Column("action", Exact, nullable=False),
    Column("subject", Exact, nullable=False),
    Column("reason", Exact, nullable=False),
    Column("number", BigInteger),
    Column("mark", Exact),
)
"""Chained by `number` and `mark`, see `audit`. Both are None only in records of an earlier release, until the next."""
Index("audit_number", audit.c.number, unique=True)

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
    Column("mark", Exact, nullable=False),
    Column("seal", Exact, nullable=False),
)
"""One row: the last record of the audit log."""

confidential = Table(
    "confidential",
    metadata,
    _numbered("ordinal"),
    Column("id", Exact, nullable=False, unique=True),
    Column("case_id", Exact, nullable=False, index=True),
    Column("at", Moment, nullable=False),
    Column("actor", Exact, nullable=False),
    Column("role", Exact, nullable=False),
    Column("unit", Exact),
    Column("sealed", Exact, nullable=False),
)
"""What is said in confidence: only here, under the reporter's key. Streams know of it by a sealed reference."""

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", Exact, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("profile", Exact, nullable=False),
    Column("channel", Exact, nullable=False),
    Column("stage", Exact, nullable=False),
    Column("reason", Exact, nullable=False),
    Column("sealed", Exact, nullable=False),
    Column("replayed_at", Moment),
)

accounts = Table(
    "accounts",
    metadata,
    Column("username", Exact, primary_key=True),
    Column("password", Exact, nullable=False),
    Column("profiles", Exact, nullable=False),
    Column("role", Exact, nullable=False),
    Column("unit", Exact),
    Column("language", Exact, nullable=False),
    Column("active", Integer, nullable=False),
    Column("posts", Exact),
    Column("email", Exact),
)

sessions = Table(
    "sessions",
    metadata,
    Column("secret_hash", Exact, primary_key=True),
    Column("username", Exact, nullable=False),
    Column("kind", Exact, nullable=False),
    Column("expires_at", Moment, nullable=False),
)

files = Table(
    "files",
    metadata,
    Column("id", Exact, primary_key=True),
    Column("message_id", Exact, nullable=False),
    Column("position", Integer, nullable=False),
    Column("case_id", Exact, nullable=False),
    Column("profile", Exact, nullable=False),
    Column("channel", Exact, nullable=False),
    Column("reporter", Exact, nullable=False),
    Column("url", Exact, nullable=False),
    Column("media_type", Exact),
    Column("name", Exact),
    Column("status", Exact, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Moment),
    Column("reason", Exact),
    Column("digest", Exact),
    Column("size", BigInteger),
    Column("width", Integer),
    Column("height", Integer),
    Column("taken_at", Moment),
    Column("lat", Float),
    Column("lon", Float),
    Column("fingerprint", Exact),
    Column("field", Exact),
)
"""`field`: of a photo that came with a step, the field of its form; None for what the reporter sent."""
Index("files_due", files.c.next_at, **_where(files.c.next_at.is_not(None)))
Index("files_case", files.c.case_id)

polls = Table(
    "polls",
    metadata,
    Column("provider", Exact, primary_key=True),
    Column("account", Exact, primary_key=True),
    Column("cursor", Exact),
    Column("polled_at", Moment, nullable=False),
    Column("trouble", Exact),
)
"""How far each account was asked for what came in (see `Polls`), and what was wrong the last time."""

fragments = Table(
    "fragments",
    metadata,
    Column("whole", Exact, primary_key=True),
    Column("round", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("total", Integer, nullable=False),
    Column("piece", Exact, nullable=False),
    Column("profile", Exact, nullable=False),
    Column("channel", Exact, nullable=False),
    Column("sealed", Exact, nullable=False),
    Column("overdue_at", Moment, nullable=False, index=True),
    Column("done", Integer, nullable=False),
)
"""Pieces of long messages until all are there (see `Fragment`), and for a day after that to know repeats by."""

channel_health = Table(
    "channel_health",
    metadata,
    Column("profile", Exact, primary_key=True),
    Column("channel", Exact, primary_key=True),
    Column("rests_until", Moment),
    Column("rests_why", Exact),
    Column("dead", Integer),
    Column("checked_at", Moment),
    Column("ok", Integer),
    Column("reason", Exact),
    Column("expires_at", Moment),
    Column("facts", Exact),
)
"""Whether sending on a channel rests and why (None: it does not), and what the platform last said of our account."""

calendars = Table(
    "calendars",
    metadata,
    Column("profile", Exact, primary_key=True),
    Column("fingerprint", Exact, nullable=False),
    Column("since", Moment, nullable=False),
)
"""The working calendar by which the profile's running clocks are counted (see `calendars.follow_calendars`)."""

notices = Table(
    "notices",
    metadata,
    _numbered("ordinal"),
    Column("id", Exact, nullable=False, unique=True),
    Column("at", Moment, nullable=False),
    Column("profile", Exact, nullable=False),
    Column("case_id", Exact, nullable=False),
    Column("ticket", Exact, nullable=False),
    Column("occasion", Exact, nullable=False),
    Column("receiver", Exact, nullable=False),
    Column("channel", Exact, nullable=False),
    Column("private", Integer, nullable=False),
    Column("detail", Exact, nullable=False),
)
"""What units and roles were told (see `Notice`)."""
Index("notices_inbox", notices.c.profile, notices.c.receiver, notices.c.ordinal)

notice_marks = Table(
    "notice_marks",
    metadata,
    Column("account", Exact, primary_key=True),
    Column("profile", Exact, primary_key=True),
    Column("seen", BigInteger, nullable=False),
)
"""Up to which number an account has read its notices."""

picture_bands = Table(
    "picture_bands",
    metadata,
    Column("band", Exact, primary_key=True),
    Column("file_id", Exact, primary_key=True),
    Column("profile", Exact, nullable=False),
    sqlite_with_rowid=False,
)
"""Quarters of pictures' fingerprints: two that differ in at most three bits share at least one."""
Index("picture_bands_file", picture_bands.c.file_id)

outcomes = Table(
    "outcomes",
    metadata,
    Column("id", Exact, primary_key=True),
    Column("case_id", Exact),
    Column("refusal", Exact),
    Column("at", Moment, nullable=False, index=True),
)

report_posts = Table(
    "report_posts",
    metadata,
    Column("id", Exact, primary_key=True),
    Column("profile", Exact, nullable=False),
    Column("unit", Exact),
    Column("period", Exact, nullable=False),
    Column("receiver", Exact, nullable=False),
    Column("language", Exact, nullable=False),
    Column("status", Exact, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Moment),
    Column("attempted_at", Moment),
    Column("reason", Exact),
    Column("at", Moment, nullable=False),
)
"""Which report goes to whom by e-mail, and how far it got; `receiver` is the address of an office or of staff."""
Index("report_posts_due", report_posts.c.next_at, **_where(report_posts.c.next_at.is_not(None)))
rules = Table(
    "rules",
    metadata,
    Column("profile", Exact, primary_key=True),
    Column("version", Exact, primary_key=True),
    Column("body", Exact, nullable=False),
)
"""Each version of the rules that the hub last ran under, as JSON."""

STORED = tuple(metadata.sorted_tables)
"""The tables of the store, which migrations look after; a sink's own are its own to make, and to make anew."""
