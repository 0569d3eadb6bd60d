"""TLS at the gate, at work."""
