"""examples/: every file there runs, as it stands but for its paths, under what it was written for."""
