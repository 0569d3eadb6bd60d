"""Greylisting by triplet, client network, sender and recipient, as postgrey has it. Decides."""
