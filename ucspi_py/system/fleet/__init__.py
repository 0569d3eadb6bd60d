"""Limits of a client are held over several hosts."""
