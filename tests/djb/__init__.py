"""Ours beside djb: the same input for both, the same output from both."""
