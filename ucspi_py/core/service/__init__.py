"""The service: who gets a slot, who is on which post, which orphan is whose. Decides."""
