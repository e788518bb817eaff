"""The rules that the hub last ran under, and what an account is in each profile: see `tables`."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "rules",
        sa.Column("profile", EXACT, primary_key=True),
        sa.Column("version", EXACT, primary_key=True),
        sa.Column("body", EXACT, nullable=False),
    )
    op.add_column("accounts", sa.Column("posts", EXACT))
