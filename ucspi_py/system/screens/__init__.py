"""The kinds of screens, in a worker and alone."""
