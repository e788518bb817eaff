"""Profiles: one government's service standard as data.

`schema` is the format, `source` reads the files and remembers the lines, `check` and `flow` say what does not
fit together, `load` makes a `rulebook.Rulebook` of it all, and `graph` draws the workflow.
"""
