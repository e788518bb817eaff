"""Which cases one person opened (`tables.persons`; those of earlier releases stay without: nothing proves them), and to
whom a reply that was tried was addressed.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "persons",
        sa.Column("reporter", EXACT, primary_key=True),
        sa.Column("opened_at", sa.BigInteger(), primary_key=True),
        sa.Column("case_id", EXACT, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.add_column("outbox", sa.Column("talks", EXACT))
