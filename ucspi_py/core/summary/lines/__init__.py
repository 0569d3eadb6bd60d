"""A line of a log -> events: stamps, lines in djb's form, logfmt, JSON. Never counts."""
