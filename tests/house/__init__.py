"""The house itself: floors, examples, documentation, start-up cost."""
