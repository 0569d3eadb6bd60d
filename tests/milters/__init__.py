"""Debian's milters at the gate."""
