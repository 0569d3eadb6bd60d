"""Greylisting by triplet at work: records are asked, whitelists are read."""
