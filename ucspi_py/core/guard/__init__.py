"""The guard: the one process that keeps root, and what it may be asked; requests, limits and turns as values."""
