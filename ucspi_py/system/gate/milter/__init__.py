"""Milters at work: connected to, told of clients and messages, given up where they fail. Never judges a client."""
