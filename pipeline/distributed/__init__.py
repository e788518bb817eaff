"""The engine of a province: Kafka carries the streams, Faust agents work on them, PostgreSQL keeps the state."""
