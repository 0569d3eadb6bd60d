"""A service looked at before it starts."""
