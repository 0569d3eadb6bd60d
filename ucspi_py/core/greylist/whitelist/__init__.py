"""postgrey's whitelists: clients and recipients that never wait. Decides."""
