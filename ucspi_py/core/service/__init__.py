"""The service: the queue for slots, the life of a worker slot, the adoption of orphans. Decides."""
