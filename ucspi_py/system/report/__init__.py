"""Logging and counting. Does."""
