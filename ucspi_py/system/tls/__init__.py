"""TLS spoken: keys, contexts, handshakes, streams."""
