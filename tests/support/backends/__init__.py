"""Backends of the gate's tests: programs that are started as any other, and what tests know of them."""
