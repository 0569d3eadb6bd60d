"""Accepting clients: the listening socket, the queue behind it, slots and places. Does."""
