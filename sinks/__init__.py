"""Where cases become searchable. SQLite's full-text search here; each store keeps the contract of `Tracking`."""
