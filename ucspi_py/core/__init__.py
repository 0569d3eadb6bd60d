"""DECIDES: bytes and facts in, values out. No socket, clock, process, environment or log is ever touched here."""
