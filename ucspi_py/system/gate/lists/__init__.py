"""Restriction lists at work: what they ask is found out, and what they say is done."""
