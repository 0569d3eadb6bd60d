"""TLS: what the operator asked of it, and what is said of a client that speaks it."""
