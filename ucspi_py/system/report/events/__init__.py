"""The log in other forms than djb's, each line an event. Does."""
