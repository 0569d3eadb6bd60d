"""The rows of the measurement, a topic each: what is done, by whom in turns, and what must be reached."""
