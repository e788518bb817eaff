"""Which calendar the clocks of each profile follow: see `tables.calendars`."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "calendars",
        sa.Column("profile", EXACT, primary_key=True),
        sa.Column("fingerprint", EXACT, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
    )
