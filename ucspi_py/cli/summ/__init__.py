"""pysumm: a log in numbers, for a terminal, for programs and for a browser."""
