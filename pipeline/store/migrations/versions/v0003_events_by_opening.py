"""Events are found by when their case was opened, no longer by an index of their ids: see `tables.events`."""

import json
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def upgrade() -> None:
    op.drop_index("ix_reporter_keys_reporter", "reporter_keys")
    connection = op.get_bind()
    op.rename_table("events", "events_before")
    if connection.dialect.name == "postgresql":
        op.execute("ALTER INDEX events_pkey RENAME TO events_before_pkey")  # or the new ones get other names
        op.execute("ALTER SEQUENCE events_offset_seq RENAME TO events_before_offset_seq")
        op.drop_constraint("events_id_key", "events_before")
        op.create_index("events_before_id", "events_before", ["id"])
    op.create_table(
        "events",
        sa.Column("offset", NUMBER, sa.Identity(always=False), primary_key=True),
        sa.Column("id", EXACT, nullable=False),
        sa.Column("opened", sa.BigInteger(), nullable=False),
        sa.Column("body", EXACT, nullable=False),
    )
    _move(connection)
    op.drop_table("events_before")
    if connection.dialect.name == "sqlite":
        op.create_index("events_opened", "events", ["opened"])
    else:
        op.create_index("events_id", "events", ["id"], unique=True)
        connection.execute(
            sa.text("SELECT setval(pg_get_serial_sequence('events', 'offset'), max(\"offset\")) FROM events")
        )


def _move(connection: sa.Connection) -> None:
    """Case by case; what belongs to no case is found by nobody, and kept."""
    move = sa.text(
        'INSERT INTO events ("offset", id, opened, body) SELECT "offset", id, :opened, body FROM events_before'
        " WHERE id > :first AND id < :last"
    )
    rest = sa.text(
        'INSERT INTO events ("offset", id, opened, body) SELECT "offset", id, 0, body FROM events_before'
        ' WHERE "offset" NOT IN (SELECT "offset" FROM events)'
    )
    for name, state in connection.execute(sa.text("SELECT id, state FROM cases")).all():
        opened = datetime.fromisoformat(json.loads(state)["opened_at"]) - EPOCH
        values = {"opened": opened // timedelta(microseconds=1), "first": f"{name}.", "last": f"{name}/"}
        connection.execute(move, values)
    connection.execute(rest)
