"""The way to a server that keeps records."""
