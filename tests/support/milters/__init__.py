"""Debian's milters, each on a Unix socket of its own and with nothing of the machine's configuration."""
