"""The audit log is chained; what is said in confidence has a table of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("audit", sa.Column("number", sa.BigInteger()))
    op.add_column("audit", sa.Column("mark", EXACT))
    op.create_index("audit_number", "audit", ["number"], unique=True)
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("mark", EXACT, nullable=False),
        sa.Column("seal", EXACT, nullable=False),
    )
    op.create_table(
        "confidential",
        sa.Column("ordinal", NUMBER, sa.Identity(always=False), primary_key=True),
        sa.Column("id", EXACT, nullable=False, unique=True),
        sa.Column("case_id", EXACT, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", EXACT, nullable=False),
        sa.Column("role", EXACT, nullable=False),
        sa.Column("unit", EXACT),
        sa.Column("sealed", EXACT, nullable=False),
    )
    op.create_index("ix_confidential_case_id", "confidential", ["case_id"])
