"""Who serves: start, master, workers, and the way of a connection through them."""
