"""Records that outlive a process: where they are kept, what changes them, and when a store is left alone. Decides."""
