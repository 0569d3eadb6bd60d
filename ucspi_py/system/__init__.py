"""DOES: sockets, processes, files and DNS, on the word of core. Never parses a command line."""
