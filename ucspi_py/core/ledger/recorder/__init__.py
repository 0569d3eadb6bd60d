"""A login is told to the recorder: what is asked, what proves it, and what is answered. Never keeps a grant."""
