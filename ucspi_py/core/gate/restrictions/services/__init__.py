"""Restrictions behind which somebody has records or rules of his own: greylisting, policy services. Never asks."""
