"""What connectors of more platforms need: whose words a reply has, how far each account was polled, and the pieces of
long messages.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.add_column("outbox", sa.Column("purpose", EXACT))
    op.add_column("outbox", sa.Column("human", sa.Integer()))
    op.create_table(
        "polls",
        sa.Column("provider", EXACT, primary_key=True),
        sa.Column("account", EXACT, primary_key=True),
        sa.Column("cursor", EXACT),
        sa.Column("polled_at", sa.BigInteger(), nullable=False),
        sa.Column("trouble", EXACT),
    )
    op.create_table(
        "fragments",
        sa.Column("whole", EXACT, primary_key=True),
        sa.Column("round", sa.Integer(), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("piece", EXACT, nullable=False),
        sa.Column("profile", EXACT, nullable=False),
        sa.Column("channel", EXACT, nullable=False),
        sa.Column("sealed", EXACT, nullable=False),
        sa.Column("overdue_at", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
    )
    op.create_index("ix_fragments_overdue_at", "fragments", ["overdue_at"])
