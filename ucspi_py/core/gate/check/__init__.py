"""What is wrong with a configuration, and what in it is a trap."""
