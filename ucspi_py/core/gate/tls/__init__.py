"""TLS at the gate, as main.cf asks for it."""
