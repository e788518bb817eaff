"""The embedded engine: one process, one SQLite file, one writer; every step durable before it is answered."""
