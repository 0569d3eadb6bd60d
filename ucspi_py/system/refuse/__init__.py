"""Refused clients are talked to."""
