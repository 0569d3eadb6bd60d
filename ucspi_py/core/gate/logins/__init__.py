"""Logins at the gate (RFC 4954): what is offered to whom, how many tries there are, what a login changes."""
