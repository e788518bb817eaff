"""How far a case's events surely were on Kafka when it was written: see `tables.cases`."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("cases", sa.Column("streamed", sa.Integer()))
    if op.get_bind().dialect.name == "postgresql":  # workers that ended in order had published all
        op.execute("UPDATE cases SET streamed = seq")
