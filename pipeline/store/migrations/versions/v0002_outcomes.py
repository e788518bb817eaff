"""What became of a command that somebody waits for in another process."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "outcomes",
        sa.Column("id", EXACT, primary_key=True),
        sa.Column("case_id", EXACT),
        sa.Column("refusal", EXACT),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_outcomes_at", "outcomes", ["at"])
