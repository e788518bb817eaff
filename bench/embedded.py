"""Embedded engine: full lifecycles a second, each step durable before it is answered, as the cases add up."""
