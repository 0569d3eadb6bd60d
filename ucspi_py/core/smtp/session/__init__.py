"""The parts of a session's dialogue: what its verbs do, what is counted, what its content is taken by."""
