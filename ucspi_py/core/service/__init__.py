"""The service: who gets a slot, who is in which worker slot, which orphan is whose. Decides."""
