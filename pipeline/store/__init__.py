"""State, vault and accounts in a relational database, through SQLAlchemy Core: SQLite here, PostgreSQL by URL."""
