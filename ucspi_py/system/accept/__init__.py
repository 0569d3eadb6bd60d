"""Who comes in: the listening socket, the queue behind it, slots and places."""
