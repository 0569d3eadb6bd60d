"""A client: its connection, what it may have, how fast it comes, and what its ident server says. Decides."""
