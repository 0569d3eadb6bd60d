"""Relay tests as decisions: who is tried, with which addresses, what is said, and what the answers mean."""
