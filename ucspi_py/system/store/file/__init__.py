"""The way to an SQLite file: opened, kept small, read and changed by one thread."""
