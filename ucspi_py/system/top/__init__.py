"""A service tells who is inside, and is asked for it."""
