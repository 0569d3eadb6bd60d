"""Postfix's policy delegation protocol: requests and replies as values. Never sends, never judges."""
