"""Zones: what is asked of them, what their answers mean, and whether they are believed. Decides."""
