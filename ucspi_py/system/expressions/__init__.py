"""Expressions at work: a limit on their time."""
