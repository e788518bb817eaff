"""Files that came with messages are fetched and kept."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def text(name: str, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, EXACT, nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "files",
        sa.Column("id", EXACT, primary_key=True),
        text("message_id"),
        sa.Column("position", sa.Integer(), nullable=False),
        text("case_id"),
        text("profile"),
        text("channel"),
        text("reporter"),
        text("url"),
        text("media_type", nullable=True),
        text("name", nullable=True),
        text("status"),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger()),
        text("reason", nullable=True),
        text("digest", nullable=True),
        sa.Column("size", sa.BigInteger()),
        sa.Column("width", sa.Integer()),
        sa.Column("height", sa.Integer()),
        sa.Column("taken_at", sa.BigInteger()),
        sa.Column("lat", sa.Float()),
        sa.Column("lon", sa.Float()),
    )
    due = sa.text("next_at IS NOT NULL")
    op.create_index("files_due", "files", ["next_at"], sqlite_where=due, postgresql_where=due)
    op.create_index("files_case", "files", ["case_id"])
