"""All tables. Bodies are JSON: written once, read whole; what is searched by has a column."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
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


def _stream(name: str) -> Table:
    """An append-only stream: `offset` orders it, `id` admits each record once."""
    return Table(
        name,
        metadata,
        Column("offset", Integer, primary_key=True),
        Column("id", Text, nullable=False, unique=True),
        Column("body", Text, nullable=False),
    )


messages = _stream("messages")
events = _stream("events")

cursors = Table(
    "cursors",
    metadata,
    Column("consumer", Text, primary_key=True),
    Column("offset", BigInteger, nullable=False),
)

cases = Table(
    "cases",
    metadata,
    Column("id", Text, primary_key=True),
    Column("profile", Text, nullable=False),
    Column("ticket", Text, nullable=False, unique=True),
    Column("seq", Integer, nullable=False),
    Column("alarm_at", Moment),
    Column("state", Text, nullable=False),
)
Index("cases_alarm", cases.c.alarm_at, sqlite_where=cases.c.alarm_at.is_not(None))

conversations = Table(
    "conversations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("profile", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("reporter", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("last_inbound_at", Moment, nullable=False),
    Column("sealed_identity", Text, nullable=False),
)

received = Table(
    "received",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("case_id", Text, nullable=False),
    Column("received_at", Moment, nullable=False),
    sqlite_with_rowid=False,
)

outbox = Table(
    "outbox",
    metadata,
    Column("ordinal", Integer, primary_key=True),
    Column("reply_id", Text, nullable=False, unique=True),
    Column("case_id", Text, nullable=False),
    Column("conversation", Text, nullable=False),
    Column("profile", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("pattern", Text),
    Column("sealed", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", Moment),
    Column("attempted_at", Moment),
    Column("sent", Text, nullable=False),
    Column("reason", Text),
)
Index("outbox_due", outbox.c.next_at, sqlite_where=outbox.c.next_at.is_not(None))
Index("outbox_conversation", outbox.c.conversation, outbox.c.ordinal)

reporter_keys = Table(
    "reporter_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("reporter", Text, nullable=False, index=True),
    Column("master", Text, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_at", Moment, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("profile", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("sealed", Text, nullable=False),
    Column("replayed_at", Moment),
)

accounts = Table(
    "accounts",
    metadata,
    Column("username", Text, primary_key=True),
    Column("password", Text, nullable=False),
    Column("profiles", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("unit", Text),
    Column("language", Text, nullable=False),
    Column("active", Integer, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("secret_hash", Text, primary_key=True),
    Column("username", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("expires_at", Moment, nullable=False),
)
