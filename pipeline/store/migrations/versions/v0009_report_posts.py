"""Which report goes to whom, and the addresses of staff that it may go to."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("accounts", sa.Column("email", EXACT))
    op.create_table(
        "report_posts",
        sa.Column("id", EXACT, primary_key=True),
        sa.Column("profile", EXACT, nullable=False),
        sa.Column("unit", EXACT),
        sa.Column("period", EXACT, nullable=False),
        sa.Column("receiver", EXACT, nullable=False),
        sa.Column("language", EXACT, nullable=False),
        sa.Column("status", EXACT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.BigInteger()),
        sa.Column("attempted_at", sa.BigInteger()),
        sa.Column("reason", EXACT),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    due = sa.text("next_at IS NOT NULL")
    op.create_index("report_posts_due", "report_posts", ["next_at"], sqlite_where=due, postgresql_where=due)
