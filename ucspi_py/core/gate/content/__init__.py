"""Postfix's header_checks and body_checks: what a message says, and what becomes of it."""
