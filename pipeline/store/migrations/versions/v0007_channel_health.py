"""How each channel stands with its platform: see `tables.channel_health`."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "channel_health",
        sa.Column("profile", EXACT, primary_key=True),
        sa.Column("channel", EXACT, primary_key=True),
        sa.Column("rests_until", sa.BigInteger()),
        sa.Column("rests_why", EXACT),
        sa.Column("dead", sa.Integer()),
        sa.Column("checked_at", sa.BigInteger()),
        sa.Column("ok", sa.Integer()),
        sa.Column("reason", EXACT),
        sa.Column("expires_at", sa.BigInteger()),
        sa.Column("facts", EXACT),
    )
