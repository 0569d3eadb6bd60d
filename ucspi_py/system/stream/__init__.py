"""A client's stream."""
