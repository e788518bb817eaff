"""Run by Alembic: takes the steps in the transaction that `schema` has begun, so that all of them hold or none."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
