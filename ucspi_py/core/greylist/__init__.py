"""Greylisting: who waits, and for how long. Decides."""
