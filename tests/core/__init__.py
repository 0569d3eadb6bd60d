"""core: pure functions, by tables and by hypothesis."""
