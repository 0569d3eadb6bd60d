"""SPEAKS: options in, usage lines and exit codes out. Never touches a client."""
