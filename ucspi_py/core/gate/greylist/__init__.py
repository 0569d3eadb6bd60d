"""Greylisting by triplet in the lists of a gate. Decides."""
