"""What a proxy says of the client that it speaks for: the PROXY protocol (proxy-protocol.txt of HAProxy)."""
