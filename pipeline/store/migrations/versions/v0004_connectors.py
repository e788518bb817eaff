"""What connectors of more platforms need: whose words a reply has, and how far each account was polled."""

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
