"""The log of one session at the gate: what was refused, what was taken, and how it ended. Never decides."""
