"""The gate: a client's session, and the backend of its own that it may get late."""
