"""Clients log in at the gate."""
