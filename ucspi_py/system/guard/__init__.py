"""The guard at work: the process that keeps root, and those that ask it."""
