"""A client: its connection, its limits, its arrival rate and its ident answer. Decides."""
