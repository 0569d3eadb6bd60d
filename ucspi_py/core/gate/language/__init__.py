"""main.cf: its syntax, its parameters, and what they make a gate of (postconf(5)). Decides."""
