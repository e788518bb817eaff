"""What staff is told, and what pictures look like: see `tables.notices` and `tables.picture_bands`."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

EXACT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "notices",
        sa.Column("ordinal", NUMBER, sa.Identity(always=False), primary_key=True),
        sa.Column("id", EXACT, nullable=False, unique=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("profile", EXACT, nullable=False),
        sa.Column("case_id", EXACT, nullable=False),
        sa.Column("ticket", EXACT, nullable=False),
        sa.Column("occasion", EXACT, nullable=False),
        sa.Column("receiver", EXACT, nullable=False),
        sa.Column("channel", EXACT, nullable=False),
        sa.Column("private", sa.Integer(), nullable=False),
        sa.Column("detail", EXACT, nullable=False),
    )
    op.create_index("notices_inbox", "notices", ["profile", "receiver", "ordinal"])
    op.create_table(
        "notice_marks",
        sa.Column("account", EXACT, primary_key=True),
        sa.Column("profile", EXACT, primary_key=True),
        sa.Column("seen", sa.BigInteger(), nullable=False),
    )
    op.add_column("outbox", sa.Column("address", EXACT))
    op.add_column("files", sa.Column("fingerprint", EXACT))
    op.add_column("files", sa.Column("field", EXACT))
    op.create_table(
        "picture_bands",
        sa.Column("band", EXACT, primary_key=True),
        sa.Column("file_id", EXACT, primary_key=True),
        sa.Column("profile", EXACT, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("picture_bands_file", "picture_bands", ["file_id"])
