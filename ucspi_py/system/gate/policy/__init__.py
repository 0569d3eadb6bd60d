"""Policy services of the gate, asked. Never decides what an answer does."""
