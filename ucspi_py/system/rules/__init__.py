"""Rules files: read live, written, and their sources."""
