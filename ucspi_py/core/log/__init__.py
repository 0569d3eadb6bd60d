"""What a log line tells as a value, and the forms in which it can stand. Decides."""
