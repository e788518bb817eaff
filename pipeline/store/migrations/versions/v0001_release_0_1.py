"""The tables of release 0.1. Databases made by it carry no mark: what they have is left as it is."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def text(name: str, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, EXACT, nullable=nullable)


def moment(name: str, nullable: bool = False) -> sa.Column[int]:
    """Microseconds since 1970."""
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def number(name: str) -> sa.Column[int]:
    return sa.Column(name, NUMBER, sa.Identity(always=False), primary_key=True)


def key(name: str) -> sa.Column[str]:
    return sa.Column(name, EXACT, primary_key=True)


def table(name: str, *columns: sa.Column[str] | sa.Column[int] | sa.Column[bytes], **options: bool) -> None:
    op.create_table(name, *columns, if_not_exists=True, **options)


def index(name: str, of: str, columns: list[str], where: str | None = None) -> None:
    some = None if where is None else sa.text(where)
    op.create_index(name, of, columns, if_not_exists=True, sqlite_where=some, postgresql_where=some)


def upgrade() -> None:
    streams()
    cases()
    replies()
    vault()
    staff()


def streams() -> None:
    for name in ("messages", "events"):
        unique = sa.Column("id", EXACT, nullable=False, unique=True)
        table(name, number("offset"), unique, text("body"))
    table("cursors", key("consumer"), sa.Column("offset", sa.BigInteger(), nullable=False))


def cases() -> None:
    table(
        "cases",
        key("id"),
        text("profile"),
        sa.Column("ticket", EXACT, nullable=False, unique=True),
        sa.Column("seq", sa.Integer(), nullable=False),
        moment("alarm_at", nullable=True),
        text("state"),
    )
    index("cases_alarm", "cases", ["alarm_at"], where="alarm_at IS NOT NULL")
    table(
        "conversations",
        key("id"),
        text("profile"),
        text("channel"),
        text("account"),
        text("reporter"),
        text("case_id"),
        moment("last_inbound_at"),
        text("sealed_identity"),
    )
    table("received", key("message_id"), text("case_id"), moment("received_at"), sqlite_with_rowid=False)


def replies() -> None:
    table(
        "outbox",
        number("ordinal"),
        sa.Column("reply_id", EXACT, nullable=False, unique=True),
        text("case_id"),
        text("conversation"),
        text("profile"),
        text("channel"),
        text("account"),
        text("text"),
        text("pattern", nullable=True),
        text("sealed"),
        text("status"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        moment("next_at", nullable=True),
        moment("attempted_at", nullable=True),
        text("sent"),
        text("reason", nullable=True),
    )
    index("outbox_due", "outbox", ["next_at"], where="next_at IS NOT NULL")
    index("outbox_conversation", "outbox", ["conversation", "ordinal"])


def vault() -> None:
    table(
        "reporter_keys",
        key("id"),
        text("reporter"),
        text("master"),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        moment("created_at"),
    )
    index("ix_reporter_keys_reporter", "reporter_keys", ["reporter"])
    table(
        "audit",
        number("id"),
        moment("at"),
        text("actor"),
        text("action"),
        text("subject"),
        text("reason"),
    )
    table(
        "dead_letters",
        key("id"),
        moment("at"),
        text("profile"),
        text("channel"),
        text("stage"),
        text("reason"),
        text("sealed"),
        moment("replayed_at", nullable=True),
    )


def staff() -> None:
    table(
        "accounts",
        key("username"),
        text("password"),
        text("profiles"),
        text("role"),
        text("unit", nullable=True),
        text("language"),
        sa.Column("active", sa.Integer(), nullable=False),
    )
    table("sessions", key("secret_hash"), text("username"), text("kind"), moment("expires_at"))
