"""Limits of a client that hold over several hosts: what is asked of their store, and what its answer says. Decides."""
