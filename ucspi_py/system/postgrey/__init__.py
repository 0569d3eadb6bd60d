"""A policy server as postgrey is one, at work: processes that listen at the same places over the same records."""
