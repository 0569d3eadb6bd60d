"""A service that is looked at before it starts."""
