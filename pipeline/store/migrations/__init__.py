"""How a database made by an earlier release becomes today's: Alembic's environment, and a step a change.

A change of `tables` is a new file in `versions`, written by hand after the last one and never changed once
released, with `down_revision` naming the one before; `schema.HEAD` names the newest. The tests compare a database
that took all steps with one made at once from `tables`, and print what differs.
"""
