"""What a supervisor gives us, and what it is told."""
