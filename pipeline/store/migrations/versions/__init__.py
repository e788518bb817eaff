"""The steps, oldest first. They name their own columns and types: `tables` may change, what was done may not."""
